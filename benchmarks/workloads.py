"""The models that training is timed on, as the engine runs them and as published code does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from bounds.topology import topology
from empirical import Run, resolve_device
from empirical.models import perceptron, resnet20, seeded, small_cnn
from empirical.parts import cut, states
from empirical.problems.base import Problem
from empirical.problems.logistic import LogisticRegression
from empirical.problems.module import ModuleProblem
from empirical.problems.perceptron import Perceptron
from empirical.problems.registry import PROBLEMS
from empirical.samples import draw_samples

NODES, SAMPLES, POPULATION, ETA = 16, 64, 512, 0.01


@dataclass(frozen=True)
class Workload:
    """A model on uniform random inputs of ``shape``, batches of ``b``; ``problem`` and ``module`` build the same model."""

    name: str
    shape: tuple[int, ...]
    b: int
    problem: Callable[[np.ndarray, np.ndarray], Problem]
    module: Callable[[], nn.Module]
    classes: int = 10

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Features (512, *shape), numbers of float32, and labels (512,)."""
        rng = np.random.default_rng(0)
        return rng.random((POPULATION, *self.shape), dtype=np.float32).astype(np.float64), rng.integers(0, self.classes, POPULATION)

    def registered(self) -> str:
        """The name under which runs find the problem, built once."""
        name = f"bench {self.name}"
        if name not in PROBLEMS:
            built = self.problem(*self.data())
            PROBLEMS[name] = lambda: built
        return name


def _mlp(*widths: int) -> tuple[Callable[[np.ndarray, np.ndarray], Problem], Callable[[], nn.Module]]:
    return (
        lambda x, y: Perceptron("mlp", x, y, hidden=widths[1:-1], activation="relu"),
        lambda: perceptron(widths, "relu"),
    )


LOGISTIC = Workload(
    "logistic regression d=50", (50,), 8, lambda x, y: LogisticRegression("logistic", x, 2 * y - 1), lambda: nn.Linear(50, 2), classes=2
)
MLP = Workload("MLP 784-64-10", (784,), 16, *_mlp(784, 64, 10))
TINY_MLP = Workload("MLP 32-32-10", (32,), 16, *_mlp(32, 32, 10))
CNN = Workload("small CNN 28x28", (1, 28, 28), 16, lambda x, y: ModuleProblem("cnn", seeded(small_cnn), x, y), small_cnn)
RESNET = Workload("ResNet-20 32x32", (3, 32, 32), 16, lambda x, y: ModuleProblem("resnet", seeded(resnet20), x, y), resnet20)


def engine(run: Run, device: str = "cpu") -> None:
    """Train ``run`` on as many threads as torch has, and read nothing."""
    place, problem = resolve_device(device), PROBLEMS[run.problem]()
    with torch.inference_mode():
        for _ in states(run, problem, draw_samples(run, problem), cut(run, problem, run.twins, None, place), place, run.read_at):
            pass
    if place.type == "cuda":
        torch.cuda.synchronize()


def run_of(workload: Workload, steps: int, replicates: int) -> Run:
    """D-SGD (ATC) on a ring of 16 nodes, float32."""
    return Run(
        problem=workload.registered(),
        update_form="atc",  # type: ignore[arg-type]
        m=NODES,
        n=SAMPLES,
        T=steps,
        b=workload.b,
        eta=ETA,
        replicates=replicates,
        precision="float32",
    )


def loop(workload: Workload, steps: int) -> Callable[[], None]:
    """The same training, one replicate: one module and one ``torch.optim.SGD`` per node, node by node."""
    x, y = (torch.from_numpy(array) for array in workload.data())
    x, y = x.float()[: NODES * 32].view(NODES, -1, *workload.shape), y[: NODES * 32].view(NODES, -1)
    weights = torch.tensor(topology("ring", NODES).matrix, dtype=torch.float32)
    models = [workload.module() for _ in range(NODES)]
    optimizers = [torch.optim.SGD(model.parameters(), lr=ETA) for model in models]
    drawn = torch.randint(0, x.shape[1], (steps, NODES, workload.b), generator=torch.Generator().manual_seed(0))

    def train() -> None:
        for places in drawn:
            for node, (model, optimizer) in enumerate(zip(models, optimizers, strict=True)):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[node][places[node]]), y[node][places[node]]).backward()
                optimizer.step()
            with torch.no_grad():
                mixed = weights @ torch.stack([nn.utils.parameters_to_vector(model.parameters()) for model in models])
                for model, row in zip(models, mixed, strict=True):
                    nn.utils.vector_to_parameters(row, model.parameters())

    return train

"""Where the update forms come to rest after equal work: curvature, losses and accuracies of the models they end at.

All forms, batch sizes and starts of a replicate share its training set, its random start and the order of its samples. They train with a
ridge, so that there are minima at finite weights; curvature is that of the training loss without it at
the network mean, and the accuracy is that on the whole population, which is the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import Fact
from empirical.curvature import Objective, gradient, hessian_trace, problem_objective, top_eigenvalue
from empirical.equal_work import Work, Workshop
from empirical.problems.base import Problem
from empirical.streams import stream
from empirical.viewpoint import network_mean
from verify.claims.core import Budget
from verify.claims.images import LARGE_CNN, LARGE_MLP, image_problems
from verify.plan import Task

Values = NDArray[np.float64]
FORMS = ("centralized", "atc", "cta", "consensus")
STARTS = ("random", "minimum")
START_WORDS = {"random": "From random starts", "minimum": "From one trained minimum"}
DISTANCES = np.linspace(-1.0, 1.0, 21)
#: A random direction is far flatter than the steepest one, and is followed this much farther.
FARTHER = 10.0
#: The networks on images of the claims about ends of training.
IMAGES = (LARGE_MLP, LARGE_CNN)
#: Nodes, samples per node; Lanczos stops at this residual, relative, which is its square in the eigenvalue.
M, N = 8, 32
_TOLERANCE = 3e-3
_SAME = 1e-9
_BLOCK = 8
#: Epochs of a probe; how many take as long as the curvature at the end of one run.
_SHORT, _CURVATURE = 4, 180


@dataclass(frozen=True, slots=True)
class Plan:
    """One problem's runs: which starts, batch sizes with their learning rates, the work, and how many replicates.

    ``steps`` are (word, b, eta), the word naming batch size and step; ``ridge`` and ``tolerance`` (of the trained minimum's gradient) as in
    :class:`empirical.equal_work.Work`; ``probes`` of Hutchinson's estimate.
    """

    problem: str
    steps: tuple[tuple[str, int, float], ...]
    epochs: int
    replicates: int
    ridge: float
    tolerance: float
    probes: int = 12
    starts: tuple[str, ...] = STARTS
    reach: float = 1.0

    def tasks(self, start: str, seed: int) -> tuple[Task, ...]:
        """The runs from one start, in blocks of replicates."""
        first = range(0, self.replicates, _BLOCK)
        blocks = [range(at, min(at + _BLOCK, self.replicates)) for at in first]
        probe = Task(land, (replace(self, epochs=_SHORT, steps=self.steps[:1]), STARTS[0], 0, range(1)), self._cost(_SHORT, 1, 1))
        return tuple(
            Task(land, (self, start, seed, block), self._cost(self.epochs, len(self.steps), len(block)), probe) for block in blocks
        )

    def _cost(self, epochs: int, steps: int, replicates: int) -> float:
        """Training, and the curvature at its ends, which takes as long as ``_CURVATURE`` epochs."""
        return float(1000 * M * N * (epochs + _CURVATURE) * steps * replicates)

    def words(self, k: int) -> str:
        """Batch size and step number ``k`` for a sentence."""
        _, b, eta = self.steps[k]
        return f"{'the full batch' if b == N else f'b = {b}'} and eta = {eta:g}"


_WORDS = ("batch-4", "batch-8", "full-batch-small-step", "full-batch-large-step")
_MLP = Plan("mlp-digits", tuple(zip(_WORDS, (4, 8, N, N), (0.3, 0.5, 0.5, 1.0), strict=True)), 128, 32, 1e-3, 1e-4)
_NETWORK = Plan("network-digits", tuple(zip(_WORDS, (4, 8, N, N), (18.0, 24.0, 24.0, 48.0), strict=True)), 128, 32, 1e-4, 1e-6, reach=10.0)
_FASHION = Plan(LARGE_MLP, _MLP.steps[1:3], 64, 12, 1e-3, 1e-3, 8, STARTS[:1])
#: Found in full reports only, which take four times as many replicates of everything.
_CNN = Plan(LARGE_CNN, (("batch-4", 4, 0.005), ("batch-8", 8, 0.01)), 512, 3, 1e-3, 1e-3, 8, STARTS[:1])
_ON_IMAGES = {one.problem: one for one in (_FASHION, _CNN)}
_FULL_SCALE = 4


def plans(budget: Budget) -> tuple[Plan, ...]:
    """Perceptron and small network on digits, in a quick report one start of each; where a folder has them, a perceptron on Fashion-MNIST and,
    in a full report, a convolutional network on CIFAR-10."""
    if budget.name == "quick":
        return (
            replace(_MLP, steps=_MLP.steps[-1:], starts=STARTS[:1], replicates=10, probes=6),
            replace(_NETWORK, steps=_NETWORK.steps[1::2], starts=STARTS[1:], replicates=10, probes=6),
        )
    there = [_ON_IMAGES[problem] for problem in image_problems(budget, IMAGES)]
    scale = _FULL_SCALE if budget.name == "full" else 1
    return tuple(replace(one, replicates=scale * one.replicates) for one in (_MLP, _NETWORK, *there))


def word(plan: Plan) -> str:
    """A problem's word in a case's name: its model, and its data where they are not the digits."""
    model, _, data = plan.problem.partition("-")
    return model if data == "digits" else f"{model}-{data.partition(':')[0]}"


@dataclass(frozen=True, eq=False)
class Landings:
    """What was found at the ends of a block of replicates; arrays (replicates, forms, steps), forms as in :data:`FORMS`.

    trace and trace_error: Hutchinson's estimate of the Hessian's trace, with probes that all forms of a replicate share, and its
    standard error. top: the largest eigenvalue. training, test: mean losses on the training set and on the population. accuracy:
    share of the population that the network mean classifies rightly; node_accuracy: the nodes' own, averaged. gradient: norm of the
    training loss's. spread: (1/m) sum_k norm(x_k - xbar)^2. repeated: whether the network mean is that of an earlier form to 1e-9.
    slices: (replicates, forms, steps, 2, distances), the training loss along a random direction (followed ``FARTHER``) and along the
    top eigenvector, at the distances ``reach`` times :data:`DISTANCES`.
    """

    trace: Values
    trace_error: Values
    top: Values
    training: Values
    test: Values
    accuracy: Values
    node_accuracy: Values
    gradient: Values
    spread: Values
    repeated: NDArray[np.bool_]
    slices: Values


def joined(blocks: Sequence[Landings]) -> Landings:
    """Blocks of replicates one after the other."""
    return Landings(**{one.name: np.concatenate([getattr(block, one.name) for block in blocks]) for one in fields(Landings)})


def land(plan: Plan, start: str, seed: int, replicates: range) -> Landings:
    """Train every form with every pair of batch size and step from one start and measure where it ends (a :class:`Task` function).

    Raises:
        DomainError: when a run diverged.
    """
    work = Work(plan.problem, start, M, N, plan.epochs, seed, replicates, plan.ridge, tolerance=plan.tolerance)  # type: ignore[arg-type]
    shop = Workshop(work)
    risks = [problem_objective(shop.problem, rows) for rows in shop.training]
    table = np.empty((len(replicates), len(FORMS), len(plan.steps)), dtype=object)
    for k, (_, b, eta) in enumerate(plan.steps):
        ends = {form: shop.train(form, b, eta) for form in FORMS}
        for r, number in enumerate(replicates):
            for at, form in enumerate(FORMS):
                table[r, at, k] = _measure(shop.problem, risks[r], ends[form][r], plan, (seed, number), table[r, :at, k])
    return Landings(
        **{one.name: np.array([[[cell[one.name] for cell in row] for row in form] for form in table]) for one in fields(Landings)}
    )


def _measure(
    problem: Problem, risk: Objective, models: Tensor, plan: Plan, key: tuple[int, int], before: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    mean = network_mean(models)
    with torch.inference_mode():
        own = float(problem.hits(models).double().mean())
    shown = {"mean": mean, "node_accuracy": own, "spread": float((models - mean).square().sum(-1).mean())}
    # CTA has ATC's network mean up to rounding; what is read there is read once.
    known = next((one for one in before if float((one["mean"] - mean).abs().max()) <= _SAME), None)
    if known is not None:
        return {**known, **shown, "repeated": True}
    return shown | {"repeated": False} | _at_mean(problem, risk, mean, plan, key)


def _at_mean(problem: Problem, risk: Objective, mean: Tensor, plan: Plan, key: tuple[int, int]) -> dict[str, Any]:
    trace = hessian_trace(risk, mean, plan.probes, *key)
    steepest = top_eigenvalue(risk, mean, _TOLERANCE, steps=100, seed=key[0])
    with torch.inference_mode():
        training, test = (float(value) for value in (risk.values(mean[None])[0], problem.losses(mean[None]).mean()))
        accuracy = float(problem.hits(mean[None]).double().mean())
    return {
        "trace": trace.mean,
        "trace_error": trace.standard_error,
        "top": steepest.value,
        "training": training,
        "test": test,
        "accuracy": accuracy,
        "gradient": float(gradient(risk, mean).norm()),
        "slices": _slices(risk, mean, steepest.vector, plan.reach, stream(key[0], "slice", key[1])),
    }


def _slices(risk: Objective, point: Tensor, steepest: Tensor, reach: float, generator: np.random.Generator) -> Values:
    """(2, distances): the loss along a random direction and along the steepest one, each averaged over both of its signs."""
    random = torch.from_numpy(generator.standard_normal(risk.width))
    directions = reach * torch.stack([FARTHER * random / random.norm(), steepest])
    with torch.inference_mode():
        places = point + torch.from_numpy(DISTANCES)[:, None, None] * directions
        found: Values = risk.values(places.view(-1, risk.width)).view(len(DISTANCES), 2).T.numpy()
    # An eigenvector has no sign of its own.
    return np.asarray((found + found[:, ::-1]) / 2)


def conditions(plan: Plan, start: str | None = None, k: int | None = None) -> dict[str, Fact]:
    """What the runs have in common."""
    shown: dict[str, Fact] = {"problem": plan.problem, "ridge": plan.ridge, "topology": "ring", "m": M, "n": N, "epochs": plan.epochs}
    if start is not None:
        shown["start"] = start if start == "random" else f"the minimum that L-BFGS finds, gradient at most {plan.tolerance:g} in each entry"
    if k is not None:
        shown |= {"b": plan.steps[k][1], "eta": plan.steps[k][2]}
    return shown


def percent(log_ratio: float) -> str:
    """The relative change that a difference of logarithms is, in percent."""
    return f"{100 * math.expm1(log_ratio):+.3g} %"

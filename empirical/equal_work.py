"""All update forms on the same samples: equal work from a common start, the models at the end.

Every node reads its own samples in a new order in every epoch, so that batches of all n samples are the full batch. Replicates own
their training sets, starts and orders; forms and batch sizes share them, so that their ends may be compared as pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.topology import topology
from bounds.vocabulary import UpdateForm, word
from empirical.configuration import Run
from empirical.curvature.minimum import descend
from empirical.curvature.objective import problem_objective
from empirical.device import one_thread
from empirical.mixing import Mix, mixer
from empirical.problems.penalised import Penalised
from empirical.problems.registry import problem as build_problem
from empirical.samples import draw_samples
from empirical.streams import stream
from empirical.updates import UPDATES, Rules

Values = NDArray[np.float64]
_DESCENT = 4000
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Work:
    """What a block of replicates does.

    Attributes:
        problem: name of a training problem. ridge: gamma of the (gamma/2) norm(w)^2 that is added to its loss.
        start: "random", the problem's own random start of the replicate; "minimum", the minimum of the ridged training risk that
            L-BFGS finds from there, no entry of its gradient above ``tolerance``.
        m, n: nodes and samples per node. topology: of the decentralized forms.
        epochs: passes over the samples, of every form and batch size. seed: master seed. replicates: the block.

    Raises:
        DomainError: for an empty block.
    """

    problem: str
    start: Literal["random", "minimum"]
    m: int
    n: int
    epochs: int
    seed: int
    replicates: range
    ridge: float
    topology: str = "ring"
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        if len(self.replicates) == 0 or min(self.m, self.n, self.epochs) < 1:
            raise DomainError(f"got {len(self.replicates)} replicates, m={self.m}, n={self.n}, epochs={self.epochs}; each is at least 1")


class Workshop:
    """The samples and starts of one block, on which any update form may train."""

    def __init__(self, work: Work) -> None:
        self.work, self.problem = work, build_problem(work.problem)
        self.ridged = Penalised(self.problem, work.ridge)

    @cached_property
    def training(self) -> NDArray[np.int64]:
        """(replicates, m, n) population indices."""
        one = self.work
        run = Run(
            problem=one.problem, update_form=UpdateForm.ATC, m=one.m, n=one.n, T=1, eta=1.0, replicates=one.replicates.stop, seed=one.seed
        )
        return draw_samples(run, self.problem).training[one.replicates.start :]

    @cached_property
    def starts(self) -> Values:
        """(replicates, P): where all nodes start."""
        found = np.stack([self.problem.drawn(stream(self.work.seed, "start", one)) for one in self.work.replicates])
        if self.work.start == "random":
            return found
        risks = (problem_objective(self.ridged, rows) for rows in self.training)
        return torch.stack([descend(risk, at, _DESCENT, self.work.tolerance)[0] for risk, at in zip(risks, found, strict=True)]).numpy()

    def train(self, form: UpdateForm | str, b: int, eta: float) -> Tensor:
        """Models (replicates, m, P) after all epochs, m = 1 for the centralized form, whose batches are those of all nodes together.

        Raises:
            DomainError: when b does not divide n, or the models are no longer finite.
        """
        work, form = self.work, word(UpdateForm, form)
        if work.n % b:
            raise DomainError(f"got b={b} of n={work.n} samples per node; take a b that divides n, so that every epoch reads all")
        alone = form is UpdateForm.CENTRALIZED
        models = torch.from_numpy(self.starts)[:, None].repeat(1, 1 if alone else work.m, 1)
        rules, spare = Rules(self.ridged, None if alone else self._mix(), None, self.ridged.by_network), torch.empty_like(models)
        with torch.inference_mode(), one_thread():
            for epoch in range(work.epochs):
                for draws in self._batches(epoch, b, models.shape[1]):
                    models, spare = UPDATES[form](rules, models, spare, draws, eta)
        if not bool(torch.isfinite(models).all()):
            raise DomainError(f"{form.value} with b={b}, eta={eta:g} diverged; take a smaller eta")
        return models.clone()

    def _mix(self) -> Mix:
        return mixer(topology(self.work.topology, self.work.m).matrix, _CPU, torch.float64)

    def _batches(self, epoch: int, b: int, models: int) -> Tensor:
        """(n/b, replicates * models, batch) population indices of one epoch."""
        orders = np.stack(
            [stream(self.work.seed, f"order of epoch {epoch}", one).random(self.training.shape[1:]) for one in self.work.replicates]
        )
        shuffled = np.take_along_axis(self.training, orders.argsort(-1), -1)
        steps = np.moveaxis(shuffled.reshape(*shuffled.shape[:2], -1, b), 2, 0)
        return torch.from_numpy(np.ascontiguousarray(steps)).reshape(len(steps), len(shuffled) * models, -1)

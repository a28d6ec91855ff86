r"""What optimization bounds speak about: losses above their minimum, averaged iterates, and what a run meets on its way.

:func:`optimise` reads off one pass over the steps 0..T-1, x_k^t being the models before step t+1 and xbar_t their mean:

* ``training``, ``risk``: R_S(x) - min R_S and R(x) - min R after T steps, and with ``averaged`` of the models' averages over the
  steps 0..T-1; at the node average (mean over nodes of the loss) or the network mean (loss of the mean model).
* ``raw_training``: R_S(x) at the node average after T steps, minimum not subtracted; ``generalization``: R(x) - R_S(x), likewise.
* ``gradient``: (1/T) sum_{t<T} \|grad R_S(xbar_t)\|^2.
* ``met``: F = (1/T) sum_{t<T} (1/mn) sum_ij l(x_j^t; Z_ij), every node at its gradient point on its own samples.
* ``largest``: max_{t<T, i, j} \|grad l(x_j^t; Z_ij)\|, likewise.
* ``variance``: (1/m) sum_j mean_i \|grad l(x_j^T; Z_ij) - grad f_j(x_j^T)\|^2 at the models after T steps.
* ``spread``: (1/m) sum_j \|x_j^T - xbar_T\|^2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError, unknown_name
from bounds.setting import Constant, Setting
from bounds.vocabulary import Readout
from empirical.configuration import Run
from empirical.device import one_thread, resolve_device
from empirical.measurement import describe
from empirical.minimisers import minima
from empirical.parts import Part, cut, states
from empirical.problems.base import Problem
from empirical.problems.registry import problem as build_problem
from empirical.samples import Samples, draw_samples
from empirical.simulation import Points
from empirical.viewpoint import network_mean

Values = NDArray[np.float64]
#: Models whose losses on the whole population are held at a time.
_SLICE = 16
_MEAN, _NODES = Readout.NETWORK_MEAN.value, Readout.NODE_AVERAGE.value
_LOSSES = tuple(f"{what} {where}" for what in ("training", "averaged training", "risk", "averaged risk") for where in (_MEAN, _NODES))
ON_THE_WAY = ("gradient", "met", "largest")
AT_THE_END = (*_LOSSES, "raw_training", "generalization", "variance", "spread")


@dataclass(frozen=True, eq=False)
class Optimisation:
    """What :func:`optimise` read, with the replicate axis kept.

    Attributes:
        values: by name, (replicates, checkpoints).
        r0, D0: (replicates,), proved from above for each replicate's training set: the distance of the start from the minimiser of
            R_S and R_S(start) - min R_S. Without a proved strong convexity r0 is None and D0 is R_S(start), as losses are >= 0.
        sigma2, zeta2: (replicates,), the proved constants of each replicate's training set; None where nothing is proved.
        settings: one per checkpoint, read at the network mean.
    """

    values: Mapping[str, Values]
    r0: Values | None
    D0: Values
    sigma2: Values | None
    zeta2: Values | None
    settings: tuple[Setting, ...]


def optimise(run: Run, wanted: tuple[str, ...], device: str = "auto", chunk: int | None = None) -> Optimisation:
    """Train ``run`` once and read everything in ``wanted``, names of :data:`ON_THE_WAY` and :data:`AT_THE_END`.

    Raises:
        UnknownNameError: for another name. DomainError: for a heterogeneous split or shared data, whose risk has another
            minimum; for a minimum that no proved mu certifies; or for a run that diverged.
    """
    for name in wanted:
        if name not in ON_THE_WAY + AT_THE_END:
            raise unknown_name("reading", name, ON_THE_WAY + AT_THE_END)
    if run.split != "iid" or run.data != "split":
        raise DomainError(f"got split={run.split!r}, data={run.data!r}; excess losses are read for split='iid' and data='split' only")
    walk = _Walk(run, wanted, device)
    walk.train(chunk)
    return walk.result()


class _Walk:
    """One pass over a run: sums along the way, losses at the checkpoints."""

    def __init__(self, run: Run, wanted: tuple[str, ...], device: str) -> None:
        self.run, self.wanted, self.device = run, wanted, resolve_device(device)
        self.described = build_problem(run.problem)
        self.samples: Samples = draw_samples(run, self.described)
        self.flat = self.samples.training.reshape(run.replicates, -1)
        self.values = {name: np.empty((run.replicates, len(run.read_at))) for name in wanted}
        strong = self.described.loss_class().mu is not None
        self.minima = minima(self.described, self.flat) if strong else None
        self.least_risk = float(minima(self.described, np.arange(self.described.size)[None]).least[0]) if strong else None
        if not strong and any(name in _LOSSES for name in wanted):
            raise DomainError(f"got problem {run.problem!r}, whose minimum is not certified; read 'raw_training', or use softmax-l2-digits")

    def train(self, chunk: int | None) -> None:
        """Run every part of the replicates."""
        run, last = self.run, self.run.read_at[-1]
        with torch.inference_mode(), one_thread():
            exact = self.described.to(self.device, torch.float64)
            points = Points(run, self.device, exact.width)
            pieces = cut(run, self.described, 0, chunk, self.device)
            for part, t, state in states(run, self.described, self.samples, pieces, self.device, range(last + 1)):
                if t == 0:
                    reader = _PartReader(self, exact, part)
                at = points(state, t, part.replicates)[:, 0].double()
                reader.step(t, state[:, 0].double(), at)

    def result(self) -> Optimisation:
        """The readings with what is proved of each replicate's training set."""
        run, problem, training = self.run, self.described, self.samples.training.reshape(self.run.replicates, self.run.models, -1)
        if not all(np.isfinite(values).all() for values in self.values.values()):
            raise DomainError("the run diverged: a reading is not finite; take a smaller eta")
        each = [problem.loss_class(run.radius, training[r : r + 1]) for r in range(run.replicates)]
        sigma2, zeta2 = (_values([getattr(loss, name) for loss in each]) for name in ("sigma2", "zeta2"))
        loss = problem.loss_class(run.radius, training)
        settings = tuple(describe(run, problem, loss, Readout.NETWORK_MEAN, step) for step in run.read_at)
        if self.minima is not None:
            return Optimisation(self.values, self.minima.distance, self.minima.above, sigma2, zeta2, settings)
        begin = torch.zeros(run.replicates, problem.width, dtype=torch.float64)
        with torch.inference_mode(), one_thread():
            begin = begin if problem.start is None else begin + torch.from_numpy(problem.start)
            first = problem.losses(begin, torch.from_numpy(self.flat)).mean(1).numpy()
        return Optimisation(self.values, None, np.array(first), sigma2, zeta2, settings)


class _PartReader:
    """Sums of one part of the replicates, and its readings at the checkpoints."""

    def __init__(self, walk: _Walk, exact: Problem, part: Part) -> None:
        self.walk, self.exact, self.rows = walk, exact, part.rows
        self.own = torch.from_numpy(np.ascontiguousarray(walk.samples.training[part.rows])).to(walk.device)
        self.all = self.own.view(len(self.own), -1)
        self.total: Tensor | None = None
        self.sums = {name: torch.zeros(len(self.own), dtype=torch.float64, device=walk.device) for name in ON_THE_WAY}

    def step(self, t: int, models: Tensor, points: Tensor) -> None:
        """Read the models (r, models, P) after ``t`` steps, ``points`` being where the next step evaluates its gradients."""
        if t in self.walk.run.read_at:
            self._read(t, models)
        for name in self.walk.wanted:
            if name in ON_THE_WAY:
                self._gather(name, models, points)
        self.total = models.clone() if self.total is None else self.total.add_(models)

    def _gather(self, name: str, models: Tensor, points: Tensor) -> None:
        if name == "gradient":
            slopes = self.exact.gradients(network_mean(models), self.all)
            self.sums[name] += slopes.square().sum(1)
            return
        flat, own = points.reshape(-1, points.shape[-1]), self.own.view(points.shape[0] * points.shape[1], -1)
        if name == "met":
            self.sums[name] += self.exact.losses(flat, own).view(len(self.own), -1).mean(1)
        else:
            largest = self.exact.gradient_norms(flat, own).view(len(self.own), -1).amax(1)
            self.sums[name] = torch.maximum(self.sums[name], largest)

    def _read(self, t: int, models: Tensor) -> None:
        column, walk = walk_column(self.walk.run, t), self.walk
        for name in walk.wanted:
            found = self._so_far(name, t) if name in ON_THE_WAY else self._end(name, models, t)
            walk.values[name][self.rows, column] = found.cpu().numpy()

    def _so_far(self, name: str, t: int) -> Tensor:
        return self.sums[name] if name == "largest" else self.sums[name] / t

    def _end(self, name: str, models: Tensor, t: int) -> Tensor:
        if name == "spread":
            return (models - network_mean(models).unsqueeze(1)).square().sum(-1).mean(1)
        if name == "variance":
            return self._variance(models)
        if name == "raw_training":
            return self._training(models)
        if name == "generalization":
            return self._risk(models) - self._training(models)
        assert self.walk.minima is not None
        assert self.walk.least_risk is not None
        assert self.total is not None
        what, where = name.rsplit(" ", 1)
        chosen = self.total / t if what.startswith("averaged") else models
        seen = network_mean(chosen).unsqueeze(1) if where == _MEAN else chosen
        if what.endswith("risk"):
            return self._risk(seen) - self.walk.least_risk
        least = torch.from_numpy(self.walk.minima.least[self.rows]).to(seen.device)
        return self._training(seen) - least

    def _training(self, seen: Tensor) -> Tensor:
        columns = [self.exact.losses(model, self.all).mean(1) for model in seen.unbind(1)]
        return torch.stack(columns).mean(0)

    def _risk(self, seen: Tensor) -> Tensor:
        pieces = [self.exact.losses(piece).mean(1) for piece in torch.split(seen.reshape(-1, seen.shape[-1]), _SLICE)]
        return torch.cat(pieces).view(seen.shape[:2]).mean(1)

    def _variance(self, models: Tensor) -> Tensor:
        """Mean square of the per-sample gradients minus that of their mean, over nodes."""
        flat, own = models.reshape(-1, models.shape[-1]), self.own.view(models.shape[0] * models.shape[1], -1)
        squares = self.exact.gradient_norms(flat, own).square().mean(1)
        means = self.exact.gradients(flat, own).square().sum(1)
        return (squares - means).clamp(min=0).view(len(self.own), -1).mean(1)


def _values(constants: list[Constant | None]) -> Values | None:
    """The constants' values, None unless all are there."""
    known = [one.value for one in constants if one is not None]
    return np.array(known) if len(known) == len(constants) else None


def walk_column(run: Run, step: int) -> int:
    """The column of a checkpoint."""
    return run.read_at.index(step)

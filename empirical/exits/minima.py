"""Exits of training runs from a minimum of their training loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from bounds.errors import DomainError, LengthError, unknown_name
from bounds.vocabulary import Readout, UpdateForm
from empirical.configuration import Run
from empirical.curvature.minimum import descend
from empirical.curvature.objective import problem_objective
from empirical.device import one_thread, resolve_device
from empirical.exits.survival import ExitTimes
from empirical.parts import Part, cut
from empirical.problems.base import Problem
from empirical.problems.registry import problem as build_problem
from empirical.samples import Samples, draw_samples
from empirical.simulation import simulate
from empirical.viewpoint import Viewpoint

_SLICE = 16
_MEASURES = ("training_loss", "distance")


def training_minima(run: Run, steps: int = 1000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A minimum of each replicate's training loss R_S (mean over its m*n samples) and the gradient's norm there.

    Returns:
        (replicates, P) points found by L-BFGS from zero weights, and (replicates,) norms; see :func:`descend`.
    """
    problem = build_problem(run.problem)
    training = draw_samples(run, problem).training
    found = [descend(problem_objective(problem, samples), np.zeros(problem.width), steps) for samples in training]
    return np.stack([point.numpy() for point, _ in found]), np.array([norm for _, norm in found])


@dataclass(frozen=True)
class _Watch:
    """Reads, for some replicates, how far the readout is from the start."""

    problem: Problem
    viewpoint: Viewpoint
    measure: str
    start: Tensor
    training: Tensor

    def __call__(self, models: Tensor) -> NDArray[np.float64]:
        """(r,) from models (r, m, P): the measure averaged (1/points) over the readout's points."""
        points = self.viewpoint.points(models).double()
        if self.measure == "distance":
            measured: Tensor = torch.linalg.vector_norm(points - self.start.unsqueeze(1), dim=-1).mean(-1)
        else:
            measured = self._losses(points) - self._losses(self.start.unsqueeze(1))
        return measured.cpu().numpy()

    def _losses(self, points: Tensor) -> Tensor:
        r, count, width = points.shape
        flat, training = points.reshape(-1, width), self.training.repeat_interleave(count, dim=0)
        pieces = range(0, r * count, _SLICE)
        means = [self.problem.losses(flat[i : i + _SLICE], training[i : i + _SLICE]).mean(-1) for i in pieces]
        return torch.cat(means).view(r, count).mean(-1)


def minimum_exits(
    run: Run,
    start: ArrayLike,
    threshold: float,
    measure: Literal["training_loss", "distance"] = "training_loss",
    readout: Readout = Readout.NETWORK_MEAN,
    node: int | None = None,
    every: int = 1,
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> ExitTimes:
    """When the replicates of ``run``, all nodes started at ``start``, leave: censored at the last step looked at.

    Looked at after the steps every, 2 every, ... <= T: an exit is the first of them where the measure is at or past
    ``threshold``, so a time is up to ``every`` - 1 steps late, and an excursion between two looks is not seen.

    * ``training_loss``: R_S(point) - R_S(start), R_S the mean loss over all m*n training samples of the replicate.
    * ``distance``: norm(point - start).

    Either is averaged over the readout's points, see :class:`empirical.viewpoint.Viewpoint`. Twins are not trained.

    Args:
        start: (P,) or (replicates, P), such as :func:`training_minima` gives; weights of any shape are flattened.

    Raises:
        DomainError: for a threshold that is not > 0 and finite, ``every`` outside 1..T, a start outside the projection ball, or
            a run that diverged. LengthError: for a start of another size.
    """
    if measure not in _MEASURES:
        raise unknown_name("measure", measure, _MEASURES)
    if not 0 < threshold < float("inf"):
        raise DomainError(f"got threshold={threshold!r}; how far the measure rises until it counts as an exit is a finite number > 0")
    if not 1 <= every <= run.T:
        raise DomainError(f"got every={every!r}; the run is looked at every 1 to T={run.T} steps")
    place, problem = resolve_device(device), build_problem(run.problem)
    starts, samples = _starts(run, problem, start).to(place), draw_samples(run, problem)
    centralized = run.update_form is UpdateForm.CENTRALIZED
    viewpoint = Viewpoint(readout, run.update_form, None if centralized else run.mixing(), run.Q, node)
    exact, times = problem.to(place, torch.float64), np.zeros(run.replicates, dtype=np.int64)
    with torch.inference_mode(), one_thread():
        for part in cut(run, problem, 0, None, place):
            training = torch.from_numpy(samples.training[part.rows].reshape(len(part.replicates), -1)).to(place)
            watch = _Watch(exact, viewpoint, measure, starts[part.rows], training)
            times[part.rows] = _first_exits(run, problem, samples, part, watch, threshold, every)
            if progress is not None:
                progress(part.rows.stop / run.replicates)
    return ExitTimes(np.where(times > 0, times, run.T // every * every), times > 0)


def _starts(run: Run, problem: Problem, start: ArrayLike) -> Tensor:
    given = np.asarray(start, dtype=np.float64)
    if given.size not in (problem.width, run.replicates * problem.width):
        raise LengthError(f"got a start of {given.size} numbers; give {problem.width}, or {run.replicates} times {problem.width}")
    rows = np.broadcast_to(given.reshape(-1, problem.width), (run.replicates, problem.width))
    if run.radius is not None and np.linalg.norm(rows, axis=1).max() > run.radius:
        raise DomainError(f"got a start outside the projection ball of radius={run.radius!r}; take radius=None or a start inside")
    return torch.from_numpy(rows.copy())


def _first_exits(
    run: Run, problem: Problem, samples: Samples, part: Part, watch: _Watch, threshold: float, every: int
) -> NDArray[np.int64]:
    """Steps at which the replicates of a part are first seen outside, 0 for never."""
    times = np.zeros(len(part.replicates), dtype=np.int64)
    steps = range(every, run.T + 1, every)
    lanes = samples.lanes(part.rows, part.twins, run.strata)
    start = watch.start[:, None, None].to(getattr(torch, run.precision))
    states = simulate(run, problem, lanes, part.replicates, watch.start.device, None, steps, start)
    for step, state in zip(steps, states, strict=True):
        measured = watch(state[:, 0])
        if not np.isfinite(measured[times == 0]).all():
            raise DomainError("the run diverged: a measure is not finite; take a smaller eta or a projection radius")
        times[(times == 0) & (measured >= threshold)] = step
        if times.all():
            break
    return times

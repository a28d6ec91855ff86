"""Every outcome of a tiny run: all index sequences, equally likely, so that a plain mean is the exact expectation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError
from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.device import one_thread
from empirical.mixing import mixer
from empirical.problems.base import Problem
from empirical.samples import Indices
from empirical.updates import UPDATES, Rules

Array = NDArray[np.float64]
Step = Callable[[Array, Indices, int], Array]
"""step(models, places, t): models (S, ...) after step t of S runs, from those before it and their draws (S, groups, b)."""
MOST = 1 << 20


def draws(groups: int, size: int, b: int) -> Indices:
    """All (size^(groups b), groups, b) places that one step may draw, b with replacement from each group of ``size`` samples."""
    return np.indices((size,) * (groups * b)).reshape(groups * b, -1).T.reshape(-1, groups, b)


def outcomes(step: Step, start: ArrayLike, steps: int, strata: tuple[int, int], b: int = 1) -> Iterator[Array]:
    """All equally likely models after the steps 0, 1, ..., ``steps``.

    Args:
        step: one step of many runs at once. start: one run's models, of any shape.
        strata: (groups, samples in a group) as :attr:`empirical.configuration.Run.strata` has them.

    Yields:
        (size^(groups b t), *start's shape) after step t; the draws of the first step vary slowest.

    Raises:
        DomainError: for more than :data:`MOST` outcomes.
    """
    if strata[1] ** (strata[0] * b * steps) > MOST:
        raise DomainError(
            f"got {strata[1]}^{strata[0] * b * steps} index sequences; enumeration takes at most {MOST}: use fewer nodes, samples or steps"
        )
    return _outcomes(step, np.asarray(start, dtype=np.float64)[None], steps, draws(*strata, b))


def _outcomes(step: Step, models: Array, steps: int, drawn: Indices) -> Iterator[Array]:
    yield models
    for t in range(1, steps + 1):
        before = np.repeat(models, len(drawn), axis=0)
        models = step(before, np.tile(drawn, (len(models), 1, 1)), t)
        yield models


def engine_step(run: Run, problem: Problem, lanes: Indices) -> Step:
    """The training engine's own update of ``run`` as a step on models (S, lanes, models, P), for :func:`outcomes`.

    ``lanes`` (lanes, groups, size) are training sets of population indices that share every draw, as in
    :func:`empirical.simulation.simulate`; the start is zeros of shape (lanes, run.models, problem.width). Works for every
    problem, projection and schedule, on the CPU in the run's precision.
    """
    device, dtype = torch.device("cpu"), getattr(torch, run.precision)
    centralized = run.update_form is UpdateForm.CENTRALIZED
    rules = Rules(problem.to(device, dtype), None if centralized else mixer(run.mixing().power(run.Q), device, dtype), run.radius)

    def step(models: Array, places: Indices, t: int) -> Array:
        S, groups, b = places.shape
        shared = np.broadcast_to(places[:, None], (S, len(lanes), groups, b))
        indices = np.take_along_axis(np.broadcast_to(lanes, (S, *lanes.shape)), shared, axis=3)
        state = torch.from_numpy(models.reshape(S * len(lanes), run.models, -1).copy()).to(dtype)
        flat = torch.from_numpy(indices.reshape(S * len(lanes) * run.models, -1))
        with torch.inference_mode(), one_thread():
            after, _ = UPDATES[run.update_form](rules, state, torch.empty_like(state), flat, run.schedule.step(t))
        return np.asarray(after.double().numpy().reshape(models.shape))

    return step

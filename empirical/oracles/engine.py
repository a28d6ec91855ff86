"""From the training engine to the oracles: its runs as methods, its problems as affine gradients, its update as a step.

Only this module of the oracles knows the engine; the recursions themselves share no code with it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.device import one_thread
from empirical.mixing import mixer
from empirical.oracles.enumeration import Step
from empirical.oracles.method import Method
from empirical.oracles.sampled import SampledGradients
from empirical.problems.base import Problem
from empirical.samples import Indices
from empirical.updates import UPDATES, Rules

Array = NDArray[np.float64]
_TOLERANCE = 1e-10


def method_of(run: Run) -> Method:
    """The method that ``run`` trains with. A pooled centralized run (sampling with replacement) has all its samples on one node.

    Raises:
        DomainError: for a run with a projection, which is not affine, or with t0, which conditions on the draws.
    """
    if run.radius is not None or run.t0:
        raise DomainError(f"got a run with radius={run.radius!r}, t0={run.t0!r}; moments are exact without both: use radius=None and t0=0")
    mixing = None if run.update_form is UpdateForm.CENTRALIZED else run.mixing()
    return Method(update_form=run.update_form, schedule=run.schedule, mixing=mixing, Q=run.Q, b=run.b)


def affine_gradients(problem: Problem, indices: Indices) -> SampledGradients:
    """The losses of a problem with affine gradients at the population points ``indices`` (nodes, samples), found by probing.

    For a run, ``indices`` is one replicate's training set in the shape of its ``strata``; for the population risk,
    all indices as one node. Coordinates that stay 0 from the start at 0, whatever is drawn, are left out.

    Raises:
        DomainError: when the gradients are not affine in the weights.
    """
    points = np.arange(problem.size)
    origin = -_gradients(problem, np.zeros(problem.width), points)
    hessians = np.stack([_gradients(problem, unit, points) + origin for unit in np.eye(problem.width)], axis=2)
    probe = np.cos(np.arange(1.0, problem.width + 1))
    if np.abs(_gradients(problem, probe, points) - hessians @ probe + origin).max() > _TOLERANCE * (1 + np.abs(origin).max()):
        raise DomainError(
            f"got problem {problem.name!r}, whose gradients are not affine in the weights; moments need 'quadratic' or 'linear'"
        )
    used = _moving(hessians, origin)
    constants = problem.losses(torch.zeros(problem.size, problem.width, dtype=torch.float64), torch.from_numpy(points)[:, None])
    return SampledGradients(
        hessians[np.ix_(points, used, used)][indices], origin[:, used][indices], constants.double().numpy()[:, 0][indices]
    )


def _moving(hessians: Array, origin: Array) -> NDArray[np.bool_]:
    """(width,): which coordinates a gradient moves, be it through others that move."""
    used = np.asarray(origin.any(axis=0))
    for _ in range(origin.shape[1]):
        used = np.asarray(used | hessians[:, :, used].any(axis=(0, 2)))
    return used


def _gradients(problem: Problem, weights: Array, points: Indices) -> Array:
    """(size, width): each population point's gradient at one weight vector."""
    everywhere = torch.from_numpy(np.tile(weights, (len(points), 1)))
    with torch.inference_mode(), one_thread():
        return np.array(problem.gradients(everywhere, torch.from_numpy(points)[:, None]).numpy())


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

r"""Where a strongly convex training loss or risk is least, with proved errors.

For a mu-strongly convex f with minimiser x*: f(x) - f(x*) <= \|grad f(x)\|^2/(2 mu) and \|x - x*\| <= \|grad f(x)\|/mu at every x.
The minimiser itself is found by Nesterov's constant-momentum method (Nesterov 2004, section 2.2), which nothing depends on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.errors import DomainError
from empirical.device import one_thread
from empirical.problems.base import Problem
from empirical.samples import Indices

Values = NDArray[np.float64]
_SMALLEST_GRADIENT = 1e-9
_MOST_STEPS = 5_000
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Minima:
    """Minima of r functions, each the mean loss over one row of samples.

    Attributes:
        least: (r,), at most the minimum, and below it by no more than \\|grad\\|^2/(2 mu) and rounding, in the unit of the loss.
        distance: (r,), at least the distance of the start (zero weights, or the problem's own) from the minimiser.
        above: (r,), at least the loss at the start above the minimum.
        points: (r, P), the approximate minimisers.
    """

    least: Values
    distance: Values
    above: Values
    points: Values


def minima(problem: Problem, indices: Indices) -> Minima:
    """The minima of (1/s) sum_p l(w; z_p) over the rows of ``indices`` (r, s), in float64 on the CPU.

    Raises:
        DomainError: for a problem without a proved strong convexity and smoothness constant, or one that does not converge.
    """
    loss = problem.loss_class()
    if loss.mu is None or loss.beta is None:
        raise DomainError(
            f"got problem {problem.name!r} without a proved mu > 0; its minimum has no certificate: use softmax-l2-digits or quadratic"
        )
    places = torch.from_numpy(np.ascontiguousarray(indices))
    begin = torch.zeros(len(indices), problem.width, dtype=torch.float64)
    if problem.start is not None:
        begin += torch.from_numpy(problem.start)
    with torch.inference_mode(), one_thread():
        points = _descend(problem, places, begin, loss.beta.value, loss.mu.value)
        slopes = torch.linalg.vector_norm(problem.gradients(points, places), dim=1)
        found, first = (problem.losses(at, places).mean(1) for at in (points, begin))
        away = torch.linalg.vector_norm(points - begin, dim=1)
    # Rounding of the losses and gradients themselves is far below the slack added here.
    least = found - slopes**2 / (2 * loss.mu.value) - _ROUNDING
    distance = away + slopes / loss.mu.value + _ROUNDING
    return Minima(*(np.array(one.numpy()) for one in (least, distance, first - least, points)))


def _descend(problem: Problem, places: torch.Tensor, begin: torch.Tensor, beta: float, mu: float) -> torch.Tensor:
    momentum = (1 - math.sqrt(mu / beta)) / (1 + math.sqrt(mu / beta))
    at, before = begin.clone(), begin.clone()
    for _ in range(_MOST_STEPS):
        gradient = problem.gradients(at, places)
        if float(torch.linalg.vector_norm(gradient, dim=1).max()) <= _SMALLEST_GRADIENT:
            return at
        after = at - gradient / beta
        at, before = after + momentum * (after - before), after
    raise DomainError(f"the minimum of problem {problem.name!r} was not found in {_MOST_STEPS} steps; its beta or mu is wrong")

"""Synthetic replicates with known mean curves and correlated points, for calibrating the verdict path."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, stdtrit

from bounds.errors import DomainError, unknown_name
from verify.statistics.bands import Floats

CORRELATION = 0.9
_FREEDOM = 3

Sampler = Callable[[Floats, int, int, np.random.Generator], Floats]
"""(mean curve (points,), trials, replicates, rng) -> values (trials, replicates, points) whose expectation is the mean curve."""


def standard_noise(kind: str, shape: tuple[int, ...], rng: np.random.Generator, correlation: float = CORRELATION) -> Floats:
    """Noise of mean 0 and variance 1 of the given ``kind`` (a key of :data:`KINDS`); the last axis of ``shape`` is the curve.

    A stationary Gaussian AR(1) path along the curve (``correlation`` between neighbours) is mapped, value by value, to the wanted
    law: ``gaussian``; ``right_skewed``, an exponential minus 1 (skewness 2); ``left_skewed``, its negative; ``bounded``, uniform;
    ``heavy_tailed``, Student's t with 3 degrees of freedom (its fourth moment is infinite).

    Raises:
        UnknownNameError: for another kind.
        DomainError: for a correlation outside [0, 1).
    """
    if kind not in KINDS:
        raise unknown_name("noise", kind, KINDS)
    if not 0 <= correlation < 1:
        raise DomainError(f"correlation {correlation}; need 0 <= correlation < 1, for example {CORRELATION}")
    path = rng.standard_normal(shape)
    fresh = np.sqrt(1 - correlation**2)
    for point in range(1, shape[-1]):
        path[..., point] = correlation * path[..., point - 1] + fresh * path[..., point]
    return KINDS[kind](path)


def sampler(kind: str, correlation: float = CORRELATION, spread: float = 0.5) -> Sampler:
    """A sampler of mean + spread * abs(mean) * noise, with noise as in :func:`standard_noise`.

    Raises:
        UnknownNameError, DomainError: as :func:`standard_noise`, when the sampler is called.
    """

    def draw(mean: Floats, trials: int, replicates: int, rng: np.random.Generator) -> Floats:
        noise = standard_noise(kind, (trials, replicates, len(mean)), rng, correlation)
        return np.asarray(mean + spread * np.abs(mean) * noise)

    return draw


def decaying_curve(points: int) -> Floats:
    """1, 1/2, 1/3, ... of shape (points,): the mean curve of the synthetic calibration."""
    return 1 / np.arange(1, points + 1, dtype=np.float64)


def _exponential(path: Floats) -> Floats:
    # -log of the upper tail: accurate in the long tail, where 1 - cdf would round.
    return np.asarray(-np.log(ndtr(-path)) - 1)


def _negative_exponential(path: Floats) -> Floats:
    return -_exponential(path)


def _uniform(path: Floats) -> Floats:
    return np.asarray(np.sqrt(12) * (ndtr(path) - 0.5))


def _student(path: Floats) -> Floats:
    # By the lower tail on both sides: near 1 the upper one would round to infinity.
    return np.asarray(-np.sign(path) * stdtrit(_FREEDOM, ndtr(-np.abs(path))) / np.sqrt(_FREEDOM / (_FREEDOM - 2)))


KINDS: dict[str, Callable[[Floats], Floats]] = {
    "gaussian": np.asarray,
    "right_skewed": _exponential,
    "left_skewed": _negative_exponential,
    "bounded": _uniform,
    "heavy_tailed": _student,
}
"""The laws of :func:`standard_noise`, each as a map of a standard Gaussian variable."""

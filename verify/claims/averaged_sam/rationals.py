"""One step of each update form on random polynomial losses in exact rational arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.streams import stream

#: Arrays of fractions.
Exact = NDArray[Any]
ETA = Fraction(1, 10)


def _fractions(draws: np.random.Generator, *shape: int) -> Exact:
    """Fractions with numerators -9..9 and denominators 1..4."""
    tops, bottoms = draws.integers(-9, 10, shape), draws.integers(1, 5, shape)
    return np.array([Fraction(int(a), int(b)) for a, b in zip(tops.flat, bottoms.flat, strict=True)], dtype=object).reshape(shape)


@dataclass(frozen=True, eq=False)
class Polynomial:
    """L(w) = sum_a (third_a s_a^3/6 + fifth_a s_a^5/120) + w^T A w/2 + b^T w with s_a = (row a of ``waves``) . w."""

    waves: Exact
    third: Exact
    fifth: Exact
    second: Exact
    first: Exact

    def gradient(self, w: Exact) -> Exact:
        """(d,): grad L."""
        s = self.waves @ w
        return np.asarray((self.third * s**2 / 2 + self.fifth * s**4 / 24) @ self.waves + self.second @ w + self.first)

    def averaged(self, w: Exact, covariance: Exact) -> Exact:
        """(d,): E grad L(w + e), e normal: E s^2 and E s^4 from mean and variance along each wave."""
        s = self.waves @ w
        v = np.array([row @ covariance @ row for row in self.waves], dtype=object)
        second, fourth = s**2 + v, s**4 + 6 * s**2 * v + 3 * v**2
        return np.asarray((self.third * second / 2 + self.fifth * fourth / 24) @ self.waves + self.second @ w + self.first)


def polynomial(seed: int, index: int, d: int, quintic: bool) -> Polynomial:
    """A random loss with three times as many waves as directions; a cubic, or one of degree five."""
    draws = stream(seed, "sam polynomial", index)
    half, waves = _fractions(draws, d, d), _fractions(draws, 3 * d, d)
    fifth = _fractions(draws, 3 * d) if quintic else np.array([Fraction(0)] * (3 * d), dtype=object)
    return Polynomial(waves, _fractions(draws, 3 * d), fifth, half + half.T, _fractions(draws, d))


def mixing(seed: int, index: int, m: int) -> Exact:
    """A random doubly stochastic matrix: an average of the identity and four permutations, not symmetric in general."""
    draws, parts = stream(seed, "sam mixing", index), [np.arange(m)]
    parts += [draws.permutation(m) for _ in range(4)]
    shares = [Fraction(int(n)) for n in draws.integers(1, 9, 5)]
    W = np.array([[Fraction(0)] * m for _ in range(m)], dtype=object)
    for share, order in zip(shares, parts, strict=True):
        for k, j in enumerate(order):
            W[k, j] += share / sum(shares)
    return W


def spread(models: Exact) -> Exact:
    """(d, d): (1/m) sum_k (x_k - xbar)(x_k - xbar)^T."""
    away = models - models.sum(axis=0) / Fraction(len(models))
    return np.asarray(away.T @ away / Fraction(len(models)))


@dataclass(frozen=True, eq=False)
class Step:
    """One step from ``models`` (m, d), gradients taken at ``points`` (m, d); ``moved`` is what the mean model moved by, over -eta."""

    models: Exact
    points: Exact
    moved: Exact


def step(form: str, models: Exact, W: Exact, loss: Polynomial) -> Step:
    """The step of an update form."""
    points = W @ models if form == "cta" else models
    gradients = np.array([loss.gradient(x) for x in points], dtype=object)
    after = W @ (models - ETA * gradients) if form == "atc" else W @ models - ETA * gradients
    moved = (models - after).sum(axis=0) / (len(models) * ETA)
    return Step(models, points, moved)


def drawn(form: str, seed: int, index: int, m: int, d: int, quintic: bool) -> tuple[Step, Polynomial]:
    """A step from random models on a random loss and network."""
    loss = polynomial(seed, index, d, quintic)
    models = _fractions(stream(seed, "sam models", index), m, d)
    return step(form, models, mixing(seed, index, m), loss), loss

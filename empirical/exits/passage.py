"""The exact first-passage time of a walk on the line, from its transition kernel: no sampling, no small-step limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError

Values = NDArray[np.float64]
_ORDER = 8
_MOST = 4000


@dataclass(frozen=True, slots=True)
class Passage:
    """A mean first-passage time in steps, and its difference from half the resolution (a scale of its error, no proof)."""

    mean: float
    error: float


@dataclass(frozen=True, eq=False)
class Walk:
    """The walk x <- x - eta slope(x) + std * (standard Gaussian) until it leaves (low, high).

    The first coordinate of centralized SGD in a potential of :mod:`empirical.exits.potentials` walks like this with
    std = eta sqrt(r/(m b)), in any dimension and for any covariance of noise whose first entry is r: no other coordinate
    enters its step.

    Args:
        slope: dV/dx, applied to arrays. low, high: leaving through either end counts, so an end that no exit is meant by must
            lie where the walk does not come.

    Raises:
        DomainError: for a step that is not > 0, an empty interval, or one too wide for ``std`` to be resolved.
    """

    slope: Callable[[Values], Values]
    eta: float
    std: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (self.std > 0 and self.eta > 0 and self.low < self.high and math.isfinite(self.high - self.low)):
            raise DomainError(f"got eta={self.eta!r}, std={self.std!r}, ({self.low!r}, {self.high!r}); give eta, std > 0 and low < high")
        if self._panels * _ORDER > _MOST:
            raise DomainError(
                f"got std={self.std:g} on an interval of length {self.high - self.low:g}; take std at least {_ORDER / _MOST:g} of the length"
            )

    @property
    def _panels(self) -> int:
        return math.ceil((self.high - self.low) / self.std)

    def mean_time(self, start: float) -> Passage:
        """E T of T = min {t >= 1: x_t outside}, from x_0 = ``start``: the solution of (I - K) tau = 1.

        Nystroem's method with Gauss points on panels as long as ``std``; K's kernel is the Gaussian density of a step.

        Raises:
            DomainError: for a start outside.
        """
        self._check(start)
        fine, coarse = (self._solved(start, panels) for panels in (self._panels, math.ceil(self._panels / 2)))
        return Passage(fine, abs(fine - coarse))

    def survival(self, start: float, steps: int) -> Values:
        """P(T > t) for t = 0, 1, ..., steps, (steps + 1,)."""
        self._check(start)
        nodes, weights = self._rule(self._panels)
        kernel, first = self._kernel(nodes, nodes) * weights, self._kernel(np.array([start]), nodes)[0] * weights
        inside, found = np.ones(len(nodes)), [1.0]
        for _ in range(steps):
            found.append(float(first @ inside))
            inside = kernel @ inside
        return np.array(found)

    def _check(self, start: float) -> None:
        if not self.low < start < self.high:
            raise DomainError(f"got start={start!r} outside ({self.low:g}, {self.high:g}); start inside")

    def _rule(self, panels: int) -> tuple[Values, Values]:
        points, weights = np.polynomial.legendre.leggauss(_ORDER)
        edges = np.linspace(self.low, self.high, panels + 1)
        half = np.diff(edges)[:, None] / 2
        return ((edges[:-1, None] + half) + half * points).ravel(), (half * weights).ravel()

    def _kernel(self, origins: Values, targets: Values) -> Values:
        means = origins - self.eta * self.slope(origins)
        scaled = (targets - means[:, None]) / self.std
        return np.asarray(np.exp(-(scaled**2) / 2) / (self.std * math.sqrt(2 * math.pi)))

    def _solved(self, start: float, panels: int) -> float:
        nodes, weights = self._rule(panels)
        times = np.linalg.solve(np.eye(len(nodes)) - self._kernel(nodes, nodes) * weights, np.ones(len(nodes)))
        return 1 + float((self._kernel(np.array([start]), nodes)[0] * weights) @ times)

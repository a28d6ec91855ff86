"""The exact first-passage time of the mean of two nodes on the line, from its transition kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.vocabulary import UpdateForm, word
from empirical.exits.passage import Passage

Values = NDArray[np.float64]
Slope = Callable[[Values], Values]
_ORDER = 4
_PANEL = 1.2
_COARSE = 1.6
_REACH = 6.0
_MOST = 250
_SETTLED = 1e-10
_CONTRACTS = 0.95


@dataclass(frozen=True, eq=False)
class Pair:
    """Two nodes with different losses, mixed by [[a, 1-a], [1-a, a]] of second eigenvalue ``second`` = 2a - 1.

    In u = (x_1 + x_2)/2 and v = (x_1 - x_2)/2 a step is a map plus independent Gaussian noise of standard deviation
    eta std/sqrt(2) in u and, times ``second`` for ATC, in v. The centralized form is the walk of u alone with v = 0.

    Args:
        slopes: the nodes' dV_k/dx, applied to arrays. update_form: atc, cta or consensus. eta: the step.
        std: standard deviation of each node's batch gradient. second: in (-1, 1).
        low, high: u leaves through either end, so an end that no exit is meant by must lie where it does not come.

    Raises:
        DomainError: for numbers outside these ranges, the centralized form, or noise too small to be resolved.
    """

    slopes: tuple[Slope, Slope]
    update_form: UpdateForm
    eta: float
    std: float
    second: float
    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "update_form", word(UpdateForm, self.update_form))
        if self.update_form is UpdateForm.CENTRALIZED:
            raise DomainError("got update_form='centralized', which has one model; use Walk")
        if not (self.std > 0 and self.eta > 0 and -1 < self.second < 1 and self.low < self.high and math.isfinite(self.high - self.low)):
            raise DomainError(
                f"got eta={self.eta!r}, std={self.std!r}, second={self.second!r}, ({self.low!r}, {self.high!r}); "
                "give eta, std > 0, abs(second) < 1 and low < high"
            )
        if self.noise[1] == 0:
            raise DomainError("got second=0 with update_form='atc', which keeps both nodes alike; use Walk with std eta times std/sqrt(2)")

    @property
    def noise(self) -> tuple[float, float]:
        """Standard deviations of a step in u and in v."""
        own = self.eta * self.std / math.sqrt(2)
        return own, own * (abs(self.second) if self.update_form is UpdateForm.ATC else 1.0)

    def step(self, u: Values, v: Values) -> tuple[Values, Values]:
        """Where (u, v) goes without noise."""
        half = self.second * v if self.update_form is UpdateForm.CTA else v
        one, two = self.slopes[0](u + half), self.slopes[1](u - half)
        pull = self.eta * (one - two) / 2
        moved = self.second * (half - pull) if self.update_form is UpdateForm.ATC else self.second * v - pull
        return u - self.eta * (one + two) / 2, moved

    def mean_time(self, start: float) -> Passage:
        """E T of T = min {t >= 1: u_t outside}, both nodes starting at ``start``: the solution of (I - K) tau = 1.

        Nystroem's method with Gauss points; ``error`` is the change from panels a third longer on a narrower range of v.

        Raises:
            DomainError: for a start outside, or an equation that is too large or does not settle.
        """
        if not self.low < start < self.high:
            raise DomainError(f"got start={start!r} outside ({self.low:g}, {self.high:g}); start inside")
        fine, coarse = self._solved(start, _PANEL, _REACH), self._solved(start, _COARSE, _REACH - 1)
        return Passage(fine, abs(fine - coarse))

    def _differences(self, reach: float) -> tuple[float, float]:
        """A range of v that holds ``reach`` stationary standard deviations around where v rests, for every u where it does."""
        u = np.linspace(self.low, self.high, 201)
        v = np.zeros_like(u)
        with np.errstate(all="ignore"):
            for _ in range(400):
                v = self.step(u, v)[1]
            slope = (self.step(u, v + 1e-6)[1] - self.step(u, v - 1e-6)[1]) / 2e-6
        rests = np.abs(slope) < _CONTRACTS
        if not rests.any():
            raise DomainError(f"got eta={self.eta:g} and second={self.second:g}, with which the two nodes drift apart; take a smaller eta")
        width = reach * self.noise[1] / np.sqrt(1 - slope[rests] ** 2)
        return float((v[rests] - width).min()), float((v[rests] + width).max())

    def _solved(self, start: float, panel: float, reach: float) -> float:
        from scipy.sparse.linalg import LinearOperator, gmres

        (su, sv), (bottom, top) = self.noise, self._differences(reach)
        (u, wu), (v, wv) = _rule(self.low, self.high, panel * su), _rule(bottom, top, panel * sv)
        grid_u, grid_v = (axis.ravel() for axis in np.meshgrid(u, v, indexing="ij"))
        to_u, to_v = self.step(grid_u, grid_v)
        ku, kv = _density(to_u, u, su) * wu, _density(to_v, v, sv) * wv

        def apply(times: Values) -> Values:
            return np.asarray(times - (ku @ times.reshape(len(u), len(v)) * kv).sum(axis=1), dtype=np.float64)

        size = len(grid_u)
        operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)
        times, failed = gmres(operator, np.ones(size), rtol=_SETTLED, restart=80, maxiter=40)
        if failed:
            raise DomainError(f"the exit time of {self.update_form.value} did not settle; take a larger std or a nearer level")
        first_u, first_v = self.step(np.array([start]), np.zeros(1))
        ahead = (_density(first_u, u, su) * wu)[0] @ times.reshape(len(u), len(v)) @ (_density(first_v, v, sv) * wv)[0]
        return 1 + float(ahead)


def _rule(low: float, high: float, panel: float) -> tuple[Values, Values]:
    panels = math.ceil((high - low) / panel)
    if panels * _ORDER > _MOST:
        raise DomainError(f"got noise that needs {panels} panels on ({low:g}, {high:g}), at most {_MOST // _ORDER}; take a larger std")
    points, weights = np.polynomial.legendre.leggauss(_ORDER)
    edges = np.linspace(low, high, panels + 1)
    half = np.diff(edges)[:, None] / 2
    return ((edges[:-1, None] + half) + half * points).ravel(), (half * weights).ravel()


def _density(means: Values, targets: Values, std: float) -> Values:
    scaled = (targets - means[:, None]) / std
    return np.asarray(np.exp(-(scaled**2) / 2) / (std * math.sqrt(2 * math.pi)))

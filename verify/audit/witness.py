"""Problems whose exact value is known without the bound: what a planted error is held against, through the ordinary verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bounds.bound import Bound
from bounds.errors import GossipBoundsError
from bounds.expression import PrecisionError
from verify.audit.contracts import Place
from verify.statistics import equivalent, judge
from verify.verdict import Verdict

_LEVEL, _RESAMPLES = 0.05, 199
_ROUNDING = 1e-7
_LARGEST = 1e100
_FEW = 24


@dataclass(frozen=True, slots=True)
class Witness:
    """Exact values of what ``bound_id`` speaks about, at ``places``.

    ``relation`` is what theory promises of the bound there: it ``dominates``, or is ``attained``, or (no upper bound but a formula) it
    ``equals`` the values up to the relative ``tolerance``.
    """

    bound_id: str
    name: str
    relation: Literal["dominates", "attained", "equals"]
    places: tuple[Place, ...]
    truths: tuple[float, ...]
    tolerance: float = _ROUNDING

    def verdict(self, bound: Bound) -> Verdict:
        """The ordinary verdict on ``bound`` with the exact values as one replicate without sampling error.

        Points where the bound says nothing (no value, or an infinite one) are left out.
        """
        # One point is enough to violate, and most planted errors show at every other one.
        few = self._judged(self._pairs(bound, max(1, len(self.places) // _FEW)))
        return few if few is Verdict.VIOLATED or len(self.places) <= _FEW else self._judged(self._pairs(bound))

    def _judged(self, pairs: list[tuple[float, float]]) -> Verdict:
        if not pairs:
            return Verdict.NOT_APPLICABLE
        truths, values = np.array(pairs).T
        rng = np.random.default_rng(0)
        if self.relation == "equals":
            apart = (values - truths) / np.maximum(np.abs(truths), 1e-300)
            return equivalent(apart[None], np.full(len(pairs), self.tolerance), _LEVEL, _RESAMPLES, rng, deterministic=True).verdict
        return judge((truths * (1 - self.tolerance))[None], values, _LEVEL, _RESAMPLES, rng, deterministic=True).verdict

    def loose(self, bound: Bound) -> bool:
        """Whether the bound is attained by theory, and lies above the exact value here."""
        return self.relation == "attained" and any(value > truth * (1 + self.tolerance) for truth, value in self._pairs(bound))

    def tightness(self, bound: Bound) -> float:
        """The largest ratio of bound to exact value."""
        return max(value / truth for truth, value in self._pairs(bound))

    def _pairs(self, bound: Bound, every: int = 1) -> list[tuple[float, float]]:
        """Exact value and bound, at every ``every``-th place where there are both."""
        found = []
        for place, truth in zip(self.places[::every], self.truths[::every], strict=True):
            try:
                value = bound.rounded(place.value(bound))
            except (PrecisionError, GossipBoundsError, ArithmeticError, IndexError, ValueError):
                continue
            if abs(value) < _LARGEST:
                found.append((truth, value))
        return found


class Collector:
    """Gathers exact values for one bound into a witness."""

    def __init__(
        self, bound_id: str, name: str, relation: Literal["dominates", "attained", "equals"], tolerance: float = _ROUNDING
    ) -> None:
        self.bound_id, self.name, self.relation, self.tolerance = bound_id, name, relation, tolerance
        self.places: list[Place] = []
        self.truths: list[float] = []

    def add(self, form: str, readout: str, truth: float, /, **point: Any) -> None:
        """One more point with its exact value; parameters that are None are not given."""
        self.places.append(Place({name: value for name, value in point.items() if value is not None}, form, readout))
        self.truths.append(float(truth))

    def witness(self) -> Witness:
        """What was gathered."""
        return Witness(self.bound_id, self.name, self.relation, tuple(self.places), tuple(self.truths), self.tolerance)

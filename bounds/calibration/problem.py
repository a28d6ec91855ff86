"""One bound along one parameter: fast values, certified comparisons, and what its assumptions leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bounds.bound import Bound
from bounds.calibration.line import Line
from bounds.errors import DomainError, PrecisionError
from bounds.formula import without_false_flags
from bounds.vocabulary import Kind

if TYPE_CHECKING:
    from flint import arb

#: ``evaluate`` promises 1e-9; differences above this are sure.
SURE = 4e-9
#: Precisions of Arb, tried in turn until a comparison is decided.
BITS = (106, 424, 1696, 6784)


@dataclass(frozen=True)
class Problem:
    """A bound with all parameters but one fixed."""

    bound: Bound
    line: Line
    fixed: Mapping[str, Any]
    form: str
    readout: str

    def point(self, value: Any) -> dict[str, Any]:
        """All parameters, with ``value`` for the one that is sought."""
        return {**self.fixed, self.line.name: value}

    def value(self, place: int) -> float:
        """The bound as ``evaluate`` gives it; nan where it has no value."""
        try:
            return float(self.bound.evaluate(update_form=self.form, readout=self.readout, **self.point(self.line.value(place))))
        except DomainError:
            return float("nan")

    def values(self, places: Sequence[int]) -> list[float]:
        """:meth:`value` at many places at once."""
        import numpy as np

        numbers = np.array([self.line.value(place) for place in places], dtype=np.float64)
        try:
            found = self.bound.evaluate(update_form=self.form, readout=self.readout, **self.point(numbers))
        except DomainError:
            return [self.value(place) for place in places]
        return list(map(float, np.broadcast_to(found, numbers.shape)))

    @cached_property
    def _balls(self) -> dict[tuple[Any, int], arb]:
        return {}

    def ball(self, value: Any, bits: int = BITS[0]) -> arb:
        """An enclosure of the bound at a value of the parameter, by Arb at this many bits."""
        from bounds.expression.balls import ball_at, exact_values

        key = (value, bits)
        if key not in self._balls:
            point = without_false_flags(self.point(value))
            tree = self.bound.expression(point, self.form, self.readout)
            self._balls[key] = ball_at(tree, exact_values(dict(self.bound.formula.defaults) | point), bits)
        return self._balls[key]

    def _sign(self, difference: Callable[[int], tuple[arb, arb]]) -> int | None:
        for bits in BITS:
            left, right = difference(bits)
            if left < right:
                return -1
            if left > right:
                return 1
            if left == right:
                return 0
        return 0 if (left - right).is_finite() else None

    def sign(self, value: Any, target: float) -> int | None:
        """The sign of bound - target, by Arb: 0 where no precision tells them apart, None where there is no value."""
        from flint import arb

        goal = arb(target)
        return self._sign(lambda bits: (self.ball(value, bits), goal))

    def order(self, first: int, second: int) -> int | None:
        """The sign of bound(second) - bound(first), by Arb."""
        one, two = self.line.value(first), self.line.value(second)
        return self._sign(lambda bits: (self.ball(two, bits), self.ball(one, bits)))

    def slope(self, first: int, second: int) -> float:
        """About bound(second) - bound(first) over bound(first), by Arb; nan where there is none."""
        one, two = (self.ball(self.line.value(place)) for place in (first, second))
        return float(((two - one) / one).mid())

    def meets(self, place: int, target: float) -> bool:
        """Whether the bound is at most the target: by floats where they differ by far more than their errors, else by Arb."""
        value = self.value(place)
        room = SURE * max(abs(value), abs(target))
        if value == float("inf") or value - target > room:
            return False
        return target - value > room or self.certified(place, target)

    def certified(self, place: int, target: float) -> bool:
        """Whether Arb says that the bound is at most the target."""
        sign = self.sign(self.line.value(place), target)
        return sign is not None and sign <= 0

    def achieved(self, place: int, target: float | None = None) -> float:
        """The float that stands for the bound at a place; no more than a target that it is certified to meet."""
        try:
            value = self.bound.rounded(self.bound.enclosure(self.point(self.line.value(place)), self.form, self.readout))
        except (DomainError, PrecisionError):
            return float("nan")
        # The target bounds it too; this differs only where the two are equal.
        return value if target is None or self.bound.kind is not Kind.UPPER else min(value, target)

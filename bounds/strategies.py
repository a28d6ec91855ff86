"""Hypothesis strategies for admissible points of any bound, and one derandomised search over them (needs hypothesis)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck, Unsatisfiable

from bounds.arrays import raised
from bounds.bound import Bound
from bounds.box import Box, Point, admissible, between, default_box, is_admissible, is_integer, nearest, readings
from bounds.errors import DomainError
from bounds.symbols import rank_of

# What a failing example shrinks to: the earlier, the simpler.
_NICE = tuple(float(f"{digit}e{power}") for power in (0, 1, -1, 2, -2, 3, -3, 4, 5, 6) for digit in (1, 2, 5))
_NEAR = st.sampled_from((1e-1, 1e-2, 1e-3, 1e-4))
_CLOSE_BY = st.booleans()
_SHARE = st.floats(1e-4, 1)


def parameter_values(name: str, low: float, high: float) -> st.SearchStrategy[Any]:
    """Values of one parameter in a range: round numbers, the two ends, and log-uniform ones."""
    return _parameter_values(name, low, high, is_integer(name), rank_of(name))


# Hypothesis inspects every strategy object anew, which takes longer than to draw from it.
@cache
def _parameter_values(name: str, low: float, high: float, whole: bool, rank: int) -> st.SearchStrategy[Any]:
    spread = st.floats(0, 1).map(lambda share: between(name, low, high, share))
    if rank:
        return spread
    if low == high:
        return st.just(low)
    nice = [int(value) if whole else value for value in _NICE if low <= value <= high and not (whole and value % 1)]
    return st.one_of(st.sampled_from([*nice, low, high]), spread)


@st.composite
def admissible_points(
    draw: st.DrawFn, bound: Bound, box: Box | None = None, update_form: str | None = None, given: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Parameter values of ``bound`` at which all its assumptions hold, log-uniform in the box with weight on its corners.

    ``given`` names the optional parameters to include; required ones always are.
    """
    return _point(draw, bound, default_box(bound) | (box or {}), update_form, given)


def _point(draw: st.DrawFn, bound: Bound, ranges: Box, update_form: str | None, given: tuple[str, ...]) -> Point:
    chosen = [name for name in bound.formula.parameters if name in bound.formula.required or name in given]
    values: Point = {name: draw(parameter_values(name, *ranges[name])) for name in chosen}
    point = admissible(bound, values, ranges, update_form)
    assume(point is not None)
    assert point is not None
    return point


@st.composite
def admissible_pairs(
    draw: st.DrawFn, bound: Bound, parameter: str, box: Box | None = None, update_form: str | None = None, given: tuple[str, ...] = ()
) -> Any:
    """Two admissible points that differ in ``parameter`` alone, the smaller value of it first; some far apart, some close by."""
    ranges = default_box(bound) | (box or {})
    point = _point(draw, bound, ranges, update_form, (*given, parameter))
    start, (low, high) = point[parameter], ranges[parameter]
    if rank_of(parameter):
        higher = point | {parameter: raised(parameter, start, high, draw(_SHARE))}
        assume(higher != point and is_admissible(bound, higher, update_form))
        return point, higher
    target = _close(parameter, start, draw(_NEAR)) if draw(_CLOSE_BY) else draw(parameter_values(parameter, low, high))

    def holds(value: float) -> bool:
        return is_admissible(bound, point | {parameter: value}, update_form)

    target = min(max(target, low), high)
    value = target if holds(target) else nearest(parameter, target, start, holds, 6)
    assume(value != start)
    return tuple(sorted((point, point | {parameter: value}), key=lambda values: values[parameter]))


def _close(parameter: str, start: float, size: float) -> float | int:
    return round(start + max(1, size * start)) if is_integer(parameter) else start * (1 + size)


@dataclass(frozen=True)
class Search:
    """``examples`` cases over the update forms and readings of a bound, with the optional parameters ``names`` always given."""

    bound: Bound
    update_form: str | None
    names: tuple[str, ...]
    examples: int
    every_reading: bool = True

    def choices(self) -> list[tuple[str, tuple[str, ...]]]:
        """Update forms with the optional parameters to give."""
        forms = [form.value for form in self.bound.update_forms] if self.update_form is None else [self.bound.form(self.update_form).value]
        last = None if self.every_reading else 1
        return [(form, reading) for form in forms for reading in readings(self.bound, form, self.names)[:last]]

    def run(self, cases: Callable[[str, tuple[str, ...]], st.SearchStrategy[Any]], check: Callable[[str, Any], None]) -> None:
        """Raise the smallest failure as one clean sentence."""
        choices = [st.tuples(st.just(form), cases(form, reading)) for form, reading in self.choices()]

        # Health checks on time or on chance would fail now and then; no admissible point at all is still an error.
        # The phase left out explains a failure at the cost of finding it.
        @settings(
            max_examples=self.examples,
            derandomize=True,
            phases=(Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(st.one_of(choices))
        def search(case: tuple[str, Any]) -> None:
            check(*case)

        try:
            search()
        except AssertionError as error:
            raise AssertionError(str(error)) from None
        except (Unsatisfiable, FailedHealthCheck):
            raise DomainError(f"no admissible points of {self.bound.id}, or too few, in this box; widen a range") from None

"""Hypothesis strategies and ready checks for property-testing any bound (needs hypothesis)."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from bounds.bound import Bound
from bounds.box import Box, admissible, default_box
from bounds.symbols import symbol
from bounds.vocabulary import Direction

_SLACK = 1e-12


def _log_uniform(name: str, low: float, high: float) -> st.SearchStrategy[float]:
    if low <= 0:
        return st.integers(int(low), int(high)) if symbol(name).domain.integer else st.floats(low, high)
    values = st.floats(math.log(low), math.log(high)).map(math.exp).map(lambda value: min(max(value, low), high))
    return values.map(lambda value: int(min(max(round(value), low), high))) if symbol(name).domain.integer else values


@st.composite
def admissible_points(
    draw: st.DrawFn, bound: Bound, box: Box | None = None, update_form: str | None = None, given: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Parameter values of ``bound`` at which all its assumptions hold, log-uniform in the box.

    ``given`` names the optional parameters to include; required ones always are.
    """
    ranges = default_box(bound) | (box or {})
    chosen = [name for name in bound.formula.parameters if name in bound.formula.required or name in given]
    values = {name: draw(_log_uniform(name, *ranges[name])) for name in chosen}
    point = admissible(bound, values, update_form)
    assume(point is not None)
    assert point is not None
    return point


@st.composite
def admissible_pairs(
    draw: st.DrawFn, bound: Bound, parameter: str, box: Box | None = None, update_form: str | None = None, given: tuple[str, ...] = ()
) -> Any:
    """Two admissible points that differ in ``parameter`` alone, the smaller value of it first."""
    point = draw(admissible_points(bound, box, update_form, (*given, parameter)))
    low, high = (default_box(bound) | (box or {}))[parameter]
    other = dict(point) | {parameter: draw(_log_uniform(parameter, low, high))}
    assume(not any(outcome.holds is False for outcome in bound.assess(other, update_form)))
    assume(other[parameter] != point[parameter])
    return tuple(sorted((point, other), key=lambda values: values[parameter]))


def check_direction(bound: Bound, parameter: str, pair: tuple[dict[str, Any], dict[str, Any]], direction: Direction) -> None:
    """Assert that the value moves from ``pair[0]`` to ``pair[1]`` as ``direction`` says, up to 1e-12 relative.

    Raises:
        AssertionError: with both points and both values.
    """
    first, second = (float(bound.evaluate(**values)) for values in pair)
    slack = _SLACK * max(abs(first), abs(second)) if math.isfinite(first + second) else 0.0
    fine = {
        Direction.INCREASING: second >= first - slack,
        Direction.DECREASING: second <= first + slack,
        Direction.CONSTANT: abs(second - first) <= slack or first == second,
    }
    assert fine.get(direction, True), f"{bound.id} is not {direction.value} in {parameter}: {first!r} at {pair[0]}, {second!r} at {pair[1]}"

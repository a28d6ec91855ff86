"""Property tests for any bound (needs hypothesis): strategies for admissible points, and ready assertions.

Each ``assert_`` function runs a whole derandomised search: one call is one line of a test, the same call gives the same
answer, and the AssertionError it raises carries the smallest counterexample found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from flint import arb
from hypothesis import assume
from hypothesis import strategies as st

from bounds.bound import Bound
from bounds.box import Box, Point, check_box, is_admissible
from bounds.certificates import claimed_direction, refutation
from bounds.errors import DomainError, MissingParameterError
from bounds.strategies import Search, admissible_pairs, admissible_points
from bounds.targets import TARGET_SLACK, UNROLLED_SLACK, Target, fixed, target
from bounds.vocabulary import Direction

__all__ = ["admissible_pairs", "admissible_points", "assert_dominates", "assert_monotone", "assert_reduces_to", "check_direction"]

Ranges = Mapping[str, tuple[float, float]]
Relation = Literal["equals", "dominates"]


def check_direction(bound: Bound, parameter: str, pair: tuple[Point, Point], direction: Direction, update_form: str | None = None) -> None:
    """Assert that the value does not move from ``pair[0]`` to ``pair[1]`` against ``direction`` (certified, without slack).

    Raises:
        AssertionError: with both points and both values.
    """
    witness = refutation(bound, direction, *pair, update_form)
    if witness is not None:
        low, high = _apart(witness.first_value, witness.second_value)
        shown = f"{low} at {_text(witness.first)}; {high} at {_text(witness.second)}"
        raise AssertionError(f"{bound.id} is not {direction.value} in {parameter}: {shown}")


def _apart(first: float, second: float) -> tuple[str, str]:
    """Twelve digits of each, or all of them where that is needed to tell them apart."""
    short = (f"{first:.12g}", f"{second:.12g}")
    return short if short[0] != short[1] else (repr(first), repr(second))


def assert_monotone(
    bound: Bound,
    parameter: str,
    direction: str | None = None,
    box: Ranges | None = None,
    *,
    update_form: str | None = None,
    examples: int = 200,
) -> None:
    """Assert that the value moves with ``parameter`` as ``direction`` says (the declared one when left out), never strictly.

    Args:
        box: ranges that replace the default ones.
        update_form: whose assumptions must hold; every form of the bound when left out.
        examples: pairs of admissible points to try.

    Raises:
        AssertionError: with the smallest counterexample found.
        DomainError, UnknownNameError, UnknownParameterError: for a direction, name or range that cannot be.
    """
    claimed = claimed_direction(bound, parameter, direction)
    if claimed is Direction.MIXED:
        raise DomainError(f"{bound.id} is declared mixed in {parameter}; give a direction to test, or certify both witnesses")
    ranges = check_box(bound, box)

    def pairs(form: str, names: tuple[str, ...]) -> st.SearchStrategy[Any]:
        return admissible_pairs(bound, parameter, ranges, form, names)

    def check(form: str, pair: tuple[Point, Point]) -> None:
        check_direction(bound, parameter, pair, claimed, form)

    Search(bound, update_form, (*(box or ()), parameter), examples).run(pairs, check)


def assert_dominates(
    bound: Bound,
    other: Bound | str | None = None,
    box: Ranges | None = None,
    *,
    arguments: Mapping[str, str] | None = None,
    update_form: str | None = None,
    steps: int | None = None,
    within: float | None = None,
    examples: int = 100,
) -> None:
    """Assert that ``bound`` is at least ``other`` wherever both apply, or keeps what it says of its own recursion.

    Args:
        other: a bound, an id of the catalogue, or a formula in the parameters of ``bound``; left out, the closed form is
            compared with its own recursion, unrolled up to ``steps`` steps (60, or 12 for a costly one), in the relation that the recursion declares.
        arguments: parameters of ``other`` as text in those of ``bound``, such as ``{"N": "m*n"}``; others go by name.
        within: also assert that ``bound`` is at most this many times the other value.

    Raises:
        AssertionError: with the smallest counterexample found.
        MissingParameterError: without ``other``, for a bound that has no recursion.
    """
    if other is not None:
        against = target(bound, other, arguments)
        search = Search(bound, update_form, (*(box or ()), *against.needs), examples)
        _compare(search, against, check_box(bound, box), "dominates", within)
        return
    recursion = bound.recursion
    if recursion is None:
        raise MissingParameterError(f"{bound.id} has no recursion to be compared with; give another bound or a recursion")
    # A recursion minimised over its start is unrolled once per start.
    most = steps or (12 if recursion.least else 60)
    ranges = check_box(bound, {**(box or {}), "T": (1, most)} if "T" in bound.formula.parameters else box)

    def cases(form: str, names: tuple[str, ...]) -> st.SearchStrategy[Any]:
        return st.tuples(admissible_points(bound, ranges, form, names), st.integers(1, most))

    def check(form: str, case: tuple[Point, int]) -> None:
        point, count = case
        count = int(point.get("T", count))
        unrolled = recursion.unroll(bound.formula, point, count, bound.words(form))[-1]
        name = f"its own recursion after {count} step{'s' * (count > 1)}"
        _relate(bound, bound.enclosure(point, form), unrolled, recursion.relation, UNROLLED_SLACK, name, point, within)

    Search(bound, update_form, tuple(box or ()), examples).run(cases, check)


def assert_reduces_to(
    bound: Bound,
    at: Mapping[str, float | int],
    to: Bound | str,
    arguments: Mapping[str, str] | None = None,
    relation: Relation = "equals",
    box: Ranges | None = None,
    *,
    update_form: str | None = None,
    examples: int = 100,
) -> None:
    """Assert that at the values ``at`` the bound equals (or dominates) another one, or a formula.

    Args:
        at: such as ``{"m": 1}``.
        to: a bound, an id of the catalogue, or a formula in the parameters of ``bound``.
        arguments: parameters of ``to`` as text in those of ``bound``, such as ``{"N": "m*n"}``; others go by name.

    Optional parameters that choose between readings of the formula are given only when ``at``, ``box``, ``to`` or
    ``arguments`` name them.

    Raises:
        AssertionError: with the smallest counterexample found.
    """
    ranges = check_box(bound, box) | fixed(bound, at)
    against = target(bound, to, arguments)
    search = Search(bound, update_form, (*(box or ()), *at, *against.needs), examples, every_reading=False)
    _compare(search, against, ranges, relation)


def _compare(search: Search, against: Target, ranges: Box, relation: Relation, within: float | None = None) -> None:
    bound = search.bound

    def points(form: str, reading: tuple[str, ...]) -> st.SearchStrategy[Any]:
        return admissible_points(bound, ranges, form, reading).map(lambda point: _shared(bound, against, point, form))

    def check(form: str, point: Point | None) -> None:
        assume(point is not None)
        assert point is not None
        _relate(bound, bound.enclosure(point, form), against.ball(point), relation, TARGET_SLACK, against.name, point, within)

    search.run(points, check)


def _shared(bound: Bound, against: Target, point: Point, form: str) -> Point | None:
    """``point`` with the step shrunk until the other bound applies too; None when no step helps."""
    for _ in range(40):
        if against.holds(point):
            return point if is_admissible(bound, point, form) else None
        if "eta" not in point:
            return None
        point = point | {"eta": point["eta"] / 4}
    return None


def _relate(bound: Bound, value: arb, other: arb, relation: Relation, slack: float, name: str, point: Point, within: float | None) -> None:
    room = abs(other) * slack if other.is_finite() else arb(0)
    at = f"{_number(value)} against {_number(other)} at {_text(point)}"
    if relation == "equals" and not (abs(value - other) <= room or value == other):
        raise AssertionError(f"{bound.id} is not equal to {name}: {at}")
    if value < other - room:
        raise AssertionError(f"{bound.id} does not dominate {name}: {at}")
    if within is not None and value > other * within:
        raise AssertionError(f"{bound.id} is more than {within:g} times {name}: {at}")


def _text(point: Mapping[str, float | int]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in point.items())


def _number(ball: arb) -> str:
    return repr(float(ball.mid()))

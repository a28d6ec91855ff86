"""The number of steps t0 over which a bound takes its least value: which one attains it, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bounds.bound import Bound
from bounds.calibration.answer import Calibration
from bounds.errors import DomainError
from bounds.expression.tree import Call, Least, Node, Number, walk
from bounds.formula import without_false_flags

if TYPE_CHECKING:
    from flint import arb

_BITS = (106, 424, 1696)
_INFINITE = Number(None)


def _minima(bound: Bound, given: Any, words: tuple[str, str]) -> list[Least]:
    return list(dict.fromkeys(node for node in walk(bound.expression(given, *words)) if isinstance(node, Least)))


def is_inner(bound: Bound, name: str, values: Mapping[str, Any], words: tuple[str, str]) -> bool:
    """Whether ``name`` is no parameter but what the bound is minimised over."""
    given = [other for other in bound.formula.optional if other in values]
    return name not in bound.formula.parameters and any(node.variable == name for node in _minima(bound, given, words))


def solve_inner(bound: Bound, name: str, target: float | None, values: Mapping[str, Any], words: tuple[str, str]) -> Calibration:
    """The integer at which the least value is attained, the smallest of several; its neighbours are no lower, by Arb.

    The body is convex in it (the grammar of ``least`` asks for that), so no other integer is lower either.

    Raises:
        DomainError: with a target, which this integer cannot change.
    """
    if target is not None:
        raise DomainError(
            f"{bound.id} takes its least value over {name} already; leave the target out (--minimise) to see which {name} it is"
        )
    bound.check_parameters(values)
    point = dict(bound.formula.defaults) | without_false_flags(values)
    tree = bound.expression(without_false_flags(values), *words)
    minima = [node for node in _minima(bound, without_false_flags(values), words) if node.variable == name]
    achieved = bound.rounded(bound.enclosure(values, *words))
    for bits in _BITS:
        lowest = _lowest(tree, minima, point, bits)
        places = {_place(node, point, bits) for node in lowest}
        place = next(iter(places)) if len(places) == 1 and (len(lowest) == 1 or bits == _BITS[-1]) else None
        if place is not None:
            reason = f"where the bound is least: {_neighbours(lowest[0], point, place)}"
            return Calibration(bound.id, name, "found", place, place, place, achieved, None, reason)
    return Calibration(bound.id, name, "undecided", None, None, None, achieved, None, f"no precision tells which {name} is best")


def _at(node: Least, point: Mapping[str, Any], place: int, bits: int) -> arb:
    from flint import arb

    from bounds.expression.balls import ball_at, exact_values

    ball: arb = ball_at(node.body, {**exact_values(point), node.variable: arb(place)}, bits)
    return ball


def _ends(node: Least, point: Mapping[str, Any]) -> tuple[int, int]:
    from bounds.expression.balls import ball_at, exact_values

    low, high = (int(ball_at(end, exact_values(point), _BITS[-1]).unique_fmpz()) for end in (node.low, node.high))
    return low, max(low, high)


def _place(node: Least, point: Mapping[str, Any], bits: int) -> int | None:
    """The smallest integer that is lower than the one before it and not higher than the next; None where Arb cannot tell."""
    low, high = _ends(node, point)
    while low < high:
        middle = (low + high) // 2
        rise = _at(node, point, middle + 1, bits) - _at(node, point, middle, bits)
        if rise > 0 or rise == 0:
            high = middle
        elif rise < 0:
            low = middle + 1
        else:
            return None
    return low


def _lowest(tree: Node, minima: list[Least], point: Mapping[str, Any], bits: int) -> list[Least]:
    """Which of several minima the value may be: those that, with all others taken away, are not seen to be above another."""
    from bounds.expression.balls import ball_at, exact_values

    if len(minima) == 1:
        return minima
    exact = exact_values(point)
    balls = [ball_at(_alone(tree, node), exact, bits) for node in minima]
    return [node for node, ball in zip(minima, balls, strict=True) if not any(other < ball for other in balls)]


def _alone(node: Node, kept: Least) -> Node:
    """The tree in which every other least value under a minimum of two is infinite."""
    if isinstance(node, Least):
        return node if node == kept else _INFINITE
    parts = [_alone(part, kept) for part in node.children()]
    if isinstance(node, Call):
        if node.function == "min" and _INFINITE in parts:
            return parts[1] if parts[0] == _INFINITE else parts[0]
        return Call(node.function, tuple(parts))
    return type(node)(*parts) if parts and any(isinstance(part, Least) for part in walk(node)) else node


def _neighbours(node: Least, point: Mapping[str, Any], place: int) -> str:
    low, high = _ends(node, point)
    around = [other for other in (place - 1, place + 1) if low <= other <= high]
    shown = " and ".join(f"{float(_at(node, point, other, _BITS[0]).mid()):.9g} at {node.variable}={other}" for other in around)
    own = f"{float(_at(node, point, place, _BITS[0]).mid()):.9g} at {node.variable}={place}"
    return f"{own}, {shown}" if shown else f"{own}, the only one"

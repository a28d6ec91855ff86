"""nonnegative() never says yes where a point of the ranges at which the facts hold gives a negative number."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from bounds.certificates.graph import Graph
from bounds.certificates.positivity import Range, nonnegative
from bounds.expression.tree import Name, Node, Number, Power, Product, Quotient, Sum

_NAMES = ("a", "b", "c", "d")
_ENDS = (None, Fraction(0), Fraction(1, 2), Fraction(1), Fraction(3), Fraction(10))


def _polynomial(pick: random.Random, terms: int, degree: int) -> dict[tuple[int, ...], Fraction]:
    return {tuple(pick.randint(0, degree) for _ in _NAMES): Fraction(pick.randint(-4, 6)) for _ in range(terms)}


def _tree(graph: Graph, polynomial: dict[tuple[int, ...], Fraction]) -> Node:
    result: Node = graph.number(0)
    for powers, share in polynomial.items():
        factors = [graph.make(Power, graph.name(name), graph.number(power)) for name, power in zip(_NAMES, powers, strict=True) if power]
        result = graph.make(Sum, result, graph.make(Product, graph.number(share), graph.product(factors)))
    return result


def _value(node: Node, point: dict[str, Fraction]) -> Fraction:
    match node:
        case Number(value):
            assert value is not None
            return value
        case Name(name):
            return point[name]
    left, right = (_value(child, point) for child in node.children())
    if isinstance(node, Power):
        return left ** int(right)
    return {Sum: left + right, Product: left * right}[type(node)] if not isinstance(node, Quotient) else left / right


def _drawn_range(pick: random.Random) -> Range:
    low, high = pick.choice(_ENDS[1:]), pick.choice(_ENDS)
    if high is not None and high < low:
        low, high = high, low
    return (None if pick.random() < 0.1 else low), high


def _drawn(pick: random.Random, ends: Range) -> Fraction:
    low, high = ends
    low = low if low is not None else (high if high is not None else Fraction(0)) - 20
    high = high if high is not None else low + 20
    return pick.choice((low, high, low + (high - low) * Fraction(pick.randint(0, 1000), 1000)))


def _range_of(graph: Graph, ranges: dict[str, Range]) -> Any:
    """Ranges of names, and of products of names with known ends that are not negative."""

    def range_of(node: Node) -> Range:
        if isinstance(node, Name):
            return ranges[node.name]
        if isinstance(node, Product):
            (a, b), (c, d) = range_of(node.left), range_of(node.right)
            if a is None or c is None or min(a, c) < 0:
                return None, None
            return a * c, None if b is None or d is None else b * d
        return None, None

    return range_of


def _check(seed: int) -> bool:
    """Whether the answer was yes; then no point may give a negative number."""
    pick, graph = random.Random(seed), Graph()
    goal = _tree(graph, _polynomial(pick, pick.randint(1, 4), pick.choice((1, 1, 2))))
    ranges = {name: _drawn_range(pick) for name in _NAMES}
    facts = [tuple(_tree(graph, _polynomial(pick, 2, 1)) for _ in range(2)) for _ in range(pick.choice((0, 1, 2)))]
    if nonnegative(graph, goal, facts, _range_of(graph, ranges)) is None:
        return False
    for _ in range(200):
        point = {name: _drawn(pick, ends) for name, ends in ranges.items()}
        if all(_value(left, point) <= _value(right, point) for left, right in facts):
            assert _value(goal, point) >= 0, (seed, point, goal, facts, ranges)
    return True


def test_yes_is_never_said_where_a_point_is_negative() -> None:
    assert sum(map(_check, range(100))) > 10


@pytest.mark.slow
def test_yes_is_never_said_where_a_point_is_negative_in_many_polynomials() -> None:
    assert sum(map(_check, range(1_000, 6_000))) > 500


def test_three_factors_that_occur_together_keep_the_range_of_their_product() -> None:
    graph = Graph()
    ranges: dict[str, Range] = {"a": (Fraction(0), Fraction(1)), "b": (Fraction(0), Fraction(10)), "c": (Fraction(0), Fraction(1))}
    product = graph.product([graph.name(name) for name in ranges])
    goals = [graph.minus(graph.number(limit), product) for limit in (5, 10)]
    assert [nonnegative(graph, goal, [], _range_of(graph, ranges)) for goal in goals] == [None, []]

"""Enclosures of values, rates and elasticities hold what mpmath computes at random points of random boxes."""

from __future__ import annotations

from typing import Any

import mpmath
import pytest

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Calculus, Scope, State
from bounds.certificates.facts import spelt_out, with_caps
from bounds.certificates.graph import Graph
from bounds.expression.tree import Name, Node

_WHOLE, _ARRAYS = ("Q", "T", "m"), ("r", "rho")
_MOVERS = (*_WHOLE, "beta", "eta", "gap", "x", *_ARRAYS)
_DIGITS = 100
_SLACK = mpmath.mpf(10) ** -30
_TINY = mpmath.mpf(10) ** -70


def _end(end: Any) -> Any:
    if isinstance(end, float):
        return mpmath.mpf(end)
    mantissa, exponent = end.mid().man_exp()
    return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


def _holds(interval: Any, value: Any, scale: Any) -> bool:
    slack = _SLACK * abs(value) + _TINY * scale
    return bool(_end(interval[0]) - slack <= value <= _end(interval[1]) + slack)


def _scope(graph: Graph, box: dict[str, tuple[float, float]], mover: str, difference: bool) -> Scope:
    ends = {name: (ArbIntervals.number(low)[0], ArbIntervals.number(high)[1]) for name, (low, high) in box.items()}
    ranges = {name: interval for name, interval in ends.items() if name not in _ARRAYS}
    entries = {name: interval for name, interval in ends.items() if name in _ARRAYS}
    return Scope(graph, ranges, entries, frozenset((mover,)), difference=difference)


def _speeds(mover: str, point: dict[str, Any], draw: Any) -> dict[str, Any]:
    """p itself for a number; for each entry of an array an amount of its own."""
    if mover in _ARRAYS:
        return {mover: [draw.draws.random() for _ in point[mover]]}
    return {mover: point[mover]}


def _misses(state: State, reference: Any, tree: Node, point: dict[str, Any], speeds: dict[str, Any]) -> list[str]:
    run = reference(point, speeds)
    value, rate = run.at(tree)
    missed = [
        word for word, interval, inside in (("V", state.value, value), ("F", state.rate, rate)) if not _holds(interval, inside, run.largest)
    ]
    unlike_zero = abs(value) > _SLACK * run.largest * run.largest
    if unlike_zero and not _holds(state.elasticity, rate / value, run.largest / abs(value)):
        missed.append("E")
    return missed


def _steps_missed(state: State, reference: Any, tree: Node, point: dict[str, Any], mover: str) -> list[str]:
    runs = [reference({**point, mover: point[mover] + step}, {}) for step in (0, 1)]
    before, after = (run.at(tree)[0] for run in runs)
    scale = max(run.largest for run in runs)
    inside = (("V", state.value, before), ("V", state.value, after), ("F", state.rate, after - before))
    return [word for word, interval, value in inside if not _holds(interval, value, scale)]


def _check(seed: int, drawer: Any, reference: Any, undefined: Any, with_facts: bool) -> int:
    """The number of points compared for one tree and one box."""
    draw, graph = drawer(seed), Graph()
    tree = draw.tree(draw.draws.choice((2, 3, 4)))
    node, box = graph.separated(tree), draw.box()
    mover = draw.draws.choice(_MOVERS)
    difference = mover in _WHOLE and draw.draws.random() < 0.5
    scope = _scope(graph, box, mover, difference)
    points = [draw.point(box) for _ in range(4)]
    if difference:
        points = [{**point, mover: min(point[mover], int(box[mover][1]) - 1)} for point in points]
    if with_facts:
        scope, points = _with_facts(draw, graph, scope, node, points, (mover, difference), reference, undefined)
    state = Calculus(scope, ArbIntervals).state(node)
    compared = 0
    for point in points:
        try:
            speeds = _speeds(mover, point, draw)
            missed = (_steps_missed if difference else _misses)(state, reference, tree, point, mover if difference else speeds)
        except (undefined, ZeroDivisionError, OverflowError):
            continue
        assert not missed, (seed, missed, state, point, box, mover, difference, tree, scope.facts)
        compared += 1
    return compared


def _with_facts(draw: Any, graph: Graph, scope: Scope, node: Node, points: Any, how: Any, reference: Any, undefined: Any) -> Any:
    """Up to two assumptions about parts of the tree, and the points where they hold."""
    mover, difference = how
    facts = []
    for _ in range(draw.draws.choice((1, 2))):
        parts = [draw.tree(1), draw.tree(2), draw.tree(1), Name(draw.draws.choice(("eta", "Q", "T", "beta")))]
        left, right = draw.draws.sample(parts, 2)
        facts.append((left, right))
    pairs = [(graph.separated(left), graph.separated(right)) for left, right in facts]

    def holds(point: dict[str, Any]) -> bool:
        try:
            sides = [[reference(point, {}).at(side)[0] for side in fact] for fact in facts]
        except (undefined, ZeroDivisionError, OverflowError):
            return False
        return all(left <= right for left, right in sides)

    more = [draw.point({name: (low, high) for name, (low, high) in draw_box(scope).items()}) for _ in range(20)]
    kept = [point for point in (*points, *more) if not difference or point[mover] + 1 <= draw_box(scope)[mover][1]]
    kept = [point for point in kept if holds(point) and (not difference or holds({**point, mover: point[mover] + 1}))]
    return with_caps(scope, spelt_out(graph, pairs, [node]), [node], ArbIntervals), kept[:6]


def draw_box(scope: Scope) -> dict[str, tuple[float, float]]:
    """The box of a scope in floats."""
    return {name: (float(low.mid()), float(high.mid())) for name, (low, high) in {**scope.ranges, **scope.entries}.items()}


def _run(seeds: range, drawer: Any, reference: Any, undefined: Any, with_facts: bool) -> int:
    with mpmath.workdps(_DIGITS):
        return sum(_check(seed, drawer, reference, undefined, with_facts) for seed in seeds)


@pytest.mark.parametrize(("with_facts", "count"), [(False, 400), (True, 100)])
def test_enclosures_hold_every_point(drawer: Any, reference: Any, undefined: Any, with_facts: bool, count: int) -> None:
    assert _run(range(count), drawer, reference, undefined, with_facts) > count


@pytest.mark.slow
@pytest.mark.parametrize("with_facts", [False, True])
def test_many_enclosures_hold_every_point(drawer: Any, reference: Any, undefined: Any, with_facts: bool) -> None:
    assert _run(range(1_000, 6_000), drawer, reference, undefined, with_facts) > 2_500

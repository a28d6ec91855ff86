"""States of least values and of sums over arrays, see :mod:`bounds.certificates.calculus`."""

from __future__ import annotations

from dataclasses import replace

from bounds.certificates.calculus import Calculus, Scope, State, at_least, bool_all
from bounds.certificates.graph import array_name
from bounds.certificates.summands import is_whole, summands
from bounds.expression.tree import Call, Least, Name, Node, Reduce


def least(run: Calculus, node: Least) -> State:
    """By the envelope theorem the rate is that of the body at a place where it is least.

    A range that grows with the parameter may let the value fall. It does not where the body rises at every fixed place and
    along the moving end of the range: every new place then has at least the old end's value.
    """
    of, high = run.of, run.state(node.high)
    inner = Calculus(least_scope(run, node), of)
    body = inner.state(node.body)
    value = body.value
    if run.scope.still(node.low) and run.scope.still(node.high):
        return State(value, body.rate, body.elasticity)
    graph = run.scope.graph
    if not (run.scope.still(node.low) and end_passes_all(run, node)):
        return State(value, of.all, of.all)
    end = run.state(graph.substituted(node.body, {node.variable: node.high}))
    up = of.at_least_zero(body.rate) & of.at_least_zero(end.rate)
    down = of.at_least_zero(of.neg(body.rate)) & of.at_least_zero(high.rate)
    rate = of.select(up, of.nonnegative, of.select(down, of.nonpositive, of.all))
    return State(value, rate, of.all)


def least_scope(run: Calculus, node: Least) -> Scope:
    """The scope of the body: the variable lies between the ends; below the high one where the range is surely not empty.

    In an empty range the body is taken at the low end.
    """
    of, low, high = run.of, run.state(node.low).value, run.state(node.high).value
    places = of.hull(low, high)
    ends = dict(run.scope.ends)
    if not_empty(run, node):
        ends[node.variable] = node.high
    return replace(run.scope.also({node.variable: places}), ends=ends)


def not_empty(run: Calculus, node: Least) -> bool:
    """Whether the range of places is surely not empty."""
    return bool_all(at_least(run, node.high, node.low))


def end_passes_all(run: Calculus, node: Least) -> bool:
    """Whether the range grows at its high end, one place after the other."""
    rate, graph = run.state(node.high).rate, run.scope.graph
    names = all(part is None or isinstance(part, Name) for part, _ in summands(node.high).values())
    steps = bool_all(run.of.at_least_zero(run.of.add(run.of.one, run.of.neg(rate)))) if run.scope.difference else True
    return names and is_whole(graph, node.high) and steps and bool_all(run.of.at_least_zero(rate))


def reduce(run: Calculus, node: Reduce) -> State:
    """Over arrays of any length whose entries lie in one range; entries of an array that moves each move by an amount of their own."""
    of, inside = run.of, reduce_scope(run.scope, node)
    body = Calculus(inside, of).state(node.body)
    moving = inside.moving != run.scope.moving
    if moving and not one_mover(inside, node.body):
        body = State(body.value, of.all, of.all)
    if node.function != "total":
        return run.signs_only(body.value, body.rate) if moving else body
    # One entry at least (a tail may have none), and no limit to their number.
    empty = any(isinstance(array, Call) for array in node.arrays)
    lowest = of.smaller(body.value, of.zero) if empty else body.value
    low = of.select(of.at_least_zero(body.value), lowest, of.all)
    high = of.select(of.at_least_zero(of.neg(body.value)), of.zero if empty else body.value, of.all)
    value = (low[0], high[1])
    summed = run.signs_only(value, body.rate)
    one_sign = of.at_least_zero(body.value) | of.at_least_zero(of.neg(body.value))
    if moving:
        return summed
    return State(value, summed.rate, of.select(one_sign, body.elasticity, of.all))


def reduce_scope(scope: Scope, node: Reduce) -> Scope:
    """The scope of the body of a sum over arrays."""
    pairs = list(zip(node.variables, node.arrays, strict=True))
    ranges = {variable: scope.entries[array_name(array)] for variable, array in pairs}
    moving = frozenset(variable for variable, array in pairs if scope.graph.names(array) & scope.moving)
    return replace(scope.also(ranges, moving), entries={**scope.entries, **ranges})


def one_mover(scope: Scope, node: Node) -> bool:
    """Whether one name only moves in the node: entries move each by an amount of their own, and signs of sums say nothing then."""
    return len(scope.graph.names(node) & scope.moving) <= 1

"""Directions in a parameter that is 0 or 1: two trees are compared where they differ."""

from __future__ import annotations

from typing import Any

from bounds.bound import Bound
from bounds.box import Box
from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.cases import Case
from bounds.certificates.facts import spelt_out, with_caps
from bounds.certificates.graph import Graph
from bounds.certificates.positivity import nonnegative
from bounds.certificates.prover import Prover
from bounds.expression.tree import Node
from bounds.vocabulary import Direction

_NAME = "_flag"


def flag_proof(prover: Prover, bound: Bound, case: Case, flag: str, box: Box, claimed: Direction) -> dict[str, Any] | None:
    """A proof that the tree with the flag compares to the one without it as claimed.

    Where the trees differ by one sub-tree only, that sub-tree gets a name; the tree must move one way with it, and the
    difference of the two sub-trees must have a sign.
    """
    graph = prover.graph
    without = tuple(name for name in case.given if name != flag)
    choice = (without, case.update_form, case.readout)
    other = graph.separated(bound.expression(*choice))
    if other is case.node:
        return {"sections": [], "proofs": [{"rule": "constant"}]}
    pair = differing(case.node, other)
    if pair is None or claimed is Direction.CONSTANT:
        return None
    relevant = [condition for condition in bound.conditions if condition.relevant(case.update_form, dict.fromkeys(without, 1.0))]
    sides = [condition.sides(bound.formula, bound.given(*choice)) for condition in relevant]
    facts = [*case.facts, *((graph.separated(left), graph.separated(right)) for left, _, right in sides)]
    scope = case.scope(graph, box, ())
    scope = with_caps(scope, spelt_out(graph, facts, [case.node, other, *pair]), [case.node, other, *pair], ArbIntervals)
    for way in (1, -1):
        gap = graph.minus(pair[1], pair[0]) if way > 0 else graph.minus(pair[0], pair[1])
        if nonnegative(graph, gap, [], lambda part: prover.range(part, scope)) is not None:
            proof = _moves(prover, case.node, other, pair, way if claimed is Direction.DECREASING else -way, scope)
            return None if proof is None else {"sections": [], "proofs": [{"rule": "flag", "way": way, "parts": [proof]}]}
    return None


def _moves(prover: Prover, node: Node, other: Node, pair: tuple[Node, Node], sign: int, scope: Scope) -> dict[str, Any] | None:
    """A proof that the tree moves one way with what stands where the two differ."""
    graph = prover.graph
    outer = _opened(graph, node, other, pair)
    run = prover.calculus(scope)
    ends = ArbIntervals.hull(run.state(pair[0]).value, run.state(pair[1]).value)
    inner = Scope(graph, {**scope.ranges, _NAME: ends}, scope.entries, frozenset((_NAME,)))
    return prover.search(outer, sign, inner)


def _opened(graph: Graph, first: Node, second: Node, pair: tuple[Node, Node]) -> Node:
    """The tree with the flag's name where the two trees differ: the sub-tree may also stand where they do not."""
    if first is second:
        return first
    if first is pair[0] and second is pair[1]:
        return graph.name(_NAME)
    theirs = iter(second.children())
    return graph.over(first, lambda part: _opened(graph, part, next(theirs), pair))


def differing(first: Node, second: Node) -> tuple[Node, Node] | None:
    """The one pair of sub-trees in which two trees differ, wherever they differ; None where there are several."""
    found: dict[tuple[int, int], tuple[Node, Node]] = {}
    _compare(first, second, found)
    return next(iter(found.values())) if len(found) == 1 else None


def _compare(first: Node, second: Node, found: dict[tuple[int, int], tuple[Node, Node]]) -> None:
    if first is second or (id(first), id(second)) in found:
        return
    mine, theirs = first.children(), second.children()
    unlike = [place for place, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a is not b]
    if type(first) is not type(second) or len(mine) != len(theirs) or not unlike or _words(first) != _words(second):
        found[id(first), id(second)] = (first, second)
        return
    for place in unlike:
        _compare(mine[place], theirs[place], found)


def _words(node: Node) -> Any:
    return getattr(node, "function", None), getattr(node, "variable", None), getattr(node, "variables", None)

"""A node as a function of a few of its sub-trees, each of which moves one way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.facts import with_caps
from bounds.expression.tree import Least, Name, Node, Reduce
from bounds.rates.rational import text

if TYPE_CHECKING:
    from bounds.certificates.prover import Proof, Prover

_OF = ArbIntervals


def through(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """The node as a function of a few sub-trees, each of which moves one way, and in each of which it moves one way."""
    for cut in _cuts(prover, node, scope):
        proof = _through_cut(prover, node, sign, scope, cut, depth)
        if proof is not None:
            return proof
    return None


def _through_cut(prover: Prover, node: Node, sign: int, scope: Scope, cut: list[Node], depth: int) -> Proof | None:
    names = {id(part): f"_{len(scope.ranges)}_{place}" for place, part in enumerate(cut)}
    ranges = {names[id(part)]: prover.calculus(scope).state(part).value for part in cut}
    if not all(_OF.at_least_zero(interval) for interval in ranges.values()):
        return None
    swap = {id(part): prover.graph.name(names[id(part)]) for part in cut}
    outer = prover.graph.replaced(node, swap)
    own = sorted(prover.graph.names(outer) & scope.moving)
    wider = _with_fresh(prover, scope.also(ranges), swap, outer)
    steps: list[Proof] = []
    for part in [*cut, *map(prover.graph.name, own)]:
        name = names.get(id(part), getattr(part, "name", ""))
        step = _step(prover, part, name, outer, sign, scope, wider, depth)
        if step is None:
            return None
        steps.append(step)
    return {"rule": "through", "cut": [text(part) for part in cut], "names": [names[id(part)] for part in cut], "steps": steps}


def _step(prover: Prover, part: Node, name: str, outer: Node, sign: int, scope: Scope, wider: Scope, depth: int) -> Proof | None:
    moves = replace(wider, moving=frozenset((name,)))
    for way in (1, -1):
        inside = {"rule": "interval"} if isinstance(part, Name) and way > 0 else prover.prove(part, way, scope, depth + 1)
        if inside is not None and not (isinstance(part, Name) and way < 0):
            outside = prover.prove(outer, sign * way, moves, depth + 1)
            if outside is not None:
                return {"way": way, "inside": inside, "outside": outside}
    return None


def _with_fresh(prover: Prover, scope: Scope, swap: dict[int, Node], outer: Node) -> Scope:
    """The scope with the facts rewritten in the new names; caps on old nodes that remain stay."""
    facts = [(prover.graph.replaced(left, swap), prover.graph.replaced(right, swap)) for left, right in scope.facts]
    known = scope.ranges.keys() | scope.entries.keys()
    usable = [fact for fact in facts if prover.graph.names(fact[0]) | prover.graph.names(fact[1]) <= known]
    return with_caps(replace(scope, facts=()), usable, [outer], _OF)


def _cuts(prover: Prover, node: Node, scope: Scope) -> Iterator[list[Node]]:
    """Sets of sub-trees that occur more than once: the largest ones, then those with one of them opened."""
    shared = {key for key, count in parents(prover, node).items() if count > 1}
    first = _front(prover, node, shared, scope)
    seen: set[tuple[int, ...]] = set()
    pending = [first]
    while pending and len(seen) < 12:
        cut = pending.pop(0)
        key = tuple(sorted(map(id, cut)))
        if key in seen:
            continue
        seen.add(key)
        if cut and not any(part is node for part in cut):
            yield cut
        for part in cut:
            opened = [other for other in cut if other is not part] + _front(prover, part, shared, scope)
            pending.append(list({id(one): one for one in opened}.values()))


def parents(prover: Prover, node: Node) -> dict[int, int]:
    """How many sub-trees each sub-tree is a direct part of."""
    parents: dict[int, int] = {}
    for part in prover.graph.walk(node):
        for child in {id(child): child for child in part.children()}.values():
            parents[id(child)] = parents.get(id(child), 0) + 1
    return parents


def _front(prover: Prover, node: Node, shared: set[int], scope: Scope) -> list[Node]:
    """The outermost shared sub-trees that move, below the node itself."""
    found: dict[int, Node] = {}
    pending = list(_open_children(prover, node, scope))
    while pending:
        part = pending.pop()
        if scope.still(part) or isinstance(part, Name):
            continue
        if id(part) in shared:
            found[id(part)] = part
        else:
            pending += _open_children(prover, part, scope)
    return list(found.values())


def _open_children(prover: Prover, node: Node, scope: Scope) -> tuple[Node, ...]:
    # A sub-tree under a variable of its own (an entry, a place) cannot be lifted out of it.
    return (node.low, node.high) if isinstance(node, Least) else () if isinstance(node, Reduce) else node.children()

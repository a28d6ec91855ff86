"""What the assumptions say about the nodes of a tree: caps on their values, found without expanding anything."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bounds.certificates.calculus import Calculus, Scope, bool_all
from bounds.certificates.graph import Graph, array_name
from bounds.certificates.summands import Factors, Terms, built, difference, factors, never_negative, summands
from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Reduce, Sum

#: An assumption ``left <= right``.
Fact = tuple[Node, Node]


def spelt_out(graph: Graph, facts: Iterable[Fact], nodes: Iterable[Node]) -> list[Fact]:
    """The facts, those in a least or largest of several for each of them, and those in a largest entry for each entry.

    ``nodes`` are the trees whose bound variables (entries of arrays) the facts may speak about.
    """
    variables = {(array.name, variable) for node in nodes for variable, array in _entries(graph, node) if isinstance(array, Name)}
    found = [single for fact in facts for single in _singles(graph, fact)]
    return found + [one for fact in found for one in _for_entries(graph, fact, variables)]


def _entries(graph: Graph, node: Node) -> Iterable[tuple[str, Node]]:
    for part in graph.walk(node):
        if isinstance(part, Reduce):
            yield from zip(part.variables, part.arrays, strict=True)


def _singles(graph: Graph, fact: Fact) -> list[Fact]:
    """left <= 1 + min(a, b) as left <= 1 + a and left <= 1 + b."""
    left, right = fact
    for part in graph.walk(right):
        if isinstance(part, Call) and part.function == "min" and _rises_in(right, part):
            options = [graph.replaced(right, {id(part): one}) for one in part.arguments]
            return [single for option in options for single in _singles(graph, (left, option))]
    return [fact]


def _rises_in(node: Node, part: Node) -> bool:
    """Whether the node is the part, or a sum with it."""
    return node is part or (isinstance(node, Sum) and (_rises_in(node.left, part) or _rises_in(node.right, part)))


def _for_entries(graph: Graph, fact: Fact, variables: set[tuple[str, str]]) -> list[Fact]:
    """x largest(p, rho, p) <= right holds for every entry of rho too, where x is not negative."""
    left, right = fact
    result = []
    number, powers = factors(left)
    for part, power in powers.values():
        if power != 1 or not isinstance(part, Reduce) or part.function != "largest" or len(part.arrays) > 1:
            continue
        others = (never_negative(other) for other, _ in powers.values() if other is not part)
        if number > 0 and all(others) and isinstance(part.arrays[0], Name):
            array = part.arrays[0].name
            for variable in (variable for name, variable in variables if name == array):
                entry = graph.substituted(part.body, {part.variables[0]: graph.name(variable)})
                result.append((graph.replaced(left, {id(part): entry}), right))
    return result


@dataclass(frozen=True)
class Plan:
    """Which facts bear on which sub-trees, found once and evaluated on every box.

    ``ratios``: part = number * fact^whole * rest, where 0 <= fact <= 1/share. ``gaps``: part >= a number. ``needed`` gives
    for the ids of fact's factors and rest's those among them that may be negative: then nothing follows.
    ``binders`` are the variables with the arrays that they run over.
    """

    facts: tuple[Fact, ...]
    ratios: list[tuple[Node, Fraction, Fraction, Fraction, Factors]]
    gaps: list[tuple[Node, Fraction]]
    needed: list[list[Node]]
    binders: tuple[tuple[str, Node], ...]


def plan(graph: Graph, facts: Sequence[Fact], nodes: Sequence[Node]) -> Plan:
    """The plan for some facts and all sub-trees of some nodes; the graph remembers it."""
    key = (tuple(id(side) for fact in facts for side in fact), tuple(map(id, nodes)))
    if key not in graph.plans:
        both = [side for fact in facts for side in (fact, _sorted_out(graph, fact))]
        parts = list({id(part): part for node in nodes for part in graph.walk(node)}.values())
        order = {(id(left), id(right)) for left, right in both}
        ratios = _combined([ratio for left, right in both for ratio in _ratio(graph, left, right, order)])
        gaps = [summands(difference(graph, right, left)) for left, right in both]
        found_ratios = [(part, *found) for part in parts for found in _from_ratios(part, ratios)]
        graph.plans[key] = Plan(
            tuple(both),
            [found[:5] for found in found_ratios],
            [(part, found) for part in parts for found in _from_gaps(part, gaps)],
            [found[5] for found in found_ratios],
            tuple(dict.fromkeys(pair for node in (*nodes, *(side for fact in both for side in fact)) for pair in _entries(graph, node))),
        )
    found: Plan = graph.plans[key]
    return found


def with_caps(scope: Scope, facts: Iterable[Fact], nodes: Sequence[Node], operations: Any) -> Scope:
    """The scope with more facts, and with the caps that they put on the sub-trees of ``nodes``."""
    facts, of = list(facts), operations
    known = {(id(left), id(right)): (left, right) for left, right in (*scope.facts, *facts)}
    found = plan(scope.graph, facts, nodes)
    caps: dict[int, Any] = dict(scope.caps)
    bare = Calculus(_with_entries(scope, found.binders), of)
    for (part, number, share, whole, rest), needed in zip(found.ratios, found.needed, strict=True):
        if not all(_not_negative(bare, node) for node in needed):
            continue
        limit = (of.zero[0], of.number(1 / share)[1]) if whole == 1 else (of.number(share)[0], of.all[1])
        cap = of.mul(of.number(number), of.mul(limit, _range_of(bare, rest)))
        caps[id(part)] = cap if id(part) not in caps else of.meet(caps[id(part)], cap)
    for part, number in found.gaps:
        cap = (of.number(number)[0], of.all[1])
        caps[id(part)] = cap if id(part) not in caps else of.meet(caps[id(part)], cap)
    _from_sides(scope, found.facts, caps, of)
    return replace(scope, caps=caps, facts=tuple(known.values()))


def _with_entries(scope: Scope, binders: Iterable[tuple[str, Node]]) -> Scope:
    """The scope with nothing moving, and with the variables of sums over known arrays."""
    entries = {variable: scope.entries[array_name(array)] for variable, array in binders if array_name(array) in scope.entries}
    return replace(scope, ranges={**entries, **scope.ranges}, moving=frozenset())


def _not_negative(run: Calculus, node: Node) -> bool:
    known = run.scope.graph.names(node) <= run.scope.ranges.keys()
    return known and bool_all(run.of.at_least_zero(run.state(node).value))


def _sorted_out(graph: Graph, fact: Fact) -> Fact:
    """0 <= 1 - r as r <= 1: every summand on the side where it is positive."""
    terms = summands(difference(graph, fact[1], fact[0]))
    left = {key: (node, -share) for key, (node, share) in terms.items() if share < 0}
    return built(graph, left), built(graph, {key: term for key, term in terms.items() if term[1] > 0})


#: A number, factors, and the nodes that must not be negative for number * factors to lie in [0, 1].
Ratio = tuple[Fraction, Factors, tuple[Node, ...]]


def _ratio(graph: Graph, left: Node, right: Node, order: set[tuple[int, int]]) -> list[Ratio]:
    """left/right <= 1 as a number times powers; with a + b among the factors also for a and b in its place."""
    number, powers = factors(graph.make(Quotient, left, right))
    if number <= 0 or not powers:
        return []
    own = tuple(node for node, _ in powers.values())
    weaker = [
        (number * share, _swapped(powers, key, one), (*own, *(part for part, _ in summands(node).values() if part is not None)))
        for key, (node, power) in powers.items()
        if power == 1
        for share, one in _parts(node, order)
    ]
    return [(number, powers, own), *weaker]


def _parts(node: Node, order: set[tuple[int, int]]) -> list[tuple[Fraction, Node]]:
    """Multiples of names that a sum of names is at least as large as; ``order`` holds pairs known to be ascending."""
    terms = list(summands(node).values()) if isinstance(node, Sum) else []
    names = [part for part, share in terms if isinstance(part, Name) and share == 1]
    if len(names) != len(terms):
        return []
    at_least = {id(part): sum(other is part or (id(part), id(other)) in order for other in names) for part in names}
    return [(Fraction(at_least[id(part)]), part) for part in names]


def _swapped(powers: Factors, key: int, by: Node) -> Factors:
    result = {other: factor for other, factor in powers.items() if other != key}
    result[id(by)] = (by, Fraction(1) + result.get(id(by), (by, Fraction(0)))[1])
    return {other: factor for other, factor in result.items() if factor[1]}


def _combined(ratios: list[Ratio]) -> list[Ratio]:
    """The ratios and the products of two of them in which something cancels."""
    products = []
    for (number, first, needed), (share, second, others) in itertools.permutations(ratios, 2):
        if any(key in second and exponent == -second[key][1] for key, (_, exponent) in first.items()):
            rest = _rest(first, second, Fraction(-1))
            if rest:
                products.append((number * share, rest, (*needed, *others)))
    return ratios + products


def _from_ratios(part: Node, ratios: list[Ratio]) -> Iterable[tuple[Fraction, Fraction, Fraction, Factors, list[Node]]]:
    if not isinstance(part, Product | Quotient | Power | Sum | Name | Call):
        return
    number, powers = factors(part)
    for share, fact, needed in ratios:
        for key, (_, exponent) in fact.items():
            if key in powers and (whole := _unit(powers[key][1], exponent)):
                # Most attempts are dropped here, before anything is built.
                left = len(powers) + sum(_change(powers.get(other), value, whole) for other, (_, value) in fact.items())
                if left < len(powers) + (len(fact) > 1 and len(powers) == 1):
                    rest = _rest(powers, fact, Fraction(whole))
                    nodes = {id(node): node for node in (*needed, *(node for node, _ in rest.values()))}
                    yield number, share, Fraction(whole), rest, [node for node in nodes.values() if not isinstance(node, Number)]
                    break


def _unit(exponent: Fraction, other: Fraction) -> int:
    """1 or -1 where one exponent is that many times the other, else 0."""
    return 1 if exponent == other else -1 if exponent == -other else 0


def _change(own: tuple[Node, Fraction] | None, exponent: Fraction, whole: int) -> int:
    """How many more factors there are when one to the power ``exponent`` is divided by, ``whole`` times."""
    if own is None:
        return 1
    return -1 if own[1] == (exponent if whole == 1 else -exponent) else 0


def _rest(powers: Factors, fact: Factors, whole: Fraction) -> Factors:
    keys = powers.keys() | fact.keys()
    rest: Factors = {}
    for key in keys:
        node = (powers.get(key) or fact[key])[0]
        exponent = powers.get(key, (node, Fraction(0)))[1] - whole * fact.get(key, (node, Fraction(0)))[1]
        if exponent:
            rest[key] = (node, exponent)
    return rest


def _range_of(run: Calculus, powers: Factors) -> Any:
    of, result = run.of, run.of.one
    for node, exponent in powers.values():
        result = of.mul(result, of.exp(of.mul(of.number(exponent), of.log(run.state(node).value))))
    return result


def _from_gaps(part: Node, gaps: list[Terms]) -> Iterable[Fraction]:
    """A sum that contains right - left is at least what the rest of it is, where that is a number."""
    own = summands(part) if isinstance(part, Sum) else {}
    for gap in gaps:
        named = {key: share for key, (_, share) in gap.items() if key is not None}
        if named and named == {key: share for key, (_, share) in own.items() if key is not None}:
            constant = (None, Fraction(0))
            yield own.get(None, constant)[1] - gap.get(None, constant)[1]


def _from_sides(scope: Scope, facts: Sequence[Fact], caps: dict[int, Any], of: Any) -> None:
    """left is at most the largest value of right, and right at least the least of left."""
    for left, right in facts:
        if scope.graph.names(left) | scope.graph.names(right) <= scope.ranges.keys() | scope.entries.keys():
            run = Calculus(replace(scope, moving=frozenset(), caps=caps), of)
            low, high = run.state(left).value[0], run.state(right).value[1]
            for node, cap in ((left, (of.all[0], high)), (right, (low, of.all[1]))):
                if not isinstance(node, Number):
                    caps[id(node)] = cap if id(node) not in caps else of.meet(caps[id(node)], cap)

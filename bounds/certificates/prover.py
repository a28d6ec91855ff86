"""The search for a proof that a node moves one way with the parameter: whole boxes first, then piece by piece.

A goal is a node and a sign: sign * df/dp >= 0 wherever the assumptions hold. A proof is a tree of plain dictionaries
that :mod:`bounds.certificates.checker` can follow without any of this search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Budget, Question, branch
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.elasticity import Elasticity, NoElasticityError
from bounds.certificates.facts import Fact, with_caps
from bounds.certificates.functions import jump, sides
from bounds.certificates.graph import Graph, array_name
from bounds.certificates.positivity import Range, nonnegative
from bounds.certificates.summands import built, built_product, difference, factors, is_whole, summands
from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.rates.rational import text
from bounds.symbols import REGISTRY

Proof = dict[str, Any]
_OF = ArbIntervals
_DEEPEST = 16
_MOST_NAMES = 6
#: Boxes for one goal: none, then more and more. Most goals on the way to a proof are false.
PATIENCE = (0, 150, 3_000, 60_000)
_RISES = frozenset({"sqrt", "exp", "log", "erf", "ceil"})


@dataclass
class Prover:
    """Proofs in one graph within a budget."""

    graph: Graph
    budget: Budget = field(default_factory=lambda: Budget(math.inf))
    _failed: set[Any] = field(default_factory=set)

    def calculus(self, scope: Scope) -> Calculus:
        """Arb states in a scope."""
        return Calculus(scope, _OF)

    def search(self, node: Node, sign: int, scope: Scope, patience: Sequence[int] = PATIENCE) -> Proof | None:
        """:meth:`prove` with more and more boxes for each goal."""
        for self.budget.each in patience:
            self._failed.clear()
            proof = self.prove(node, sign, scope)
            if proof is not None or self.budget.spent:
                return proof
        return None

    def prove(self, node: Node, sign: int, scope: Scope, depth: int = 0) -> Proof | None:
        """A proof of sign * p df/dp >= 0 over the scope's box, or None."""
        if scope.still(node):
            return {"rule": "constant"}
        key = (id(node), sign, scope.moving, id(scope.ranges), id(scope.caps), scope.difference)
        if depth > _DEEPEST or key in self._failed:
            return None
        proof = self._fresh(node, sign, scope, depth)
        if proof is None:
            self._failed.add(key)
        return proof

    def _fresh(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        state = self.calculus(scope).state(node)
        rate = state.rate if sign > 0 else _OF.neg(state.rate)
        if _OF.at_least_zero(rate):
            return {"rule": "interval"}
        names = tuple(sorted(self.graph.names(node) & scope.ranges.keys()))
        if Question(node, sign, scope, names).fails_somewhere():
            return None
        ways = (
            (self._pieces,)
            if scope.difference
            else (self._ends, self._pieces, self._conjugate, self._distributed, self._through, self._symbolic)
        )
        for way in ways:
            proof = way(node, sign, scope, depth)
            if proof is not None:
                return proof
        return self._last(node, sign, scope, depth)

    def _last(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        for way in (self._dropped, self._peeled, self._difference, self._boxes):
            proof = way(node, sign, scope, depth)
            if proof is not None:
                return proof
        return None

    # pieces -------------------------------------------------------------------------------------

    def _pieces(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """One goal for each part that moves, where the sign of everything else is known."""
        goals = self._goals(node, sign, scope)
        return None if goals is None else self._all("pieces", goals, depth)

    def _all(self, rule: str, goals: Sequence[tuple[Node, int, Scope]], depth: int) -> Proof | None:
        """A proof by proofs of all goals."""
        parts = []
        for part, wanted, inner in goals:
            proof = self.prove(part, wanted, inner, depth + 1)
            if proof is None:
                return None
            parts.append(proof)
        return {"rule": rule, "parts": parts}

    def _goals(self, node: Node, sign: int, scope: Scope) -> list[tuple[Node, int, Scope]] | None:
        match node:
            case Sum():
                moving = [(part, share) for part, share in summands(node).values() if part is not None and not scope.still(part)]
                if len(moving) == 1 and moving[0][0] is node:
                    return None
                return [(part, sign if share > 0 else -sign, scope) for part, share in moving]
            case Product(left, right):
                return self._factors(((left, 1, right), (right, 1, left)), sign, scope)
            case Quotient(left, right):
                return self._factors(((left, 1, right), (right, -1, left)), sign, scope)
            case Power():
                return self._power(node, sign, scope)
            case Call(function, arguments):
                return self._call(function, arguments, sign, scope)
            case Least():
                return self._least(node, sign, scope)
            case Reduce():
                return self._reduce(node, sign, scope)
        return None

    def value_sign(self, node: Node, scope: Scope) -> int:
        """1 or -1 where the node is nowhere negative or nowhere positive in the scope, else 0."""
        value = self.calculus(scope).state(node).value
        return 1 if _OF.at_least_zero(value) else -1 if _OF.at_least_zero(_OF.neg(value)) else 0

    def _factors(self, parts: Sequence[tuple[Node, int, Node]], sign: int, scope: Scope) -> list[tuple[Node, int, Scope]] | None:
        """(part, its sign, the rest whose sign it is multiplied with) for the parts that move."""
        goals = []
        for part, own, rest in parts:
            if not scope.still(part):
                other = self.value_sign(rest, scope)
                if not other:
                    return None
                goals.append((part, sign * own * other, scope))
        return goals

    def _power(self, node: Power, sign: int, scope: Scope) -> list[tuple[Node, int, Scope]] | None:
        if isinstance(node.exponent, Number):
            value = node.exponent.value
            if value is None:
                return None
            base = self.value_sign(node.base, scope)
            even = value.denominator == 1 and value % 2 == 0
            grows = (1 if value > 0 else -1) * (base if even else 1)
            return [(node.base, sign * grows, scope)] if grows and (base > 0 or value.denominator == 1) else None
        if self.value_sign(node.base, scope) != 1:
            return None
        goals = []
        if not scope.still(node.base):
            own = self.value_sign(node.exponent, scope)
            goals.append((node.base, sign * own, scope))
        if not scope.still(node.exponent):
            above = self.value_sign(self.graph.minus(node.base, self.graph.number(1)), scope)
            goals.append((node.exponent, sign * above, scope))
        return goals if all(wanted for _, wanted, _ in goals) else None

    def _call(self, function: str, arguments: tuple[Node, ...], sign: int, scope: Scope) -> list[tuple[Node, int, Scope]] | None:
        if function in _RISES or function in ("min", "max"):
            return [(argument, sign, scope) for argument in arguments if not scope.still(argument)]
        if function == "geometric" and self.value_sign(arguments[0], scope) == 1 and not scope.difference:
            return [(argument, sign, scope) for argument in arguments if not scope.still(argument)]
        if function == "growth" and not scope.difference:
            signs = (sign, -sign, sign)
            return [(part, wanted, scope) for part, wanted in zip(arguments, signs, strict=True) if not scope.still(part)]
        return self._when(arguments, sign, scope) if function == "when" else None

    def _when(self, arguments: tuple[Node, ...], sign: int, scope: Scope) -> list[tuple[Node, int, Scope]] | None:
        node = self.graph.make(Call, "when", arguments)
        assert isinstance(node, Call)
        if not scope.still(arguments[0]):
            step = jump(self.calculus(scope), node)
            if not _OF.at_least_zero(step if sign > 0 else _OF.neg(step)):
                return None
        inside = zip(arguments[1:], sides(scope, node, _OF), strict=True)
        return [(argument, sign, side) for argument, side in inside if not scope.still(argument)]

    def _least(self, node: Least, sign: int, scope: Scope) -> list[tuple[Node, int, Scope]] | None:
        states = [self.calculus(scope).state(end) for end in (node.low, node.high)]
        inner = replace(
            scope.also({node.variable: (states[0].value[0], states[1].value[1])}), ends={**scope.ends, node.variable: node.high}
        )
        inner = with_caps(inner, [*scope.facts, (self.graph.name(node.variable), node.high)], [node.body], _OF)
        goals = [(node.body, sign, inner)]
        if not scope.still(node.low):
            return None
        if scope.still(node.high):
            return goals
        if not _OF.at_least_zero(states[1].rate):
            return None
        end = self.graph.substituted(node.body, {node.variable: node.high})
        return [*goals, (end, sign, scope)] if sign > 0 else goals

    def _reduce(self, node: Reduce, sign: int, scope: Scope) -> list[tuple[Node, int, Scope]]:
        pairs = list(zip(node.variables, node.arrays, strict=True))
        ranges = {variable: scope.entries[array_name(array)] for variable, array in pairs}
        moving = frozenset(variable for variable, array in pairs if self.graph.names(array) & scope.moving)
        inner = replace(scope.also(ranges, moving), entries={**scope.entries, **ranges})
        return [(node.body, sign, inner)]

    def _distributed(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """a (b + c) as a b + a c, and a total(...) as a total of products."""
        found = distribution(self.graph, node, scope)
        if found is None:
            return None
        return self._all("distributed", [(part, sign, scope) for part in found], depth)

    def _dropped(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """A product without one factor that moves the right way; functions without an elasticity in the grammar go first."""
        if scope.difference:
            return None
        for part, rest in dropping(self.graph, node, scope):
            if self.value_sign(part, scope) == 1 and self.value_sign(rest, scope) == 1:
                proofs = [self.prove(piece, sign, scope, depth + 1) for piece in (part, rest)]
                if None not in proofs:
                    return {"rule": "dropped", "factor": text(part), "parts": proofs}
        return None

    def _peeled(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """growth(q, s, S) as (1 + q/(s+1)) growth(q, s+1, S) wherever S - s is a whole number and at least 1."""
        other = peeled(self.graph, node, lambda part: _OF.at_least_zero(self.calculus(scope).state(part).value))
        if other is node or scope.difference:
            return None
        proof = self.prove(other, sign, scope, depth + 1)
        return None if proof is None else {"rule": "peeled", "parts": [proof]}

    def _ends(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """A least value as the smaller one of its last place's and of the least among the others."""
        if not isinstance(node, Least) or not scope.still(node.low) or not scope.still(node.high):
            return None
        last = self.graph.substituted(node.body, {node.variable: node.high})
        before = self.graph.make(Least, node.variable, node.low, difference(self.graph, node.high, self.graph.number(1)), node.body)
        if summands(node.high).get(None, (None, 0))[1] < 0:
            return None
        return self._all("ends", [(part, sign, scope) for part in (last, before)], depth)

    def _difference(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """The same goal for the steps f(p+1) - f(p) of a whole number p."""
        if scope.difference or not all(name in REGISTRY and REGISTRY[name].domain.integer for name in scope.moving):
            return None
        proof = self.prove(node, sign, replace(scope, difference=True), depth + 1)
        return None if proof is None else {"rule": "difference", "parts": [proof]}

    # through ------------------------------------------------------------------------------------

    def _through(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """The node as a function of a few sub-trees, each of which moves one way, and in each of which it moves one way."""
        for cut in self._cuts(node, scope):
            proof = self._through_cut(node, sign, scope, cut, depth)
            if proof is not None:
                return proof
        return None

    def _through_cut(self, node: Node, sign: int, scope: Scope, cut: list[Node], depth: int) -> Proof | None:
        names = {id(part): f"_{len(scope.ranges)}_{place}" for place, part in enumerate(cut)}
        ranges = {names[id(part)]: self.calculus(scope).state(part).value for part in cut}
        if not all(_OF.at_least_zero(interval) for interval in ranges.values()):
            return None
        swap = {id(part): self.graph.name(names[id(part)]) for part in cut}
        outer = self.graph.rebuilt(node, lambda part: swap.get(id(part)))
        own = sorted(self.graph.names(outer) & scope.moving)
        wider = self._with_fresh(scope.also(ranges), swap, outer)
        steps: list[Proof] = []
        for part in [*cut, *map(self.graph.name, own)]:
            name = names.get(id(part), getattr(part, "name", ""))
            step = self._step(part, name, outer, sign, scope, wider, depth)
            if step is None:
                return None
            steps.append(step)
        return {"rule": "through", "cut": [text(part) for part in cut], "names": [names[id(part)] for part in cut], "steps": steps}

    def _step(self, part: Node, name: str, outer: Node, sign: int, scope: Scope, wider: Scope, depth: int) -> Proof | None:
        moves = replace(wider, moving=frozenset((name,)))
        for way in (1, -1):
            inside = {"rule": "interval"} if isinstance(part, Name) and way > 0 else self.prove(part, way, scope, depth + 1)
            if inside is not None and not (isinstance(part, Name) and way < 0):
                outside = self.prove(outer, sign * way, moves, depth + 1)
                if outside is not None:
                    return {"way": way, "inside": inside, "outside": outside}
        return None

    def _with_fresh(self, scope: Scope, swap: dict[int, Node], outer: Node) -> Scope:
        """The scope with the facts rewritten in the new names; caps on old nodes that remain stay."""
        facts = [tuple(self.graph.rebuilt(side, lambda part: swap.get(id(part))) for side in fact) for fact in scope.facts]
        known = scope.ranges.keys() | scope.entries.keys()
        usable = [fact for fact in facts if self.graph.names(fact[0]) | self.graph.names(fact[1]) <= known]
        return with_caps(replace(scope, facts=()), usable, [outer], _OF)

    def _cuts(self, node: Node, scope: Scope) -> Iterator[list[Node]]:
        """Sets of sub-trees that occur more than once: the largest ones, then those with one of them opened."""
        parents = self._parents(node)
        shared = {key for key, count in parents.items() if count > 1}
        first = self._front(node, shared, scope)
        seen = set()
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
                opened = [other for other in cut if other is not part] + self._front(part, shared, scope)
                pending.append(list({id(one): one for one in opened}.values()))

    def _parents(self, node: Node) -> dict[int, int]:
        """How many sub-trees each sub-tree is a direct part of."""
        parents: dict[int, int] = {}
        for part in self.graph.walk(node):
            for child in {id(child): child for child in part.children()}.values():
                parents[id(child)] = parents.get(id(child), 0) + 1
        return parents

    def _front(self, node: Node, shared: set[int], scope: Scope) -> list[Node]:
        """The outermost shared sub-trees that move, below the node itself."""
        found: dict[int, Node] = {}
        pending = list(self._open_children(node, scope))
        while pending:
            part = pending.pop()
            if scope.still(part) or isinstance(part, Name):
                continue
            if id(part) in shared:
                found[id(part)] = part
            else:
                pending += self._open_children(part, scope)
        return list(found.values())

    def _open_children(self, node: Node, scope: Scope) -> tuple[Node, ...]:
        # A sub-tree under a variable of its own (an entry, a place) cannot be lifted out of it.
        return (node.low, node.high) if isinstance(node, Least) else () if isinstance(node, Reduce) else node.children()

    # symbols ------------------------------------------------------------------------------------

    def _symbolic(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """The sign of the elasticity as a polynomial in positive things."""
        if scope.difference or self.value_sign(node, scope) != 1 or not self._positive_names(scope):
            return None
        elasticity = Elasticity(self.graph, scope.moving, lambda part: self.value_sign(part, scope) == 1)
        try:
            goal = elasticity.of(node)
        except NoElasticityError:
            return None
        goal = goal if sign > 0 else self.graph.make(Product, self.graph.number(-1), goal)
        facts = [*self._log_facts(scope, elasticity), *self._lemmas(goal, scope)]
        used = nonnegative(self.graph, goal, facts, lambda part: self.range(part, scope))
        if used is None:
            return None
        return {"rule": "symbolic", "facts": [[text(left), text(right)] for left, right in used]}

    def _positive_names(self, scope: Scope) -> bool:
        return all(_OF.at_least_zero(scope.ranges[name]) for name in scope.moving if name in scope.ranges)

    def range(self, node: Node, scope: Scope) -> Range:
        """Both ends of the node's value; None for an end that is infinite or not known."""
        if not self.graph.names(node) <= scope.ranges.keys() | scope.entries.keys():
            return None, None
        low, high = self.calculus(scope).state(node).value
        return _fraction(low), _fraction(high)

    def _log_facts(self, scope: Scope, elasticity: Elasticity) -> list[Fact]:
        """The facts in logarithms: 0 <= log right - log left, and what is left of them over a positive denominator."""
        known = scope.ranges.keys() | scope.entries.keys()
        facts = []
        for left, right in scope.facts:
            if self.graph.names(left) | self.graph.names(right) <= known:
                facts.append((elasticity.log(left), elasticity.log(right)))
        return facts

    def _lemmas(self, goal: Node, scope: Scope) -> list[Fact]:
        """geometric(r, T) <= T for r <= 1."""
        lemmas = []
        for part in self.graph.walk(goal):
            if isinstance(part, Call) and part.function == "geometric":
                low, high = self.range(part.arguments[0], scope)
                if low is not None and high is not None and low >= 0 and high <= 1:
                    lemmas.append((part, part.arguments[1]))
        return lemmas

    # forms --------------------------------------------------------------------------------------

    def _conjugate(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """(a + sqrt(d))/e as w/(sqrt(d) - a) where d - a^2 = e w: goals for w and for the new denominator."""
        found = conjugate(self.graph, node, lambda part: self.range(part, scope))
        if found is None or scope.difference:
            return None
        over, under = found
        if self.value_sign(node, scope) != 1 or self.value_sign(over, scope) != 1:
            return None
        parts = []
        for part, wanted in ((over, sign), (under, -sign)):
            proof = self.prove(part, wanted, scope, depth + 1)
            if proof is None:
                return None
            parts.append(proof)
        return {"rule": "conjugate", "parts": parts}

    # boxes --------------------------------------------------------------------------------------

    def _boxes(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        """Branch and bound, with names of their own for sub-trees that are still or that move like the parameter itself."""
        if (
            not self.budget.each
            or self.budget.spent
            or any(isinstance(part, Reduce | Least) and not scope.still(part) for part in self.graph.walk(node))
        ):
            return None
        short = self._moving_factors(node, scope)
        cut = self._renamed(short, scope)
        outer, facts, inner = self.apply(short, scope, cut)
        names = tuple(sorted(self.graph.names(outer) & inner.ranges.keys()))
        if not names or len(names) > _MOST_NAMES:
            return None
        tree = branch(Question(outer, sign, replace(inner, facts=tuple(facts)), names), self.budget)
        return None if tree is None else {"rule": "boxes", "names": {name: text(part) for name, part in cut.items()}, "tree": tree}

    def _moving_factors(self, node: Node, scope: Scope) -> Node:
        """The node without positive factors that are still: they change no sign."""
        number, powers = factors(node)
        still = {key: factor for key, factor in powers.items() if scope.still(factor[0])}
        dropped = built_product(self.graph, number, still)
        if scope.difference or not still or number <= 0 or self.value_sign(dropped, scope) != 1:
            return node
        return built_product(self.graph, Fraction(1), {key: factor for key, factor in powers.items() if key not in still})

    def _renamed(self, node: Node, scope: Scope) -> dict[str, Node]:
        """Names for the largest sub-trees that are still, or whose elasticity is 1 (they move like the parameter)."""
        cut: dict[str, Node] = {}
        parents = self._parents(node)

        def swap(part: Node) -> Node | None:
            if isinstance(part, Name | Number):
                return part
            names = self.graph.names(part)
            if not names or not names <= scope.ranges.keys() or any(part is other for other in cut.values()):
                return None
            if any(parents[id(inner)] > 1 for inner in self.graph.walk(part) if inner is not part and not isinstance(inner, Name | Number)):
                return None
            if scope.still(part) or self._like_parameter(part, scope):
                cut[f"_cut{len(cut)}"] = part
                return part
            return None

        self.graph.rebuilt(node, swap)
        return cut

    def _like_parameter(self, part: Node, scope: Scope) -> bool:
        if scope.difference or not isinstance(part, Product | Quotient):
            return False
        state = self.calculus(scope).state(part)
        low, high = state.elasticity
        return bool(_OF.at_least_zero(state.value)) and bool(low == 1) and bool(high == 1)

    def apply(self, node: Node, scope: Scope, cut: dict[str, Node]) -> tuple[Node, list[Fact], Scope]:
        """The node and the facts with the named sub-trees replaced, and the scope with the names."""
        by = {id(part): self.graph.name(name) for name, part in cut.items()}
        outer, *sides = (
            self.graph.rebuilt(one, lambda part: by.get(id(part))) for one in (node, *(side for fact in scope.facts for side in fact))
        )
        ranges = {name: self.calculus(scope).state(part).value for name, part in cut.items()}
        moving = frozenset(name for name, part in cut.items() if not scope.still(part))
        return outer, list(zip(sides[::2], sides[1::2], strict=True)), scope.also(ranges, moving)


def _fraction(end: Any) -> Any:
    if isinstance(end, float):
        return None
    mantissa, exponent = end.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def distribution(graph: Graph, node: Node, scope: Scope) -> list[Node] | None:
    """The products that a product with one sum (or total) among its factors is the sum (or total) of."""
    number, powers = factors(node)
    for key, (part, power) in powers.items():
        if power == 1 and (isinstance(part, Sum) or (isinstance(part, Reduce) and part.function == "total")) and len(powers) > 1:
            rest = built_product(graph, number, {other: factor for other, factor in powers.items() if other != key})
            if scope.still(rest):
                continue
            if isinstance(part, Reduce):
                return [graph.make(Reduce, part.function, part.variables, part.arrays, graph.make(Product, rest, part.body))]
            terms = summands(part).values()
            return [graph.make(Product, rest, built(graph, {0: (piece, share)})) for piece, share in terms]
    return None


def dropping(graph: Graph, node: Node, scope: Scope) -> list[tuple[Node, Node]]:
    """(function, product of the other factors) for the functions that move, where at least two others do."""
    number, powers = factors(node)
    moving = [key for key, (part, _) in powers.items() if not scope.still(part)]
    if len(moving) < 3:
        return []
    pieces = []
    for key in (key for key in moving if isinstance(powers[key][0], Call)):
        part, power = powers[key]
        rest = built_product(graph, number, {other: factor for other, factor in powers.items() if other != key})
        pieces.append((graph.make(Power, part, graph.number(power)), rest))
    return pieces


def peeled(graph: Graph, node: Node, holds: Callable[[Node], bool]) -> Node:
    """The node with a factor taken out of each growth(q, s, S), where S - s - 1 is a whole number and ``holds`` says it is >= 0."""
    one = graph.number(1)

    def swap(part: Node) -> Node | None:
        if not (isinstance(part, Call) and part.function == "growth"):
            # Under a variable of its own nothing is known of the ends here.
            return part if isinstance(part, Least | Reduce) else None
        rate, start, stop = part.arguments
        rest = difference(graph, difference(graph, stop, start), one)
        if None in summands(start) or not is_whole(graph, rest) or not holds(rest):
            return None
        after = graph.make(Sum, start, one)
        return graph.make(Product, graph.make(Sum, one, graph.make(Quotient, rate, after)), graph.make(Call, "growth", (rate, after, stop)))

    return graph.rebuilt(node, swap)


def conjugate(graph: Graph, node: Node, range_of: Any) -> tuple[Node, Node] | None:
    """(w, sqrt(d) - a) for a node (a + sqrt(d))/e with d - a^2 = e w; None for any other."""
    from bounds.certificates.conjugates import quotient

    match node:
        case Quotient(Sum(a, Call("sqrt", (d,)) as root), e):
            square = graph.make(Product, a, a)
            over = quotient(graph, graph.minus(d, square), e)
            return None if over is None else (over, graph.minus(root, a))
    return None


__all__ = ["Prover", "conjugate", "difference"]

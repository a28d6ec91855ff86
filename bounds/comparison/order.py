"""Proofs that one tree is nowhere above another: normal forms first, whole boxes, then the structure of both.

A goal is a pair a <= b on the points of a scope's box where its facts hold. Common positive factors are divided out and
common summands taken away, logarithms of products are sums of exponents times logarithms of their bases in which what
both have cancels, and what is left is decided by intervals or as a polynomial without negative coefficients.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Budget
from bounds.certificates.calculus import Calculus, Scope, as_geometric
from bounds.certificates.facts import Fact, with_caps
from bounds.certificates.flags import differing
from bounds.certificates.graph import Graph, array_name
from bounds.certificates.positivity import Range, RangeOf, atoms_of, nonnegative
from bounds.certificates.prover import PATIENCE, Prover
from bounds.certificates.summands import Factors, Terms, built, built_product, difference, distributed, factors, summands
from bounds.comparison.normal import log_linear, logarithm
from bounds.comparison.probe import fails_somewhere
from bounds.expression.tree import Call, Least, Node, Number, Power, Product, Quotient, Reduce, Sum

_OF = ArbIntervals
_DEEPEST = 8
_MOST_TERMS = 4
_MOST_STEPS = 3
_RISES = frozenset({"sqrt", "exp", "log", "erf", "ceil"})
#: The rules that a proof uses, in order; None where there is no proof.
Rules = tuple[str, ...] | None


class Order:
    """Proofs in one graph within a budget; without ``structure`` by normal forms, intervals and coefficients alone.

    ``probe`` gives goals up that floats refute, which saves time and proves nothing.
    """

    def __init__(self, graph: Graph, budget: Budget, structure: bool = True, probe: bool = True) -> None:
        self.graph, self.budget, self.structure, self.probe = graph, budget, structure, probe
        self.prover = Prover(graph, budget)
        # The scopes are kept, so that none of their ids comes to mean something else.
        self._seen: dict[tuple[int, int, int, int], tuple[Scope, Rules]] = {}

    def prove(self, a: Node, b: Node, scope: Scope, depth: int = 0) -> Rules:
        """Rules by which a <= b wherever the scope's facts hold in its box, or None."""
        a, b = self.tidied(a), self.tidied(b)
        if a is b:
            return ("equal",)
        key = (id(a), id(b), id(scope.facts), id(scope.ranges))
        if key not in self._seen:
            # A goal that comes up again below itself is no proof of itself.
            self._seen[key] = scope, None
            if depth <= _DEEPEST and not self.budget.spent:
                self._seen[key] = scope, self._fresh(a, b, self._with(scope, [], a, b), depth)
        return self._seen[key][1]

    def _fresh(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        self.budget.boxes += 1
        if self._interval(a, b, scope):
            return ("interval",)
        if self.probe and fails_somewhere(a, b, scope):
            return None
        for rule, pair in (("common factors", self.divided(a, b, scope)), ("common summands", self.subtracted(a, b, scope))):
            rules = None if pair is None else self.prove(*pair, scope, depth + 1)
            if rules is not None:
                return (rule, *rules)
        if self._logarithms(a, b, scope):
            return ("log-linear normal form",)
        if self._polynomial(a, b, scope):
            return ("positive coefficients",)
        for way in (
            () if not self.structure else (self._extremes, self._functions, self._inside, self._termwise, self._differing, self._stepwise)
        ):
            rules = way(a, b, scope, depth)
            if rules is not None:
                return rules
        return None

    def _with(self, scope: Scope, facts: list[Fact], *nodes: Node) -> Scope:
        """The scope with more facts, and with what all of them say about the nodes."""
        wider = with_caps(scope, [*scope.facts, *facts], list(nodes), _OF)
        return wider if facts else replace(wider, facts=scope.facts)

    def _run(self, scope: Scope) -> Calculus:
        return Calculus(replace(scope, moving=frozenset()), _OF)

    def tidied(self, node: Node) -> Node:
        """1 - (1 - x)^k as x geometric(1 - x, k), and powers below 0 as divisors, wherever they stand."""
        graph = self.graph

        def swap(part: Node) -> Node | None:
            match part:
                case Power(base, Number(value)) if value is not None and value < 0:
                    return graph.make(Quotient, graph.number(1), graph.make(Power, self.tidied(base), graph.number(-value)))
            return as_geometric(graph, part)

        return graph.rebuilt(node, swap)

    def reduced(self, a: Node, b: Node, scope: Scope) -> tuple[Node, Node]:
        """Both tidied, without common factors and common summands: their difference has the same sign."""
        a, b = self.tidied(a), self.tidied(b)
        a, b = self.divided(a, b, scope) or (a, b)
        a, b = self.subtracted(a, b, scope) or (a, b)
        return self.divided(a, b, scope) or (a, b)

    # arithmetic ---------------------------------------------------------------------------------

    def _interval(self, a: Node, b: Node, scope: Scope) -> bool:
        run = self._run(scope)
        if _OF.at_least_zero(run.state(difference(self.graph, b, a)).value):
            return True
        ratio = run.state(self.graph.make(Quotient, a, b)).value
        return bool(_OF.at_least_zero(run.state(b).value) and ratio[1] <= 1)

    def divided(self, a: Node, b: Node, scope: Scope) -> tuple[Node, Node] | None:
        """Both without their common factors, divisors of one as factors of the other; None where nothing changes or signs are open."""
        (number, own), (share, other) = factors(a), factors(b)
        keys = list(dict.fromkeys((*own, *other)))
        bases = {key: (own.get(key) or other[key])[0] for key in keys}
        if number <= 0 or share <= 0 or any(self.prover.value_sign(base, scope) != 1 for base in bases.values()):
            return None
        none = Fraction(0)
        powers = {key: own.get(key, (None, none))[1] - other.get(key, (None, none))[1] for key in keys}
        over = {key: (bases[key], power) for key, power in powers.items() if power > 0}
        under = {key: (bases[key], -power) for key, power in powers.items() if power < 0}
        left, right = built_product(self.graph, number / share, over), built_product(self.graph, Fraction(1), under)
        return None if left is a and right is b else (left, right)

    def subtracted(self, a: Node, b: Node, scope: Scope) -> tuple[Node, Node] | None:
        """Both without their common summands, negative ones of one as summands of the other; None where nothing changes."""
        for opened in (False, True):
            terms = self._terms(b, scope, opened)
            for key, (node, share) in self._terms(a, scope, opened).items():
                terms[key] = (node, terms.get(key, (node, Fraction(0)))[1] - share)
            left = built(self.graph, {key: (node, -share) for key, (node, share) in terms.items() if share < 0})
            right = built(self.graph, {key: term for key, term in terms.items() if term[1] > 0})
            if left is not a or right is not b:
                return left, right
        return None

    def _terms(self, node: Node, scope: Scope, opened: bool) -> Terms:
        """The summands, as products in one order of factors where the signs of these are known; ``opened`` multiplies sums out once."""
        terms: Terms = {}
        for part, share in (distributed(self.graph, node, lambda _: True) if opened else summands(node)).values():
            number, powers = (Fraction(1), {}) if part is None else factors(part)
            if all(self.prover.value_sign(base, scope) == 1 for base, _ in powers.values()):
                part = _fraction(self.graph, powers) if powers else None
                share *= number
            key = None if part is None else id(part)
            terms[key] = (part, share + terms.get(key, (part, Fraction(0)))[1])
        return terms

    def _logarithms(self, a: Node, b: Node, scope: Scope) -> bool:
        """log b - log a in normal form is not negative: alone, by what bounds its sums, or by the assumptions in logarithms too."""
        graph = self.graph
        gap = logarithm(graph, log_linear(graph, b, a))
        bases = [node for side in (a, b) for node, _ in log_linear(graph, side, graph.number(1)).values()]
        if not all(self._positive(base, scope) for base in bases):
            return False
        known = scope.ranges.keys() | scope.entries.keys()
        facts = [
            (x, y)
            for x, y in scope.facts
            if graph.names(x) | graph.names(y) <= known and self._positive(x, scope) and self._positive(y, scope)
        ]
        logs = [(graph.number(0), logarithm(graph, log_linear(graph, y, x))) for x, y in facts]
        atoms = {id(part) for part in atoms_of([gap])}
        linked = [one for one in logs if atoms & {id(part) for part in atoms_of([one[1]])}]
        lemmas = self._shorter(gap, scope)
        choices = [lemmas, lemmas + linked] if linked else [lemmas]
        return any(nonnegative(graph, gap, chosen, self._ranges(scope)) is not None for chosen in choices)

    def _positive(self, node: Node, scope: Scope) -> bool:
        """Whether every base of the node's normal form is above 0 all over the scope."""
        run = self._run(scope)
        return all(_OF.above_zero(run.state(base).value) for base, _ in log_linear(self.graph, node, self.graph.number(1)).values())

    def _shorter(self, gap: Node, scope: Scope) -> list[Fact]:
        """log x + log(1 - y/x) <= log(x - y) <= log x and log x <= log(x + y) for the sums whose logarithms occur, x, y >= 0."""
        lemmas: list[Fact] = []
        for part in self.graph.walk(gap):
            if isinstance(part, Call) and part.function == "log" and isinstance(part.arguments[0], Sum):
                lemmas += self._bracketed(part, scope)
        return lemmas

    def _bracketed(self, part: Call, scope: Scope) -> list[Fact]:
        """The lemmas for one logarithm of a sum."""
        graph = self.graph
        lemmas: list[Fact] = []
        terms = [built(graph, {0: term}) for term in summands(part.arguments[0]).values()]
        signs = [self.prover.value_sign(term, scope) for term in terms]
        for place, term in enumerate(terms):
            rest = {*signs[:place], *signs[place + 1 :]}
            if signs[place] != 1 or len(rest) != 1 or 0 in rest or not self._positive(term, scope):
                continue
            own = logarithm(graph, log_linear(graph, term, graph.number(1)))
            if rest == {1}:
                lemmas.append((own, part))
                continue
            share = graph.number(1)
            for other in (*terms[:place], *terms[place + 1 :]):
                share = graph.make(Sum, share, graph.make(Quotient, other, term))
            lemmas.append((part, own))
            if self._positive(share, scope):
                lemmas.append((graph.make(Sum, own, graph.make(Call, "log", (share,))), part))
        return lemmas

    def _ranges(self, scope: Scope) -> RangeOf:
        """Ranges of atoms for one question of positivity.

        There the product of several atoms that occur together only is asked for in pairs, the last of which would stand for
        all of them; of more than one pair with the same first factor only the sign is told.
        """
        partners: dict[int, set[int]] = {}

        def range_of(part: Node) -> Range:
            low, high = self.prover.range(part, scope)
            if isinstance(part, Product):
                partners.setdefault(id(part.left), set()).add(id(part.right))
                if len(partners[id(part.left)]) > 1:
                    return (Fraction(0) if low is not None and low >= 0 else None, Fraction(0) if high is not None and high <= 0 else None)
            return low, high

        return range_of

    def _polynomial(self, a: Node, b: Node, scope: Scope) -> bool:
        known = scope.ranges.keys() | scope.entries.keys()
        facts = [fact for fact in scope.facts if self.graph.names(fact[0]) | self.graph.names(fact[1]) <= known]
        gap = self.graph.minus(b, a)
        return nonnegative(self.graph, gap, [*facts, *self._sums(gap, scope)], self._ranges(scope)) is not None

    def _sums(self, gap: Node, scope: Scope) -> list[Fact]:
        """geometric(r, T) <= T for 0 <= r <= 1."""
        lemmas: list[Fact] = []
        for part in self.graph.walk(gap):
            if isinstance(part, Call) and part.function == "geometric":
                low, high = self.prover.range(part.arguments[0], scope)
                if low is not None and high is not None and low >= 0 and high <= 1:
                    lemmas.append((part, part.arguments[1]))
        return lemmas

    # structure ----------------------------------------------------------------------------------

    def _all(self, rule: str, goals: list[tuple[Node, Node, Scope]], depth: int) -> Rules:
        rules: list[str] = [rule]
        for goal in goals:
            found = self.prove(*goal, depth + 1)
            if found is None:
                return None
            rules += found
        return tuple(rules)

    def _extremes(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        """Least and largest of several, and values by cases."""
        match a:
            case Call("max", arguments):
                return self._all("largest", [(one, b, scope) for one in arguments], depth)
            case Call("when", (condition, first, second)):
                return self._all("cases", [(one, b, side) for one, side in self._sides(condition, first, second, scope)], depth)
        match b:
            case Call("min", arguments):
                return self._all("least", [(a, one, scope) for one in arguments], depth)
            case Call("when", (condition, first, second)):
                return self._all("cases", [(a, one, side) for one, side in self._sides(condition, first, second, scope)], depth)
        options = [(one, b) for one in a.arguments] if isinstance(a, Call) and a.function == "min" else []
        options += [(a, one) for one in b.arguments] if isinstance(b, Call) and b.function == "max" else []
        return next((found for x, y in options if (found := self._all("one of several", [(x, y, scope)], depth))), None)

    def _sides(self, condition: Node, first: Node, second: Node, scope: Scope) -> list[tuple[Node, Scope]]:
        zero = self.graph.number(0)
        return [(first, self._with(scope, [(zero, condition)], first)), (second, self._with(scope, [(condition, zero)], second))]

    def _functions(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        """The same rising function of two arguments."""
        match a, b:
            case Call(function, (x,)), Call(other, (y,)) if function == other and function in _RISES:
                return self._all("rising function", [(x, y, scope)], depth)
            case Power(x, exponent), Power(y, other) if exponent is other and isinstance(exponent, Number) and exponent.value:
                if all(self.prover.value_sign(base, scope) == 1 for base in (x, y)):
                    return self._all("power", [(x, y, scope) if exponent.value > 0 else (y, x, scope)], depth)
        return None

    def _inside(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        """Least values over places, and sums over arrays, place by place and entry by entry."""
        if isinstance(b, Least):
            if isinstance(a, Least) and (a.low is not b.low or a.high is not b.high):
                return None
            name = f"_place{depth}"
            low, high = (self._run(scope).state(end).value for end in (b.low, b.high))
            place, over = self.graph.name(name), self.graph.substituted(b.body, {b.variable: self.graph.name(name)})
            left = self.graph.substituted(a.body, {a.variable: place}) if isinstance(a, Least) else a
            inner = self._with(scope.also({name: (low[0], high[1])}), [(b.low, place), (place, b.high)], left, over)
            return self._all("every place", [(left, over, inner)], depth)
        if isinstance(a, Least):
            ends = (self.graph.substituted(a.body, {a.variable: end}) for end in (a.low, a.high))
            return next((found for end in ends if (found := self._all("one place", [(end, b, scope)], depth))), None)
        return self._entries(a, b, scope, depth)

    def _entries(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        if not (isinstance(a, Reduce) and isinstance(b, Reduce) and a.function == b.function):
            return None
        if len(a.arrays) != len(b.arrays) or any(x is not y for x, y in zip(a.arrays, b.arrays, strict=True)):
            return None
        fresh = {f"_entry{depth}{place}": array for place, array in enumerate(a.arrays)}
        ranges = {name: scope.entries[array_name(array)] for name, array in fresh.items()}
        bodies = [
            self.graph.substituted(one.body, {v: self.graph.name(name) for v, name in zip(one.variables, fresh, strict=True)})
            for one in (a, b)
        ]
        inner = replace(scope.also(ranges), entries={**scope.entries, **ranges})
        return self._all("every entry", [(bodies[0], bodies[1], inner)], depth)

    def _termwise(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        """Every summand below a summand of its own, and the others not negative."""
        less, more = ([built(self.graph, {0: term}) for term in summands(node).values()] for node in (a, b))
        if not (isinstance(b, Sum) and 1 <= len(less) <= len(more) <= _MOST_TERMS):
            return None
        if any(self.prover.value_sign(term, scope) != 1 for term in more):
            return None
        for chosen in itertools.permutations(more, len(less)):
            found = self._all("term by term", [(x, y, scope) for x, y in zip(less, chosen, strict=True)], depth)
            if found is not None:
                return found
        return None

    def _differing(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        """Trees that differ in one sub-tree, with which the rest moves one way."""
        pair = differing(a, b)
        if pair is None or pair[0] is a or not all(self.graph.names(part) <= scope.ranges.keys() for part in pair):
            return None
        for x, y, sign in ((pair[0], pair[1], 1), (pair[1], pair[0], -1)):
            rules = self.prove(x, y, scope, depth + 1)
            if rules is not None and self._moves(a, b, pair, sign, scope, depth):
                return ("one way", *rules)
        return None

    def _stepwise(self, a: Node, b: Node, scope: Scope, depth: int) -> Rules:
        """Trees that differ in a few sub-trees, which are exchanged one after the other."""
        pairs = unlike(a, b)
        if not 2 <= len(pairs) <= _MOST_STEPS:
            return None
        steps = [a]
        for old, new in pairs:
            steps.append(self._exchanged(steps[-1], old, new))
        if steps[-1] is not b:
            return None
        return self._all("step by step", [(x, y, scope) for x, y in pairwise(steps)], depth)

    def _exchanged(self, node: Node, old: Node, new: Node) -> Node:
        """The node with one sub-tree in place of another, wherever it stands."""
        return self.graph.rebuilt(node, lambda part: new if part is old else None)

    def _moves(self, node: Node, other: Node, pair: tuple[Node, Node], sign: int, scope: Scope, depth: int) -> bool:
        name = f"_part{depth}"
        outer = self._exchanged(node, pair[0], self.graph.name(name))
        whole = self.graph.substituted(outer, {name: pair[1]}) is other
        if not whole or any(isinstance(part, Least | Reduce) for part in self.graph.walk(outer)):
            return False
        run = self._run(scope)
        ends = _OF.hull(run.state(pair[0]).value, run.state(pair[1]).value)
        inner = Scope(self.graph, {**scope.ranges, name: ends}, scope.entries, frozenset((name,)))
        return self.prover.search(outer, sign, inner, PATIENCE[:1]) is not None


def _fraction(graph: Graph, powers: Factors) -> Node:
    """The product of powers as a fraction without powers below 0, the same for any order of the factors."""
    ordered = sorted(powers.items())
    over = built_product(graph, Fraction(1), {key: factor for key, factor in ordered if factor[1] > 0})
    under = built_product(graph, Fraction(1), {key: (node, -power) for key, (node, power) in ordered if power < 0})
    return graph.make(Quotient, over, under)


def unlike(a: Node, b: Node) -> list[tuple[Node, Node]]:
    """The pairs of sub-trees in which two trees differ, each once."""
    found: dict[tuple[int, int], tuple[Node, Node]] = {}
    pending = [(a, b)]
    while pending:
        x, y = pending.pop()
        if x is y:
            continue
        pair = differing(x, y)
        inside = list(zip(x.children(), y.children(), strict=False))
        if pair is not None or not inside or type(x) is not type(y):
            found[id(x), id(y)] = pair or (x, y)
        else:
            pending += inside
    return list({(id(x), id(y)): (x, y) for x, y in found.values()}.values())

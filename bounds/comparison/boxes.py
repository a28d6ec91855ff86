"""Branch and bound for a <= b: the halvings of :mod:`bounds.certificates.branch` with another question on each box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Budget, Question, branch
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.facts import Fact, with_caps
from bounds.certificates.points import linked
from bounds.certificates.summands import difference
from bounds.comparison.probe import floats
from bounds.expression.tree import Call, Least, Node, Number, Power, Quotient

_MOST_NAMES = 8
_NOTHING = Number(None)


@dataclass(frozen=True)
class OrderQuestion(Question):
    """Whether ``node`` <= ``above`` in a scope (``sign`` has no meaning here)."""

    above: Node = _NOTHING

    @cached_property
    def forms(self) -> tuple[Node, Node]:
        """above - node, and node/above."""
        graph = self.scope.graph
        return difference(graph, self.above, self.node), graph.make(Quotient, self.node, self.above)

    @cached_property
    def facts(self) -> list[Fact]:
        """The facts that share a name with the question, directly or through other facts."""
        return linked(self.scope, self.names)

    @cached_property
    def rough(self) -> Scope:
        """The scope with floats for ends."""
        return replace(self.scope, ranges=floats(self.scope.ranges), entries=floats(self.scope.entries))

    @cached_property
    def bases(self) -> list[Node]:
        """What must not be negative for the node to be smooth: a box that reaches beyond is not collapsed."""
        parts = list(self.scope.graph.walk(self.forms[1]))
        powers = [part.base for part in parts if isinstance(part, Power) and not isinstance(part.exponent, Number)]
        return powers + [part.arguments[0] for part in parts if isinstance(part, Call) and part.function in ("sqrt", "log")]

    def answers(self, ranges: dict[str, Any], of: Any) -> tuple[Any, Any, Any]:
        """(done, infeasible, lower end of log above - log node) for ranges of the variables."""
        base = self.scope if of is ArbIntervals else self.rough
        scope = replace(base, ranges={**base.ranges, **ranges}, caps={}, facts=())
        plain = Calculus(scope, of)
        infeasible: Any = False
        for left, right in self.facts:
            infeasible = infeasible | (plain.state(left).value[0] > plain.state(right).value[1])
        gap, ratio = self.forms
        run = Calculus(with_caps(scope, self.facts, [gap, ratio], of), of)
        value = run.state(ratio).value
        done = of.at_least_zero(run.state(gap).value) | ((value[1] <= 1) & of.at_least_zero(run.state(self.above).value))
        moved = self._collapsed(plain, ranges, of)
        low = of.neg(of.log(of.larger(of.meet(value, moved), of.zero)))[0]
        return done | (moved[1] <= 1), infeasible, low if of is not ArbIntervals else 0

    def _collapsed(self, plain: Calculus, ranges: Mapping[str, Any], of: Any) -> Any:
        """The ratio over the faces that a box shrinks to along variables in which it moves one way all over the box.

        The box is taken without the assumptions: the way to a face may leave their points.
        """
        scope, ratio = plain.scope, self.forms[1]
        names = scope.graph.names(ratio)
        known = of.above_zero(plain.state(self.above).value) & of.above_zero(plain.state(self.node).value)
        for base in self.bases:
            inside = scope.graph.names(base) <= scope.ranges.keys()
            known = known & (of.at_least_zero(plain.state(base).value) if inside else False)
        ends = dict(ranges)
        for name in ranges.keys() & names:
            low, high = ranges[name]
            rate = Calculus(replace(scope, moving=frozenset((name,))), of).state(ratio).elasticity
            up, down = of.at_least_zero(rate), of.at_least_zero(of.neg(rate))
            ends[name] = of.select(up, (high, high), of.select(down, (low, low), (low, high)))
        return of.select(known, Calculus(replace(scope, ranges={**scope.ranges, **ends}), of).state(ratio).value, of.all)


def by_boxes(a: Node, b: Node, scope: Scope, budget: Budget) -> bool:
    """Whether halving the scope's box shows a <= b wherever its facts hold, first in floats and then in Arb.

    Least values over places are not looked into: a box tells too little of the place.
    """
    graph = scope.graph
    if any(isinstance(part, Least) for side in (a, b) for part in graph.walk(side)):
        return False
    own = {name for name in graph.names(a) | graph.names(b) if name in scope.ranges}
    question = OrderQuestion(a, 1, scope, tuple(sorted(own)), above=b)
    linked = own.union(*(graph.names(side) for fact in question.facts for side in fact)) & scope.ranges.keys()
    for names in dict.fromkeys(
        tuple(sorted(name for name in chosen if scope.ranges[name][0] < scope.ranges[name][1])) for chosen in (own, linked)
    ):
        if names and len(names) <= _MOST_NAMES and branch(replace(question, names=names), budget) is not None:
            return True
    return False

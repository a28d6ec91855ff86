"""Goals that floats refute at one of a few points: no proof of them needs to be looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.float_intervals import FloatIntervals
from bounds.expression.tree import Node

_POINTS = 256


class Points:
    """Random points of a scope's box, the same for all of its goals, so that what these have in common is evaluated once."""

    def __init__(self, scope: Scope) -> None:
        # The scope is kept, so that its id stays its own.
        self.scope, names = scope, scope.graph.names
        base = rough(scope)
        ranges = {name: self._point(name, ends) for name, ends in base.ranges.items()}
        drawn = replace(base, ranges=ranges, caps={}, facts=())
        self._moves, self._still = (Calculus(one, FloatIntervals) for one in (drawn, replace(drawn, moving=frozenset())))
        known = scope.ranges.keys() | scope.entries.keys()
        facts = ((fact, names(fact[0]) | names(fact[1])) for fact in scope.facts)
        self._facts = [(fact, own) for fact, own in facts if own <= known]
        self._held: dict[tuple[int, int], Any] = {}

    def refute(self, node: Node, sign: int) -> bool:
        """Whether floats say that sign * rate(node) < 0 at a point where the facts hold."""
        with np.errstate(all="ignore"):
            holds = np.ones(_POINTS, dtype=bool)
            for left, right in self._linked(node):
                holds = holds & self._holds(left, right)
            if not holds.any():
                return False
            state = self._moves.state(node)
            rate = state.rate if sign > 0 else FloatIntervals.neg(state.rate)
            size = np.abs(state.value[0]) + np.abs(state.value[1])
            return bool((holds & (rate[1] < -1e-9 * size)).any())

    def _holds(self, left: Node, right: Node) -> Any:
        key = id(left), id(right)
        if key not in self._held:
            self._held[key] = self._still.state(left).value[1] <= self._still.state(right).value[0]
        return self._held[key]

    def _linked(self, node: Node) -> list[tuple[Node, Node]]:
        """The facts that share a name with the node, directly or through other facts."""
        left, names = self._facts, self.scope.graph.names(node) & self.scope.ranges.keys()
        linked: list[tuple[Node, Node]] = []
        while True:
            fresh = [(fact, own) for fact, own in left if not own.isdisjoint(names)]
            if not fresh:
                return linked
            linked += [fact for fact, _ in fresh]
            left = [(fact, own) for fact, own in left if own.isdisjoint(names)]
            names = names.union(*(own for _, own in fresh))

    def _point(self, name: str, ends: Any) -> Any:
        at = _drawn(ends, np.random.default_rng(tuple(name.encode())))
        if self.scope.difference and name in self.scope.moving:
            at = np.minimum(np.rint(at), ends[1] - 1)
            return at, at + 1
        return at, at


def _drawn(ends: Any, draws: Any) -> Any:
    low, high = (min(max(float(end), -1e12), 1e12) for end in ends)
    share = draws.random(_POINTS)
    if low >= 0 and high > 0:
        low = max(low, high * 1e-12)
        return np.exp(np.log(low) + share * (np.log(high) - np.log(low)))
    return low + share * (high - low)


def rough(scope: Scope) -> Scope:
    """The scope with floats for ends."""
    ranges, entries = (
        {name: (np.float64(as_float(low)), np.float64(as_float(high))) for name, (low, high) in known.items()}
        for known in (scope.ranges, scope.entries)
    )
    return replace(scope, ranges=ranges, entries=entries)


def as_float(end: Any) -> float:
    """An end of an Arb interval as the nearest float."""
    return end if isinstance(end, float) else float(end.mid())

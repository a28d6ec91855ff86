"""Goals that floats refute at one of a few points: no proof of them needs to be looked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.facts import Fact
from bounds.certificates.float_intervals import FloatIntervals
from bounds.expression.tree import Node

_POINTS = 256


class Points:
    """Random points of a scope's box, the same for all of its goals, so that what these have in common is evaluated once."""

    def __init__(self, scope: Scope) -> None:
        # The scope is kept, so that its id stays its own.
        self.scope, base = scope, rough(scope)
        ranges = {name: self._point(name, ends) for name, ends in base.ranges.items()}
        drawn = replace(base, ranges=ranges, caps={}, facts=())
        self._moves, self._still = (Calculus(one, FloatIntervals) for one in (drawn, replace(drawn, moving=frozenset())))
        self._held: dict[frozenset[str], Any] = {}

    def refute(self, node: Node, sign: int) -> bool:
        """Whether floats say that sign * rate(node) < 0 at a point where the facts hold."""
        with np.errstate(all="ignore"):
            holds = self._holds(self.scope.graph.names(node).intersection(self.scope.ranges))
            if not holds.any():
                return False
            state = self._moves.state(node)
            rate = state.rate if sign > 0 else FloatIntervals.neg(state.rate)
            size = np.abs(state.value[0]) + np.abs(state.value[1])
            return bool((holds & (rate[1] < -1e-9 * size)).any())

    def _holds(self, names: frozenset[str]) -> Any:
        if names not in self._held:
            holds = np.ones(_POINTS, dtype=bool)
            for left, right in linked(self.scope, names):
                holds = holds & (self._still.state(left).value[1] <= self._still.state(right).value[0])
            self._held[names] = holds
        return self._held[names]

    def _point(self, name: str, ends: Any) -> Any:
        at = _drawn(ends, np.random.default_rng(tuple(name.encode())))
        if self.scope.difference and name in self.scope.moving:
            at = np.minimum(np.rint(at), ends[1] - 1)
            return at, at + 1
        return at, at


def linked(scope: Scope, names: Iterable[str]) -> list[Fact]:
    """The facts of a scope that share one of the names, directly or through other facts."""
    known, of = scope.ranges.keys() | scope.entries.keys(), scope.graph.names
    left = [(fact, own) for fact in scope.facts if (own := of(fact[0]) | of(fact[1])) <= known]
    reached, found = frozenset(names), list[Fact]()
    while fresh := [(fact, own) for fact, own in left if not own.isdisjoint(reached)]:
        found += [fact for fact, _ in fresh]
        left = [(fact, own) for fact, own in left if own.isdisjoint(reached)]
        reached = reached.union(*(own for _, own in fresh))
    return found


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

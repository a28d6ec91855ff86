"""Branch and bound: a sign of a rate over a box, by halving it where the whole does not tell.

Numpy looks for the halvings on all open boxes at once; every box that it calls done is then done again in Arb, and
halved further where Arb does not agree. A box is done when the rate has the sign on it, or when an assumption fails all over it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.facts import with_caps
from bounds.certificates.float_intervals import FloatIntervals
from bounds.certificates.points import as_float, rough
from bounds.certificates.sharper import least_known
from bounds.expression.tree import Node
from bounds.symbols import REGISTRY

#: Leaves "+" (the rate has the sign), "c" (it has it by faces and a centred form) and "x" (no admissible
#: point), or {"split": name, "at": value, "low": ..., "high": ...}.
Tree = Any

_MOST_OPEN = 60_000
_MOST_LEVELS = 60
_MOST_AT_ONCE = 20_000
_MOST_SHARPLY = 2_000
# Fewer boxes are too large for a sharper look; one that shuts less than this share of them is not taken again.
_FEW, _WORTH = 8, 0.05
_EXTRA_LEVELS = 8
# Where nearly no box is done after this many levels, the goal is false or out of reach.
_TRIAL_LEVELS = 7
_HOPELESS = 0.6


@dataclass
class Budget:
    """When to stop (``time.perf_counter`` seconds), how many boxes at most in all and for one goal, and how many were looked at."""

    deadline: float
    most: int = 2_000_000
    boxes: int = 0
    each: int = 100_000

    @property
    def spent(self) -> bool:
        """Whether there is nothing left to work with."""
        return self.boxes > self.most or time.perf_counter() > self.deadline


@dataclass(frozen=True)
class Question:
    """Whether sign * rate(node) >= 0 in a scope; ``names`` are the variables of a box, in order.

    ``goal`` is a smooth tree with the sign of the rate, where there is one: the elasticity, or where the node may be negative
    the rate.
    """

    node: Node
    sign: int
    scope: Scope
    names: tuple[str, ...]
    goal: Node | None = field(default=None, kw_only=True)

    def answers(self, ranges: dict[str, Any], of: Any) -> tuple[Any, Any, Any]:
        """(done, infeasible, lower end of the signed rate or elasticity) for ranges of the variables."""
        base = self.scope if of is ArbIntervals else rough(self.scope)
        scope = replace(base, ranges={**base.ranges, **ranges}, caps={}, facts=())
        known = scope.ranges.keys() | scope.entries.keys()
        facts = [fact for fact in self.scope.facts if self._names(fact) <= known]
        scope = with_caps(scope, facts, [self.node], of)
        run = Calculus(scope, of)
        infeasible = False
        for left, right in facts:
            gap = Calculus(replace(scope, moving=frozenset(), caps={}), of)
            low, high = gap.state(left).value[0], gap.state(right).value[1]
            infeasible = infeasible | (low > high)
        if scope.difference:
            infeasible = infeasible | self._no_step(run)
        state = run.state(self.node)
        rate = state.rate if not scope.difference else of.meet(state.rate, self._one_step(run, of))
        rate = rate if self.sign > 0 else of.neg(rate)
        elasticity = state.elasticity if self.sign > 0 else of.neg(state.elasticity)
        return of.at_least_zero(rate), infeasible, (elasticity[0] if not scope.difference else rate[0])

    def sharply(self, ranges: dict[str, Any], of: Any) -> Any:
        """Whether faces and a centred form show the sign of the goal."""
        if self.goal is None:
            return False
        base = self.scope if of is ArbIntervals else rough(self.scope)
        return least_known(self.goal, self.sign, base, ranges, of) >= 0

    def _one_step(self, run: Calculus, of: Any) -> Any:
        """f(p+1) - f(p) from the two values, where the box holds one step only."""
        (name,) = self.scope.moving
        low, high = run.scope.ranges[name]
        ends = [replace(run.scope, moving=frozenset(), caps={}, ranges={**run.scope.ranges, name: (end, end)}) for end in (low, high)]
        before, after = (Calculus(scope, of).state(self.node).value for scope in ends)
        return of.select(high - low == 1, of.add(after, of.neg(before)), of.all)

    def _no_step(self, run: Calculus) -> Any:
        """Whether p and p + 1 cannot both be admissible."""
        (name,) = self.scope.moving
        value = run.state(self.scope.graph.name(name)).value
        return ~(value[1] - value[0] >= 1) if hasattr(value[0], "shape") else not value[1] - value[0] >= 1

    def _names(self, fact: tuple[Node, Node]) -> frozenset[str]:
        return self.scope.graph.names(fact[0]) | self.scope.graph.names(fact[1])


def branch(question: Question, budget: Budget) -> Tree | None:
    """The halvings after which every box is done, in Arb; None when the budget or the patience ends."""
    box = {name: question.scope.ranges[name] for name in question.names}
    low = np.array([as_float(box[name][0]) for name in question.names])
    high = np.array([as_float(box[name][1]) for name in question.names])
    with np.errstate(all="ignore"):
        halvings = _scout(question, low, high, budget)
    return None if halvings is None else _confirmed(question, halvings, box, budget)


def _scout(question: Question, low: Any, high: Any, budget: Budget) -> Tree | None:
    """Level by level: each open box is halved across the variable whose halves come closest to done."""
    root: dict[str, Any] = {}
    allowance = budget.boxes + budget.each
    lows, highs, places = _sharply(question, low[None], high[None], [(root, "root")])
    if not len(lows):
        return root["root"]
    for level in range(_MOST_LEVELS):
        budget.boxes += len(lows) * 2 * len(question.names)
        if len(lows) > _MOST_OPEN or budget.spent or budget.boxes > allowance:
            return None
        lows, highs, places = _level(question, lows, highs, places)
        before = len(lows)
        if before >= _FEW:
            lows, highs, places = _sharply(question, lows, highs, places)
            if before - len(lows) < _WORTH * before:
                question = replace(question, goal=None)
        if level == _TRIAL_LEVELS and len(lows) > _HOPELESS * 2 ** (level + 1):
            return None
        if not len(lows):
            return root["root"]
    return None


def _level(question: Question, lows: Any, highs: Any, places: list[Any]) -> tuple[Any, Any, list[Any]]:
    at = _middles(question.names, lows, highs)
    pairs = []
    for place in range(len(question.names)):
        first, second = highs.copy(), lows.copy()
        first[:, place] = second[:, place] = at[:, place]
        pairs += [(lows, first), (second, highs)]
    halves = _all_answers(question, pairs)
    options = [
        (first, second, halves[2 * place : 2 * place + 2])
        for place, ((_, first), (second, _)) in enumerate(zip(pairs[::2], pairs[1::2], strict=True))
    ]
    scores = np.stack(
        [_score(halves) + np.where(at_ok, 0, -1e9) for (_, _, halves), at_ok in zip(options, _open(at, lows, highs), strict=True)]
    )
    best = scores.argmax(axis=0)
    new_lows, new_highs, new_places = [], [], []
    for row, choice in enumerate(best):
        first, second, halves = options[choice]
        entry: dict[str, Any] = {"split": question.names[choice], "at": float(at[row, choice])}
        parent, key = places[row]
        parent[key] = entry
        for side, ends, (done, void, _) in (
            ("low", (lows[row], first[row]), halves[0]),
            ("high", (second[row], highs[row]), halves[1]),
        ):
            if done[row] or void[row]:
                entry[side] = "x" if void[row] and not done[row] else "+"
            else:
                new_lows.append(ends[0])
                new_highs.append(ends[1])
                new_places.append((entry, side))
    return np.array(new_lows), np.array(new_highs), new_places


def _sharply(question: Question, lows: Any, highs: Any, places: list[Any]) -> tuple[Any, Any, list[Any]]:
    """The boxes that are still open after the sharper look, which costs more than all others."""
    if question.goal is None or not 0 < len(lows) <= _MOST_SHARPLY:
        return lows, highs, places
    done = np.broadcast_to(question.sharply(_as_ranges(question, lows, highs), FloatIntervals), len(lows))
    for row in np.flatnonzero(done):
        parent, key = places[row]
        parent[key] = "c"
    return lows[~done], highs[~done], [place for place, one in zip(places, done, strict=True) if not one]


def _as_ranges(question: Question, lows: Any, highs: Any) -> dict[str, Any]:
    return {name: (lows[:, place], highs[:, place]) for place, name in enumerate(question.names)}


def _open(at: Any, lows: Any, highs: Any) -> Any:
    return ((at > lows) & (at < highs)).T


def _all_answers(question: Question, ends: list[tuple[Any, Any]]) -> list[tuple[Any, Any, Any]]:
    """Answers for several sets of boxes: few boxes cost numpy as much as one, and many at once need much memory."""
    count = len(ends[0][0])
    if count * len(ends) > _MOST_AT_ONCE:
        return [_answers(question, *pair) for pair in ends]
    whole = _answers(question, *(np.concatenate(side) for side in zip(*ends, strict=True)))
    parts = (np.split(answer, len(ends)) for answer in whole)
    return list(zip(*parts, strict=True))


def _answers(question: Question, lows: Any, highs: Any) -> tuple[Any, Any, Any]:
    answers = question.answers(_as_ranges(question, lows, highs), FloatIntervals)
    return tuple(np.broadcast_to(answer, len(lows)) for answer in answers)  # type: ignore[return-value]


def _score(halves: Any) -> Any:
    """How close two halves are to done: 0 for a done one, down to -1."""
    total: Any = 0.0
    for done, void, low in halves:
        short = np.where(np.isnan(low), -math.inf, np.minimum(low, 0.0))
        total = total + np.where(done | void, 0.0, np.where(np.isinf(short), -1.0, short / (1 - short)) - 0.1)
    return total


def _middles(names: Sequence[str], lows: Any, highs: Any) -> Any:
    """Where to halve: at 0, on a logarithmic scale, or for what reaches down to 0 a thousandth of the way (at 1 for a count)."""
    across = (lows < 0) & (highs > 0)
    positive = (lows > 0) & np.isfinite(highs)
    geometric = np.sqrt(np.where(positive, lows * highs, 1.0))
    to_zero = np.where(
        (lows == 0) & np.isfinite(highs), highs * 1e-2, np.where(np.isinf(highs), np.maximum(2 * lows, 1.0), (lows + highs) / 2)
    )
    close = positive & (highs < 1.5 * lows)
    at = np.where(across, 0.0, np.where(close, (lows + highs) / 2, np.where(positive, geometric, to_zero)))
    counts = np.array([name in REGISTRY and REGISTRY[name].domain.integer for name in names])
    return np.where(counts, np.clip(np.rint(at), np.ceil(lows), np.floor(highs)), at)


def _confirmed(question: Question, tree: Tree, box: dict[str, Any], budget: Budget, extra: int = _EXTRA_LEVELS) -> Tree | None:
    """The same halvings in Arb, with more where they are needed."""
    if isinstance(tree, dict):
        name, at = tree["split"], tree["at"]
        point = ArbIntervals.number(at)
        sides = {"low": (box[name][0], point[1]), "high": (point[0], box[name][1])}
        halves = {side: _confirmed(question, tree[side], {**box, name: ends}, budget, extra) for side, ends in sides.items()}
        return None if None in halves.values() else {"split": name, "at": at, **halves}
    budget.boxes += 1
    if budget.spent:
        return None
    if tree == "c" and question.sharply(box, ArbIntervals):
        return "c"
    done, void, _ = question.answers(box, ArbIntervals)
    if done or void:
        return "+" if done else "x"
    if tree != "c" and question.sharply(box, ArbIntervals):
        return "c"
    return _halved(question, box, budget, extra - 1) if extra else None


def _halved(question: Question, box: dict[str, Any], budget: Budget, extra: int) -> Tree | None:
    lows, highs = (np.array([[as_float(box[name][side]) for name in question.names]]) for side in (0, 1))
    with np.errstate(all="ignore"):
        at = _middles(question.names, lows, highs)[0]
        widths = np.where((at > lows[0]) & (at < highs[0]), np.log(np.maximum(highs[0] / np.maximum(lows[0], 1e-300), 1.0)), -1.0)
    place = int(widths.argmax())
    if widths[place] < 0:
        return None
    tree = {"split": question.names[place], "at": float(at[place]), "low": "+", "high": "+"}
    return _confirmed(question, tree, box, budget, extra)

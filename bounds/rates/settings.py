"""Admissible settings in general position, from which a parameter tends to a limit or takes a special value."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from bounds.assumptions import Condition
from bounds.bound import Bound
from bounds.box import admissible, between, default_box
from bounds.errors import ExpressionError, GossipBoundsError
from bounds.expression import PrecisionError
from bounds.expression.tree import Least, Node, Number, Reduce, walk
from bounds.rates.calculus import Calculus, replaced, sides
from bounds.rates.rational import TooLargeError
from bounds.rates.series import UnknownOrderError
from bounds.symbols import entries_of, rank_of, symbol

_DECADES = (6, 9, 12, 30, 60, 120, 250)
#: A minimum over so many integers takes long.
_FEW_DECADES = (12, 30, 60)
#: Where on the way assumptions are looked at.
_FAR = 2
_TRIES = 60
_SETTINGS = 3
#: Where settings are drawn: near 1, so that the order shows as early as possible.
_NEAR: dict[str, tuple[float, float]] = {
    "T": (40, 400),
    "m": (3, 12),
    "n": (20, 200),
    "N": (20, 200),
    "b": (2, 4),
    "Q": (1, 3),
    "gap": (0.2, 0.7),
    "w_min": (0.2, 0.7),
    "eta": (0.01, 0.5),
    "t0": (1, 9),
    "mu": (0.2, 1),
}
_CONSTANT = (0.4, 2.5)


@dataclass
class Settings:
    """A bound and random admissible points of its parameters; ``fixed`` are special values, put into the formula."""

    bound: Bound
    parameter: str
    limit: Literal["inf", "0"]
    given: tuple[str, ...]
    words: tuple[str, str]
    fixed: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def expression(self) -> Node:
        """The tree, with the special values put in."""
        return self._put_in(self.bound.expression(self.given, *self.words))

    def _put_in(self, node: Node) -> Node:
        for name, value in self.fixed.items():
            node = replaced(node, name, Number(Fraction(str(value))))
        return node

    @cached_property
    def points(self) -> list[dict[str, Any]]:
        """A few random admissible points, the same ones every time; fewer where they are hard to find."""
        chance = random.Random(f"{self.bound.id}/{self.parameter}/{self.words}/{sorted(self.fixed)}")
        found: list[dict[str, Any]] = []
        for place in range(_TRIES):
            near = place < _TRIES // 2
            box = {name: self._range(name, near) for name in default_box(self.bound)}
            drawn = {name: between(name, *box[name], chance.random()) for name in (*self.bound.formula.required, *self.given)}
            drawn |= {name: 1 for name in ("convex",) if name in drawn}
            try:
                point = admissible(self.bound, drawn | dict(self.fixed), box, self.words[0], keep=self.fixed)
            except (GossipBoundsError, PrecisionError):
                point = None
            if point is not None and _general(point):
                found.append(dict(self.bound.formula.defaults) | point | {name: 0.3 + 0.5 * chance.random() for name in self._inner})
            if len(found) == _SETTINGS:
                break
        return found

    @cached_property
    def _inner(self) -> set[str]:
        """Names that run over the entries of arrays."""
        return {variable for node in self._nodes if isinstance(node, Reduce) for variable in node.variables}

    @cached_property
    def minimised(self) -> bool:
        """Whether the value is a least one over integers."""
        return any(isinstance(node, Least) for node in self._nodes)

    @cached_property
    def _nodes(self) -> set[Node]:
        return set(walk(self.expression))

    def _range(self, name: str, near: bool) -> tuple[float, float]:
        low, high = default_box(self.bound)[name]
        if not near or rank_of(name) or name == "convex":
            return low, high
        inner = _NEAR.get(name, _CONSTANT)
        first, last = max(low, inner[0]), min(high, inner[1])
        return (first, last) if first < last else (low, high)

    def arguments(self) -> list[dict[str, Any]]:
        """The points as arguments of the bound."""
        wanted = (*self.bound.formula.required, *self.given)
        return [{name: point[name] for name in wanted} for point in self.points[:2]]

    @cached_property
    def logs(self) -> list[list[tuple[float, float]]]:
        """(log parameter, log value) on the way to the limit, as far as both can be computed, for each of :meth:`arguments`."""
        return [list(self._climb(values)) for values in self.arguments()]

    def _climb(self, values: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
        for place in self.ladder():
            try:
                log = self._log({**values, self.parameter: place})
            except (GossipBoundsError, PrecisionError, OverflowError, ValueError):
                return
            yield math.log(place), log
            if not math.isfinite(log):
                return

    def _log(self, values: Mapping[str, Any]) -> float:
        """Logarithm of the size of the value; -inf for 0."""
        value = float(self.bound.log_value(values, *self.words))
        return value if not math.isnan(value) else float(abs(self.bound.enclosure(values, *self.words)).log())

    def ladder(self) -> list[float | int]:
        """Values of the parameter on the way to its limit."""
        whole = symbol(self.parameter).domain.integer
        sign = 1 if self.limit == "inf" else -1
        decades = _FEW_DECADES if self.minimised and whole else _DECADES
        return [10**k if whole else 10.0 ** (sign * k) for k in decades]

    def conditions(self) -> list[Condition]:
        """The assumptions that the theorem needs here."""
        present = dict.fromkeys((*self.bound.formula.required, *self.given), 1.0)
        return [condition for condition in self.bound.conditions if condition.relevant(self.words[0], present)]

    def assume(self, calculus: Calculus) -> None:
        """Take the assumptions for granted, off their edges; one that the parameter enters, as far as its leading term goes."""
        signs = calculus.algebra.signs
        for condition in self.conditions():
            try:
                left, _, right = condition.sides(self.bound.formula, self.bound.given(self.given, *self.words))
                lead = sides(calculus, self._put_in(left), self._put_in(right)).lead.coefficient
            except (UnknownOrderError, ExpressionError, TooLargeError, ZeroDivisionError):
                continue
            if signs.of(lead) is None:
                signs.assume(lead)

    def outside(self) -> str:
        """Which assumptions fail on the way to the limit, in words; empty where none does."""
        failing = [condition.text for condition in self.conditions() if self._fails(condition)]
        if not failing:
            return ""
        return f"of the formula, outside the theorem: {' and '.join(failing)} fails as {self.parameter} -> {self.limit}"

    def _fails(self, condition: Condition) -> bool:
        """Whether an assumption fails far out from every point."""
        far = self.ladder()[_FAR]

        def holds(point: Mapping[str, Any]) -> bool:
            facts = dict(self.bound.formula.defaults) | {name: point[name] for name in (*self.bound.formula.required, *self.given)}
            try:
                return condition.check(self.bound.formula, facts | {self.parameter: far}, self.words).holds is not False
            except (PrecisionError, ArithmeticError):
                return False

        return bool(self.points) and not any(map(holds, self.points))


def _general(point: Mapping[str, Any]) -> bool:
    """Whether no array is one of zeros after its first entry, as the spectrum of the complete graph is."""
    arrays = [list(entries_of(value)) for name, value in point.items() if rank_of(name)]
    return all(len(array) == 1 or any(array[1:]) for array in arrays)

"""A numeric check of a claimed order: slopes of the logarithm of the value, far out, at random admissible settings."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from bounds.bound import Bound
from bounds.box import admissible, between, default_box
from bounds.errors import GossipBoundsError
from bounds.expression import PrecisionError
from bounds.expression.tree import Node, Number, names
from bounds.rates.series import UnknownOrderError
from bounds.symbols import rank_of, symbol

_DECADES = (6, 9, 12, 18, 30, 60, 120, 250)
_TOLERANCE = 0.02
#: An exponential's slope passes this far out.
_STEEP = 40.0
_SECONDS = 1.0
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
    """Admissible settings of a bound, from which one parameter tends to a limit."""

    bound: Bound
    parameter: str
    limit: Literal["inf", "0"]
    given: tuple[str, ...]
    words: tuple[str, str]

    @cached_property
    def points(self) -> list[dict[str, Any]]:
        """A few random admissible points, the same ones every time; fewer where they are hard to find."""
        chance = random.Random(f"{self.bound.id}/{self.parameter}/{self.words}")
        found: list[dict[str, Any]] = []
        for place in range(_TRIES):
            near = place < _TRIES // 2
            box = {name: self._range(name, near) for name in default_box(self.bound)}
            drawn = {name: between(name, *box[name], chance.random()) for name in (*self.bound.formula.required, *self.given)}
            drawn |= {name: 1 for name in ("convex",) if name in drawn}
            try:
                point = admissible(self.bound, drawn, box, self.words[0])
            except (GossipBoundsError, PrecisionError):
                point = None
            if point is not None:
                found.append(dict(self.bound.formula.defaults) | point | {name: 0.3 + 0.5 * chance.random() for name in self._inner})
            if len(found) == _SETTINGS:
                break
        return found

    @cached_property
    def _inner(self) -> set[str]:
        """Names that run over the entries of arrays."""
        from bounds.expression.tree import Reduce, walk

        nodes = walk(self.bound.expression(self.given, *self.words))
        return {variable for node in nodes if isinstance(node, Reduce) for variable in node.variables}

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

    def ladder(self) -> list[float | int]:
        """Values of the parameter on the way to its limit."""
        whole = symbol(self.parameter).domain.integer
        sign = 1 if self.limit == "inf" else -1
        return [10**k if whole else 10.0 ** (sign * k) for k in _DECADES]


def _log(settings: Settings, values: Mapping[str, Any]) -> float:
    value = float(settings.bound.log_value(values, *settings.words))
    if not math.isnan(value):
        return value
    return float(abs(settings.bound.enclosure(values, *settings.words)).log())


def _slopes(settings: Settings, values: Mapping[str, Any], log_power: float) -> Iterator[float]:
    """Slopes of log value over log parameter between the steps of the ladder, the power of the logarithm taken out."""
    started, found = time.perf_counter(), list[tuple[float, float]]()
    for value in settings.ladder():
        try:
            log = _log(settings, {**values, settings.parameter: value})
        except (GossipBoundsError, PrecisionError, OverflowError, ValueError):
            break
        if log == -math.inf or not math.isfinite(log):
            break
        size = math.log(value)
        found.append((size, log - log_power * math.log(abs(size))))
        if time.perf_counter() - started > _SECONDS:
            break
    return ((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(found))


def disagreement(settings: Settings, exponent: Node, log_power: Node) -> str:
    """Why the claimed order is not confirmed, in words; empty when it is, at two settings."""
    if len(settings.points) < 2:
        raise UnknownOrderError("no admissible setting was found at which to check the order")
    for values, point in zip(settings.arguments(), settings.points, strict=False):
        expected, power = (_value(node, point) for node in (exponent, log_power))
        slopes = list(_slopes(settings, values, power))
        if not slopes and math.isfinite(expected):
            return "the value far out could not be computed, so the order was not checked"
        if slopes and not _close(slopes[-1], expected):
            return f"the slope far out is {slopes[-1]:.4g} at one setting, where the order calculus says {expected:.4g}"
    return ""


def _close(slope: float, expected: float) -> bool:
    if math.isinf(expected):
        return slope * math.copysign(1, expected) > _STEEP
    return abs(slope - expected) <= _TOLERANCE * max(1.0, abs(expected))


def _value(node: Node, point: Mapping[str, Any]) -> float:
    from bounds.expression.balls import ball_at, exact_values

    if any(isinstance(part, Number) and part.value is None for part in (node, *node.children())):
        return math.inf if isinstance(node, Number) else -math.inf
    return float(ball_at(node, exact_values({name: point[name] for name in names(node)}), 128).mid())

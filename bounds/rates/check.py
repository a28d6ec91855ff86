"""A numeric check of a claimed order or limit: the exact value far out, at random admissible settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bounds.errors import GossipBoundsError
from bounds.expression import PrecisionError
from bounds.expression.tree import Node, Number, names
from bounds.rates.series import UnknownOrderError
from bounds.rates.settings import Settings

_TOLERANCE = 0.02
#: An exponential's slope passes this far out.
_STEEP = 40.0
_LOG_TOLERANCE = 0.2
#: How far the logarithm moves at least on the way to 0 or infinity.
_MOVED = 0.5
_SAME = 1e-12
_LARGEST = 600


def disagreement(settings: Settings, exponent: Node, log_power: Node) -> str:
    """Why the claimed order is not confirmed, in words; empty when it is, at two settings."""
    _enough(settings)
    for logs, point in zip(settings.logs, settings.points, strict=False):
        expected, power = (_value(node, point) for node in (exponent, log_power))
        reason = _against([place for place in logs if math.isfinite(place[1])], expected, power)
        if reason:
            return reason
    return ""


def _enough(settings: Settings) -> None:
    if len(settings.points) < 2:
        raise UnknownOrderError("no admissible setting was found at which to check the answer")


def _against(found: Sequence[tuple[float, float]], expected: float, power: float) -> str:
    """Whether the last slope, the power of the logarithm taken out, and the last power of the logarithm are the claimed ones."""
    if len(found) < 2:
        return "" if math.isinf(expected) else "the value far out could not be computed, so the order was not checked"
    (near, low), (far, high) = found[-2:]
    bend = math.log(abs(far)) - math.log(abs(near))
    slope = (high - low - power * bend) / (far - near)
    if not _close(slope, expected):
        return f"the slope far out is {slope:.4g} at one setting, where the order calculus says {expected:.4g}"
    if math.isfinite(expected):
        seen = (high - low - expected * (far - near)) / bend
        if abs(seen - power) > _LOG_TOLERANCE:
            return f"the power of the logarithm far out is {seen:.2g} at one setting, where the order calculus says {power:.2g}"
    return ""


def far_off(settings: Settings, claimed: Node) -> str:
    """Why a claimed limit is not confirmed, in words; empty when it is, at two settings."""
    _enough(settings)
    for logs, point in zip(settings.logs, settings.points, strict=False):
        goal, found = _value(claimed, point), [log for _, log in logs]
        if len(found) < 2:
            return "the value far out could not be computed, so the limit was not checked"
        size = math.log(abs(goal)) if goal else -math.inf
        moved = found[-1] - found[0] if math.isfinite(found[-1]) else found[-1]
        reached = moved * size > _MOVED if math.isinf(size) else abs(math.expm1(found[-1] - size)) < _TOLERANCE
        if not reached:
            return f"the value far out is {_shown(found[-1])} at one setting, where the limit would be {goal:.6g}"
    return ""


def _shown(log: float) -> str:
    return f"{math.exp(log):.6g}" if abs(log) < _LARGEST else f"exp({log:.6g})"


def differs(settings: Settings, claimed: Node) -> str:
    """Why a claimed value at special values is not confirmed, in words; empty when it is, at two settings."""
    _enough(settings)
    for values, point in zip(settings.arguments(), settings.points, strict=False):
        try:
            value = settings.bound.enclosure(values, *settings.words)
        except (GossipBoundsError, PrecisionError):
            return "the formula has no value there"
        goal = ball(claimed, point)
        if not (value == goal or abs(value - goal) <= _SAME * abs(value)):
            return f"the value is {float(value.mid()):.9g} at one setting, where the expression gives {float(goal.mid()):.9g}"
    return ""


def _close(slope: float, expected: float) -> bool:
    if math.isinf(expected):
        return slope * math.copysign(1, expected) > _STEEP
    return abs(slope - expected) <= _TOLERANCE * max(1.0, abs(expected))


def ball(node: Node, point: Mapping[str, Any]) -> Any:
    """A ball around a constant at a point."""
    from bounds.expression.balls import ball_at, exact_values

    return ball_at(node, exact_values({name: point[name] for name in names(node)}), 256)


def _value(node: Node, point: Mapping[str, Any]) -> float:
    if any(isinstance(part, Number) and part.value is None for part in (node, *node.children())):
        return math.inf if isinstance(node, Number) else -math.inf
    return float(ball(node, point).mid())

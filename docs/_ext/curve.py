"""A small curve in the page's own colours: a bound over one parameter, the others as in its example."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bounds.bound import Bound
from bounds.box import default_box, is_admissible
from bounds.symbols import rank_of, symbol
from bounds.vocabulary import Direction

_POINTS, _FEWEST, _DECADES = 41, 12, 2.0
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 560, 240, 70, 40, 12


def curve(bound: Bound, values: Mapping[str, Any]) -> tuple[str, str]:
    """A parameter and the drawing over it: the steps or the first parameter that the bound rises with, else one that it falls with.

    Both are empty where none can be drawn.
    """
    ways = (Direction.INCREASING, Direction.DECREASING)
    names = sorted(values, key=lambda name: name != "T")
    for name in (name for way in ways for name in names if bound.directions.get(name) is way and not rank_of(name)):
        points = _points(bound, values, name)
        if len(points) >= _FEWEST and points[0][1] > 0 and points[-1][1] > 0:
            return name, _drawn(name, bound.quantity.label, points)
    return "", ""


def _points(bound: Bound, values: Mapping[str, Any], name: str) -> list[tuple[float, float]]:
    """Two decades to either side of the example, as far as the box and the assumptions reach."""
    low, high = default_box(bound)[name]
    domain, middle = symbol(name).domain, float(values[name])
    if low <= 0:
        return []
    ends = max(low, middle / 10**_DECADES), min(high, middle * 10**_DECADES)
    places = [ends[0] * (ends[1] / ends[0]) ** (k / (_POINTS - 1)) for k in range(_POINTS)]
    places = list(dict.fromkeys(round(x) if domain.integer else x for x in places))
    admissible = [x for x in places if is_admissible(bound, dict(values) | {name: x})]
    found = [(float(x), float(bound.evaluate(**{**values, name: x}))) for x in admissible]
    return [(x, y) for x, y in found if 0 < y < math.inf]


def _drawn(name: str, quantity: str, points: Sequence[tuple[float, float]]) -> str:
    x, y = ([math.log10(point[axis]) for point in points] for axis in (0, 1))
    low, high = min(y), max(y)
    if high - low < 0.2:
        low, high = low - 0.1, high + 0.1

    def across(value: float) -> float:
        return _LEFT + (value - x[0]) / (x[-1] - x[0]) * (_WIDTH - _LEFT - 24)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)

    line = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in zip(x, y, strict=True))
    marks = [
        f'<path d="M{across(at):.1f} {_HEIGHT - _BOTTOM}v5"/><text x="{across(at):.1f}" y="{_HEIGHT - _BOTTOM + 18}">{_number(at)}</text>'
        for at in _ticks(x[0], x[-1])
    ]
    marks += [
        f'<path d="M{_LEFT} {up(at):.1f}h-5"/><text class="side" x="{_LEFT - 8}" y="{up(at) + 4:.1f}">{_number(at)}</text>'
        for at in _ticks(low, high)
    ]
    words = f"{quantity} over {name}, from {_number(x[0])} to {_number(x[-1])}: from {_number(y[0])} to {_number(y[-1])}"
    return (
        f'<svg class="curve" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(words)}">'
        f'<path d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - 16}"/>{"".join(marks)}<polyline points="{line}"/>'
        f'<text x="{(_LEFT + _WIDTH) / 2}" y="{_HEIGHT - 4}">{escape(name)}</text></svg>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Places of whole powers of ten, at most six; where there are fewer than two, the ends as well."""
    whole = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1))
    if len(whole) < 2:
        return [low, high]
    return [float(at) for at in whole[:: math.ceil(len(whole) / 6)]]


def _number(power: float) -> str:
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{10**power:.3g}")

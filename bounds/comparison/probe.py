"""A look at a few points before a proof is searched for: most goals on the way are false, and floats show it in a millisecond."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.float_intervals import FloatIntervals
from bounds.expression.tree import Node

_POINTS = 256
_SEED = 0
#: Ends that are infinite are looked at up to here.
_FAR = 1e12
_APART = 1e-9


def fails_somewhere(a: Node, b: Node, scope: Scope) -> bool:
    """Whether floats say a > b at one of a few points where the scope's facts hold (corners of the box and points inside)."""
    draws = np.random.default_rng(_SEED)
    points = {name: _drawn(ends, draws) for name, ends in floats(scope.ranges).items()}
    scope = replace(
        scope, ranges={name: (at, at) for name, at in points.items()}, entries=floats(scope.entries), caps={}, moving=frozenset()
    )
    run = Calculus(scope, FloatIntervals)
    known = scope.ranges.keys() | scope.entries.keys()
    with np.errstate(all="ignore"):
        holds = np.ones(_POINTS, dtype=bool)
        for left, right in scope.facts:
            if scope.graph.names(left) | scope.graph.names(right) <= known:
                holds = holds & (run.state(left).value[1] <= run.state(right).value[0])
        low, high = run.state(a).value[0], run.state(b).value[1]
        return bool((holds & np.isfinite(low) & (low - high > _APART * (np.abs(low) + np.abs(high)))).any())


def floats(ranges: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges with floats for ends."""
    return {name: tuple(np.float64(end if isinstance(end, float) else float(end.mid())) for end in ends) for name, ends in ranges.items()}


def _drawn(ends: Any, draws: np.random.Generator) -> Any:
    low, high = (min(max(float(end), -_FAR), _FAR) for end in ends)
    share = draws.random(_POINTS)
    corners = draws.random(_POINTS) < 0.5
    share = np.where(corners, np.rint(share), share)
    if low > 0:
        inside = np.exp((1 - share) * math.log(low) + share * math.log(high))
        return np.where(share == 0, low, np.where(share == 1, high, inside))
    return (1 - share) * low + share * high

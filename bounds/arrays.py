"""Arrays as parameters of random tests: drawing them, fitting their lengths together, and raising their entries."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from bounds.symbols import rank_of

Box = Mapping[str, tuple[float, float]]
_MOST_ENTRIES = 3
_GOLDEN = (math.sqrt(5) - 1) / 2


def _ring(m: int) -> list[float]:
    return [(1 + 2 * math.cos(2 * math.pi * k / m)) / 3 for k in range(m)]


def _torus(side: int) -> list[float]:
    waves = [2 * math.cos(2 * math.pi * k / side) for k in range(side)]
    return [(1 + first + second) / 5 for first, second in itertools.product(waves, waves)]


def _hypercube(dimension: int) -> list[float]:
    return [1 - 2 * sum(corner) / (dimension + 1) for corner in itertools.product((0, 1), repeat=dimension)]


#: The spectra in which bounds are tested: Metropolis weights, largest eigenvalue first.
SPECTRA: dict[str, tuple[float, ...]] = {
    name: tuple(sorted(values, reverse=True))
    for name, values in {
        "ring 8": _ring(8),
        "torus 16": _torus(4),
        "complete 8": [1.0] + [0.0] * 7,
        "hypercube 16": _hypercube(4),
    }.items()
}


def _share(share: float, place: int) -> float:
    """Shares in [0, 1] that spread out from the first one."""
    return (share + place * _GOLDEN) % 1.0 if place else share


def drawn(name: str, low: float, high: float, share: float) -> list[Any] | tuple[float, ...]:
    """One array for each ``share`` in [0, 1]: a spectrum of :data:`SPECTRA`, else one to three entries between ``low`` and ``high``."""
    if name == "spectrum":
        return list(SPECTRA.values())[min(int(share * len(SPECTRA)), len(SPECTRA) - 1)]
    length = 1 + int(share * 97) % _MOST_ENTRIES
    entries = [_entry(low, high, _share(share, place)) for place in range(length)]
    return [[entry] for entry in entries] if rank_of(name) > 1 else entries


def _entry(low: float, high: float, share: float) -> float:
    if low > 0:
        return min(max(math.exp((1 - share) * math.log(low) + share * math.log(high)), low), high)
    return low + (high - low) * share


def fitted(point: Mapping[str, Any]) -> dict[str, Any]:
    """``point`` with arrays that belong together brought to one length.

    ``r`` gets an entry per entry of ``rho``, ``curvatures`` two, ``heterogeneity`` a row per eigenvalue of ``spectrum``
    (the first one 0: gradients at the minimum sum to 0) and a column per entry of ``rho``.
    """
    result = dict(point)
    columns = len(result["rho"]) if "rho" in result else 1
    if "r" in result and "rho" in result:
        result["r"] = _resized(result["r"], columns)
    if "curvatures" in result:
        result["curvatures"] = _resized(result["curvatures"], 2)
    if "heterogeneity" in result and "spectrum" in result:
        rows = _resized(result["heterogeneity"], len(result["spectrum"]) - 1)
        result["heterogeneity"] = [[0.0] * columns, *(_resized(row, columns) for row in rows)]
    return result


def _resized(values: list[Any], length: int) -> list[Any]:
    return [values[place % len(values)] for place in range(length)]


def raised(name: str, value: Any, high: float, share: float) -> Any:
    """Every entry of ``value`` moved a ``share`` of its way up to ``high``; a ``heterogeneity`` keeps its zeros (the first row)."""
    if isinstance(value, list | tuple):
        moved = [raised(name, entry, high, share) for entry in value]
        # Rounding may swap eigenvalues that are equal up to it.
        return type(value)(sorted(moved, reverse=True) if name == "spectrum" else moved)
    return value + share * (high - value) if value or name != "heterogeneity" else value

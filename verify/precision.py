"""How precise a measured sweep is at its centre, and what it would take to be precise enough."""

from __future__ import annotations

import math

from verify.statistics import Band

#: The widest half-width of the simultaneous band at the centre of a sweep, as a share of the measured value.
WIDEST = 0.1


def centre_precision(band: Band, widest: float = WIDEST) -> str:
    """A sentence that says what is missing where the band at the centre of a sweep is wider than ``widest``; else empty.

    The centre is the middle point, the later one of two.
    """
    centre = len(band.mean) // 2
    mean, half = abs(float(band.mean[centre])), float(band.high[centre] - band.low[centre]) / 2
    if half <= widest * mean:
        return ""
    if not math.isfinite(half) or mean == 0:
        return f" The band at the centre of the sweep has no finite width relative to the mean {mean:.3g}."
    replicates = math.ceil(band.replicates * (half / (widest * mean)) ** 2)
    wide = f"the band is {100 * half / mean:.3g} % wide to either side"
    return f" At the centre of the sweep {wide}; about {replicates} replicates would make it {100 * widest:g} %."

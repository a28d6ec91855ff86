"""From a band and a corridor to a verdict: which point decides, how many more replicates it would take, and the sentence for people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from verify.statistics.bands import Band, Flags, Floats
from verify.verdict import Numbers, Verdict

#: Below this nothing is decided. The audit finds its promises about false alarms kept from 5 replicates on (docs/audit.md); skewness beyond
#: what it tries, such as that of the log-normal law in :func:`verify.statistics.judge`, is why the limit is twice that.
MIN_REPLICATES = 10
#: The chance with which the replicates that are asked for decide, and how many standard errors beyond the band's end that takes.
POWER, _BEYOND = 0.8, 0.8416
_COUNTLESS = 1e9


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on a measured curve, with the point that decides it.

    ``reason`` is one sentence for people, ``index`` the deciding point, ``numbers`` belong to that point, and ``band`` (its
    arrays of shape (points,), in the unit of the values) covers the whole curve.
    """

    verdict: Verdict
    reason: str
    index: int
    numbers: Numbers
    band: Band

    @property
    def more_replicates(self) -> int | None:
        """Further replicates that would decide an UNDECIDED case if means and spreads persist; None where unknown."""
        return self.numbers.more_replicates


@dataclass(frozen=True, slots=True)
class Corridor:
    """The statement floor <= mean <= ceiling at every point; both of shape (points,), the floor possibly -inf everywhere.

    ``points`` are labels for the reason, such as ``T = 100``; empty means numbering.
    """

    floor: Floats
    ceiling: Floats
    name: str
    points: tuple[str, ...] = ()

    def point(self, index: int) -> str:
        """What people call a point: its label, or its number."""
        return self.points[index] if self.points else f"point {index}"

    @property
    def one_sided(self) -> bool:
        """Whether only the ceiling binds."""
        return bool(np.isneginf(self.floor).all())


def decide(band: Band, corridor: Corridor, exact: Flags) -> Judgement:
    """VIOLATED when one end of the band clears the corridor somewhere, HOLDS when both stay inside everywhere, else UNDECIDED.

    ``exact`` (points,) marks points without sampling error, whose ends are the smallest and largest value.
    """
    excess = np.maximum(band.low - corridor.ceiling, corridor.floor - band.high)
    inside = (band.high <= corridor.ceiling) & (band.low >= corridor.floor)
    more = None
    if (excess > 0).any():
        verdict, index = Verdict.VIOLATED, int(np.argmax(excess))
    else:
        verdict = Verdict.HOLDS if inside.all() else Verdict.UNDECIDED
        index = _closest(band, corridor)
    if verdict is Verdict.UNDECIDED:
        more = _more_replicates(band, corridor, inside, exact)
    numbers = _numbers(band, corridor, index, more)
    return Judgement(verdict, _reason(verdict, band, corridor, index, numbers, exact), index, numbers, band)


def _closest(band: Band, corridor: Corridor) -> int:
    """The point with the smallest ratio of ceiling to upper end (for two sides: to the end farther from 0); ties go to the mean."""
    reach = band.high if corridor.one_sided else np.maximum(band.high, -band.low)
    room = np.where(corridor.ceiling >= reach, np.inf, -np.inf)
    with np.errstate(over="ignore"):
        ratio = np.divide(corridor.ceiling, reach, out=room, where=reach > 0)
    centre = band.mean if corridor.one_sided else np.abs(band.mean)
    return int(np.lexsort((corridor.ceiling - centre, ratio))[0])


def _more_replicates(band: Band, corridor: Corridor, inside: Flags, exact: Flags) -> int | None:
    """R' - R with R' the smallest number for which the mean lies as far inside or outside as decides with probability ``POWER``.

    That is (quantile + 0.84) s / sqrt(R') below the distance of the mean to the corridor's edge: the quantile alone is a toss-up.
    None where no number would do, or only one so large (1e9) that mean and edge agree for every practical purpose.
    """
    if band.replicates < MIN_REPLICATES:
        return None if (exact & ~inside).any() else MIN_REPLICATES - band.replicates
    over, under = band.mean - corridor.ceiling, corridor.floor - band.mean
    above, below = _needed(band, band.quantile_low, over, exact), _needed(band, band.quantile_high, under, exact)
    outside = float(min(above.min(), below.min()))
    within = np.maximum(_needed(band, band.quantile_high, -over, exact), _needed(band, band.quantile_low, -under, exact))
    # A mean outside can only be cleared by refuting, and one such point is enough; with all means inside, every point must clear.
    total = outside if (np.maximum(over, under) > 0).any() else float(within[~inside].max())
    return max(int(total) + 1, band.replicates + 1) - band.replicates if total < _COUNTLESS else None


def _needed(band: Band, quantile: float, distance: Floats, exact: Flags) -> Floats:
    """R ((quantile + 0.84) se / distance)^2, and inf where no number of replicates would do (wrong side, no information, no error)."""
    hopeless = band.blind | exact | (distance <= 0)
    if not math.isfinite(quantile):
        return np.full_like(distance, np.inf)
    with np.errstate(over="ignore"):
        needed = band.replicates * ((max(quantile, 0.0) + _BEYOND) * band.standard_error / np.where(hopeless, 1.0, distance)) ** 2
    return np.where(hopeless, np.inf, needed)


def _numbers(band: Band, corridor: Corridor, index: int, more: int | None) -> Numbers:
    mean, bound = float(band.mean[index]), float(corridor.ceiling[index])
    size = mean if corridor.one_sided else abs(mean)
    tightness = bound / size if size > 0 else None
    low, high = (_or_none(float(end[index])) for end in (band.low, band.high))
    return Numbers(mean, low, high, bound, _or_none(tightness), band.replicates, more)


def _or_none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _reason(verdict: Verdict, band: Band, corridor: Corridor, index: int, numbers: Numbers, exact: Flags) -> str:
    bound = f"{'the ' if corridor.one_sided else 'plus or minus the '}{corridor.name} {numbers.bound:.6g}"
    measured = f"mean {numbers.measured:.6g} over {band.replicates} replicate{'s' if band.replicates > 1 else ''}"
    span = f"{band.low[index]:.6g} to {band.high[index]:.6g}"
    if verdict is Verdict.UNDECIDED:
        return _undecided_reason(band, corridor.point(index), index, numbers, bound, measured, span, exact)
    what = "the exact value" if exact[index] else "the simultaneous band"
    if verdict is Verdict.VIOLATED:
        side = "outside" if not corridor.one_sided else "above"
        return f"At {corridor.point(index)} {what}, {span} ({measured}), lies {side if exact[index] else 'wholly ' + side} {bound}."
    side = "within" if not corridor.one_sided else "at or below"
    return f"Every point stays {side} the {corridor.name}; closest is {corridor.point(index)}, where {what}, {span} ({measured}), meets {bound}."


def _undecided_reason(band: Band, point: str, index: int, numbers: Numbers, bound: str, measured: str, span: str, exact: Flags) -> str:
    more = numbers.more_replicates
    if band.replicates < MIN_REPLICATES and not exact[index]:
        few = f"{band.replicates} replicate{'s are' if band.replicates > 1 else ' is'} too few for error control"
        return f"{few}; at least {MIN_REPLICATES} are needed, so run {more} more."
    if band.blind[index] and not exact[index]:
        return f"At {point} (nearly) all replicates agree ({measured}), so they do not show the error of their mean against {bound}."
    if exact[index]:
        return f"At {point} the values agree up to rounding, {span} ({measured}), and {bound} lies between them."
    known = f"about {more} more would decide with a chance of {100 * POWER:.0f} % if mean and spread persist"
    advice = "no number of further replicates can be named" if more is None else known
    return f"At {point} the simultaneous band, {span} ({measured}), does not clear {bound}; {advice}."

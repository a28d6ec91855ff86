"""Which way does a mean curve move along an ordered parameter? Simultaneous bands of paired differences, never "p > 0.05".

Every pair of points i < j gives three contrasts of a whole replicate y: the difference D = y_j - y_i, and D minus and plus the
margin times the replicate's own mean over the points. All are linear in y, so their expectations need no estimated margin, and one
studentised max-t bootstrap (:mod:`verify.statistics.bands`) covers all of them together. Replicates that share their random draws
along the curve make the differences far sharper than the curve itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from bounds.errors import DomainError
from verify.statistics.bands import Band, Floats, as_table, max_t_bands
from verify.statistics.calibration import Rate, rate
from verify.statistics.decision import MIN_REPLICATES
from verify.statistics.noise import KINDS, sampler
from verify.verdict import Verdict

Direction = Literal["increasing", "decreasing", "mixed", "flat", "unknown"]
_RISES = np.array([0.8, 0.9, 1.0, 1.1, 1.2])


@dataclass(frozen=True, slots=True)
class Trend:
    """How a mean curve moves from its first to its last point.

    ``direction``: *increasing* when the last mean is shown to lie above the first while no earlier mean is more than the margin
    above a later one; *decreasing* likewise; *mixed* when one pair of points is shown to rise and another to fall by more than
    the margin; *flat* when no direction is shown and no two means differ by more than the margin; *unknown* otherwise.
    ``flat``: no two means differ by more than the margin, whatever the direction. ``beyond``: the last mean differs from the first
    by more than the margin. ``rises`` and ``falls``: some pair, in order, is shown to rise (fall) by more than the margin, or the
    last mean to lie above (below) the first.

    ``first``, ``last`` and ``mean`` (over the points) are means; ``change`` is last minus first with its simultaneous ends ``low``
    and ``high``; ``margin`` is a share of the curve's mean. All statements hold together at confidence 1 - level.
    """

    direction: Direction
    flat: bool
    beyond: bool
    rises: bool
    falls: bool
    first: float
    last: float
    mean: float
    change: float
    low: float
    high: float
    margin: float
    replicates: int

    def verdict(self, claimed: Literal["increasing", "decreasing"]) -> Verdict:
        """Whether the curve moves as ``claimed``: by more than the margin, and nowhere the other way by more than it.

        VIOLATED where the curve is flat within the margin, its last mean lies on the other side of the first, or some pair moves
        the other way by more than the margin. No curve makes both true: between them lies UNDECIDED.

        Raises:
            DomainError: for another direction.
        """
        if claimed not in ("increasing", "decreasing"):
            raise DomainError(f"got the claimed direction {claimed!r}; a trend is claimed to be 'increasing' or 'decreasing'")
        wrong = self.falls if claimed == "increasing" else self.rises
        if self.flat or wrong:
            return Verdict.VIOLATED
        return Verdict.HOLDS if self.direction == claimed and self.beyond else Verdict.UNDECIDED

    @property
    def share(self) -> float:
        """The change as a share of the first mean (of the estimates, without error)."""
        return self.change / self.first if self.first else float("nan")

    @property
    def percent(self) -> str:
        """:attr:`share` as people write it."""
        value = 100 * self.share
        return f"{value:+.0f} %" if abs(value) >= 10 else f"{value:+.2g} %"

    @property
    def words(self) -> str:
        """The direction with the size of the change, as a table shows it: ``decreasing (-87 %)``."""
        within = f", within {100 * self.margin:g} %" if self.flat and self.direction != "flat" else ""
        return f"{self.direction} ({self.percent}{within})"


def trend_test(
    values: ArrayLike, margin: float, level: float, resamples: int, rng: np.random.Generator, order: Sequence[int] | None = None
) -> Trend:
    """The trend of the mean of ``values`` (replicates, points) along its points, or along ``order`` of them.

    ``margin`` is the share of the curve's mean below which a difference counts as none. Each side of every difference is taken at
    level/2. The direction is unknown for fewer than ``MIN_REPLICATES`` replicates, and where the curve's mean is not shown to be
    positive, because a share of it then means nothing.

    Raises:
        DomainError: for fewer than two points, a margin <= 0, or as :func:`verify.statistics.max_t_band` (at level/2).
    """
    table = as_table(values)
    table = table if order is None else table[:, list(order)]
    if table.shape[1] < 2 or margin <= 0:
        raise DomainError(f"got {table.shape[1]} points and the margin {margin}; a trend needs at least 2 points and a margin > 0")
    if len(table) < MIN_REPLICATES:
        return _trend(None, table, margin)
    band = max_t_bands(_contrasts(table[None], margin), level / 2, resamples, rng)[0]
    return _trend(band, table, margin)


def blocked(values: ArrayLike, blocks: int) -> Floats:
    """Means over blocks of consecutive replicates, all of one size: (replicates, points) -> (blocks or fewer, points).

    Independent replicates give independent blocks, with the same mean over all of them, less skewed and cheaper to resample. The
    values stay as they are where no size leaves between a third of ``blocks`` and ``blocks`` of them.
    """
    table = as_table(values)
    count = next((count for count in range(blocks, blocks // 3, -1) if len(table) % count == 0), len(table))
    return table if len(table) <= blocks else np.asarray(table.reshape(count, -1, table.shape[1]).mean(axis=1))


def _contrasts(stack: Floats, margin: float) -> Floats:
    """(trials, replicates, 1 + 3 pairs): the mean over the points, then for every pair D, D - margin*mean and D + margin*mean."""
    early, late = np.array(list(combinations(range(stack.shape[-1]), 2))).T
    mean = stack.mean(axis=-1, keepdims=True)
    difference = stack[..., late] - stack[..., early]
    return np.concatenate([mean, difference, difference - margin * mean, difference + margin * mean], axis=-1)


def _trend(band: Band | None, table: Floats, margin: float) -> Trend:
    mean = table.mean(axis=0)
    first, last = float(mean[0]), float(mean[-1])
    known = (first, last, float(mean.mean()), last - first)
    if band is None:
        return Trend("unknown", False, False, False, False, *known, -np.inf, np.inf, margin, len(table))
    points = table.shape[1]
    low, high = (np.split(end[1:], 3) for end in (band.low, band.high))
    # combinations() lists the pair (first, last) at the end of the first row of pairs.
    ends = points - 2
    end_low, end_high = float(low[0][ends]), float(high[0][ends])
    if not band.low[0] > 0:
        return Trend("unknown", False, False, False, False, *known, end_low, end_high, margin, len(table))
    up, down = bool(end_low > 0), bool(end_high < 0)
    far_up, far_down = bool((low[1] > 0).any()), bool((high[2] < 0).any())
    never_up, never_down = bool((high[1] <= 0).all()), bool((low[2] >= 0).all())
    beyond = bool(low[1][ends] > 0 or high[2][ends] < 0)
    direction: Direction = "unknown"
    if far_up and far_down:
        direction = "mixed"
    elif up and never_down:
        direction = "increasing"
    elif down and never_up:
        direction = "decreasing"
    elif never_up and never_down:
        direction = "flat"
    flat = never_up and never_down
    return Trend(direction, flat, beyond, far_up or up, far_down or down, *known, end_low, end_high, margin, len(table))


@dataclass(frozen=True, slots=True)
class TrendCalibrationRow:
    """Error rates of the trend test at its least favourable curves, all nominally at most ``level``, and its power.

    ``false_direction``: a direction is shown of a curve that has none. ``false_flat``: a curve is called flat whose last step is
    exactly the margin. ``false_holds``: HOLDS for a curve that rises by exactly the margin. ``false_violated``: VIOLATED for a curve
    that rises steeply but for one step that falls by exactly the margin. ``power_direction``: HOLDS for a curve that rises from 0.8
    to 1.2; ``power_flat``: a constant curve is called flat.
    """

    noise: str
    replicates: int
    level: float
    false_direction: Rate
    false_flat: Rate
    false_holds: Rate
    false_violated: Rate
    power_direction: Rate
    power_flat: Rate


def trend_calibration(
    trials: int, replicates: int, level: float, resamples: int, seed: int, noises: Sequence[str] = tuple(KINDS), correlation: float = 0.98
) -> tuple[TrendCalibrationRow, ...]:
    """Error rates and power of :func:`trend_test` on synthetic curves of 5 points with margin 0.1.

    Neighbouring points have the ``correlation`` that shared random draws give them, each a spread of half the mean.

    Raises:
        UnknownNameError: for a noise law that :func:`verify.statistics.noise.standard_noise` does not know.
    """
    return tuple(_row(noise, trials, replicates, level, resamples, seed, correlation) for noise in noises)


def _row(noise: str, trials: int, replicates: int, level: float, resamples: int, seed: int, correlation: float) -> TrendCalibrationRow:
    rng = np.random.default_rng([seed, replicates, *b"trend", *noise.encode()])
    margin, draw = 0.1, sampler(noise, correlation)

    def trends(curve: Floats) -> list[Trend]:
        stack = draw(curve / curve.mean(), trials, replicates, rng)
        bands = max_t_bands(_contrasts(stack, margin), level / 2, resamples, rng)
        return [_trend(band, table, margin) for band, table in zip(bands, stack, strict=True)]

    def share(found: Sequence[bool]) -> Rate:
        return rate(sum(found), len(found))

    still, step = trends(np.ones(5)), trends(_last_step(margin))
    falling, rising = trends(_one_fall(margin)), trends(_RISES)
    return TrendCalibrationRow(
        noise,
        replicates,
        level,
        share([one.direction in ("increasing", "decreasing", "mixed") for one in still]),
        share([one.flat for one in step]),
        share([one.verdict("increasing") is Verdict.HOLDS for one in step]),
        share([one.verdict("increasing") is Verdict.VIOLATED for one in falling]),
        share([one.verdict("increasing") is Verdict.HOLDS for one in rising]),
        share([one.flat for one in still]),
    )


def _last_step(margin: float) -> Floats:
    """1, 1, 1, 1 and a last point that lies ``margin`` times the mean of all five above the first."""
    return np.array([1.0, 1.0, 1.0, 1.0, 1 + margin / (1 - margin / 5)])


def _one_fall(margin: float) -> Floats:
    """A rise from 1 to 3 with a fall by ``margin`` times the mean of all points after the third."""
    fall = 12 * margin / (5 + margin)
    return np.array([1.0, 2.0, 3.0, 3.0 - fall, 3.0])

"""What one pair of logged runs supports: their difference at the last step, an interval around it, and a verdict."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from empirical.logs import LogPair
from verify.logged.late import LEAST, Late, fluctuation, late_part
from verify.verdict import Verdict

#: Percentage points by which two runs that differ in their seed alone may differ.
FLOOR = 1.0
#: Fewer seeds do not tell the spread between seeds.
MIN_SEEDS = 3
#: The floor holds in 95 % of all seeds, which turns it into a standard deviation and back.
_FLOOR_TAIL = 0.025
_TWO_SIDED = float(stats.norm.isf(_FLOOR_TAIL))
#: What reasons say about :data:`FLOOR`.
FLOOR_WORDS = (
    "Between runs of one setting that differ in the seed alone, errors on a test set are about independent (Jordan 2023, arXiv 2304.01910), "
    "so that the standard deviation of an accuracy p on n test images is at most sqrt(p (1 - p)/n): 0.36 points at 85 % of 10,000 images. "
    "The difference of two runs then stays within 1.96 sqrt(2) 0.36 = 1.0 points in 95 % of all seeds."
)


@dataclass(frozen=True, slots=True)
class Support:
    """What is assumed where one seed measures nothing: ``floor``, in percentage points, is that of one pair of runs.

    ``level`` is two-sided, and shared by all intervals.
    """

    floor: float = FLOOR
    level: float = 0.05

    def tail(self, intervals: int) -> float:
        """The probability on either side of each of so many intervals, if all are to hold together."""
        return self.level / 2 / max(intervals, 1)

    @property
    def seed_variance(self) -> float:
        """Variance of one run's accuracy over its seed, in points squared, that the floor stands for."""
        return (self.floor / _TWO_SIDED) ** 2 / 2


@dataclass(frozen=True, slots=True)
class PairResult:
    """A pair with its difference (decentralized minus centralized, in points) and what it supports."""

    pair: LogPair
    difference: float
    interval: tuple[float, float] | None
    verdict: Verdict
    reason: str


def judge_pairs(pairs: Sequence[LogPair], support: Support) -> list[PairResult]:
    """Every pair, one seed at a time; the late fluctuation's quantile is shared out over them, the floor is one pair's.

    Where three seeds or more of a setting are logged and differ by more than the floor, their own spread takes its place.
    """
    tail, measured = support.tail(len(pairs)), _between_seeds(pairs)
    return [judge_pair(pair, replace(support, floor=max(support.floor, measured.get(_kind(pair), 0.0))), tail) for pair in pairs]


def _kind(pair: LogPair) -> Hashable:
    """What pairs that differ in the seed alone have in common."""
    ran = pair.decentralized.setting
    return ran.topology, ran.shuffle, ran.partner("seed")


def _between_seeds(pairs: Sequence[LogPair]) -> dict[Hashable, float]:
    """Points within which one seed's difference lies in 95 % of all seeds, by the spread of the seeds logged (t times it)."""
    found: dict[Hashable, list[float]] = defaultdict(list)
    for pair in pairs:
        found[_kind(pair)].append(pair.decentralized.final - pair.centralized.final)
    return {
        kind: float(stats.t.isf(_FLOOR_TAIL, len(values) - 1)) * float(np.std(values, ddof=1))
        for kind, values in found.items()
        if len(values) >= MIN_SEEDS
    }


def judge_pair(pair: LogPair, support: Support, tail: float) -> PairResult:
    """The difference of the last values, give or take the floor plus what the late parts of both runs fluctuate."""
    difference = pair.decentralized.final - pair.centralized.final
    parts = (late_part(pair.decentralized.accuracy), late_part(pair.centralized.accuracy))
    if parts[0] is None or parts[1] is None:
        rows = min(pair.decentralized.steps.size, pair.centralized.steps.size)
        reason = f"{rows} rows are too few to tell how much a run fluctuates late; {LEAST} are needed."
        return PairResult(pair, difference, None, Verdict.UNDECIDED, reason)
    late = fluctuation((parts[0], parts[1]), parts[0].spread ** 2 + parts[1].spread ** 2, tail)
    half = support.floor + late
    interval = (difference - half, difference + half)
    return PairResult(pair, difference, interval, side(interval), _reason(difference, support.floor, late, interval))


def side(interval: tuple[float, float]) -> Verdict:
    """HOLDS (decentralized is better) when the interval lies above 0, VIOLATED below, UNDECIDED else."""
    return Verdict.HOLDS if interval[0] > 0 else Verdict.VIOLATED if interval[1] < 0 else Verdict.UNDECIDED


def _reason(difference: float, floor: float, late: float, interval: tuple[float, float]) -> str:
    parts = f"{floor:.2f} points that seeds alone may make plus {late:.2f} of late fluctuation"
    verdict = side(interval)
    if verdict is Verdict.UNDECIDED:
        return f"One seed does not support a gap of {difference:+.2f} points: it lies within {parts}."
    which = "decentralized" if verdict is Verdict.HOLDS else "centralized"
    return f"The {which} run is better by {abs(difference):.2f} points, beyond {parts}."


def late_variance(part: Late | None) -> float:
    """Variance of one late value; infinite where it is not known."""
    return math.inf if part is None else part.spread**2

"""What one pair of logged runs supports: their difference at the last step, an interval around it, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from empirical.logs import LogPair
from verify.logged.late import Late, fluctuation, late_part
from verify.verdict import Verdict

#: Percentage points by which two runs that differ in their seed alone may differ.
FLOOR = 1.0
#: Two-sided quantile of a normal variable at 95 %, which turns the floor into a standard deviation and back.
_TWO_SIDED = 1.959964
FLOOR_WORDS = (
    "Between runs of one setting that differ in the seed alone, errors on a test set are about independent (Jordan 2023, arXiv 2304.01910), "
    "so that the standard deviation of an accuracy p on n test images is at most sqrt(p (1 - p)/n): 0.36 points at 85 % of 10,000 images. "
    "The difference of two runs then stays within 1.96 sqrt(2) 0.36 = 1.0 points in 95 % of all seeds."
)


@dataclass(frozen=True, slots=True)
class Support:
    """What is assumed where one seed measures nothing: ``floor`` in percentage points; ``level`` is two-sided and shared by all intervals."""

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
    """Every pair, one seed at a time; the fluctuation's quantile is shared out over them."""
    tail = support.tail(len(pairs))
    return [judge_pair(pair, support, tail) for pair in pairs]


def judge_pair(pair: LogPair, support: Support, tail: float) -> PairResult:
    """The difference of the last values, give or take the floor plus what the late parts of both runs fluctuate."""
    difference = pair.decentralized.final - pair.centralized.final
    parts = (late_part(pair.decentralized.accuracy), late_part(pair.centralized.accuracy))
    if parts[0] is None or parts[1] is None:
        rows = min(pair.decentralized.steps.size, pair.centralized.steps.size)
        reason = f"{rows} rows are too few to tell how much a run fluctuates late; 8 are needed, so the difference {difference:+.2f} has no error."
        return PairResult(pair, difference, None, Verdict.UNDECIDED, reason)
    late = fluctuation((parts[0], parts[1]), parts[0].spread ** 2 + parts[1].spread ** 2, tail)
    half = support.floor + late
    interval = (difference - half, difference + half)
    return PairResult(pair, difference, interval, side(interval), _reason(difference, support.floor, late, interval))


def side(interval: tuple[float, float]) -> Verdict:
    """HOLDS (decentralized is better) when the interval lies above 0, VIOLATED below, UNDECIDED else."""
    return Verdict.HOLDS if interval[0] > 0 else Verdict.VIOLATED if interval[1] < 0 else Verdict.UNDECIDED


def _reason(difference: float, floor: float, late: float, interval: tuple[float, float]) -> str:
    parts = f"{floor:.2f} points that seeds alone may make (stated, as one seed measures none) plus {late:.2f} of late fluctuation"
    verdict = side(interval)
    if verdict is Verdict.UNDECIDED:
        return f"One seed does not support a gap of {difference:+.2f} points: it lies within {parts}."
    which = "decentralized" if verdict is Verdict.HOLDS else "centralized"
    return f"The {which} run is better by {abs(difference):.2f} points, beyond {parts}."


def late_variance(part: Late | None) -> float:
    """Variance of one late value; infinite where it is not known."""
    return math.inf if part is None else part.spread**2

"""Differences pooled over pairs, each centralized run counted once, and over seeds where there are enough of them.

Pairs that share a centralized run share its error, so they are averaged first. Pairs of one setting that differ in the seed alone are
averaged next. What is left are independent units, one per setting of a centralized run, and the pooled difference is their mean:

- three units or more: t over the units, with their own spread, so that the interval is about settings like these;
- fewer, but each with three seeds or more: t over the seeds of each unit, the units held fixed;
- else the floor, undiminished, plus the late fluctuation.

A standard error is never below the one that the stated seed variance (where seeds are not replicated) and the late fluctuation imply.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from empirical.logs import LogPair
from verify.logged.late import Late, fluctuation, late_part
from verify.logged.pairs import MIN_SEEDS, Support, late_variance, side
from verify.verdict import Verdict

MIN_UNITS = 3


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean difference (points) of a group of pairs: ``by`` and ``value`` name the group, ``units`` how many are independent."""

    by: str
    value: str | int | None
    pairs: int
    centralized: int
    units: int
    seeds: int
    difference: float
    interval: tuple[float, float] | None
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Seed:
    """All pairs with one centralized run: their mean difference, and the variances of its error that one seed leaves out or shows."""

    difference: float
    runs_variance: float
    late: float
    parts: tuple[Late, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One setting of a centralized run, with its seeds."""

    seeds: tuple[Seed, ...]

    @property
    def mean(self) -> float:
        """Mean difference over the seeds."""
        return float(np.mean([seed.difference for seed in self.seeds]))

    @property
    def replicated(self) -> bool:
        """Whether the spread between seeds can be told; seeds that agree exactly are copies, or tell nothing of it."""
        return len(self.seeds) >= MIN_SEEDS and len({seed.difference for seed in self.seeds}) > 1

    def variance(self, support: Support) -> float:
        """Variance of the mean: from the spread between seeds where it can be told, else from the stated one; never below the late one."""
        late = float(np.mean([seed.late for seed in self.seeds])) / len(self.seeds)
        if self.replicated:
            spread = float(np.var([seed.difference for seed in self.seeds], ddof=1))
            return max(spread / len(self.seeds), late)
        return late + support.seed_variance * float(np.mean([seed.runs_variance for seed in self.seeds])) / len(self.seeds)


def units(pairs: Sequence[LogPair]) -> list[Unit]:
    """The independent units among these pairs, in the order of their first pairs."""
    by_run: dict[str, list[LogPair]] = defaultdict(list)
    for pair in pairs:
        by_run[pair.centralized.file].append(pair)
    by_setting: dict[object, list[Seed]] = defaultdict(list)
    for members in by_run.values():
        by_setting[members[0].centralized.setting.partner("seed")].append(_seed(members))
    return [Unit(tuple(seeds)) for seeds in by_setting.values()]


def _seed(members: Sequence[LogPair]) -> Seed:
    """Averaging k differences leaves 1/k of the decentralized runs' variance and all of the centralized run's."""
    count = len(members)
    ours, centre = [late_part(pair.decentralized.accuracy) for pair in members], late_part(members[0].centralized.accuracy)
    late = sum(map(late_variance, ours)) / count**2 + late_variance(centre)
    difference = float(np.mean([pair.decentralized.final - pair.centralized.final for pair in members]))
    return Seed(difference, 1 / count + 1, late, tuple(part for part in (*ours, centre) if part is not None))


def pool(by: str, value: str | int | None, pairs: Sequence[LogPair], support: Support, tail: float) -> Pooled:
    """The pooled difference of ``pairs``, at least one, with an interval that errs with probability ``tail`` on either side."""
    found = units(pairs)
    difference = float(np.mean([unit.mean for unit in found]))
    half, basis = half_width(found, support, tail)
    interval = None if not math.isfinite(half) else (difference - half, difference + half)
    verdict = Verdict.UNDECIDED if interval is None else side(interval)
    runs, seeds = len({pair.centralized.file for pair in pairs}), min(len(unit.seeds) for unit in found)
    return Pooled(by, value, len(pairs), runs, len(found), seeds, difference, interval, verdict, _reason(verdict, difference, half, basis))


def half_width(found: Sequence[Unit], support: Support, tail: float) -> tuple[float, str]:
    """Half the interval's width, and in words what it rests on; infinite where a late part is too short."""
    count = len(found)
    implied = sum(unit.variance(support) for unit in found) / count**2
    if not math.isfinite(implied):
        return math.inf, "a curve has too few rows to tell how much it fluctuates late"
    if count >= MIN_UNITS:
        error = max(float(np.var([unit.mean for unit in found], ddof=1)) / count, implied)
        return float(stats.t.isf(tail, count - 1)) * math.sqrt(error), f"the spread of {count} independent settings"
    if all(unit.replicated for unit in found):
        fewest = min(len(unit.seeds) for unit in found)
        return float(stats.t.isf(tail, fewest - 1)) * math.sqrt(implied), f"the spread between {fewest} seeds"
    parts = tuple(part for unit in found for seed in unit.seeds for part in seed.parts)
    late = sum(float(np.mean([seed.late for seed in unit.seeds])) / len(unit.seeds) for unit in found) / count**2
    words = f"{support.floor:.2f} points that seeds alone may make plus the late fluctuation: {_few(count)}"
    return support.floor + fluctuation(parts, late, tail), words


def _few(count: int) -> str:
    return f"with {count} independent setting{'s' if count > 1 else ''} and fewer than {MIN_SEEDS} seeds nothing measures the spread"


def _reason(verdict: Verdict, difference: float, half: float, basis: str) -> str:
    if verdict is Verdict.UNDECIDED:
        return f"The mean difference {difference:+.2f} lies within {half:.2f} points of 0, which rest on {basis}."
    which = "Decentralized" if verdict is Verdict.HOLDS else "Centralized"
    return f"{which} runs are better by {abs(difference):.2f} points on average, beyond {half:.2f}, which rest on {basis}."

"""What the audit finds, and what it promises: plain results, which the report reads without training anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from verify.statistics import MIN_REPLICATES, Rate, rate

Class = Literal["tightening", "loosening", "mistake"]
Catcher = Literal["verdict", "contract", "proof", "missed"]
#: What a planted error does to a bound: make it too small, compute something else, or make it too large.
CLASSES: tuple[Class, ...] = ("tightening", "mistake", "loosening")
LEVEL = 0.05
#: Laws for which the rate must not exceed the level, and those for which it is published and stays below twice the level.
NOMINAL, PUBLISHED = ("gaussian", "right_skewed", "bounded"), ("left_skewed", "heavy_tailed")
#: The noise of a cell whose trials are training runs.
TRAINING = "training_runs"


@dataclass(frozen=True, slots=True)
class Cell:
    """Wrong verdicts for one law, number of replicates and number of points of the curve, each nominally at most ``LEVEL``.

    ``violated``: VIOLATED where the bound is the truth at every point. ``holds``: HOLDS where it is the truth at one point and far above
    it at the others, the least favourable limit of curves that exceed their bound.
    """

    noise: str
    replicates: int
    points: int
    violated: Rate
    holds: Rate

    @property
    def ruled_out(self) -> bool:
        """Whether such few replicates end in UNDECIDED by rule; the rates are those that the bands alone would have."""
        return self.replicates < MIN_REPLICATES


def pooled(found: Sequence[Cell]) -> Rate:
    """The rate of false VIOLATED over Gaussian, right-skewed and bounded noise from 20 replicates on."""
    chosen = [one.violated for one in found if one.noise in NOMINAL and one.replicates >= 20]
    return rate(sum(one.count for one in chosen), sum(one.trials for one in chosen))


def least_replicates(found: Sequence[Cell]) -> int | None:
    """The smallest number of replicates of the table from which on every cell keeps its promise; None where there is none."""
    counts = sorted({one.replicates for one in found})
    kept = [count for count in counts if all(keeps(one) for one in found if one.replicates >= count)]
    return kept[0] if kept else None


def keeps(one: Cell) -> bool:
    """Whether the interval of the rate reaches down to the level, or (published laws) the rate is below twice the level."""
    return one.violated.rate < 2 * LEVEL if one.noise in PUBLISHED else one.violated.low <= LEVEL


@dataclass(frozen=True, slots=True)
class PowerCell:
    """Verdicts on a bound ``slack`` times the truth that an error multiplied by ``factor``, over trials of ``replicates``."""

    slack: float
    factor: float
    replicates: int
    violated: Rate
    holds: Rate


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of the UNDECIDED trials of 20 replicates, with the bound ``ratio`` times the truth: how often the replicates asked for decide.

    ``decided`` counts fresh data of that size; trials that asked for more than 800 are left out.
    """

    ratio: float
    decided: Rate


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted error: what it is, its class, what caught it first and where.

    ``counts``: whether an honest verifier had to catch it; a looser bound is still a bound where no test asks for equality.
    """

    name: str
    bound_id: str
    rule: str
    kind: Class
    caught_by: Catcher
    how: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything the audit found, with the trials of a cell and the seed."""

    trials: int
    seed: int
    cells: tuple[Cell, ...]
    power: tuple[PowerCell, ...]
    forecasts: tuple[Forecast, ...]
    mutants: tuple[Mutant, ...]

    @property
    def false_alarm(self) -> Rate:
        """False VIOLATED, pooled over Gaussian, right-skewed and bounded noise from 20 replicates on."""
        return pooled(self.cells)

    @property
    def least_replicates(self) -> int | None:
        """From how many replicates on every promise about false alarms is kept."""
        return least_replicates(self.cells)

    def caught(self, kind: Class) -> Rate:
        """The share of the planted errors of a class that something caught, among those that count."""
        chosen = self.counted(kind)
        return rate(sum(one.caught_by != "missed" for one in chosen), max(len(chosen), 1))

    def counted(self, kind: Class) -> list[Mutant]:
        """The planted errors of a class, loosening ones only where a test asks for equality."""
        return [one for one in self.mutants if one.kind == kind and one.counts]

    def catchers(self, kind: Class) -> Counter[str]:
        """How many of a class were caught first by what."""
        return Counter(one.caught_by for one in self.counted(kind))

    @property
    def missed(self) -> list[Mutant]:
        """What nothing caught, though it counts."""
        return [one for kind in CLASSES for one in self.counted(kind) if one.caught_by == "missed"]

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        return {
            "schema_version": 1,
            "level": LEVEL,
            "trials": self.trials,
            "seed": self.seed,
            "false_alarms": [row for one in self.cells for row in _alarm_rows(one)],
            "power": [_power_row(one) for one in self.power],
            "forecasts": [{"ratio": one.ratio, **_numbers(one.decided)} for one in self.forecasts],
            "mutants": [_mutant_row(one) for one in self.mutants],
            "rates": {
                "false_alarm": self.false_alarm.rate,
                "false_alarm_interval": [self.false_alarm.low, self.false_alarm.high],
                **{kind: self.caught(kind).rate for kind in CLASSES},
                "least_replicates": self.least_replicates,
            },
        }


def _numbers(found: Rate) -> dict[str, float | int]:
    return {"trials": found.trials, "rate": found.rate, "low": found.low, "high": found.high}


def _alarm_rows(one: Cell) -> list[dict[str, Any]]:
    where = {"noise": one.noise, "replicates": one.replicates, "points": one.points, "undecided_by_rule": one.ruled_out}
    return [{**where, "verdict": verdict, **_numbers(found)} for verdict, found in (("VIOLATED", one.violated), ("HOLDS", one.holds))]


def _power_row(one: PowerCell) -> dict[str, Any]:
    where = {"slack": one.slack, "factor": one.factor, "replicates": one.replicates}
    return {**where, "violated": one.violated.rate, "holds": one.holds.rate, "trials": one.violated.trials}


def _mutant_row(one: Mutant) -> dict[str, Any]:
    row = {"name": one.name, "class": one.kind, "caught_by": one.caught_by, "how": one.how, "counts": one.counts}
    return row | ({"why": why_missed(one)} if one.caught_by == "missed" else {})


_SHARED = (
    "The own recursion of the bound uses the definition in which the error is, and the exact runs here see the heterogeneity part of the "
    "consensus distance only: the noise of the nodes averages out of what pushes their mean, so no exact run comes near its noise part."
)
_LARGER = "It is larger where the gap counts, and equality is asked for at m = 1 or gap = 1 only, where it does not."
_WHY = {
    "hardt2016_nonconvex_relaxed": "It need only dominate hardt2016_nonconvex, and is far enough above it at most settings to stay so.",
    "dsgd_nonconvex_relaxed": "It is larger but at m = 1, the only place where it is compared for equality; elsewhere it need only dominate.",
    "mgs_generalization": "The gap enters through definitions that its own recursion shares; beyond them only gap = 1 is compared with anything.",
    "mgs_stationarity": _SHARED,
    "mgs_pl": _SHARED,
    "mgs_convex": _SHARED,
    "mgs_excess_convex": _SHARED,
    "mgs_excess_pl": "Its own recursion shares the definition, and the worst run known stays 17 times below the term with the graph.",
    "sam_residual": "It is larger and so still a bound; it is attained in the limit of many nodes only.",
    "dsgd_convex": "Exact generalization errors of convex losses reach half of the bound, so two nodes' samples for one is just within it.",
}


def why_missed(one: Mutant) -> str:
    """Why nothing caught an error; empty where no reason is known."""
    if not one.counts:
        return "It is looser, so still a bound, and no test of it asks for equality."
    if one.kind == "loosening" and one.bound_id.startswith("mgs"):
        return _LARGER
    return _WHY.get(one.bound_id, "")

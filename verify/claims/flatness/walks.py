r"""Walks that leave one well of V(x) = (x^2 - 1)^2/4, and two update forms compared by their exit times.

The well has the curvature 2 at its minimum x = -1 and -1 at its barrier of height 1/4; an exit is the network mean passing
x = 1/2, well behind the barrier. Temperature means eta r/(2 m b), that of the network mean, r the variance of a gradient.

What the nodes' spread Xi predicts (derived here): the mean moves in E V(x + delta), whose slope is x^3 - x + 3 Xi x; the exact
exit time of that walk over that of mini-batch SGD is free of the small-step and low-temperature limits of the catalogue's
exit_time_ratio, which the figures show beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.setting import Fact
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical.exits import DoubleWell, Escape, ExitTimes, InsideSpread, LogRank, RateRatio, Walk, exit_times, log_rank, rate_ratio
from verify.finding_case import Finding
from verify.plan import Task
from verify.verdict import Curve, Numbers, Table, Verdict

LEVEL, BARRIER, BOTTOM = 0.5, 0.25, -1.0
_LOW = -2.5
_SLOTS = 4
#: Temperature and walkers of a probe.
_HOT, _FEW = 0.2, 128
_CHECK = "other's exit time over the exact one of mini-batch SGD"
Values = NDArray[np.float64]


def well_slope(x: Any) -> Any:
    """dV/dx of the double well."""
    return x**3 - x


@cache
def exact_time(eta: float, temperature: float, spread: float = 0.0) -> float:
    """Mean steps of mini-batch SGD from the minimum to x = 1/2 in the well smoothed by ``spread``, exactly."""
    walk = Walk(lambda x: well_slope(x) + 3 * spread * x, eta, math.sqrt(2 * eta * temperature), _LOW, LEVEL)
    return walk.mean_time(BOTTOM).mean


@dataclass(frozen=True, slots=True)
class Walks:
    """One group of walks. ``pull``: half of the nodes, side by side, have it added to their gradients, half subtracted.

    ``dimension``: d - 1 more coordinates of curvature 1 with the same noise. ``node``: exits of this node's model, not the mean's.
    """

    form: str
    graph: str
    m: int
    eta: float
    temperature: float
    walkers: int
    seed: int
    pull: float = 0.0
    dimension: int = 1
    node: int | None = None

    @property
    def horizon(self) -> int:
        """The mean exit time of mini-batch SGD; walks still inside then are censored."""
        return round(exact_time(self.eta, self.temperature))

    @property
    def noise(self) -> float:
        """Variance of one node's gradient along each coordinate."""
        return 2 * self.temperature * self.m / self.eta

    def pulls(self) -> Values | None:
        """(m, d) parts of the nodes' gradients that differ, summing to 0."""
        if self.pull == 0:
            return None
        signs = np.where(np.arange(self.m) < self.m // 2, 1.0, -1.0)
        return np.outer(signs - signs.mean(), self.pull * (np.arange(self.dimension) == 0))

    def escape(self) -> Escape:
        """What the walkers of :mod:`empirical.exits` do; groups of different forms have independent noise."""
        form = word(UpdateForm, self.form)
        return Escape(
            potential=DoubleWell(others=(1.0,) * (self.dimension - 1)),
            update_form=form,
            m=self.m,
            eta=self.eta,
            noise=self.noise,
            horizon=self.horizon,
            replicates=self.walkers,
            topology=self.graph,
            heterogeneity=None if form is UpdateForm.CENTRALIZED else self.pulls(),
            level=LEVEL,
            readout=Readout.NETWORK_MEAN if self.node is None else Readout.NODE_AVERAGE,
            node=self.node,
            seed=_SLOTS * self.seed + list(UpdateForm).index(form),
        )

    @property
    def cost(self) -> float:
        """Numbers that change in all steps together."""
        models = 1 if self.form == "centralized" else self.m
        return float(self.walkers * models * self.dimension * self.horizon)

    def task(self) -> Task:
        """The walks as a task; its probe are hot walks, which leave soon."""
        probe = replace(self, eta=0.04, temperature=_HOT, walkers=_FEW, seed=0, node=None)
        return Task(walk, (self,), self.cost, Task(walk, (probe,), probe.cost))


@dataclass(frozen=True, eq=False)
class Exits:
    """Exit times, and the mean spread of the points where gradients are taken while inside."""

    walks: Walks
    times: ExitTimes
    spread: float


def walk(walks: Walks) -> Exits:
    """Walk (a :class:`Task` function)."""
    escape = walks.escape()
    inside = InsideSpread(escape)
    times = exit_times(escape, watch=inside)
    return Exits(walks, times, inside.mean)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean exit time of the first group over that of the second, with its band, the log-rank test and the predicted ratio."""

    ratio: RateRatio
    rank: LogRank
    predicted: float
    share: float
    exits: tuple[int, int]

    @property
    def sign(self) -> int:
        """1 where the first leaves faster, by the band and by the log-rank test, -1 where it leaves slower, 0 where undecided."""
        if self.rank.p_value / 2 > self.share:
            return 0
        return 1 if self.ratio.high < 1 and self.rank.z > 0 else -1 if self.ratio.low > 1 and self.rank.z < 0 else 0

    def more(self, walkers: int) -> int | None:
        """Further walkers that would clear 1 if the ratio persists."""
        distance, margin = abs(math.log(self.ratio.ratio)), math.log(self.ratio.high / self.ratio.ratio)
        return max(1, math.ceil(walkers * ((margin / distance) ** 2 - 1))) if distance > 1e-3 else None


def compared(first: Exits, second: Exits, share: float) -> Comparison:
    """Compare two groups, each end of the band and the one-sided test at level ``share``."""
    # The rate of the second over that of the first is the time of the first over that of the second.
    ratio, rank = rate_ratio(second.times, first.times, 1 - 2 * share), log_rank(first.times, second.times)
    eta, temperature = first.walks.eta, first.walks.temperature
    predicted = exact_time(eta, temperature, first.spread) / exact_time(eta, temperature, second.spread)
    return Comparison(ratio, rank, predicted, share, (first.times.exits, second.times.exits))


def leading_ratio(walks: Walks) -> float:
    """The catalogue's leading order of the exit time over that of mini-batch SGD; 1 for the latter."""
    if walks.form == "centralized":
        return 1.0
    mixing = topology(walks.graph, walks.m)
    given: dict[str, Any] = {"eta": walks.eta, "curvatures": [2.0, 1.0], "Q": 1}
    if walks.pull:
        values, vectors = np.linalg.eigh(mixing.matrix)
        order, pulls = np.argsort(-values), walks.pulls()
        given |= {"spectrum": values[order].tolist(), "heterogeneity": (vectors.T @ pulls)[order].tolist(), "r": [walks.noise], "b": 1}
    else:
        given |= {"spectrum": list(mixing.spectrum)}
    return float(bounds.get("exit_time_ratio").evaluate(update_form=walks.form, **given))


def faster(results: tuple[Exits, ...], level: float, rng: np.random.Generator, note: str = "", along: str = "eta") -> Finding:
    """Whether the first group of each pair (first, second), (first, second), ... leaves faster: all points along eta, or the gap, at once."""
    pairs = list(zip(results[::2], results[1::2], strict=True))
    found = [compared(one, two, level / len(pairs)) for one, two in pairs]
    signs = [one.sign for one in found]
    verdict = Verdict.VIOLATED if -1 in signs else Verdict.HOLDS if all(sign == 1 for sign in signs) else Verdict.UNDECIDED
    end = "low" if verdict is Verdict.VIOLATED else "high"
    at = max(range(len(found)), key=lambda k: getattr(found[k].ratio, end))
    words = {
        Verdict.HOLDS: "below 1, and the log-rank test agrees",
        Verdict.VIOLATED: "above 1, and the log-rank test agrees",
        Verdict.UNDECIDED: "not cleared of 1 by band and log-rank test together",
    }
    every = " everywhere" if len(found) > 1 and verdict is Verdict.HOLDS else ""
    inside = sum(one.ratio.low <= one.predicted <= one.ratio.high for one in found)
    reason = (
        f"The mean exit time is {describe(pairs, found, along)} that of {NAMES[pairs[0][1].walks.form]}: {words[verdict]}{every}. The spread measured "
        f"where gradients are taken predicts {', '.join(f'{one.predicted:.3g}' for one in found)}, inside the band at {inside} of "
        f"{len(found)} point{'s' if len(found) > 1 else ''}.{note}"
    )
    return finding(verdict, reason, pairs, found, at, along)


NAMES = {"centralized": "mini-batch SGD", "atc": "ATC diffusion", "cta": "CTA diffusion", "consensus": "the consensus form"}


def place(walks: Walks, along: str) -> float:
    """Where a group is drawn: its step size, or the spectral gap of its graph."""
    return walks.eta if along == "eta" else topology(walks.graph, walks.m).gap


def describe(pairs: list[tuple[Exits, Exits]], found: list[Comparison], along: str = "eta") -> str:
    """Ratios with their bands, point by point."""
    parts = [
        f"{c.ratio.ratio:.3g} times ({c.ratio.low:.3g} to {c.ratio.high:.3g}, {along} = {place(one.walks, along):.3g})"
        for (one, _), c in zip(pairs, found, strict=True)
    ]
    return ", ".join(parts)


def no_advantage(results: tuple[Exits, ...], level: float, rng: np.random.Generator, margin: float, why: str) -> Finding:
    """Whether two groups of one law measure alike: VIOLATED (no advantage) when the ratio's band lies within 1/(1+margin)..1+margin."""
    pairs = [(results[0], results[1])]
    # Either end of a two-sided statement may err.
    found = [compared(*pairs[0], level / 2)]
    ratio = found[0].ratio
    alike = 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin
    verdict = Verdict.VIOLATED if alike or found[0].sign == -1 else Verdict.HOLDS if found[0].sign == 1 else Verdict.UNDECIDED
    told = f"wholly within {margin:.0%} of 1" if alike else f"which does not decide whether it is within {margin:.0%} of 1"
    told = told if found[0].sign == 0 or alike else "not within it"
    return finding(
        verdict, f"{why} Measured, the mean exit time is {describe(pairs, found)} that of mini-batch SGD, {told}.", pairs, found, 0
    )


def finding(
    verdict: Verdict, reason: str, pairs: list[tuple[Exits, Exits]], found: list[Comparison], at: int, along: str = "eta"
) -> Finding:
    """The finding of ratios along a parameter, held against 1 and drawn against the predicted ones."""
    one, decisive = pairs[at][0].walks, found[at]
    more = decisive.more(one.walkers) if verdict is Verdict.UNDECIDED else None
    ratio = decisive.ratio
    numbers = Numbers(ratio.ratio, ratio.low, ratio.high, 1.0, 1 / ratio.ratio, one.walkers, more)
    drawn = (curve(pairs, found, along),) if len(found) > 1 else ()
    return Finding(verdict, reason, numbers, None, conditions(one), curves=drawn, tables=(table(pairs, found),))


def conditions(one: Walks) -> dict[str, Fact]:
    """What a group's walks share with those they are compared with."""
    return {
        "loss": "double well (x^2-1)^2/4",
        "graph": one.graph,
        "m": one.m,
        "temperature": one.temperature,
        "barrier": BARRIER,
        "exit": f"{'network mean' if one.node is None else f'node {one.node}'} >= {LEVEL:g}",
        "dimension": one.dimension,
        "pull": one.pull,
        "horizon": f"mean exit time of mini-batch SGD ({one.horizon} steps at eta = {one.eta:g})",
    }


def curve(pairs: list[tuple[Exits, Exits]], found: list[Comparison], along: str) -> Curve:
    """Measured ratios of exit times along a parameter beside the predicted ones."""
    ratios = [one.ratio for one in found]
    mean, low, high = (np.array([getattr(r, name) for r in ratios]) for name in ("ratio", "low", "high"))
    leading = np.array([leading_ratio(one.walks) / leading_ratio(two.walks) for one, two in pairs])
    return Curve(
        symbol(along), Quantity.OTHER, np.array([place(one.walks, along) for one, _ in pairs]), mean, low, high,
        np.array([one.predicted for one in found]), None, len(found) * found[0].share, pairs[0][0].walks.walkers, mean[None],
        label=f"exit time: {NAMES[pairs[0][0].walks.form]} / {NAMES[pairs[0][1].walks.form]}",
        bound_label="predicted from the measured spread", companions=(("leading order, exit_time_ratio", leading),),
    )  # fmt: skip


def table(pairs: list[tuple[Exits, Exits]], found: list[Comparison]) -> Table:
    """Exits, spreads and log-rank statistics by step size."""
    heads = ("graph", "eta", "exits", "exits of the other", "exit time ratio", "predicted", "leading order", "log-rank z", "spread", _CHECK)
    rows: list[tuple[Fact, ...]] = []
    for (one, two), c in zip(pairs, found, strict=True):
        walks = one.walks
        other = two.times.time_at_risk / two.times.exits / exact_time(walks.eta, walks.temperature)
        leading = leading_ratio(walks) / leading_ratio(two.walks)
        rows.append((walks.graph, walks.eta, *c.exits, c.ratio.ratio, c.predicted, leading, c.rank.z, one.spread, other))
    return Table("Exit times", heads, tuple(rows))

"""The consensus distance of training runs by batch, step and number of nodes, beside what the linear dynamics predict from their gradients.

A replicate's values are means over late checkpoints. Two things are read: Tr Xi, and the sharpness regularizer itself, the mean over nodes of
the training loss at their models minus that at the averaged model. A verdict needs both to say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.setting import Fact
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from empirical import Run, trajectory
from empirical.device import one_thread
from empirical.problems import problem
from empirical.problems.base import Problem
from empirical.samples import draw_samples
from verify.case import RESAMPLES
from verify.claims.averaged_sam.batch_exact import MARGIN
from verify.finding_case import Finding
from verify.statistics import SlopeJudgement, Trend, judge, max_t_band, resamples_for, slope_test, trend_test
from verify.verdict import Curve, Numbers, Table, Verdict

Values = NDArray[np.float64]
_SLOPE_MARGIN = 0.1
_LEADS = {
    Verdict.VIOLATED: "falls by more than the margin",
    Verdict.HOLDS: "nowhere falls by more than the margin",
    Verdict.UNDECIDED: "is not decided to fall by more than the margin or not",
}


@dataclass(frozen=True, eq=False)
class Spread:
    """Per replicate: Tr Xi, the regularizer, and the parts of Tr Xi that linear dynamics in flat directions predict; (replicates,) each.

    ``noise`` and ``pulled`` come from the gradients of all samples at the averaged model: their variance at the nodes, over b, and the nodes'
    mean gradients along every eigenvector of W.
    """

    run: Run
    trace: Values
    penalty: Values
    noise: Values
    pulled: Values

    @property
    def predicted(self) -> Values:
        """Tr Xi as predicted, (replicates,)."""
        return self.noise + self.pulled


def read_spread(one: Run, requests: tuple[Any, ...], device: str) -> Spread:
    """Train one run and read its late checkpoints (the ``read`` of a case)."""
    described, models = problem(one.problem), trajectory(one, device=device)
    training = draw_samples(one, described).training
    flat = torch.from_numpy(models.reshape(*models.shape[:3], -1))
    mean = flat.mean(dim=2, keepdim=True)
    trace = (flat - mean).square().sum(-1).mean(dim=(1, 2)).numpy()
    rows = zip(flat, mean, training, strict=True)
    penalty, noise, pulled = np.array([(_penalty(described, *row), *_parts(one, described, row[1][:, 0], row[2])) for row in rows]).T
    return Spread(one, trace, penalty, noise, pulled)


def _penalty(described: Problem, models: torch.Tensor, mean: torch.Tensor, samples: NDArray[np.int64]) -> float:
    """The regularizer, averaged over the checkpoints of the models (t, m, P) of one replicate, their means being (t, 1, P)."""
    points = torch.cat([models, mean], 1)
    every = torch.from_numpy(np.ascontiguousarray(samples.reshape(-1)))
    with torch.inference_mode(), one_thread():
        losses = described.losses(points.view(-1, points.shape[-1]), every.expand(points.shape[0] * points.shape[1], -1)).mean(1)
    by_model = losses.view(points.shape[:2]).mean(0)
    return float(by_model[:-1].mean() - by_model[-1])


def _parts(one: Run, described: Problem, means: torch.Tensor, samples: NDArray[np.int64]) -> tuple[float, float]:
    """The two predicted parts of Tr Xi at two of the averaged models (t, P) of one replicate, averaged."""
    every = torch.from_numpy(np.ascontiguousarray(samples.reshape(-1)))
    values, vectors = np.linalg.eigh(one.mixing().matrix)
    rest, eta, found = values[:-1], one.schedule.step(1), []
    for mean in means[len(means) // 4 :: len(means) // 2]:
        with torch.inference_mode(), one_thread():
            gradients = described.gradients(mean.expand(len(every), -1).contiguous(), every[:, None]).numpy().reshape(*samples.shape, -1)
        nodes = gradients.mean(axis=1)
        variance = float((gradients**2).sum(axis=2).mean() - (nodes**2).sum(axis=1).mean())
        along = ((vectors[:, :-1].T @ nodes) ** 2).sum(axis=1)
        found.append((variance / one.b * np.sum(1 / (1 - rest**2)), np.sum(along / (1 - rest) ** 2)))
    noise, pulled = eta**2 / one.m * np.mean(found, axis=0)
    return float(noise), float(pulled)


def table_of(found: tuple[Spread, ...], name: str) -> Values:
    """(replicates, runs): one reading of several runs."""
    return np.stack([getattr(one, name) for one in found], axis=1)


def scaled(found: tuple[Spread, ...], name: str) -> Values:
    """The same in units of what is predicted of Tr Xi in that replicate, its mean over the sweep: training sets differ in their gradients' size."""
    return np.asarray(table_of(found, name) / table_of(found, "predicted").mean(axis=1, keepdims=True))


def not_decreasing(trend: Trend) -> Verdict:
    """Whether the means fall nowhere by more than the margin, a share of their mean."""
    if trend.flat or trend.direction == "increasing":
        return Verdict.HOLDS
    return Verdict.VIOLATED if trend.direction == "mixed" or (trend.direction == "decreasing" and trend.beyond) else Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a sweep: along ``parameter`` (b or m), with the order ``exponent`` of Tr Xi in it where one is predicted.

    ``setting`` begins the reason; ``crossing`` asks for the batch at which the two parts are equal.
    """

    parameter: str
    setting: str
    exponent: float | None = None
    crossing: bool = False


def in_runs(measured: tuple[Spread, ...], level: float, rng: np.random.Generator, ask: Ask) -> Finding:
    """Does the spread decrease along the sweep? Half of the level for the two trends, the rest for slope or crossing."""
    resamples = resamples_for(level / 8, RESAMPLES)
    trends = {name: trend_test(_units(scaled(measured, name)), MARGIN, level / 4, resamples, rng) for name in ("trace", "penalty")}
    verdicts = {name: not_decreasing(trend) for name, trend in trends.items()}
    verdict = verdicts["trace"] if len(set(verdicts.values())) == 1 else Verdict.UNDECIDED
    x = [float(getattr(one.run, ask.parameter)) for one in measured]
    trend, ends = trends["trace"], {name: table_of(measured, name).mean(axis=0) for name in trends}
    share = np.array([trend.last, trend.first + trend.low, trend.first + trend.high]) / trend.first
    measured_share, low, high = map(float, share)
    numbers = Numbers(measured_share, low, high, 1 - MARGIN, (1 - MARGIN) / measured_share, trend.replicates)
    told = (
        f"{ask.setting}, Tr Xi {_LEADS[verdicts['trace']]} ({MARGIN:.0%} of its mean): "
        f"{ends['trace'][0]:.4g} at {ask.parameter} = {x[0]:g}, {ends['trace'][-1]:.4g} at {x[-1]:g}; "
        f"the sharpness regularizer (mean loss at the nodes minus loss at their mean) {_LEADS[verdicts['penalty']]}: "
        f"{ends['penalty'][0]:.4g} and {ends['penalty'][-1]:.4g}."
    )
    if ask.exponent is not None:
        slope = slope_test(scaled(measured, "trace"), x, ask.exponent, _SLOPE_MARGIN, level / 4, resamples, rng)
        told += _slope_words(slope, ask)
    told += _crossing(measured, level / 4, resamples, rng) if ask.crossing else ""
    ratios = table_of(measured, "trace").mean(axis=0) / table_of(measured, "predicted").mean(axis=0)
    told += f" Measured over predicted from the gradients (no curvature): {ratios.min():.3g} to {ratios.max():.3g}."
    curves = (_curve(measured, ask, np.array(x), level, rng, resamples),) if len(x) > 2 else ()
    return Finding(verdict, told, numbers, None, conditions(measured, ask), {}, curves, (_table(measured, ask, x),))


def _units(values: Values) -> Values:
    """Scaled to a mean of 1 overall, which no verdict depends on."""
    return np.asarray(values / abs(values.mean()))


def _slope_words(slope: SlopeJudgement, ask: Ask) -> str:
    words = {Verdict.HOLDS: "is", Verdict.VIOLATED: "is not", Verdict.UNDECIDED: "is not decided to be"}
    told = f" Its slope in {ask.parameter} is {slope.slope:.3f} [{slope.low:.3f}, {slope.high:.3f}]"
    return f"{told}: it {words[slope.verdict]} the order {slope.exponent:g} up to {slope.margin:g}."


def _crossing(found: tuple[Spread, ...], level: float, resamples: int, rng: np.random.Generator) -> str:
    """Between which batches the falling part overtakes the other: with Tr Xi = A/b + B, B is a contrast of two batches, linear in a replicate."""
    trace, b = scaled(found, "trace"), np.array([float(one.run.b) for one in found])
    stays = (b[-1] * trace[:, -1] - b[0] * trace[:, 0]) / (b[-1] - b[0])
    falls = b[0] * (trace[:, 0] - stays)
    band = judge(falls[:, None] / b - stays[:, None], np.zeros(len(b)), level, resamples, rng).band
    above = [value for value, low in zip(b, band.low, strict=True) if low > 0]
    below = [value for value, high in zip(b, band.high, strict=True) if high < 0]
    ends = f"{f'above {max(above):g}' if above else 'not bounded from below'} and {f'below {min(below):g}' if below else 'not bounded from above'}"
    first = found[0]
    predicted = b[0] * first.noise.mean() / first.pulled.mean()
    return f" The falling and the staying part are equal at b* = {falls.mean() / stays.mean():.3g} (at the given level {ends}), predicted {predicted:.3g}."


def _curve(found: tuple[Spread, ...], ask: Ask, x: Values, level: float, rng: np.random.Generator, resamples: int) -> Curve:
    values = table_of(found, "trace")
    band = max_t_band(values, level, resamples, rng)
    line = table_of(found, "predicted").mean(axis=0)
    return Curve(
        symbol(ask.parameter), Quantity.CONSENSUS_DISTANCE, x, band.mean, band.low, band.high, line, None, level, len(values), values, None,
        "predicted, flat directions",
    )  # fmt: skip


def _table(found: tuple[Spread, ...], ask: Ask, x: list[float]) -> Table:
    rows: tuple[tuple[Fact, ...], ...] = tuple(
        (
            place,
            one.run.schedule.step(1),
            one.run.T,
            *(float(getattr(one, name).mean()) for name in ("trace", "predicted", "noise", "pulled", "penalty")),
        )
        for place, one in zip(x, found, strict=True)
    )
    heads = (ask.parameter, "eta", "T", "Tr Xi", "predicted", "of noise", "of heterogeneity", "regularizer")
    return Table("Consensus distance and sharpness regularizer", heads, rows)


def conditions(found: tuple[Spread, ...], ask: Ask) -> dict[str, Fact]:
    """What the runs have in common."""
    runs = [one.run for one in found]
    names = [name for name in ("problem", "m", "n", "b", "eta", "T", "data", "split") if len({getattr(run, name) for run in runs}) == 1]
    return {"topology": runs[0].base_mixing().name, **{name: getattr(runs[0], name) for name in names}}

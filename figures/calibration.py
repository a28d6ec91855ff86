"""How far the verifier itself can be trusted: its false alarms under the null and its power against planted violations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bounds.errors import DomainError, unknown_name
from figures.axes import legend_above
from figures.style import BOUND, MEASURED, STROKES, Stroke, house_style, new_figure, plain

WRONG_VERDICTS = ("VIOLATED", "HOLDS")


class FalseAlarmRow(TypedDict):
    """One kind of noise: the share of ``trials`` experiments that got a wrong verdict, with its 95 % interval (all in 0..1).

    ``verdict`` is the wrong word: VIOLATED where the bound equals the truth (when left out), or HOLDS where it lies below.
    """

    noise: str
    rate: float
    low: float
    high: float
    trials: int
    verdict: NotRequired[str]


class PowerRow(TypedDict):
    """One planted violation (the true bound multiplied by ``factor`` < 1): the share called VIOLATED, with its 95 % interval."""

    factor: float
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CalibrationSummary:
    """What the toolkit measured about its own verdicts; ``level`` is the nominal error rate (0.05 is 5 %)."""

    level: float
    false_alarms: Sequence[FalseAlarmRow]
    power: Sequence[PowerRow] = ()


def calibration_figure(rows: Sequence[FalseAlarmRow], level: float) -> Figure:
    """Rates of wrong verdicts per kind of noise, as dots with 95 % intervals, against the nominal ``level``.

    Raises:
        DomainError: when there is no row.
    """
    if not rows:
        raise DomainError("got 0 false-alarm rows; give at least one kind of noise to draw")
    with house_style():
        figure = new_figure(8.6, 2.0 + 0.36 * len(rows))
        axes = figure.subplots()
        axes.axvline(level, color=BOUND.colour, linestyle=BOUND.line, label=f"nominal level {100 * level:.3g} %")
        for verdict, stroke in zip(WRONG_VERDICTS, (MEASURED, STROKES[1]), strict=True):
            _dots(axes, [(place, row) for place, row in enumerate(rows) if wrong_verdict(row) == verdict], verdict, stroke)
        axes.set_yticks(range(len(rows)), [plain(f"{row['noise']} ({row['trials']} trials)") for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(left=0.0)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("share of wrong verdicts")
        legend_above(axes)
    return figure


def wrong_verdict(row: FalseAlarmRow) -> str:
    """Which wrong word the row counts.

    Raises:
        UnknownNameError: when it is neither VIOLATED nor HOLDS.
    """
    verdict = row.get("verdict", "VIOLATED")
    if verdict not in WRONG_VERDICTS:
        raise unknown_name("wrong verdict", verdict, WRONG_VERDICTS)
    return verdict


def _dots(axes: Axes, placed: Sequence[tuple[int, FalseAlarmRow]], verdict: str, stroke: Stroke) -> None:
    if not placed:
        return
    places = [place for place, _ in placed]
    axes.hlines(places, [row["low"] for _, row in placed], [row["high"] for _, row in placed], color=stroke.colour)
    rates, label = [row["rate"] for _, row in placed], f"false {verdict}, 95 % interval"
    axes.plot(rates, places, color=stroke.colour, linestyle="None", marker=stroke.marker, label=label)


def power_figure(factors: Sequence[float], rates: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> Figure:
    """Power against planted violations: ``rates`` in 0..1 over ``factors`` that multiply the bound, with 95 % intervals.

    Raises:
        DomainError: when there is nothing to draw, or the lengths differ.
    """
    lengths = [len(values) for values in (factors, rates, lows, highs)]
    if not factors or len(set(lengths)) != 1:
        raise DomainError(f"got lengths {lengths} of factors, rates, lows and highs; give four of one length, at least 1")
    order = np.argsort(np.asarray(factors, dtype=np.float64), kind="stable")
    x, y, low, high = (np.asarray(values, dtype=np.float64)[order] for values in (factors, rates, lows, highs))
    with house_style():
        figure = new_figure(6.4, 4.0)
        axes = figure.subplots()
        axes.vlines(x, low, high, color=MEASURED.colour, linewidth=1.4)
        axes.plot(x, y, color=MEASURED.colour, linestyle=MEASURED.line, marker=MEASURED.marker, label="power, 95 % interval")
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("planted violation: the true bound multiplied by this factor")
        axes.set_ylabel("share called VIOLATED")
        legend_above(axes)
    return figure

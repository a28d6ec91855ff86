"""What every panel shares: scales that suit the numbers, ticks that name the points, labels from the registry."""

from __future__ import annotations

import math
import re
import textwrap
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FormatStrFormatter, LogFormatterSciNotation, LogLocator, NullLocator, SymmetricalLogLocator
from numpy.typing import NDArray

from bounds.symbols import Symbol
from bounds.vocabulary import Quantity
from figures.style import FAINT, MEASURED, Stroke, plain
from figures.words import quantity_words

Values = NDArray[np.float64]
_LOG_RATIO = 20.0
_MOST_NAMED_POINTS = 8
_MOST_MARKED_POINTS = 25
_LARGEST = 1e250
#: An axis over this ratio has three powers of ten at least.
_MANY_DECADES = 1e3
#: Numbers in between are no longer written out than as powers.
_SHORT = (1e-3, 1e5)


_POWER = re.compile(r"^\$\\mathdefault\{(-?)(?:(-?[\d.]+)\\times)?10\^\{(-?\d+)\}\}\$$")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Powers(LogFormatterSciNotation):
    """Powers of ten in raised digits: as text they are laid out in a tenth of the time of formulas. ``written_out``: as 50, not 5×10¹."""

    def __init__(self, base: float = 10.0, written_out: bool = False, **options: Any) -> None:
        super().__init__(base, **options)
        self.written_out = written_out

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick."""
        label = super().__call__(x, pos)
        if self.written_out and label:
            return f"{x:g}".replace("-", "−")
        sign, factor, power = found.groups() if (found := _POWER.match(label)) else ("", None, None)
        if power is None:
            return label.removeprefix("$\\mathdefault{").removesuffix("}$").replace("-", "−")
        return ("−" if sign else "") + (f"{factor}×" if factor else "") + "10" + power.translate(_RAISED)


def _name_powers(axis: Axis, low: float, high: float, threshold: float | None = None) -> None:
    """Raised digits on a logarithmic axis, and no minor ticks where decades suffice; ``threshold``: a symmetric one is linear below."""
    if threshold is not None or high >= _MANY_DECADES * low:
        axis.set_major_formatter(Powers(linthresh=threshold))
        axis.set_minor_locator(NullLocator())
        return
    short = low >= _SHORT[0] and high <= _SHORT[1]
    axis.set_major_formatter(Powers(written_out=short))
    if high < _LOG_RATIO * low:
        axis.set_minor_formatter(Powers(written_out=short))
    else:
        # Every digit has a label by default, and the labels of 3 and 4 run into each other.
        axis.set_minor_locator(LogLocator(10, subs=(2.0, 5.0)))
        axis.set_minor_formatter(Powers(written_out=short, minor_thresholds=(math.inf, math.inf)))


@dataclass(frozen=True, slots=True)
class Scale:
    """How an axis is scaled; ``threshold`` is where a symmetric log axis turns linear around zero."""

    name: Literal["linear", "log", "symlog"]
    threshold: float = 1.0


def choose_scale(reference: Values, measured: Values | None = None) -> Scale:
    """Logarithmic when the magnitudes span a factor of 20; symmetric about zero when some value is not positive.

    ``reference`` holds the bound's values and the measured means, ``measured`` everything measured, band ends included.
    """
    drawn = _finite(reference if measured is None else np.concatenate([reference, measured]))
    sizes = np.abs(drawn[drawn != 0])
    if sizes.size == 0 or sizes.max() / _LOG_RATIO < sizes.min():
        return Scale("linear")
    if bool((drawn > 0).all()):
        return Scale("log")
    return _symmetric(np.abs(_finite(reference)), drawn)


def _symmetric(reference: Values, drawn: Values) -> Scale:
    # A threshold far below the negative values would spend decades of the axis on the sign of noise.
    floor = 1e-2 * float(-drawn.min(initial=0.0))
    positive = reference[reference > 0]
    threshold = max(floor, float(positive.min())) if positive.size else floor
    return Scale("symlog", threshold) if 0 < threshold < float(np.abs(drawn).max()) / _LOG_RATIO else Scale("linear")


def scale_y(axes: Axes, scale: Scale) -> None:
    """Scale the y axis; where zero is inside, a line marks it."""
    if scale.name == "symlog":
        axes.set_yscale("symlog", linthresh=scale.threshold, linscale=0.6)
        locator = SymmetricalLogLocator(base=10, linthresh=scale.threshold)
        locator.set_params(numticks=7)
        axes.yaxis.set_major_locator(locator)
        _name_powers(axes.yaxis, *axes.get_ylim(), scale.threshold)
        _pad_y(axes)
    else:
        axes.set_yscale(scale.name)
        if scale.name == "log":
            _name_powers(axes.yaxis, *axes.get_ylim())
    low, high = axes.get_ylim()
    if low < 0 < high:
        axes.axhline(0.0, color=FAINT, linewidth=1.0, zorder=1)


def _pad_y(axes: Axes) -> None:
    # matplotlib pads a symmetric log axis on the linear scale, which buries small values and cuts large ones off.
    transform = axes.yaxis.get_transform()
    low, high = transform.transform(np.asarray(axes.dataLim.intervaly))
    pad = 0.04 * (high - low)
    axes.set_ylim(*transform.inverted().transform(np.array([low - pad, high + pad])))


def scale_x(axes: Axes, x: Values, log: bool | None = None) -> None:
    """Scale the x axis (as the points ask for, unless told) and, where few points stand well apart, put one tick on each."""
    points = np.unique(_finite(x))
    log = choose_scale(points).name == "log" or _geometric(points) if log is None else log
    axes.set_xscale("log" if log else "linear")
    if log:
        _name_powers(axes.xaxis, *axes.get_xlim())
    if not 1 <= points.size <= _MOST_NAMED_POINTS:
        return
    places = np.log(points) if log else points
    if points.size == 1 or np.diff(places).min() >= 0.07 * (places[-1] - places[0]):
        axes.xaxis.set_major_locator(FixedLocator(points.tolist()))
        axes.xaxis.set_major_formatter(FormatStrFormatter("%.4g"))
        axes.xaxis.set_minor_locator(NullLocator())


def _geometric(points: Values) -> bool:
    """Whether the points are spaced more evenly by ratio than by difference, as 8, 16, 32 are."""
    if points.size < 3 or points[0] <= 0:
        return False
    steps, ratios = np.diff(points), np.diff(np.log(points))
    return bool(np.ptp(ratios) / ratios.mean() < np.ptp(steps) / steps.mean())


def label_axes(axes: Axes, symbol: Symbol, quantity: Quantity, label: str | None = None) -> None:
    """Name both axes from the registries, with the parameter's unit where it has one; ``label`` replaces the quantity's name."""
    unit = "" if symbol.unit == "-" else f" [{symbol.unit.replace('^2', '²')}]"
    axes.set_xlabel(symbol.label + unit)
    axes.set_ylabel(plain(label) if label else quantity_words(quantity))


def legend_above(axes: Axes) -> None:
    """The legend over the panel, where it can hide no data; long labels go on over a second line."""
    handles, labels = axes.get_legend_handles_labels()
    wrapped = ["\n".join(textwrap.wrap(label, width=42)) for label in labels]
    axes.legend(handles, wrapped, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3, ncols=1)


def draw_line(axes: Axes, x: Values, y: Values, stroke: Stroke, label: str) -> None:
    """A series whose values that are not finite (or beyond 1e250) are gaps; a value between two gaps shows as a marker."""
    shown = _drawable(y)
    marker = stroke.marker if x.size <= _MOST_MARKED_POINTS else "None"
    label = f" {label}" if label.startswith("_") else label  # matplotlib hides labels that start with an underscore
    axes.plot(x, shown, color=stroke.colour, linestyle=stroke.line, marker=marker, label=label, zorder=3)
    lonely = _lonely(np.isfinite(shown))
    if marker == "None" and lonely.any():
        axes.plot(x[lonely], shown[lonely], color=stroke.colour, linestyle="None", marker=stroke.marker, zorder=3)


def draw_measured(axes: Axes, x: Values, mean: Values, low: Values, high: Values, label: str) -> None:
    """Means as markers, the band as a shade and, point by point, as bars: between the points it says nothing."""
    mean, low, high = _drawable(mean), _drawable(low), _drawable(high)
    band = np.isfinite(low) & np.isfinite(high)
    if x.size > 1:
        axes.fill_between(x, low, high, where=band.tolist(), color=MEASURED.colour, alpha=0.18, linewidth=0, zorder=2)
    marker = MEASURED.marker if x.size <= _MOST_MARKED_POINTS else "None"
    if x.size <= _MOST_MARKED_POINTS:
        axes.vlines(x[band], low[band], high[band], color=MEASURED.colour, linewidth=1.4, zorder=4)
        for ends in (low[band], high[band]):
            axes.plot(x[band], ends, color=MEASURED.colour, linestyle="None", marker="_", markersize=8, zorder=4)
    axes.plot(x, mean, color=MEASURED.colour, linestyle=MEASURED.line, marker=marker, label=label, zorder=5)


def _finite(values: Values) -> Values:
    return values[np.isfinite(_drawable(values))]


def _drawable(values: Values) -> Values:
    # matplotlib's axes overflow next to the largest and the smallest floats.
    sizes = np.abs(values)
    return np.where((sizes <= _LARGEST) & ((sizes >= 1 / _LARGEST) | (values == 0)), values, np.nan)


def _lonely(present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.concatenate([[False], present, [False]])
    return np.asarray(present & ~padded[:-2] & ~padded[2:], dtype=np.bool_)

"""A bound over two parameters: level lines that carry their values, or, of few points, the values themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.symbols import Symbol
from bounds.vocabulary import Quantity
from figures.axes import Scale, scale_x, scale_y
from figures.cells import HATCHES, SHADES, Cells, cells_figure, short, three, write_note
from figures.style import BOUND, FAINT, INK, house_style, new_figure, plain
from figures.words import quantity_words

Values = NDArray[np.float64]
_LOG_RATIO = 20.0
_LARGEST = 1e250
#: With fewer values along one axis each number is written out.
_FEWEST = 8
_MOST_LEVELS = 9
#: Of the shades those that dark letters can be read on.
_LIGHT = 0.62


@dataclass(frozen=True, slots=True)
class ValueMap:
    """A bound over two parameters.

    ``values`` and ``applies`` have shape (y, x): the bound, and False where one of its assumptions fails. ``trivial`` is what the
    quantity never exceeds (such as the loss's supremum M): the bound is vacuous above. ``fixed`` are the other parameters.
    """

    bound: str
    quantity: Quantity
    x: Symbol
    y: Symbol
    x_values: Values
    y_values: Values
    values: Values
    applies: NDArray[np.bool_]
    fixed: Mapping[str, object]
    trivial: float | None = None


def value_map(drawn: ValueMap) -> Figure:
    """Draw level lines with their values, one shade between any two; hatched where an assumption fails, dotted where the bound is vacuous.

    With fewer than 8 values along an axis the numbers are written into cells instead.

    Raises:
        DomainError: for shapes that differ, one value along an axis, or no point with a finite value.
    """
    shape = (drawn.y_values.size, drawn.x_values.size)
    if {drawn.values.shape, drawn.applies.shape} != {shape} or 1 in shape:
        raise DomainError(f"got values of shape {drawn.values.shape} over {shape[0]} y and {shape[1]} x values; give at least 2 by 2")
    shown = np.where(drawn.applies & (np.abs(drawn.values) < _LARGEST), drawn.values, np.nan)
    if not np.isfinite(shown).any():
        raise DomainError(
            f"{drawn.bound} has no finite value that its assumptions allow over {drawn.x.name} and {drawn.y.name}; move a range"
        )
    return _cells_of(drawn, shown) if min(shape) < _FEWEST else _contours(drawn, shown)


def axis_label(known: Symbol) -> str:
    """The registry's label with the unit, where there is one."""
    return known.label + ("" if known.unit == "-" else f" [{known.unit.replace('^2', '²')}]")


def fixed_words(fixed: Mapping[str, object]) -> str:
    """``with L = 1, m = 16, topology: ring``; nothing where nothing is fixed."""
    space = "\N{NO-BREAK SPACE}"
    told = [f"{name}{space}={space}{value:g}" if isinstance(value, int | float) else f"{name}: {value}" for name, value in fixed.items()]
    return "with " + ", ".join(told) if told else ""


def levels_of(values: Values) -> tuple[Values, bool]:
    """At most 9 round levels inside the finite values, and whether they rise by ratios."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    if not (low > 0 and high > _LOG_RATIO * low):
        ticks = np.asarray(MaxNLocator(_MOST_LEVELS - 1, steps=[1, 2, 5, 10]).tick_values(low, high), dtype=np.float64)
        return ticks[(ticks > low) & (ticks < high)], False
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    for digits in ((1, 2, 5), (1, 3)):
        found = np.array([digit * 10.0**power for power in range(first, last + 1) for digit in digits])
        found = found[(found > low) & (found < high)]
        if found.size <= _MOST_LEVELS:
            return found, True
    apart = -(-(last - first + 1) // _MOST_LEVELS)
    found = np.array([10.0**power for power in range(-(-first // apart) * apart, last + 1, apart)])
    return found[(found > low) & (found < high)], True


def _cells_of(drawn: ValueMap, shown: Values) -> Figure:
    values, vacuous = shown[::-1], _vacuous(drawn, shown)[::-1]
    marks = np.where(~drawn.applies[::-1], 0, np.where(np.isnan(values), 1, np.where(vacuous, 2, -1))).astype(np.int64)
    texts = [["" if np.isnan(value) else three(float(value)) for value in row] for row in values]
    legend = ("outside the assumptions", "no finite value", _vacuous_words(drawn))
    across, up = ([short(float(value)) for value in ends] for ends in (drawn.x_values, drawn.y_values[::-1]))
    labels = (axis_label(drawn.x), axis_label(drawn.y))
    return cells_figure(Cells(_title(drawn), *labels, across, up, values, texts, marks, legend, note=fixed_words(drawn.fixed)))


def _contours(drawn: ValueMap, shown: Values) -> Figure:
    levels, ratios = levels_of(shown)
    # Between points a value is drawn as it lies between them on the scale of the levels.
    heights = np.log10(shown) if ratios else shown
    places = np.log10(levels) if ratios else levels
    with house_style():
        figure = new_figure(7.0, 5.4, _title(drawn))
        axes = figure.subplots()
        axes.grid(False)
        _scale(axes, drawn)
        filled = np.ma.masked_invalid(heights)
        ends = [float(filled.min()) - 1.0, *places, float(filled.max()) + 1.0]
        shades = [SHADES(_LIGHT * share) for share in np.linspace(0.0, 1.0, len(ends) - 1)]
        axes.contourf(drawn.x_values, drawn.y_values, filled, levels=ends, colors=shades, zorder=1)
        handles = _hatches(axes, drawn, shown)
        if places.size:
            lines = axes.contour(
                drawn.x_values, drawn.y_values, filled, levels=places, colors=INK, linewidths=1.0, linestyles="solid", zorder=3
            )
            for text in axes.clabel(lines, fmt=dict(zip(places, map(short, levels), strict=True)), fontsize=9, zorder=5):
                text.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8})
        if handles:
            axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3, ncols=1)
        write_note(figure, fixed_words(drawn.fixed))
    return figure


def _scale(axes: Axes, drawn: ValueMap) -> None:
    scale_x(axes, drawn.x_values, _is_log(drawn.x_values))
    axes.set(xlim=(drawn.x_values[0], drawn.x_values[-1]), ylim=(drawn.y_values[0], drawn.y_values[-1]))
    scale_y(axes, Scale("log" if _is_log(drawn.y_values) else "linear"))
    axes.set(xlim=(drawn.x_values[0], drawn.x_values[-1]), ylim=(drawn.y_values[0], drawn.y_values[-1]))
    axes.set(xlabel=axis_label(drawn.x), ylabel=axis_label(drawn.y))


def _is_log(values: Values) -> bool:
    return bool(values[0] > 0 and values[-1] > _LOG_RATIO * values[0])


def _hatches(axes: Axes, drawn: ValueMap, shown: Values) -> list[Patch | Line2D]:
    """Whatever carries no shade is hatched; the vacuous part is dotted, its edge a broken line."""
    handles: list[Patch | Line2D] = []
    if np.isnan(shown).any():
        axes.patch.set(hatch=HATCHES[0], edgecolor=FAINT, linewidth=0)
        words = "outside the assumptions" if np.isfinite(drawn.values).all() else "outside the assumptions, or without a finite value"
        handles.append(Patch(facecolor="white", edgecolor=FAINT, hatch=HATCHES[0], label=words))
    vacuous = _vacuous(drawn, shown)
    if vacuous.any() and drawn.trivial is not None:
        over = np.ma.masked_invalid(shown / drawn.trivial)
        place = (drawn.x_values, drawn.y_values)
        axes.contourf(*place, over, levels=[1.0, np.inf], colors="none", hatches=[HATCHES[1]], zorder=2)
        axes.contour(*place, over, levels=[1.0], colors=BOUND.colour, linewidths=2.2, linestyles="dashed", zorder=3)
        handles.append(Patch(facecolor="white", edgecolor=BOUND.colour, linestyle="--", hatch=HATCHES[1], label=_vacuous_words(drawn)))
    return handles


def _vacuous(drawn: ValueMap, shown: Values) -> NDArray[np.bool_]:
    return np.zeros(shown.shape, dtype=np.bool_) if drawn.trivial is None else np.nan_to_num(shown, nan=-np.inf) > drawn.trivial


def _vacuous_words(drawn: ValueMap) -> str:
    return "" if drawn.trivial is None else f"VACUOUS: above the trivial bound {drawn.trivial:g}"


def _title(drawn: ValueMap) -> str:
    return plain(f"{drawn.bound}: {quantity_words(drawn.quantity)}")

"""One or several bounds over one parameter, with or without what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.symbols import Symbol
from bounds.vocabulary import Quantity
from figures.axes import choose_scale, draw_line, draw_measured, label_axes, legend_above, scale_x, scale_y
from figures.style import house_style, new_figure, plain, stroke

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One bound along the parameter: ``values`` has shape (points,), non-finite entries are drawn as gaps."""

    label: str
    values: Values


@dataclass(frozen=True, slots=True)
class MeasuredSeries:
    """Measured values beside the bounds, each of shape (measured points,).

    ``low`` and ``high`` are the ends of a band (``None`` for none); ``replicates`` is how many runs a mean is over,
    ``band`` what the legend calls the band.
    """

    x: Values
    mean: Values
    low: Values | None = None
    high: Values | None = None
    replicates: int = 1
    band: str = "band"


def bound_over_parameter(
    symbol: Symbol,
    x: Values,
    series: Sequence[Series],
    quantity: Quantity,
    log_x: bool = False,
    measured: MeasuredSeries | None = None,
) -> Figure:
    """Draw every series over ``x`` (shape (points,), any order).

    Raises:
        DomainError: when nothing is given to draw, lengths differ, or ``log_x`` meets a parameter that is not positive.
    """
    x = np.asarray(x, dtype=np.float64)
    lines = [np.asarray(one.values, dtype=np.float64) for one in series]
    _check(symbol, x, series, log_x, measured)
    order = np.argsort(x, kind="stable")
    with house_style():
        figure = new_figure(6.8, 4.8)
        axes = figure.subplots()
        for index, (one, values) in enumerate(zip(series, lines, strict=True)):
            draw_line(axes, x[order], values[order], stroke(index), plain(one.label))
        label_axes(axes, symbol, quantity)
        if measured is None:
            scale_x(axes, x, log_x)
            scale_y(axes, choose_scale(np.concatenate(lines)))
        else:
            places, means, band = _draw_measured(axes, measured)
            scale_x(axes, np.concatenate([x, places]), log_x)
            scale_y(axes, choose_scale(np.concatenate([*lines, means]), band))
        legend_above(axes)
    return figure


def _draw_measured(axes: Axes, measured: MeasuredSeries) -> tuple[Values, Values, Values]:
    """Draw the measured means and their band; return the places, the means, and everything drawn."""
    x, mean = (np.asarray(values, dtype=np.float64) for values in (measured.x, measured.mean))
    low, high = (np.full(x.shape, np.nan) if ends is None else np.asarray(ends, dtype=np.float64) for ends in (measured.low, measured.high))
    order = np.argsort(x, kind="stable")
    banded = f", {measured.band}" if measured.low is not None else ""
    replicates = f"{measured.replicates} replicate{'' if measured.replicates == 1 else 's'}"
    draw_measured(axes, x[order], mean[order], low[order], high[order], f"measured mean{banded} ({replicates})")
    return x, mean, np.concatenate([mean, low, high])


def _check(symbol: Symbol, x: Values, series: Sequence[Series], log_x: bool, measured: MeasuredSeries | None) -> None:
    if not series and measured is None:
        raise DomainError("got 0 bounds and no measured series; give at least one of them to draw")
    for one in series:
        if np.shape(one.values) != x.shape:
            raise DomainError(f"series {one.label!r} has shape {np.shape(one.values)}, x has {x.shape}; give one value per point")
    places = [x]
    if measured is not None:
        _check_measured(measured)
        places.append(np.asarray(measured.x, dtype=np.float64))
    lowest = min((float(one.min()) for one in places if one.size), default=1.0)
    if log_x and lowest <= 0:
        raise DomainError(f"{symbol.name}={lowest:g} has no place on a log axis; start above 0 or leave the log axis out")


def _check_measured(measured: MeasuredSeries) -> None:
    shape = np.shape(measured.x)
    if (measured.low is None) != (measured.high is None):
        raise DomainError("a measured band has one end only; give both low and high, or neither")
    for name in ("mean", "low", "high"):
        values = getattr(measured, name)
        if values is not None and np.shape(values) != shape:
            raise DomainError(f"measured {name} has shape {np.shape(values)}, its x has {shape}; give one value per point")

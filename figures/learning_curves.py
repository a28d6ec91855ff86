"""Logged accuracy over the steps: one figure per network and data set, one panel per batch, one line per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bounds.errors import DomainError
from figures.axes import legend_above
from figures.style import MEASURED, Stroke, house_style, new_figure, plain, stroke

_COLUMNS = 2
_PANEL = (5.6, 4.2)
#: The rise at the start and single collapses are cut off: neither rows before this share of the steps nor the lowest 5 % widen the axis.
_START = 0.15
_LOWEST = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """One run: ``steps`` and ``accuracy`` (percent), both of shape (rows,); ``reference`` for a centralized run."""

    label: str
    steps: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """The runs that one panel compares."""

    title: str
    lines: tuple[Line, ...]


def learning_curves(title: str, panels: Sequence[Panel]) -> Figure:
    """Draw every panel, all with one accuracy axis that leaves out the steep start; lines of one label look alike.

    Raises:
        DomainError: when there is no line to draw.
    """
    if not any(panel.lines for panel in panels):
        raise DomainError("got 0 lines; give at least one run to draw")
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    strokes = _strokes(panels)
    with house_style():
        figure = new_figure(columns * _PANEL[0], rows * _PANEL[1] + 0.3, title)
        places = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axes, panel in zip(places, panels, strict=False):
            _draw(axes, panel, strokes)
        places[0].set_ylim(*_reach(panels))
        for empty in places[len(panels) :]:
            empty.remove()
    return figure


def _strokes(panels: Sequence[Panel]) -> dict[str, Stroke]:
    labels = list(dict.fromkeys(line.label for panel in panels for line in panel.lines if not line.reference))
    centres = {line.label: MEASURED for panel in panels for line in panel.lines if line.reference}
    return {label: stroke(index) for index, label in enumerate(sorted(labels))} | centres


def _draw(axes: Axes, panel: Panel, strokes: dict[str, Stroke]) -> None:
    shown: set[str] = set()
    for line in panel.lines:
        look = strokes[line.label]
        label = "_" if line.label in shown else plain(line.label)
        marker = look.marker if line.steps.size == 1 else "None"
        axes.plot(line.steps, line.accuracy, color=look.colour, linestyle=look.line, marker=marker, linewidth=1.5, label=label)
        shown.add(line.label)
    axes.set_xlabel(f"step T ({plain(panel.title)})")
    axes.set_ylabel("accuracy [%]")
    legend_above(axes)


def _reach(panels: Sequence[Panel]) -> tuple[float, float]:
    kept = [line.accuracy[line.steps >= _START * line.steps[-1]] for panel in panels for line in panel.lines]
    values = np.concatenate(kept)
    pad = max(0.05 * float(values.max() - np.quantile(values, _LOWEST)), 0.1)
    return float(np.quantile(values, _LOWEST)) - pad, float(values.max()) + pad

"""Points over two numbers, coloured by a third one, and the level lines of a plane that was fitted to them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from bounds.errors import DomainError
from figures.axes import legend_above
from figures.style import FAINT, INK, STROKES, house_style, new_figure, plain
from verify.verdict import Scatter

_PAD = 0.08


def scatter_figure(drawn: Scatter) -> Figure:
    """Draw a scatter: one marker per group, the third number as the colour, labelled level lines of the plane.

    Raises:
        DomainError: for more groups than there are markers.
    """
    names = list(dict.fromkeys(drawn.groups))
    if len(names) > len(STROKES):
        raise DomainError(f"got {len(names)} groups; a scatter tells at most {len(STROKES)} apart, so draw several")
    with house_style():
        figure = new_figure(7.0, 5.6, drawn.title[:1].upper() + drawn.title[1:])
        axes = figure.subplots()
        low, high = float(drawn.values.min()), float(drawn.values.max())
        x, y = (_span(one) for one in (drawn.x, drawn.y))
        level, along, up = drawn.plane
        fitted = level + along * x[None, :] + up * y[:, None]
        if np.ptp(fitted) > 0:
            lines = axes.contour(x, y, fitted, levels=7, colors=FAINT, linewidths=1.0, zorder=1)
            axes.clabel(lines, fmt="%.4g", fontsize=9)
        for stroke, name in zip(STROKES, names, strict=False):
            own = np.array([group == name for group in drawn.groups])
            shown = axes.scatter(
                drawn.x[own], drawn.y[own], c=drawn.values[own], marker=stroke.marker, s=64, cmap="viridis", edgecolors=INK, linewidths=0.6,
                label=plain(name), zorder=3, vmin=low, vmax=high,
            )  # fmt: skip
        figure.colorbar(shown, ax=axes, label=plain(drawn.axes[2]))
        axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=plain(drawn.axes[0]), ylabel=plain(drawn.axes[1]))
        legend_above(axes)
    return figure


def _span(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    pad = _PAD * (high - low) or 1.0
    return np.linspace(low - pad, high + pad, 40)

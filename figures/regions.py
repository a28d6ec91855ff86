"""A map of which answer holds where over two numbers: shades with names in them, and the borders that are known."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bounds.errors import DomainError
from figures.axes import legend_above
from figures.style import INK, STROKES, house_style, new_figure, plain
from verify.verdict import Map

#: From light to dark, for readers in grey.
_SHADES = ("#fdebdf", "#a9c5de", "#c9e3d3", "#d9d9d9", "#d9b3c7", "#8fa3ad")
_WIDTH = 18


def region_figure(drawn: Map) -> Figure:
    """Draw a map on linear axes: each region shaded and named where it is widest, the borders as lines with a legend.

    Raises:
        DomainError: for more regions than there are shades.
    """
    if len(drawn.labels) > len(_SHADES):
        raise DomainError(f"got {len(drawn.labels)} regions; a map tells at most {len(_SHADES)} apart, so draw several maps")
    with house_style():
        figure = new_figure(7.0, 6.0, drawn.title[:1].upper() + drawn.title[1:])
        axes = figure.subplots()
        axes.grid(False)
        shades = ListedColormap(_SHADES[: len(drawn.labels)])
        ends = (-0.5, len(drawn.labels) - 0.5)
        axes.pcolormesh(
            drawn.x, drawn.y, drawn.regions, shading="nearest", rasterized=True, zorder=1, cmap=shades, vmin=ends[0], vmax=ends[1]
        )
        for stroke, (name, x, y) in zip(STROKES[1:], drawn.borders, strict=False):
            axes.plot(x, y, color=stroke.colour, linestyle=stroke.line, label=plain(name), zorder=3)
        for number, label in enumerate(drawn.labels):
            _name(axes, drawn, drawn.regions == number, label)
        axes.set(xlim=(drawn.x[0], drawn.x[-1]), ylim=(drawn.y[0], drawn.y[-1]), xlabel=drawn.axes[0], ylabel=drawn.axes[1])
        if drawn.borders:
            legend_above(axes)
    return figure


def _name(axes: Axes, drawn: Map, mask: NDArray[np.bool_], label: str) -> None:
    """The name of a region at the point of it that is farthest from its edge; a region without points has none."""
    if not mask.any():
        return
    from scipy.ndimage import distance_transform_edt

    room = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(room)), room.shape)
    text = "\n".join(textwrap.wrap(plain(label), _WIDTH))
    axes.text(float(drawn.x[column]), float(drawn.y[row]), text, ha="center", va="center", fontsize=10, color=INK, zorder=4)

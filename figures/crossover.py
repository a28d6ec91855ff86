"""Which of two bounds is smaller over two parameters: two shades with the smaller bound's name in them, and the curve between."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bounds.comparison import Plane
from bounds.errors import DomainError
from bounds.symbols import symbol
from figures.style import INK, house_style, new_figure, plain

#: Light and dark, for readers in grey.
_SHADES = {-1: "#fdebdf", 1: "#a9c5de", 0: "#d9d9d9"}
_LOG_RATIO = 20
_SHOWN = 160
#: Of the panel's height a line of text, of its width a character, and of both the room around.
_LINE, _CHARACTER, _MARGIN = 0.045, 0.0135, 0.02
_LABEL_WIDTH = 22
_TITLE_WIDTH = 92
Mask = NDArray[np.bool_]


def crossover_figure(plane: Plane) -> Figure:
    """Draw a plane of signs: the region where either bound is smaller, named in place, and the crossover curve.

    Points that the assumptions of the bounds leave out stay white. The values held fixed stand above the panel.

    Raises:
        DomainError: when no point of the plane is admissible.
    """
    if not plane.admissible.any():
        raise DomainError(f"no point over {plane.names[0]} and {plane.names[1]} meets the assumptions of both bounds; widen a range")
    with house_style():
        figure = new_figure(7.0, 5.2)
        axes = figure.subplots()
        axes.grid(False)
        _axes(axes, plane)
        regions = [(sign, plane.admissible & (plane.signs == sign), label) for sign, label in _labels(plane).items()]
        for sign, mask, _ in regions:
            _shade(axes, plane, mask, sign)
        for line in _lines(plane):
            axes.plot(line[:, 0], line[:, 1], color=INK, linewidth=2.0, zorder=3)
        for _, mask, label in regions:
            _label(axes, plane, mask, label)
        named = _label(axes, plane, ~plane.admissible, "outside the assumptions")
        axes.set_title("\n".join(textwrap.wrap(plain(_fixed(plane, named)), _TITLE_WIDTH, break_on_hyphens=False)), loc="left", fontsize=9)
    return figure


def _labels(plane: Plane) -> dict[int, str]:
    return {-1: f"{plane.a} smaller", 1: f"{plane.b} smaller", 0: "equal"}


def _axes(axes: Axes, plane: Plane) -> None:
    """Scales and names of both axes."""
    for name, values, side in zip(plane.names, (plane.x, plane.y), ("x", "y"), strict=True):
        known = symbol(name)
        logarithmic = values[0] > 0 and values[-1] > _LOG_RATIO * values[0]
        axes.set(**{f"{side}scale": "log" if logarithmic else "linear", f"{side}lim": (values[0], values[-1])})
        unit = "" if known.unit == "-" else f" [{known.unit.replace('^2', '²')}]"
        axes.set(**{f"{side}label": known.label + unit})


def _shade(axes: Axes, plane: Plane, mask: Mask, sign: int) -> None:
    if mask.any():
        shade = np.ma.masked_array(np.ones(mask.shape), ~mask)
        axes.pcolormesh(plane.x, plane.y, shade, cmap=ListedColormap([_SHADES[sign]]), shading="nearest", rasterized=True, zorder=1)


def _lines(plane: Plane) -> list[NDArray[np.float64]]:
    """The crossings joined from column to column: each goes on with the nearest one of the next column, if none is nearer to that."""
    lines: list[list[tuple[float, float]]] = []
    open_: list[list[tuple[float, float]]] = []
    columns = {x: [(low + high) / 2 for at, low, high in plane.curve if at == x] for x in dict.fromkeys(plane.curve[:, 0])}
    for place in range(plane.x.size):
        x, heights = plane.x[place], columns.get(plane.x[place], [])
        same = len(heights) == len(open_)
        fresh = [[*(open_[rank] if same else []), (x, height)] for rank, height in enumerate(heights)]
        if not same:
            lines += open_
        open_ = fresh
    return [np.array(line) for line in [*lines, *open_] if line]


def _label(axes: Axes, plane: Plane, mask: Mask, label: str) -> bool:
    """The name of a region in the middle of where it is widest, in more lines where it is narrow; whether it fits there."""
    from scipy.ndimage import distance_transform_edt, minimum_filter

    across = [
        _nearest(axes.transAxes.transform([(s, s) for s in (np.arange(_SHOWN) + 0.5) / _SHOWN]), axes, side, plane) for side in (0, 1)
    ]
    seen = np.pad(mask[np.ix_(across[1], across[0])], 1)
    room = distance_transform_edt(seen)[1:-1, 1:-1]
    for text in (_wrapped(label, _LABEL_WIDTH), _wrapped(label.replace("_", "_ "), _LABEL_WIDTH // 2)):
        lines = text.split("\n")
        size = [int(_SHOWN * share) + 1 for share in (_LINE * len(lines) + _MARGIN, _CHARACTER * max(map(len, lines)) + _MARGIN)]
        fits = np.where(minimum_filter(seen, size, mode="constant")[1:-1, 1:-1], room, 0.0)
        if fits.any():
            places = np.argwhere(fits >= 0.98 * fits.max())
            row, column = places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]
            at = ((column + 0.5) / _SHOWN, (row + 0.5) / _SHOWN)
            axes.text(*at, plain(text), transform=axes.transAxes, ha="center", va="center", fontsize=10, color=INK, zorder=4)
            return True
    return not mask.any()


def _wrapped(text: str, width: int) -> str:
    return "\n".join(line.replace("_ ", "_") for line in textwrap.wrap(text, width, break_long_words=False))


def _nearest(shown: NDArray[np.float64], axes: Axes, side: int, plane: Plane) -> NDArray[np.intp]:
    """Of places on the screen the nearest values of one axis."""
    values = (plane.x, plane.y)[side]
    at = axes.transData.inverted().transform(shown)[:, side]
    above = np.clip(np.searchsorted(values, at), 1, values.size - 1)
    return np.where(at - values[above - 1] < values[above] - at, above - 1, above)


def _fixed(plane: Plane, named: bool) -> str:
    """What is held fixed, and what white means where no words stand in it."""
    space = "\N{NO-BREAK SPACE}"
    told = [f"{name}{space}={space}{value:g}" for name, value in plane.fixed.items()]
    told += [f"{name}{space}={space}{text}" for name, text in plane.let.items()]
    white = [] if named else ["white: outside the assumptions"]
    return "; ".join([*(["with " + ", ".join(told)] if told else []), *white])

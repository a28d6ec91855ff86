"""A network beside its spectrum: who gossips with whom, and how far the second eigenvalue is from 1."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.topology import MixingMatrix, Spectrum
from figures.axes import Powers
from figures.cells import short
from figures.layouts import edges, places
from figures.style import BOUND, FAINT, INK, MEASURED, STROKES, house_style, new_figure

#: Larger networks are a blot; their spectrum stands alone.
MOST_DRAWN = 128
_MOST_MARKED = 64
_MOST_POINTS = 2000
_MARGIN = 0.12
_SAME = 1e-9
_EDGE = "#5d6670"
#: Above this the gap is too narrow to hold its own name.
_HIGH = 0.86


def topology_figure(network: MixingMatrix | Spectrum) -> Figure:
    """Draw the graph (up to 128 nodes, where its matrix is known) beside all eigenvalues, with lambda and the gap marked.

    The wider a line, the larger the weight of the edge. Complex eigenvalues are drawn in the plane.

    Raises:
        DomainError: for a single node, which has nothing to gossip.
    """
    if network.nodes < 2:
        raise DomainError("got 1 node; a picture of gossip needs at least 2")
    drawn = isinstance(network, MixingMatrix) and network.nodes <= MOST_DRAWN
    with house_style():
        figure = new_figure(9.6 if drawn else 6.4, 4.6, _title(network))
        panels = figure.subplots(1, 2, width_ratios=[1, 1.15]) if drawn else [figure.subplots()]
        if drawn and isinstance(network, MixingMatrix):
            _draw_graph(panels[0], network)
        (_draw_real if network.symmetric else _draw_complex)(panels[-1], network)
    return figure


def _title(network: MixingMatrix | Spectrum) -> str:
    words = "gap 1" if network.gap > 1 - _SAME else f"gap {network.gap:.4g}, so λ = {_below_one(1 - network.gap)}"
    return f"{network.name}, {short(network.nodes)} nodes: {words}"


def _below_one(value: float) -> str:
    """Enough digits that a number below 1 does not look like 1."""
    digits = max(4, int(np.ceil(-np.log10(max(1 - value, 1e-15)))) + 2)
    return f"{value:.{digits}g}"


def _draw_graph(axes: Axes, matrix: MixingMatrix) -> None:
    at, links = places(matrix), edges(matrix)
    axes.grid(False)
    axes.set_axis_off()
    axes.set_aspect("equal")
    heaviest = max(weight for _, _, weight in links)
    slim = 1.0 if len(links) <= 200 else 0.5
    widths = [slim * (0.5 + 1.3 * weight / heaviest) for _, _, weight in links]
    axes.add_collection(
        LineCollection(
            [at[[row, column]] for row, column, _ in links],
            colors=_EDGE,
            linewidths=widths,
            alpha=0.85 if len(links) <= 200 else 0.5,
            zorder=1,
        )
    )
    if not matrix.symmetric:
        _heads(axes, at, links)
    size = 11.0 if matrix.nodes <= 20 else max(3.0, 60 / np.sqrt(matrix.nodes))
    axes.plot(*at.T, linestyle="None", marker="o", markersize=size, markerfacecolor=MEASURED.colour, markeredgecolor="white", zorder=3)
    low, high = at.min(axis=0), at.max(axis=0)
    pad = _MARGIN * max(high - low)
    axes.set(xlim=(low[0] - pad, high[0] + pad), ylim=(low[1] - pad, high[1] + pad))


def _heads(axes: Axes, at: NDArray[np.float64], links: list[tuple[int, int, float]]) -> None:
    """An arrow's head at the node that takes the message: row k of the matrix weighs what node k receives."""
    for row, column, _ in links:
        look = {"arrowstyle": "-|>", "color": _EDGE, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 5, "mutation_scale": 11}
        axes.annotate("", at[row], at[column], arrowprops=look, zorder=2)


def _draw_real(axes: Axes, network: MixingMatrix | Spectrum) -> None:
    values = np.asarray(network.spectrum, dtype=np.float64)
    place = np.arange(1, values.size + 1)
    kept = np.unique(np.geomspace(1, values.size, _MOST_POINTS).round().astype(int)) - 1 if values.size > _MOST_POINTS else place - 1
    second, low = 1 - network.gap, min(float(values.min()), -0.2) - 0.1
    axes.axhspan(second, 1, color=BOUND.colour, alpha=0.14, linewidth=0, zorder=0)
    axes.axhline(0, color=FAINT, linewidth=1.0, zorder=1)
    for side in (second, -second) if _SAME < second < -low else (second,):
        axes.axhline(side, color=BOUND.colour, linestyle=BOUND.line, linewidth=1.6, zorder=2)
    marker = "o" if values.size <= _MOST_MARKED else "None"
    line = "None" if values.size <= _MOST_MARKED else "-"
    axes.plot(place[kept], values[kept], color=MEASURED.colour, marker=marker, linestyle=line, markersize=5, zorder=3)
    slowest = np.flatnonzero(np.abs(np.abs(values) - second) < _SAME)
    slowest = slowest[slowest > 0][:_MOST_MARKED]
    if values.size <= _MOST_MARKED:
        axes.plot(place[slowest], values[slowest], color=BOUND.colour, marker="s", linestyle="None", markersize=7, zorder=4)
    axes.set_ylim(low, 1.14)
    if values.size > _MOST_MARKED:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(Powers(10))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("number of the eigenvalue of W, largest first")
    axes.set_ylabel(r"$\lambda_i$")
    _name_gap(axes, second)


def _name_gap(axes: Axes, second: float) -> None:
    wide = second < _HIGH
    _say(axes, (second + 1) / 2 if wide else 1.02, rf"gap $\delta$ = {1 - second:.4g}", "center" if wide else "bottom")
    if second > _SAME:
        _say(axes, second - 0.02, rf"$\lambda$ = {_below_one(second)}", "top")


def _say(axes: Axes, height: float, text: str, anchor: Literal["center", "bottom", "top"]) -> None:
    """A word at the right edge, on a light ground that keeps it readable over points."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0}
    place = axes.get_yaxis_transform()
    axes.text(0.985, height, text, transform=place, ha="right", va=anchor, fontsize=10, color=INK, bbox=box, zorder=5)


def _draw_complex(axes: Axes, network: MixingMatrix | Spectrum) -> None:
    values, second = np.asarray(network.spectrum), 1 - network.gap
    axes.set_aspect("equal")
    axes.add_patch(Circle((0, 0), 1, facecolor=BOUND.colour, alpha=0.14, linewidth=0, zorder=0))
    axes.add_patch(Circle((0, 0), second, facecolor="white", edgecolor=BOUND.colour, linestyle="--", linewidth=1.6, zorder=1))
    axes.add_patch(Circle((0, 0), 1, facecolor="none", edgecolor=FAINT, linewidth=1.0, zorder=1))
    axes.plot(values.real, values.imag, color=MEASURED.colour, marker="o", linestyle="None", markersize=5, zorder=3)
    slowest = values[np.abs(np.abs(values) - second) < _SAME]
    axes.plot(slowest.real, slowest.imag, color=STROKES[0].colour, marker="s", linestyle="None", markersize=7, zorder=4)
    axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xlabel=r"real part of $\lambda_i$", ylabel="imaginary part")
    axes.text(-1.08, 1.08, rf"gap $\delta$ = {network.gap:.4g}", va="top", fontsize=10, color=INK)
    axes.text(1.08, 1.08, rf"$\lambda$ = {_below_one(second)}", va="top", ha="right", fontsize=10, color=INK)

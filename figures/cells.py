"""A table of numbers as a picture: every number written in its cell, the cell's shade for the eye, a hatch where there is none."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from bounds.errors import DomainError
from figures.style import FAINT, INK, STROKES, house_style, new_figure, plain

Values = NDArray[np.float64]
#: From light to dark in one hue, for readers in grey.
SHADES = LinearSegmentedColormap.from_list("shades", ["#dfecf6", "#a9cbe4", "#3d8cc4", "#0b4f82", "#062c4a"])
HATCHES = ("////", "....", "xxxx", "\\\\\\\\")
_LOG_RATIO = 20.0
_MOST = 400
#: Where white and the style's ink have one contrast.
_DARK = 0.21
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Cells:
    """Numbers over rows and columns.

    ``values`` (rows, columns) choose the shades, nan for none; ``texts`` say what is written in each cell. ``marks`` (rows, columns)
    number the hatch of a cell, -1 for none; ``legend`` names the hatches in that order. ``framed`` (rows, columns) cells get a thick
    frame, which ``frame`` names. ``note`` stands below in small letters.
    """

    title: str
    x_label: str
    y_label: str
    columns: Sequence[str]
    rows: Sequence[str]
    values: Values
    texts: Sequence[Sequence[str]]
    marks: NDArray[np.int64]
    legend: Sequence[str] = ()
    framed: NDArray[np.bool_] | None = None
    frame: str = ""
    note: str = ""


def cells_figure(cells: Cells) -> Figure:
    """Draw the table, its first row at the top; more than 400 cells are refused.

    Raises:
        DomainError: for no cell or too many, shapes that differ, or more hatches than can be told apart.
    """
    _check(cells)
    rows, columns = cells.values.shape
    widest = max(len(text) for row in cells.texts for text in row)
    width = max(0.62, 0.105 * widest + 0.2)
    names = max(len(name) for name in cells.rows)
    with house_style():
        figure = new_figure(max(5.4, 1.1 + 0.085 * names + width * columns), 1.7 + 0.42 * rows + 0.22 * len(cells.legend), cells.title)
        axes = figure.subplots()
        axes.grid(False)
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
        _shade(axes, cells)
        axes.set_xticks(range(columns), [plain(name) for name in cells.columns])
        axes.set_yticks(range(rows), [plain(name) for name in cells.rows])
        axes.tick_params(length=0)
        axes.set(xlabel=cells.x_label, ylabel=cells.y_label)
        _legend(axes, cells)
        write_note(figure, cells.note)
    return figure


def write_note(figure: Figure, note: str) -> None:
    """Small letters below a figure, wrapped to its width."""
    if note:
        lines = textwrap.wrap(plain(note), int(figure.get_figwidth() * 14), break_on_hyphens=False)
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=9, color=INK)


def norm_of(values: Values) -> Normalize:
    """How shades follow the finite values: by ratio where they are positive and span a factor of 20, else by difference."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Normalize(0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        # One shade, and not the lightest, which is nearly the paper's.
        return Normalize(low - 1.0, high + 1.0)
    return LogNorm(low, high) if low > 0 and high > _LOG_RATIO * low else Normalize(low, high)


def is_dark(colour: tuple[float, ...]) -> bool:
    """Whether white letters stand out more on this colour than dark ones (relative luminance as WCAG 2 defines it)."""
    return luminance(colour) < _DARK


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance of an sRGB colour: 0 for black, 1 for white."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def short(value: float, digits: int = 3) -> str:
    """A number in a few characters: 0.0977, 1.2×10⁵, 12 400; whole numbers below a million in full."""
    if value == round(value) and abs(value) < 1e6:
        text = f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    elif 1e-3 <= abs(value) < 1e5:
        text = f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
    else:
        factor, _, power = f"{value:.{digits - 1}e}".partition("e")
        ten = f"10{str(int(power)).translate(_RAISED)}"
        text = {"1": ten, "-1": f"-{ten}"}.get(f"{float(factor):g}", f"{float(factor):g}×{ten}")
    return text.replace("-", "−")


def three(value: float) -> str:
    """The same with three digits always, so that a column of ratios reads evenly: 8.90 beside 62.4."""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e3 else short(value)


def _check(cells: Cells) -> None:
    shape = (len(cells.rows), len(cells.columns))
    if 0 in shape or shape[0] * shape[1] > _MOST:
        raise DomainError(f"got {shape[0]} rows and {shape[1]} columns; a table that can be read has 1 to {_MOST} cells")
    texts = {(len(cells.texts), len(row)) for row in cells.texts}
    if {cells.values.shape, cells.marks.shape, *texts} != {shape}:
        raise DomainError(f"got values of shape {cells.values.shape} and marks of shape {cells.marks.shape}; {shape} cells need as many")
    if len(cells.legend) > len(HATCHES) or cells.marks.max(initial=-1) >= len(cells.legend):
        raise DomainError(f"got {len(cells.legend)} names of hatches; give one for each, and at most {len(HATCHES)}")


def _shade(axes: Axes, cells: Cells) -> None:
    norm = norm_of(cells.values)
    for row, column in np.ndindex(*cells.values.shape):
        value, mark = cells.values[row, column], int(cells.marks[row, column])
        face = SHADES(float(norm(value))) if np.isfinite(value) else (1.0, 1.0, 1.0, 1.0)
        hatch = None if mark < 0 else HATCHES[mark]
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=face, edgecolor=FAINT if hatch else "white", hatch=hatch, linewidth=0, zorder=1))
        axes.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor="white", linewidth=1.2, zorder=2))
        if cells.framed is not None and cells.framed[row, column]:
            axes.add_patch(_inner(corner))
        ink = "white" if is_dark(face) else INK
        # Letters over a hatch stand on a patch of the cell's own colour.
        box = None if hatch is None else {"facecolor": face, "edgecolor": "none", "pad": 1.5}
        axes.text(column, row, plain(cells.texts[row][column]), ha="center", va="center", fontsize=10, color=ink, bbox=box, zorder=4)


def _inner(corner: tuple[float, float]) -> Rectangle:
    edge = STROKES[0].colour
    return Rectangle((corner[0] + 0.05, corner[1] + 0.06), 0.9, 0.88, facecolor="none", edgecolor=edge, linewidth=2.4, zorder=3)


def _legend(axes: Axes, cells: Cells) -> None:
    used = [mark for mark in range(len(cells.legend)) if (cells.marks == mark).any()]
    handles = [Patch(facecolor="white", edgecolor=FAINT, hatch=HATCHES[mark], label=plain(cells.legend[mark])) for mark in used]
    if cells.framed is not None and cells.framed.any():
        handles.append(Patch(facecolor="white", edgecolor=STROKES[0].colour, linewidth=2.4, label=plain(cells.frame)))
    if handles:
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3, ncols=1)

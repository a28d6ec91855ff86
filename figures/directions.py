"""The certificates table as a picture: bounds by parameters, an arrow for the direction and a shade for what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from bounds.errors import DomainError
from bounds.symbols import REGISTRY
from bounds.vocabulary import Direction
from figures.report.certificates import ARROWS, WORDS, summary
from figures.style import FAINT, INK, house_style, new_figure, plain
from verify.certificates import CertifiedDirection

#: Shade and hatch by outcome, light where all is well; None is a direction that nobody declares.
_LOOKS: dict[str | None, tuple[str, str | None, str]] = {
    "proved": ("#cfe3f2", None, "proved (two witnesses where it moves both ways)"),
    "refuted": ("#f0a36b", "xxxx", "refuted by a witness"),
    "undecided": ("#ffffff", "....", "undecided"),
    None: ("#ffffff", "////", "no direction is declared"),
}
_CELL = (0.42, 0.3)


def certificates_figure(rows: Sequence[CertifiedDirection]) -> Figure:
    """Draw what :func:`verify.certificates.certify_catalogue` found: an arrow in each cell says how the bound moves with the parameter.

    Raises:
        DomainError: for no row.
    """
    if not rows:
        raise DomainError("got 0 certificates; give those of at least one bound")
    ids = list(dict.fromkeys(row.bound for row in rows))
    used = {row.parameter for row in rows}
    parameters = [name for name in REGISTRY if name in used]
    with house_style():
        width = 0.6 + 0.088 * max(map(len, ids)) + _CELL[0] * len(parameters)
        figure = new_figure(max(6.4, width), 2.6 + _CELL[1] * len(ids), summary(rows))
        axes = figure.subplots()
        axes.grid(False)
        for row in rows:
            _cell(axes, parameters.index(row.parameter), ids.index(row.bound), row)
        axes.set(xlim=(-0.5, len(parameters) - 0.5), ylim=(len(ids) - 0.5, -0.5))
        axes.set_yticks(range(len(ids)), [plain(name) for name in ids])
        axes.set_xticks(range(len(parameters)), [f"${REGISTRY[name].latex}$" for name in parameters])
        axes.tick_params(length=0)
        _frame(axes, len(parameters), len(ids))
        _legend(axes, rows)
    return figure


def _cell(axes: Axes, column: int, line: int, row: CertifiedDirection) -> None:
    face, hatch, _ = _LOOKS[row.status]
    axes.add_patch(Rectangle((column - 0.5, line - 0.5), 1, 1, facecolor=face, edgecolor=FAINT, hatch=hatch, linewidth=0, zorder=1))
    box = None if hatch is None else {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(column, line, ARROWS[row.direction], ha="center", va="center", fontsize=11, color=INK, bbox=box, zorder=3)


def _frame(axes: Axes, columns: int, lines: int) -> None:
    """White gaps between the cells."""
    axes.vlines([place - 0.5 for place in range(1, columns)], -0.5, lines - 0.5, color="white", linewidth=1.2, zorder=2)
    axes.hlines([place - 0.5 for place in range(1, lines)], -0.5, columns - 0.5, color="white", linewidth=1.2, zorder=2)


def _legend(axes: Axes, rows: Sequence[CertifiedDirection]) -> None:
    looks = [_LOOKS[status] for status in _LOOKS if any(row.status == status for row in rows)]
    handles = [Patch(facecolor=face, edgecolor=FAINT, hatch=hatch, label=label) for face, hatch, label in looks]
    blank = Patch(facecolor="none", edgecolor="none")
    arrows = [(blank, f"{ARROWS[one]}  {WORDS[one]}") for one in Direction if any(row.direction is one for row in rows)]
    shown = [*((handle, str(handle.get_label())) for handle in handles), *arrows]
    axes.legend(*zip(*shown, strict=True), loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3, ncols=2)

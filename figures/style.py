"""One look for every figure: colour-blind safe, readable in grey, the same bytes for the same data.

Figures are plain ``matplotlib.figure.Figure`` objects; ``pyplot`` and its global state are never imported.
"""

from __future__ import annotations

import base64
import io
import textwrap
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style as matplotlib_style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from bounds.errors import InputFileError
from bounds.files import write_bytes

LineStyle = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Stroke:
    """How one series is drawn; line style and marker differ as well as the colour, for readers in grey."""

    colour: str
    line: LineStyle
    marker: str


MEASURED = Stroke("#0072B2", "-", "o")
STROKES = (
    Stroke("#D55E00", "--", "s"),
    Stroke("#007A58", "-.", "^"),
    Stroke("#AA3377", ":", "D"),
    Stroke("#332288", (0, (7, 2, 1, 2, 1, 2)), "v"),
    Stroke("#7A5C00", (0, (3, 1)), "P"),
)
BOUND = STROKES[0]
INK = "#1f2328"
FAINT = "#8c959f"
PIXELS_PER_INCH = 160

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e6ea",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "hatch.color": FAINT,
    "hatch.linewidth": 0.9,
    "lines.linewidth": 2.0,
    "lines.markersize": 6.0,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "svg.fonttype": "path",
    "svg.hashsalt": "gossip-bounds",
}
_METADATA: dict[str, dict[str, None]] = {
    "png": {},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def house_style() -> AbstractContextManager[None]:
    """The settings to build and to save a figure under; whatever the user configured for matplotlib does not leak in."""
    return matplotlib_style.context(["default", _RC])


def new_figure(width: float, height: float, title: str | None = None) -> Figure:
    """An empty figure, ``width`` by ``height`` in inches, with an optional title wrapped to its width."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    if title:
        lines = textwrap.wrap(plain(title), width=int(width * 9.5))
        figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure


def stroke(index: int) -> Stroke:
    """The look of the series number ``index``; the first 25 differ from one another."""
    colour, other = STROKES[index % len(STROKES)], STROKES[(index + index // len(STROKES)) % len(STROKES)]
    return Stroke(colour.colour, other.line, other.marker)


def plain(text: str) -> str:
    """Text that matplotlib shows as it stands: a dollar sign starts no formula."""
    return text.replace("$", r"\$")


def save(figure: Figure, path: Path | str) -> Path:
    """Write a figure as PNG, SVG or PDF, chosen by the suffix; no time stamp, never half a file.

    Raises:
        InputFileError: when the suffix is another one, or the file cannot be written.
    """
    target = Path(path)
    write_bytes(target, _render(figure, check_suffix(target)))
    return target


def check_suffix(target: Path) -> str:
    """The format that the name asks for: png, svg or pdf.

    Raises:
        InputFileError: when its suffix is another one.
    """
    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in _METADATA:
        got = target.suffix or "no suffix"
        raise InputFileError(f"cannot draw {str(target)!r}: got {got}, allowed are .png, .svg and .pdf; end the name in one of them")
    return suffix


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file's bytes, 160 pixels per inch."""
    return _render(figure, "png")


def to_png_base64(figure: Figure) -> str:
    """The figure as PNG in base64 text, for a data URI."""
    return base64.b64encode(to_png(figure)).decode("ascii")


def to_svg_text(figure: Figure) -> str:
    """The figure as an SVG document."""
    return _render(figure, "svg").decode("utf-8")


def _render(figure: Figure, suffix: str) -> bytes:
    stream = io.BytesIO()
    with house_style():
        _lay_out(figure)
        if suffix == "png":
            canvas: Any = FigureCanvasAgg(figure)
            canvas.draw()
            _write_png(np.asarray(canvas.buffer_rgba()), stream)
        elif suffix == "svg":
            # Not savefig, which draws everything once more to find a layout.
            canvas = FigureCanvasSVG(figure)
            canvas.print_svg(stream, metadata=_METADATA[suffix])
        else:
            figure.savefig(stream, format=suffix, metadata=_METADATA[suffix])
    return stream.getvalue()


def _write_png(pixels: NDArray[np.uint8], stream: io.BytesIO) -> None:
    """An image of at most 256 colours, a quarter of the size: drawings have few."""
    opaque = Image.fromarray(pixels).convert("RGB")
    image = opaque.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.save(stream, "png", dpi=(PIXELS_PER_INCH, PIXELS_PER_INCH))


def _lay_out(figure: Figure) -> None:
    """Solve the layout, once: it is the same in every format."""
    engine = figure.get_layout_engine()
    if engine is not None and figure.axes:
        figure.dpi = PIXELS_PER_INCH
        FigureCanvasAgg(figure)
        engine.execute(figure)
        figure.set_layout_engine("none")

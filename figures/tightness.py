"""How tight a bound is over two parameters: bound/measured, written into a table of shaded cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from figures.cells import Cells, cells_figure, short, three
from figures.maps import axis_label, fixed_words
from figures.words import quantity_words
from verify.tightness import LEVEL, TightnessMap

_LEGEND = ("not measured", "no ratio: the measured mean is not positive", "outside the assumptions")
_FRAME = "below 1: the measured mean lies above the bound"


def tightness_figure(found: TightnessMap, quantity: Quantity, fixed: Mapping[str, object]) -> Figure:
    """Draw bound/measured as a table: 1 is tight, the darker the looser; framed where the measured mean lies above the bound.

    ``fixed`` are the parameters that are the same everywhere.

    Raises:
        DomainError: for more cells than can be read.
    """
    ratio, sure = found.ratio[::-1], found.sure[::-1]
    known = np.isfinite(ratio)
    texts = [[_text(float(value), bool(firm)) for value, firm in zip(*row, strict=True)] for row in zip(ratio, sure, strict=True)]
    doubt = (
        f"in brackets: a simultaneous {100 * (1 - LEVEL):g} % band of the mean does not keep it above 0" if (known & ~sure).any() else ""
    )
    x, y = (symbol(name) for name in found.names)
    count = f"{found.replicates} replicate{'' if found.replicates == 1 else 's'}"
    cells = Cells(
        title=f"{found.bound} / measured {quantity_words(quantity)} (mean of {count})",
        x_label=axis_label(x),
        y_label=axis_label(y),
        columns=[short(float(value)) for value in found.x],
        rows=[short(float(value)) for value in found.y[::-1]],
        values=ratio,
        texts=texts,
        marks=_marks(found)[::-1],
        legend=_LEGEND,
        framed=known & (np.nan_to_num(ratio, nan=1.0) < 1),
        frame=_FRAME,
        note="; ".join(filter(None, [doubt, fixed_words(fixed)])),
    )
    return cells_figure(cells)


def _marks(found: TightnessMap) -> NDArray[np.int64]:
    without = np.where(~found.measured, 0, np.where(~found.applies, 2, 1))
    return np.where(np.isfinite(found.ratio), -1, without).astype(np.int64)


def _text(ratio: float, sure: bool) -> str:
    if not np.isfinite(ratio):
        return ""
    return three(ratio) if sure else f"({three(ratio)})"

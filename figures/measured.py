"""A bound beside the curve that was measured, alone or as the small multiples of one case."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bounds.errors import DomainError
from figures.axes import choose_scale, draw_line, draw_measured, label_axes, legend_above, scale_x, scale_y
from figures.style import BOUND, STROKES, house_style, new_figure, plain
from figures.words import band_words, reference_words
from verify.verdict import CaseResult, Curve, Evidence

_SINGLE = (6.4, 4.6)
_PANEL = (5.2, 4.2)


def bound_against_measured(curve: Curve, title: str | None = None) -> Figure:
    """The bound as a line, the measured mean with its simultaneous band; the trivial bound is not drawn.

    A curve without replicates (``replicates == 0``) is called exact in the legend, not measured.
    """
    with house_style():
        figure = new_figure(*_SINGLE, title)
        _draw(figure.subplots(), curve, None)
    return figure


def case_figure(result: CaseResult) -> Figure:
    """Every curve of one case, one panel each: two columns up to six panels, then three.

    Raises:
        DomainError: when the case has no curve.
    """
    count = len(result.curves)
    if count == 0:
        raise DomainError(f"case {result.claim}/{result.case} has 0 curves; a figure needs at least 1, so draw only cases with curves")
    columns = 1 if count == 1 else 2 if count <= 6 else 3
    rows = math.ceil(count / columns)
    size = _SINGLE if count == 1 else (columns * _PANEL[0], rows * _PANEL[1])
    with house_style():
        figure = new_figure(*size, f"{result.claim} / {result.case}: {result.verdict.name.replace('_', ' ')}")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, curve in zip(panels, result.curves, strict=False):
            _draw(panel, curve, result.evidence)
        for empty in panels[count:]:
            empty.remove()
    return figure


def _draw(axes: Axes, curve: Curve, evidence: Evidence | None) -> None:
    order = np.argsort(curve.x, kind="stable")
    x, mean, low, high = (np.asarray(values, dtype=np.float64)[order] for values in (curve.x, curve.mean, curve.low, curve.high))
    reference = mean
    if curve.bound is not None:
        bound = np.asarray(curve.bound, dtype=np.float64)[order]
        draw_line(axes, x, bound, BOUND, plain(reference_words(curve)))
        reference = np.concatenate([mean, bound])
    for index, (name, values) in enumerate(curve.companions, start=2):
        line = np.asarray(values, dtype=np.float64)[order]
        draw_line(axes, x, line, STROKES[index % len(STROKES)], plain(name))
        reference = np.concatenate([reference, line])
    draw_measured(axes, x, mean, low, high, band_words(curve, evidence))
    label_axes(axes, curve.parameter, curve.quantity, curve.label)
    scale_x(axes, x)
    scale_y(axes, choose_scale(reference, np.concatenate([mean, low, high])))
    legend_above(axes)

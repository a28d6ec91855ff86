"""Bounds against measured curves: what is drawn, on which scale, under which words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bounds.errors import DomainError
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from figures import bound_against_measured, case_figure
from figures.axes import choose_scale
from verify.verdict import CaseResult, Curve


def _axes(figure: Figure, draw: bool = False) -> Axes:
    if draw:
        figure.canvas.draw()
    return figure.axes[0]


def _legend(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text().replace("\n", " ") for text in legend.get_texts()]


def _line(axes: Axes, start: str) -> Line2D:
    return next(line for line in axes.get_lines() if str(line.get_label()).startswith(start))


def _bands(axes: Axes) -> list[FillBetweenPolyCollection]:
    return [one for one in axes.collections if isinstance(one, FillBetweenPolyCollection)]


def test_the_bound_and_the_mean_are_drawn_as_they_are(by_case: dict[str, CaseResult]) -> None:
    curve = by_case["atc-n"].curves[0]
    axes = _axes(bound_against_measured(curve))
    assert curve.bound is not None
    assert _line(axes, "bound").get_xydata().tolist() == np.column_stack([curve.x, curve.bound]).tolist()
    assert _line(axes, "measured").get_xydata().tolist() == np.column_stack([curve.x, curve.mean]).tolist()
    vertices = _bands(axes)[0].get_paths()[0].vertices
    for x, low, high in zip(curve.x, curve.low, curve.high, strict=True):
        at = vertices[vertices[:, 0] == x, 1]
        assert (at.min(), at.max()) == (low, high)


def test_the_words_come_from_the_registries(by_case: dict[str, CaseResult]) -> None:
    curve = by_case["atc-eta"].curves[0]
    axes = _axes(bound_against_measured(curve, "a title"))
    assert axes.get_xlabel() == symbol("eta").label + " [w²/loss]"
    assert axes.get_ylabel() == Quantity.GENERALIZATION_ERROR.label
    assert _legend(axes) == ["bound dsgd_convex", "measured mean, simultaneous 99.87\N{NO-BREAK SPACE}% band (40 replicates)"]
    assert axes.figure.get_suptitle() == "a title"
    assert "[" not in _axes(bound_against_measured(by_case["atc-n"].curves[0])).get_xlabel()


def test_unsorted_points_are_joined_in_order(by_case: dict[str, CaseResult]) -> None:
    curve = by_case["atc-n"].curves[0]
    assert curve.bound is not None
    flipped = replace(curve, **{name: getattr(curve, name)[::-1] for name in ("x", "mean", "low", "high", "bound")})
    axes = _axes(bound_against_measured(flipped))
    assert _line(axes, "bound").get_xydata().tolist() == np.column_stack([curve.x, curve.bound]).tolist()


def test_ranges_choose_the_scale(by_case: dict[str, CaseResult]) -> None:
    scales = {case: _axes(case_figure(by_case[case])).get_yscale() for case in ("atc-n", "atc-m", "atc-T", "atc-ring")}
    assert scales == {"atc-n": "log", "atc-m": "linear", "atc-T": "symlog", "atc-ring": "symlog"}
    assert _axes(case_figure(by_case["atc-n"])).get_xscale() == "log"
    dense = by_case["four"].curves[1]
    assert _axes(bound_against_measured(dense)).get_xscale() == "linear"


def test_values_that_are_not_positive_stay_on_the_axis(by_case: dict[str, CaseResult]) -> None:
    for case in ("atc-T", "atc-ring"):
        axes = _axes(case_figure(by_case[case]), draw=True)
        curve = by_case[case].curves[0]
        assert curve.bound is not None
        bottom, top = axes.get_ylim()
        assert bottom < min(curve.low.min(), 0.0)
        assert top > max(curve.high.max(), curve.bound.max())
        ends = [curve.low.min(), max(curve.high.max(), curve.bound.max())]
        low, high = axes.transData.transform([(1.0, end) for end in ends])[:, 1]
        assert 0.85 < (high - low) / axes.get_window_extent().height < 0.97, "the data must fill the axis, with a margin"
    assert _line(axes, "reference").get_ydata().tolist() == [1e-12] * 5
    linear = axes.transData.transform([(1.0, 0.0), (1.0, 1e-12)])[:, 1]
    assert linear[1] - linear[0] > 5, "the tolerance must not hide in the line of zero"


def test_the_scale_is_linear_when_nothing_asks_for_more() -> None:
    empty, zeros = np.array([]), np.zeros(3)
    assert choose_scale(empty).name == "linear"
    assert choose_scale(zeros).name == "linear"
    assert choose_scale(np.array([1.0, 19.0])).name == "linear"
    assert choose_scale(np.array([1.0, 21.0, np.nan, np.inf])).name == "log"
    assert choose_scale(np.array([1e-240, 1e240])).name == "log"
    assert choose_scale(np.array([1e-300, 1.0, 1e300])).name == "linear", "no axis reaches beyond 1e250"
    noise = choose_scale(np.array([1e-9, 1.0]), np.array([-0.1, 0.1]))
    assert (noise.name, noise.threshold) == ("symlog", pytest.approx(1e-3))


@pytest.mark.parametrize("points", range(1, 9))
def test_any_number_of_points_has_markers_and_ticks(by_case: dict[str, CaseResult], points: int) -> None:
    full = by_case["four"].curves[1]
    assert full.bound is not None
    curve = replace(full, **{name: getattr(full, name)[:points] for name in ("x", "mean", "low", "high", "bound")})
    axes = _axes(bound_against_measured(curve))
    for start in ("bound", "measured"):
        line = _line(axes, start)
        assert line.get_marker() not in ("None", "", None)
        assert len(line.get_xdata()) == points
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [str(k) for k in range(1, points + 1)]
    assert len(_bands(axes)) == (points > 1)


def test_gaps_stay_gaps(by_case: dict[str, CaseResult]) -> None:
    axes = _axes(case_figure(by_case["gaps"]))
    assert np.isnan(_line(axes, "bound").get_ydata()).tolist() == [True, False, False]
    assert np.isnan(_line(axes, "measured").get_ydata()).tolist() == [False, True, False]


def test_without_a_bound_there_is_one_line(by_case: dict[str, CaseResult]) -> None:
    axes = _axes(case_figure(by_case["no-bound"]))
    assert len(_legend(axes)) == 1
    assert _legend(axes)[0].startswith("measured mean")


@pytest.mark.parametrize(("case", "words"), [("sgd", "exact value"), ("atc-ring", "mean and range (10 replicates)")])
def test_exact_values_are_not_called_measured(by_case: dict[str, CaseResult], case: str, words: str) -> None:
    assert _legend(_axes(case_figure(by_case[case])))[1] == words


def test_logged_values_are_called_logged(by_case: dict[str, CaseResult]) -> None:
    assert _legend(_axes(case_figure(by_case["n-and-m"])))[1].startswith("logged mean")


@pytest.mark.parametrize(
    ("case", "columns", "rows"), [("atc-n", 1, 1), ("n-and-m", 2, 1), ("three", 2, 2), ("four", 2, 2), ("seven", 3, 3)]
)
def test_each_curve_has_its_panel(by_case: dict[str, CaseResult], case: str, columns: int, rows: int) -> None:
    figure = case_figure(by_case[case])
    figure.canvas.draw()
    assert len(figure.axes) == len(by_case[case].curves)
    assert [axes.get_ylabel() for axes in figure.axes] == [curve.quantity.label for curve in by_case[case].curves]
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert len({round(box.x0, -2) for box in boxes}) == columns
    assert len({round(box.y0, -2) for box in boxes}) == rows
    assert all(box.width > 250 for box in boxes), "a long legend must not squeeze its panel"
    assert by_case[case].verdict.name in figure.get_suptitle()


def test_a_case_without_curves_cannot_be_drawn(by_case: dict[str, CaseResult]) -> None:
    with pytest.raises(DomainError, match="has 0 curves; a figure needs at least 1"):
        case_figure(by_case["worst"])


def test_extreme_values_draw_without_a_warning(by_case: dict[str, CaseResult]) -> None:
    base = by_case["atc-n"].curves[0]
    extremes = [1e-300, -1e-300, 1e300, 0.0]
    wide: Curve = replace(base, mean=np.array(extremes), low=np.array(extremes), high=np.array(extremes))
    nothing = replace(base, mean=np.full(4, np.nan), low=np.full(4, np.nan), high=np.full(4, np.nan), bound=np.full(4, np.inf))
    for curve in (wide, nothing):
        assert len(_axes(bound_against_measured(curve), draw=True).get_lines()) > 0

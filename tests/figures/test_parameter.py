"""Bounds over one parameter, as the plot command draws them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from bounds.errors import DomainError
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from figures import MeasuredSeries, Series, bound_over_parameter

T = np.geomspace(1, 1e4, 50)
POINTS = MeasuredSeries(np.array([100.0, 10.0]), np.array([0.2, 0.4]), np.array([0.1, 0.3]), np.array([0.3, 0.5]), 30)


def _draw(
    *series: Series, x: np.ndarray = T, name: str = "T", log: bool = True, measured: MeasuredSeries | None = None, draw: bool = False
) -> Axes:
    figure = bound_over_parameter(symbol(name), x, series, Quantity.EXCESS_RISK, log, measured)
    if draw:
        figure.canvas.draw()
    return figure.axes[0]


def test_every_series_is_drawn_and_named() -> None:
    axes = _draw(Series("dsgd_convex", 1 / T), Series("_own $x$", np.sqrt(T)))
    first, second = axes.get_lines()[:2]
    assert first.get_ydata().tolist() == (1 / T).tolist()
    assert second.get_ydata().tolist() == np.sqrt(T).tolist()
    assert first.get_linestyle() != second.get_linestyle()
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text().strip() for text in legend.get_texts()] == ["dsgd_convex", r"_own \$x\$"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("steps $T$", "excess risk")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_linear_axis_stays_linear_when_asked() -> None:
    assert _draw(Series("a", 1 / T), log=False).get_xscale() == "linear"


def test_gaps_stay_gaps_and_lone_points_show() -> None:
    values = np.full(50, np.nan)
    values[:10], values[20], values[30] = 1.0, 2.0, np.inf
    line, lone = _draw(Series("a", values)).get_lines()[:2]
    assert np.isfinite(line.get_ydata()).sum() == 11
    assert lone.get_xydata().tolist() == [[T[20], 2.0]]


def test_the_measured_series_has_markers_and_a_band() -> None:
    axes = _draw(Series("a", 1 / T), measured=POINTS)
    line = next(line for line in axes.get_lines() if str(line.get_label()).startswith("measured"))
    assert line.get_xydata().tolist() == [[10.0, 0.4], [100.0, 0.2]]
    assert line.get_label() == "measured mean, band (30 replicates)"
    assert line.get_marker() == "o"
    bare = MeasuredSeries(POINTS.x, POINTS.mean)
    labels = [line.get_label() for line in _draw(measured=bare).get_lines()]
    assert "measured mean (1 replicate)" in labels


def test_points_in_any_order_are_joined_in_order() -> None:
    line = _draw(Series("a", (1 / T)[::-1]), x=T[::-1]).get_lines()[0]
    assert line.get_xdata().tolist() == T.tolist()
    assert line.get_ydata().tolist() == (1 / T).tolist()


@pytest.mark.parametrize("values", [[np.nan] * 3, [0.0] * 3, [1e-300, 1.0, 1e300], [-1.0, 0.0, 1e6]])
def test_odd_values_draw_without_a_warning(values: list[float]) -> None:
    assert _draw(Series("a", np.array(values)), x=np.array([1.0, 2.0, 3.0]), draw=True).get_lines()


@pytest.mark.parametrize(
    ("series", "x", "measured", "message"),
    [
        ((), T, None, "got 0 bounds and no measured series; give"),
        ((Series("a", T[:3]),), T, None, r"series 'a' has shape \(3,\), x has \(50,\); give one value per point"),
        ((Series("a", T),), T - 1, None, "T=0 has no place on a log axis; start above 0"),
        ((Series("a", T),), T, MeasuredSeries(T[:2] - 1, T[:2]), "T=0 has no place on a log axis"),
        ((Series("a", T),), T, MeasuredSeries(T, T[:4]), r"measured mean has shape \(4,\), its x has \(50,\)"),
        ((Series("a", T),), T, MeasuredSeries(T, T, low=T), "one end only; give both low and high, or neither"),
    ],
)
def test_bad_input_is_one_line(series: tuple[Series, ...], x: np.ndarray, measured: MeasuredSeries | None, message: str) -> None:
    with pytest.raises(DomainError, match=message) as caught:
        _draw(*series, x=x, measured=measured)
    assert "\n" not in str(caught.value)

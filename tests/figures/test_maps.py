"""Maps and tables of cells: what is written, hatched and left white, and that it can be read in grey."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import bounds
from bounds.calibration import GossipSteps
from bounds.errors import DomainError
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from figures import Cells, ValueMap, cells_figure, gossip_steps_figure, tightness_figure, value_map
from figures.cells import SHADES, is_dark, luminance, short, three
from figures.gossip import steps_text
from figures.maps import levels_of
from figures.style import INK, to_png
from verify.tightness import tightness_map

BOUND = bounds.get("mgs_excess_convex")
FIXED: dict[str, Any] = dict(L=1, m=16, n=100, beta=1, sigma2=1, zeta2=1, r0=1, gap=0.05, Q=1, b=1)


def drawn(count: int, trivial: float | None = 1.0) -> ValueMap:
    x, y = np.geomspace(1e-4, 1, count), np.geomspace(1, 1e5, count).round()
    values = BOUND.evaluate(eta=x[None, :], T=y[:, None], **FIXED)
    applies = np.broadcast_to(x <= 0.25, values.shape)
    return ValueMap(BOUND.id, Quantity.EXCESS_RISK, symbol("eta"), symbol("T"), x, y, values, applies, FIXED, trivial)


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def words_of(figure: Figure) -> list[str]:
    legend = axes_of(figure).get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_shades_get_darker_all_the_way_so_that_grey_tells_them_apart() -> None:
    light = [luminance(SHADES(float(share))) for share in np.linspace(0, 1, 50)]
    assert (np.diff(light) < 0).all()
    assert light[0] - light[-1] > 0.6
    for share in np.linspace(0, 1, 50):
        face = SHADES(share)
        inks = (luminance((1.0, 1.0, 1.0)), luminance(to_rgb(INK)))
        contrast = [(max(luminance(face), ink) + 0.05) / (min(luminance(face), ink) + 0.05) for ink in inks]
        assert contrast[0 if is_dark(face) else 1] == pytest.approx(max(contrast), rel=0.05)
        assert max(contrast) > 3.9


def test_a_map_names_its_levels_axes_and_hatches() -> None:
    figure = value_map(drawn(24))
    axes = axes_of(figure)
    assert axes.get_xlabel() == r"learning rate (constant step) $\eta$ [w²/loss]"
    assert (axes.get_ylabel(), axes.get_xscale(), axes.get_yscale()) == ("steps $T$", "log", "log")
    assert {"0.1", "1", "10"} <= {text.get_text() for text in axes.texts}
    assert words_of(figure) == ["outside the assumptions", "VACUOUS: above the trivial bound 1"]
    assert axes.patch.get_hatch()
    assert "gap\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.05" in figure.get_supxlabel()
    assert to_png(figure) == to_png(value_map(drawn(24)))


def test_level_lines_pass_through_points_of_their_value() -> None:
    one = drawn(60)
    axes = axes_of(value_map(one))
    sets = [part for part in axes.collections if isinstance(part, ContourSet) and not part.filled]
    lines = max(sets, key=lambda part: len(part.levels))
    assert len(lines.levels) >= 3
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        # Of few steps the rounding to whole ones is seen.
        places = [place for place in path.vertices if place[1] > 30]
        for x, y in places[:: max(1, len(places) // 10)]:
            assert np.log10(BOUND.evaluate(eta=x, T=round(y), **FIXED)) == pytest.approx(level, abs=0.03)


def test_without_a_trivial_bound_nothing_is_vacuous_and_without_failures_nothing_is_hatched() -> None:
    one = drawn(12, None)
    assert words_of(value_map(one)) == ["outside the assumptions"]
    everywhere = replace(one, applies=np.ones_like(one.applies))
    assert words_of(value_map(everywhere)) == []
    assert not axes_of(value_map(everywhere)).patch.get_hatch()


def test_few_points_are_written_into_cells_with_the_largest_row_above() -> None:
    one = drawn(5)
    axes = axes_of(value_map(one))
    texts = np.array([text.get_text() for text in axes.texts]).reshape(5, 5)
    assert texts[-1, 0] == three(float(one.values[0, 0]))
    assert (texts[:, -1] == "").all()
    allowed = one.values[one.applies]
    hatches = [patch.get_hatch() for patch in axes.patches if patch.get_hatch()]
    assert {hatch: hatches.count(hatch) for hatch in hatches} == {"////": 5 * 1, "xxxx": int((allowed > 1).sum())}
    assert axes.get_yticklabels()[0].get_text() == "100\N{NARROW NO-BREAK SPACE}000"
    assert words_of(value_map(one)) == ["outside the assumptions", "VACUOUS: above the trivial bound 1"]


def test_maps_that_cannot_be_drawn_are_refused() -> None:
    one = drawn(9)
    with pytest.raises(DomainError, match="at least 2 by 2"):
        value_map(replace(one, applies=one.applies[:, 1:]))
    with pytest.raises(DomainError, match="move a range"):
        value_map(replace(one, applies=np.zeros_like(one.applies)))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1.0, 10.0, [2, 4, 6, 8]), (0.5, 30, [1, 2, 5, 10, 20]), (1e-3, 1.5e3, [1e-2, 1e-1, 1, 10, 100, 1000])],
)
def test_levels_are_round(low: float, high: float, expected: list[float]) -> None:
    np.testing.assert_allclose(levels_of(np.array([low, np.nan, high]))[0], expected, rtol=1e-12)


def test_levels_are_never_too_many() -> None:
    for decades in range(1, 200, 7):
        levels, ratios = levels_of(np.array([1.3, 1.3 * 10.0**decades]))
        assert 1 <= levels.size <= 9
        assert ratios == (decades > 1)


def test_gossip_steps_stand_in_their_cells() -> None:
    rows = (
        *bounds.gossip_table(["ring", "hypercube"], [10, 16, 10_000], target=1e-3),
        GossipSteps("star", 10, "impossible", 0.1, None, "floor"),
    )
    figure = gossip_steps_figure(rows, "title")
    texts = [text.get_text() for text in axes_of(figure).texts]
    assert texts == ["51", "133", "5.25×10⁷", "", "14", "", "", "", ""]
    assert words_of(figure) == ["no such graph", "no Q meets the target"]
    assert [label.get_text() for label in axes_of(figure).get_yticklabels()] == ["ring", "hypercube", "star"]
    hatches = [patch.get_hatch() for patch in axes_of(figure).patches if isinstance(patch, Rectangle) and patch.get_hatch()]
    assert len(hatches) == 3


def test_gossip_steps_are_rounded_up_so_that_they_are_enough() -> None:
    assert steps_text(52_492_644) == "5.25×10⁷"
    assert steps_text(52_500_001) == "5.26×10⁷"
    assert steps_text(999_999) == "999\N{NARROW NO-BREAK SPACE}999"


def test_tightness_tells_ratios_doubt_and_violations_apart() -> None:
    points = [(1.0, 8.0), (10.0, 8.0), (1.0, 16.0)]
    values = np.linspace(0.9, 1.1, 12)[:, None] * np.array([1.0, 2.0, -1.0]) + np.linspace(-9, 9, 12)[:, None] * np.array([1.0, 0, 0])
    found = tightness_map("dsgd_convex", ("T", "n"), points, values, [8.9, 1.0, 1.0], [True, True, True])
    figure = tightness_figure(found, Quantity.GENERALIZATION_ERROR, {"m": 8})
    assert [text.get_text() for text in axes_of(figure).texts] == ["", "", "(8.90)", "0.500"]
    assert words_of(figure) == [
        "not measured",
        "no ratio: the measured mean is not positive",
        "below 1: the measured mean lies above the bound",
    ]
    assert "in brackets" in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (12, "12"), (12400, "12\N{NARROW NO-BREAK SPACE}400"), (0.0977, "0.0977"), (1.234e-5, "1.23×10⁻⁵"), (1e-5, "10⁻⁵"),
     (-2.5, "−2.5"), (12345.6, "12346"), (1e6, "10⁶"), (2.5e30, "2.5×10³⁰")],
)  # fmt: skip
def test_short_numbers(value: float, expected: str) -> None:
    assert short(value) == expected


def test_tables_that_cannot_be_read_are_refused() -> None:
    def cells(rows: int, columns: int, **changes: Any) -> Cells:
        values = np.ones((rows, columns))
        base = Cells("t", "x", "y", ["c"] * columns, ["r"] * rows, values, [[""] * columns] * rows, np.full(values.shape, -1))
        return replace(base, **changes)

    with pytest.raises(DomainError, match="1 to 400 cells"):
        cells_figure(cells(21, 20))
    with pytest.raises(DomainError, match="need as many"):
        cells_figure(cells(2, 2, marks=np.zeros((1, 2), dtype=np.int64)))
    with pytest.raises(DomainError, match="names of hatches"):
        cells_figure(cells(1, 1, marks=np.zeros((1, 1), dtype=np.int64)))

"""The map of regions: names inside their regions, borders in the legend, words beside it, and its place in the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bounds.errors import DomainError
from figures.regions import region_figure
from figures.report import write_figures, write_report
from figures.style import to_png
from figures.words import map_alt_text, map_caption
from verify.verdict import CaseResult, Map

X, Y = np.linspace(0, 1, 40), np.linspace(0, 2, 30)
DRAWN = Map(
    "who is larger",
    ("across $x$", "up $y$"),
    X,
    Y,
    np.where(Y[:, None] > X[None, :], 1, 0),
    ("below", "above", "never"),
    (("the diagonal", np.array([0.0, 1.0]), np.array([0.0, 1.0])),),
)


def test_names_stand_in_their_regions_and_borders_have_names() -> None:
    (axes,) = region_figure(DRAWN).axes
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(places) == {"below", "above"}
    assert places["above"][1] > places["above"][0]
    assert places["below"][1] < places["below"][0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["the diagonal"]
    assert to_png(region_figure(DRAWN)) == to_png(region_figure(DRAWN))


def test_a_map_of_another_shape_or_with_too_many_regions_is_refused() -> None:
    with pytest.raises(DomainError, match="give one for each pair"):
        replace(DRAWN, regions=DRAWN.regions.T)
    with pytest.raises(DomainError, match="number them from 0"):
        replace(DRAWN, labels=("one",))
    with pytest.raises(DomainError, match="at most 6"):
        region_figure(replace(DRAWN, labels=tuple("abcdefg")))


def test_a_map_gets_files_and_words_of_its_own(results: list[CaseResult], tmp_path: Path) -> None:
    plain, curved = (next(one for one in results if bool(one.curves) is wanted) for wanted in (False, True))
    given = [replace(one, maps=(DRAWN, DRAWN)) for one in (plain, curved)]
    drawn = write_figures(given, tmp_path / "report")
    assert [len(one.figures) for one in drawn] == [4, 6]
    assert all((tmp_path / path).is_file() for one in drawn for path in one.figures)
    page = write_report(drawn, tmp_path / "report", title="t", run_facts={}, calibration=None)
    text = "".join(path.read_text() for path in page.parent.rglob("*.html"))
    assert map_caption(DRAWN) in text
    assert "Lines: the diagonal." in map_caption(DRAWN)
    assert "above on " in map_alt_text(DRAWN, plain)

"""The scatter: a marker for each group, level lines of the plane, words beside it, and its place in the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bounds.errors import DomainError
from figures.report import write_figures
from figures.scatter import scatter_figure
from figures.style import to_png
from figures.words import map_alt_text, map_caption
from verify.verdict import CaseResult, Scatter

POINTS = Scatter(
    "accuracy",
    ("loss", "trace", "percent"),
    np.array([0.0, 1.0, 2.0]),
    np.array([1.0, 0.0, 2.0]),
    np.array([90.0, 91.0, 95.0]),
    ("a", "b", "a"),
    (90.0, 1.0, 2.0),
)


def test_groups_are_in_the_legend_and_the_plane_has_level_lines() -> None:
    axes, bar = scatter_figure(POINTS).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == POINTS.axes
    assert to_png(scatter_figure(POINTS)) == to_png(scatter_figure(POINTS))
    assert to_png(scatter_figure(replace(POINTS, plane=(90.0, -1.0, 2.0)))) != to_png(scatter_figure(POINTS))


def test_points_that_do_not_match_and_too_many_groups_are_refused() -> None:
    with pytest.raises(DomainError, match="as many x and y"):
        replace(POINTS, groups=("a",))
    many = np.arange(6.0)
    with pytest.raises(DomainError, match="at most 5"):
        scatter_figure(replace(POINTS, x=many, y=many, values=many, groups=tuple("abcdef")))


def test_a_scatter_gets_a_file_and_words_of_its_own(results: list[CaseResult], tmp_path: Path) -> None:
    plain = replace(next(one for one in results if not one.curves), maps=(POINTS,))
    (written,) = write_figures([plain], tmp_path / "report")
    assert [path.endswith(("--map-1.png", "--map-1.svg")) for path in written.figures] == [True, True]
    assert "loss (across)" in map_caption(POINTS)
    assert "the plane is 90 +1 x +2 y" in map_alt_text(POINTS, plain)

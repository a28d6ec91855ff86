"""Logged curves as pictures: every run drawn, runs of one kind alike, the steep start and collapses cut off."""

from __future__ import annotations

import numpy as np
import pytest

from bounds.errors import DomainError
from figures.learning_curves import Line, Panel, learning_curves
from figures.style import MEASURED


def line(label: str, level: float, reference: bool = False) -> Line:
    values = level - 50 * np.exp(-np.arange(60) / 3)
    values[40] = 10
    return Line(label, 50 * np.arange(60), values, reference)


def test_every_run_is_drawn_and_kinds_look_alike() -> None:
    panels = [
        Panel("small", (line("csgd", 90, True), line("ring", 92))),
        Panel("large", (line("csgd", 85, True), line("ring", 88), line("ring", 89))),
    ]
    figure = learning_curves("CIFAR10", panels)
    left, right = figure.axes
    assert [len(axes.lines) for axes in (left, right)] == [2, 3]
    assert left.lines[0].get_color() == right.lines[0].get_color() == MEASURED.colour
    assert {one.get_linestyle() for one in right.lines[1:]} == {left.lines[1].get_linestyle()}
    legend = right.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["csgd", "ring"]
    assert right.get_xlabel() == "step T (large)"
    low, high = left.get_ylim()
    assert 60 < low < 85
    assert 92 < high < 93
    np.testing.assert_array_equal(right.lines[2].get_ydata(), panels[1].lines[2].accuracy)


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(DomainError, match="0 lines"):
        learning_curves("x", [])

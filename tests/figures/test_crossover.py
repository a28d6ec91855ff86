"""The picture of a crossover: regions named in place, the curve between them, what is left out stays white."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import bounds
from bounds.comparison import Plane
from bounds.errors import DomainError
from figures.crossover import crossover_figure
from figures.style import to_png

FIXED = dict(L=1, m=16, n=100, beta=1, sigma2=1, zeta2=1, r0=1, gap=0.05, Q=1, b=1)


@pytest.fixture(scope="module")
def valley() -> Plane:
    a, b = bounds.get("mgs_excess_convex"), bounds.get("dsgd_worst_node_convex")
    return bounds.crossover(a, b, ("eta", 1e-4, 1), ("T", 1, 1e5), FIXED, points=50)


def test_regions_are_named_and_axes_come_from_the_registry(valley: Plane) -> None:
    (axes,) = crossover_figure(valley).axes
    told = [text.get_text().replace("\n", " ") for text in axes.texts]
    assert told == ["mgs_excess_convex smaller", "dsgd_worst_node_convex smaller"]
    assert axes.get_xlabel() == r"learning rate (constant step) $\eta$ [w²/loss]"
    assert axes.get_ylabel() == "steps $T$"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    title = axes.get_title(loc="left").replace("\N{NO-BREAK SPACE}", " ").replace("\n", " ")
    assert (
        title
        == "with L = 1, m = 16, n = 100, beta = 1, sigma2 = 1, zeta2 = 1, r0 = 1, gap = 0.05, Q = 1, b = 1; white: outside the assumptions"
    )


def test_a_name_stands_inside_its_region(valley: Plane) -> None:
    (axes,) = crossover_figure(valley).axes
    for text, sign in zip(axes.texts, (-1, 1), strict=True):
        x, y = axes.transData.inverted().transform(axes.transAxes.transform(text.get_position()))
        row, column = np.abs(np.log(valley.y / y)).argmin(), np.abs(np.log(valley.x / x)).argmin()
        assert valley.signs[row, column] == sign
        assert valley.admissible[row, column]


def test_the_curve_passes_through_every_crossing_once(valley: Plane) -> None:
    (axes,) = crossover_figure(valley).axes
    drawn = np.concatenate([line.get_xydata() for line in axes.get_lines()])
    expected = np.stack([valley.curve[:, 0], valley.curve[:, 1:].mean(axis=1)], axis=1)
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, expected))
    assert len(axes.get_lines()) == 1


def test_the_same_plane_gives_the_same_bytes(valley: Plane) -> None:
    assert to_png(crossover_figure(valley)) == to_png(crossover_figure(valley))


def test_a_plane_outside_the_assumptions_says_so(valley: Plane) -> None:
    empty = dataclasses.replace(valley, admissible=np.zeros_like(valley.admissible))
    with pytest.raises(DomainError, match="widen a range"):
        crossover_figure(empty)

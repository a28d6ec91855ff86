"""The certificates table as a picture: one arrow per pair, in the right row and column, and hatches beside the shades."""

from __future__ import annotations

import pytest

import bounds
from bounds.errors import DomainError
from bounds.vocabulary import Direction
from figures import certificates_figure
from verify.certificates import CertifiedDirection


def row(bound: str, parameter: str, direction: Direction, status: str | None) -> CertifiedDirection:
    return CertifiedDirection(bound, parameter, direction, status, "engine", "", 1, ())  # type: ignore[arg-type]


ROWS = [
    row("second", "T", Direction.INCREASING, "proved"),
    row("second", "m", Direction.MIXED, "undecided"),
    row("first", "eta", Direction.UNKNOWN, None),
    row("first", "m", Direction.DECREASING, "refuted"),
]


def test_arrows_stand_where_bound_and_parameter_meet() -> None:
    (axes,) = certificates_figure(ROWS).axes
    columns = [label.get_text() for label in axes.get_xticklabels()]
    lines = [label.get_text() for label in axes.get_yticklabels()]
    assert (columns, lines) == ([r"$m$", r"$T$", r"$\eta$"], ["second", "first"])
    found = {(lines[round(text.get_position()[1])], columns[round(text.get_position()[0])], text.get_text()) for text in axes.texts}
    assert found == {("second", "$T$", "↗"), ("second", "$m$", "↕"), ("first", r"$\eta$", "?"), ("first", "$m$", "↘")}
    assert len({patch.get_hatch() for patch in axes.patches}) == 4
    told = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "refuted by a witness" in told
    assert "↘  never rises" in told


def test_parameters_are_labelled_by_the_registry() -> None:
    (axes,) = certificates_figure([row("b", "gap", Direction.CONSTANT, "proved")]).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [f"${bounds.symbol('gap').latex}$"]


def test_no_row_is_refused() -> None:
    with pytest.raises(DomainError, match="0 certificates"):
        certificates_figure([])

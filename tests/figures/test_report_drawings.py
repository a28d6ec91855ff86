"""Figure files: one per case, under names that never collide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bounds.errors import InputFileError
from figures import write_figures
from figures.report.drawings import case_names
from verify.verdict import CaseResult


def test_names_are_safe_and_all_different(results: list[CaseResult]) -> None:
    names = case_names(results)
    assert names[0] == "core-convex--atc-n"
    assert names[5] == "core-convex--atc-n-co"
    assert names[6] == "core-convex--atc-n-2"
    assert len({name.lower() for name in names}) == len(results)
    odd = [replace(results[0], case=case) for case in ("../../etc", "a", "A", "a", "/", "é", "x" * 300)]
    for name in case_names(odd):
        assert not set(name) & set('/\\<>&" ')
        assert ".." not in name.replace("--..", "")
        assert len(name) < 170
    assert len({name.lower() for name in case_names(odd)}) == len(odd)


def test_figures_are_named_relative_to_the_parent_of_the_report(by_case: dict[str, CaseResult], tmp_path: Path) -> None:
    some = [by_case["atc-m"], by_case["worst"]]
    drawn = write_figures(some, tmp_path / "report")
    paths = ["report/figures/core-convex--atc-m.png", "report/figures/core-convex--atc-m.svg"]
    assert drawn == [replace(some[0], figures=tuple(paths)), some[1]]
    assert all((tmp_path / path).stat().st_size > 1000 for path in paths)
    assert sorted(path.name for path in (tmp_path / "report" / "figures").iterdir()) == [Path(path).name for path in paths]
    again = write_figures(drawn, tmp_path / "report")
    assert again == drawn, "drawing twice names each figure once"


def test_a_folder_that_cannot_be_made_is_one_line(by_case: dict[str, CaseResult], tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file in the way")
    with pytest.raises(InputFileError, match="cannot write") as caught:
        write_figures([by_case["atc-m"]], tmp_path / "report")
    assert "\n" not in str(caught.value)

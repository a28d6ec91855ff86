"""docs/own-theorems.md names every field, its files agree, and the template passes; tests/docs runs its blocks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import bounds
from bounds.assumptions import PROPERTIES
from bounds.registry import nothing_kept
from bounds.testing import assert_dominates, assert_monotone, assert_reduces_to
from bounds.theorem_file import TheoremFile
from bounds.vocabulary import Quantity
from gossip_bounds.main import run

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "own-theorems.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, flags=re.M | re.S)
PYTHON = [text for language, text in BLOCKS if language == "python"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (toml,) = (text for language, text in BLOCKS if language == "toml")
    Path("mine.toml").write_text(toml)
    Path("mine.py").write_text(PYTHON[0])
    return tmp_path


def test_both_files_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for file in ("mine.toml", "mine.py"):
        assert run(["evaluate", "mine", "L=1", "eta=0.1", "T=100", "m=8", "n=64", "kappa=2", "--bounds", file]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


def test_the_skeleton_of_a_family_is_a_catalogue_file(folder: Path) -> None:
    import doctest

    names: dict[str, object] = {"__name__": "family"}
    exec(PYTHON[2], names)
    (bound,) = names["BOUNDS"]  # type: ignore[misc]
    with nothing_kept():
        bounds.registry.add(bound, "here")
        test = doctest.DocTestParser().get_doctest(str(names["__doc__"]), {}, "page", None, 0)
        assert doctest.DocTestRunner().run(test).failed == 0
        assert any('"mine"' in example.source and "e+00" in example.want for example in test.examples)


def test_the_page_names_every_field() -> None:
    table = PAGE.partition("## The fields")[2].partition("## In Python")[0]
    for name in (*TheoremFile.model_fields, *PROPERTIES, *(quantity.value for quantity in Quantity)):
        assert re.search(rf"[`\[]{name}[`\]]", table), name


def test_the_template_loads_and_passes() -> None:
    with nothing_kept():
        (bound,) = bounds.load(DOCS / "template_theorem.toml")
        for name in bound.formula.parameters:
            assert_monotone(bound, name, examples=60)
        assert_dominates(bound)
        for one in bound.reductions:
            assert_reduces_to(bound, dict(one.at), one.to or one.value or "", dict(one.arguments), one.relation)
    assert set(tomllib.loads((DOCS / "template_theorem.toml").read_text())) == set(TheoremFile.model_fields)

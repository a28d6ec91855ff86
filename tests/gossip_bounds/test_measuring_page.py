"""docs/measuring.md does what it says: its TOML runs, and its Python finds what was measured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gossip_bounds.main import run

PAGE = Path(__file__).parents[2] / "docs" / "measuring.md"


def _block(language: str) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweep.toml").write_text(_block("toml"))
    assert run(["measure", "sweep.toml", "--out", "measured", "--jobs", "1"]) == 0
    assert capsys.readouterr().out == "4 computed, 0 reused, in measured\n"
    names: dict[str, Any] = {}
    exec(_block("python"), names)
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(f"{m} {name} complete" for m in (4, 8) for name in ("ring", "complete"))
    assert [len(ones) for ones in names["found"].values()] == [2, 2]
    assert names["dataset"].sizes["replicate"] == 20
    for name in names["dataset"].data_vars:
        assert name in ("generalization_error_at_node_average", "l1_stability_at_node_average")

"""The audit command: its JSON, its files, and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gossip_bounds.main import run
from verify.audit import Mutant, audit


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "cells", lambda: [("gaussian", 20, 1)])
    monkeypatch.setattr(audit, "REPLICATES", (20,))
    monkeypatch.setattr(audit, "catalogue", lambda: {"sam_residual": None})
    monkeypatch.setattr(audit, "mistakes", lambda: [Mutant("x: a", "x", "a", "mistake", "verdict", "")])


@pytest.mark.usefixtures("_small")
def test_json_and_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["audit", "--json", "--trials", "30", "--jobs", "1", "--out", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "audit.json").read_text())
    assert set(document["rates"]) >= {"false_alarm", "tightening", "loosening", "mistake"}
    assert document["trials"] == 30
    assert "`gossip-bounds audit --out out --trials 30`" in (tmp_path / "audit.md").read_text()
    assert "How far to trust this page" in (tmp_path / "report" / "audit.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("_small")
def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--trials", "20", "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "Planted errors by class" in shown
    assert "planted errors were missed" in shown


def test_two_budgets_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--quick", "--trials", "5"]) == 2
    assert "--trials 5" in capsys.readouterr().err

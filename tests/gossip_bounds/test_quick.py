"""The plain form of ``evaluate`` says exactly what the full command line says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gossip_bounds.main import _commands, run
from gossip_bounds.quick import _understood

POINT = ["L=1", "eta=0.05", "T=1000", "m=16", "n=64"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["dsgd_convex", *POINT],
        ["dsgd_convex", *POINT, "beta=2", "--json"],
        ["--json", "dsgd_convex", *POINT[:-1], "n=10:1000:4:log"],
        ["dsgd_convex", *POINT, "update_form=cta"],
        ["dsgd_worst_node_convex", *POINT, "Q=2", "--topology", "ring", "--json"],
        ["excess_risk_atc", "eta=0.1", "b=4", "rho=1,2", "r=1", "m=8", "Q=1", "--topology", "ring", "--readout", "network_mean"],
        [
            "mgs_pl",
            "eta=0.1",
            "T=10",
            "m=4",
            "beta=1",
            "sigma2=1",
            "zeta2=1",
            "D0=1",
            "gap=0.5",
            "Q=1",
            "mu=0.5",
            "--update-form",
            "consensus",
        ],
    ],
)
def test_says_the_same(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _understood(["evaluate", *arguments]) is not None
    assert run(["evaluate", *arguments]) == 0
    quick = capsys.readouterr().out
    assert not _commands(["evaluate", *arguments])
    assert quick == capsys.readouterr().out
    assert quick


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["list"],
        ["evaluate"],
        ["evaluate", "--help"],
        ["evaluate", "dsgd_convex", "--bounds", "x.toml"],
        ["evaluate", "dsgd_convex", "--json", "L=1", "--topology"],
        ["evaluate", "dsgd_convex", "--topology=ring"],
        ["evaluate", "dsgd_convex", "--topology", "--json"],
        ["evaluate", "dsgd_convex", "--readout", "a", "--readout", "b"],
        ["evaluate", "L=1"],
        ["evaluate", "dsgd_convex", "L"],
        ["evaluate", "dsgd_convex", "--", "L=1"],
    ],
)
def test_leaves_the_rest_to_the_full_command_line(arguments: list[str]) -> None:
    assert _understood(arguments) is None


def test_writes_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, call in (("quick", run), ("full", _commands)):
        assert not call(["evaluate", "dsgd_convex", *POINT[:-1], "n=10:100:3", "--csv", str(tmp_path / name)])
    assert (tmp_path / "quick").read_text() == (tmp_path / "full").read_text()
    assert capsys.readouterr().out


def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "dsgd_convxe", *POINT]) == 2
    assert run(["evaluate", "dsgd_convex", *POINT, "gamma=1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "did you mean 'dsgd_convex'?" in lines[0]


def test_a_plain_evaluation_imports_no_heavy_library() -> None:
    code = (
        "import sys; from gossip_bounds.main import run; run(['evaluate', 'dsgd_convex', 'L=1', 'eta=0.05', 'T=1000', 'm=16', 'n=64', 'beta=2']);"
        "sys.exit(', '.join(name for name in ('numpy', 'sympy', 'flint', 'typer', 'pydantic', 'torch') if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

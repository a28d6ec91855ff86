"""Help: every command shows an example that runs, mistyped names are answered with the nearest, shells complete."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gossip_bounds.app import EXAMPLES, app
from gossip_bounds.main import run

#: These need files, time or the network; their pages in docs/ are tested.
_ELSEWHERE = {"audit", "constants", "cost", "certificates", "check", "data", "measure", "logs", "verify"}


def test_every_command_has_an_example() -> None:
    assert {command.name for command in app.registered_commands} == set(EXAMPLES)
    assert all(shlex.split(line)[:2] == ["gossip-bounds", name] for name, line in EXAMPLES.items())


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - _ELSEWHERE))
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(shlex.split(EXAMPLES[name])[1:]) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_help_ends_in_the_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert " ".join(capsys.readouterr().out.split()).endswith(f"Example: {EXAMPLES[name]}")


@pytest.mark.parametrize(
    ("typed", "meant"), [("verfy", "'verify'"), ("evaluate dsgd_convx", "'dsgd_convex'"), ("verify li2025-nods", "'li2025-nodes'")]
)
def test_a_mistyped_name_is_answered_with_the_nearest(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(typed.split()) == 2
    assert meant in capsys.readouterr().err.lower()


def test_shells_complete() -> None:
    # Without this the shell that runs the tests is asked for, and make's has no completion.
    environment = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "gossip_bounds", "--show-completion", "bash"]
    assert "complete -o" in subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_help_imports_no_large_package() -> None:
    code = "import sys; from gossip_bounds.main import run; run(['--help']); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "matplotlib", "sympy", "numpy", "scipy", "pandas"} & set(loaded)

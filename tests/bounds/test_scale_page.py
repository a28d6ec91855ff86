"""docs/scale.md: its programs print what the page shows, and its commands run."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path

import pytest

from gossip_bounds.main import run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("gossip-bounds") and not line.endswith("\\")
]


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=["bandwidth", "stragglers"])
def test_programs_print_what_the_page_shows(program: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(program, {})
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shlex.split(command.replace("\\\n", " "))[1:]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_the_table_of_costs_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    command, printed = re.findall(r"```\n(gossip-bounds cost.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)[0]
    assert run(shlex.split(command.replace("\\\n", " "))[1:]) == 0
    assert capsys.readouterr().out == printed


def test_numbers_in_the_text() -> None:
    assert len(COMMANDS) == 3
    assert pytest.approx(4.4, abs=0.05) == 5 * 365.25 * 24 / 10_000
    assert math.sqrt(2 / 60 * 4.4) == pytest.approx(0.38, abs=0.005)
    rows = {row["name"]: row for row in json.loads((ROOT / "benchmarks" / "results.json").read_text())}
    for name, gap in (("1000000 nodes, ring", "1.316e-11"), ("1000000 nodes, random cycles", "0.2184")):
        assert f"gap {gap}" in rows[f"spectrum of {name}"]["note"]
        assert gap in PAGE

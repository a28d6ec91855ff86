"""The example on the performance page runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from empirical.problems.registry import PROBLEMS

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.problems.registry.PROBLEMS", dict(PROBLEMS))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 1
    exec(blocks[0], found := {})
    assert found["name"].startswith("mine@")
    assert len(found["name"]) == len("mine@") + 16

"""The numbers in the text of docs/scale.md; tests/docs runs its blocks."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text()


def test_numbers_in_the_text() -> None:
    assert pytest.approx(4.4, abs=0.05) == 5 * 365.25 * 24 / 10_000
    assert math.sqrt(2 / 60 * 4.4) == pytest.approx(0.38, abs=0.005)
    rows = {row["name"]: row for row in json.loads((ROOT / "benchmarks" / "results.json").read_text())}
    for name, gap in (("1000000 nodes, ring", "1.316e-11"), ("1000000 nodes, random cycles", "0.2184")):
        assert f"gap {gap}" in rows[f"spectrum of {name}"]["note"]
        assert gap in PAGE

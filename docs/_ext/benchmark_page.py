"""The page of measured speed, from the results of ``make bench``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from markup import page, plain, table

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results.json"
_HEADS = ("What", "Ours", "Peer", "Ratio", "Asked", "Note")


def benchmark_page(rows: list[dict[str, Any]] | None = None) -> str:
    """The page; without ``rows`` from the results that were saved last."""
    found = json.loads(RESULTS.read_text()) if rows is None else rows
    decided = [met(row) for row in found if met(row) is not None]
    return page(
        "Measured speed",
        f"Every row of the last ``make bench``, against a named peer in the same run. Of {len(found)} rows, {len(decided)} were asked to reach "
        f"something, and {sum(map(bool, decided))} of these did. A ratio above 1 means that ours is better. One run on one machine, with the "
        "load that the note names: :doc:`performance` says how the numbers come about and what limits them.",
        table(_HEADS, [_cells(row) for row in found], (26, 13, 20, 8, 12, 21)),
    )


def met(row: dict[str, Any]) -> bool | None:
    """Whether a row reached what was asked of it, by its target or by the words of its note; None where nothing was asked."""
    if row["target"] is not None:
        return bool(row["ratio"] >= row["target"])
    limit = _limit(row)
    return row["ours"] < float(limit) if limit else None


def _limit(row: dict[str, Any]) -> str:
    """What our own number should stay below, as the note says it; empty where it says nothing."""
    asked = re.match(r"asked: below (\S+?)(;|$)", row["note"])
    return asked[1] if asked else ""


def _cells(row: dict[str, Any]) -> list[str]:
    unit = row["unit"].partition(",")[0]
    limit = f"below {_limit(row)}" if _limit(row) else ""
    asked = f"ratio {row['target']:.3g}" if row["target"] is not None else limit
    words = {True: f"{asked}: met", False: f"{asked}: **not met**", None: ""}[met(row)]
    numbers = [plain(f"{row['ours']:.3g} {unit}"), plain(f"{row['peer']:.3g}, {row['peer_name']}"), f"{row['ratio']:.3g}"]
    return [plain(row["name"]), *numbers, words, plain(row["note"].removeprefix(f"asked: {limit}; "))]

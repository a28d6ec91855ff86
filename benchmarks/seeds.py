"""Do verdicts hang on the seed or on the budget? Every case under several master seeds, as a Markdown table.

    python -m benchmarks.seeds li2025 --budget default --out docs/tables/li2025-seeds.md

UNDECIDED may become decided; HOLDS and VIOLATED must never swap. The exit status is 1 when they do.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bounds.files import write_text
from verify.suite import budgets, run_suite
from verify.verdict import Verdict

_SHORT = {Verdict.HOLDS: "holds", Verdict.VIOLATED: "violated", Verdict.UNDECIDED: "undecided", Verdict.NOT_APPLICABLE: "not applicable"}
Table = dict[tuple[str, str], list[Verdict]]


def one_seed(names: Sequence[str], budget: str, seed: int, jobs: int) -> dict[tuple[str, str], Verdict]:
    """Verdicts by (claim, case) under one master seed."""
    return {(result.claim, result.case): result.verdict for result in run_suite(budgets(names, budget), seed, jobs=jobs).results}


def swapped(found: Sequence[Verdict]) -> bool:
    """Is a case decided both ways?"""
    return {Verdict.HOLDS, Verdict.VIOLATED} <= set(found)


def markdown(table: Mapping[tuple[str, str], Sequence[Verdict]], columns: Sequence[str]) -> list[str]:
    """The lines of a Markdown table; equal verdicts throughout are written once."""
    lines = [f"| claim | case | {' | '.join(columns)} |", "|---" * (2 + len(columns)) + "|"]
    for (claim, case), found in table.items():
        cells = [_SHORT[one] for one in found]
        lines.append(f"| `{claim}` | {case} | {' | '.join(cells)} |{' **swapped**' if swapped(found) else ''}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="claims, or a paper's prefix")
    parser.add_argument("--budget", choices=("quick", "default", "full"), default="default")
    parser.add_argument("--seeds", type=int, default=5, help="the seeds 0, 1, ... (5)")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    asked = parser.parse_args()
    table: Table = {}
    seconds: list[float] = []
    for seed in range(asked.seeds):
        start = time.perf_counter()
        for key, verdict in one_seed(asked.names, asked.budget, seed, asked.jobs).items():
            table.setdefault(key, []).append(verdict)
        seconds.append(time.perf_counter() - start)
        title = f"# Verdicts under several seeds: {', '.join(asked.names)}"
        text = (
            "\n".join([title, "", *markdown(table, [f"seed {index}" for index in range(seed + 1)]), "", _summary(table, seconds, asked)])
            + "\n"
        )
        if asked.out:
            # After every seed: a check that is stopped keeps what it found.
            write_text(asked.out, text)
    print(text, end="")
    return 1 if any(map(swapped, table.values())) else 0


def _summary(table: Table, seconds: Sequence[float], asked: argparse.Namespace) -> str:
    steady = sum(len(set(found)) == 1 for found in table.values())
    return (
        f"{len(table)} cases, {steady} with one verdict under all {len(seconds)} seeds, {sum(map(swapped, table.values()))} decided both "
        f"ways; budget {asked.budget}, {min(seconds):.0f} to {max(seconds):.0f} s a seed (load average {os.getloadavg()[0]:.1f} at the end). "
        f"Made by `python -m benchmarks.seeds {' '.join(asked.names)} --budget {asked.budget} --seeds {len(seconds)}`."
    )


if __name__ == "__main__":
    sys.exit(main())

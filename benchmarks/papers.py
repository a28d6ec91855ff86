"""The verdicts of each paper as Markdown, for the documentation.

    make verify
    python -m benchmarks.papers out/results.json

writes ``docs/tables/PAPER.md``, every case with verdict, evidence and reason, and puts the summary by claim into
``docs/papers/PAPER.md``, between its two marks.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bounds.files import write_text
from verify.papers import paper
from verify.verdict import Evidence, Verdict

Row = Mapping[str, Any]
VERDICTS = [verdict.name for verdict in Verdict]
_STRENGTH = [evidence.value for evidence in Evidence]
_BEGIN, _END = "<!-- verdicts -->", "<!-- end of verdicts -->"
_MADE = (
    "Made by `python -m benchmarks.papers out/results.json` from what `make verify` wrote "
    "(seed 0; the base experiments at the default budget, papers at `--quick`: longer runs decide more)."
)


def plain(text: str) -> str:
    """``text`` with nothing in it that Markdown, a table cell or dollar mathematics would read."""
    return re.sub(r"([\\`*_<>\[\]|$])", r"\\\1", " ".join(text.split()))


def by_sentence(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each claim and sentence (a claim may have several), in the order of the file."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["claim"], row["statement"]), []).append(row)
    return found


def deciding(rows: Sequence[Row]) -> Row:
    """The case that says most about a sentence meant in general: the best supported VIOLATED, else HOLDS, else what there is."""
    order = ["VIOLATED", "HOLDS", "UNDECIDED", "NOT_APPLICABLE"]
    return min(rows, key=lambda row: (order.index(row["verdict"]), _STRENGTH.index(row["evidence"])))


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")


def _counts(rows: Sequence[Row]) -> Counter[str]:
    return Counter(row["verdict"] for row in rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return [f"| {' | '.join(map(str, cells))} |" for cells in (heads, ["---"] * len(heads), *rows)]


def summary(rows: Sequence[Row]) -> str:
    """A paper's sentences with the number of cases by verdict, then the case that decides each."""
    found = by_sentence(rows)
    shown = [name for name in VERDICTS if _counts(rows)[name]]
    table = [[f"`{claim}`: {plain(text)}", *(_counts(cases)[name] or "" for name in shown)] for (claim, text), cases in found.items()]
    best = [(claim, deciding(cases)) for (claim, _), cases in found.items()]
    reasons = [
        f"- `{claim}`: {_words(row['verdict'])} in `{row['case']}` ({row['evidence']}). {plain(row['reason'])}" for claim, row in best
    ]
    return "\n".join([*_table(["claim, and what it says", *map(_words, shown)], table), "", "What decides:", "", *reasons])


def every_case(name: str, rows: Sequence[Row]) -> str:
    """The page of all cases of a paper."""
    about = paper(name)
    lines = [f"# {about.title}: every case", "", _MADE, "", f"{plain(about.source)}. [What came out](../papers/{name}.md) sums up."]
    last = None
    for (claim, text), cases in by_sentence(rows).items():
        counts = _counts(cases)
        told = ", ".join(f"{counts[one]} {_words(one)}" for one in VERDICTS if counts[one])
        lines += [*(["", f"## {claim}"] if claim != last else []), "", f"> {plain(text)}", "", f"{told}.", ""]
        cells = [(f"`{row['case']}`", _words(row["verdict"]), row["evidence"], plain(row["reason"])) for row in cases]
        lines += _table(("case", "verdict", "evidence", "why"), cells)
        last = claim
    return "\n".join(lines) + "\n"


def put_between(page: str, text: str) -> str:
    """``page`` with what stands between its marks replaced.

    Raises:
        ValueError: when the page lacks its marks.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has no {_BEGIN} and {_END}; put both on lines of their own where the table belongs")
    return f"{before}{_BEGIN}\n\n{_MADE}\n\n{text}\n\n{_END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="results.json of a report")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    rows = json.loads(asked.results.read_text())
    for name in dict.fromkeys(row["paper"] for row in rows):
        own = [row for row in rows if row["paper"] == name]
        page = asked.docs / "papers" / f"{name}.md"
        write_text(page, put_between(page.read_text(), summary(own)))
        write_text(asked.docs / "tables" / f"{name}.md", every_case(name, own))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The pages of papers: their tables come from a report, and name every claim; quoted numbers of the audit are the audit's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.papers import by_sentence, deciding, every_case, plain, put_between, summary
from verify.suite import budgets, cases, select

DOCS = Path(__file__).parents[2] / "docs"
PAPERS = ("li2025", "cao2025", "zhu2023", "core")


def _row(claim: str, case: str, verdict: str, evidence: str, **more: object) -> dict[str, object]:
    return {
        "claim": claim,
        "case": case,
        "verdict": verdict,
        "evidence": evidence,
        "statement": "It falls.",
        "reason": f"{case} a|b x_k",
    } | more


ROWS = [
    _row("core-a", "one", "HOLDS", "proved"),
    _row("core-a", "two", "VIOLATED", "measured"),
    _row("core-a", "three", "VIOLATED", "exact"),
    _row("core-a", "four", "UNDECIDED", "measured", statement="It rises."),
    _row("core-b", "one", "NOT_APPLICABLE", "measured"),
]


def test_one_row_for_each_sentence_and_the_best_refutation_decides() -> None:
    assert [len(found) for found in by_sentence(ROWS).values()] == [3, 1, 1]
    assert [deciding(found)["case"] for found in by_sentence(ROWS).values()] == ["three", "four", "one"]
    lines = summary(ROWS).splitlines()
    assert lines[0] == "| claim, and what it says | HOLDS | VIOLATED | UNDECIDED | NOT APPLICABLE |"
    assert lines[2] == "| `core-a`: It falls. | 1 | 2 |  |  |"
    assert "- `core-a`: VIOLATED in `three` (exact). three a\\|b x\\_k" in lines
    assert every_case("core", ROWS).count("\n## ") == 2
    assert plain("a $b$ <c>  [d]\n*e*") == r"a \$b\$ \<c\> \[d\] \*e\*"


def test_a_page_without_marks_is_refused() -> None:
    assert "new" in put_between("a\n<!-- verdicts -->\nold\n<!-- end of verdicts -->\nb", "new")
    with pytest.raises(ValueError, match="lines of their own"):
        put_between("a", "new")


@pytest.mark.parametrize("name", PAPERS)
def test_pages_and_tables_name_every_claim(name: str) -> None:
    page, table = (DOCS / "papers" / f"{name}.md").read_text(), (DOCS / "tables" / f"{name}.md").read_text()
    claims = select([name])
    assert list(dict.fromkeys(re.findall(r"^## (\S+)$", table, flags=re.M))) == claims
    assert list(dict.fromkeys(re.findall(r"^\| `([^`]+)`: ", page, flags=re.M))) == claims
    told = re.findall(r"^(\d+ (?:HOLDS|VIOLATED|UNDECIDED|NOT APPLICABLE).*)\.$", table, flags=re.M)
    assert sum(int(count) for line in told for count in re.findall(r"\d+", line)) == len(re.findall(r"^\| `", table, flags=re.M))
    # The summary's numbers are those of the table of all cases, sentence by sentence.
    counts = [[cell for cell in row.split(" | ")[1:] if cell.strip(" |")] for row in re.findall(r"^\| `[^`]+`: .*$", page, flags=re.M)]
    assert [[cell.strip(" |") for cell in row] for row in counts] == [re.findall(r"\d+", line) for line in told]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPERS)
def test_tables_hold_the_cases_and_sentences_that_verify_decides(name: str) -> None:
    table = (DOCS / "tables" / f"{name}.md").read_text()
    built = [one for one in cases(budgets([]), 0, "cpu") if one.paper == name]
    assert re.findall(r"^\| `([^`]+)`", table, flags=re.M) == [one.case for found in _in_order(built) for one in found]
    assert {f"> {plain(one.statement)}" for one in built} == set(re.findall(r"^> .*$", table, flags=re.M))


def _in_order(built: list[object]) -> list[list[object]]:
    groups: dict[tuple[str, str], list[object]] = {}
    for one in built:
        groups.setdefault((one.claim, one.statement), []).append(one)  # type: ignore[attr-defined]
    return list(groups.values())


def test_the_numbers_of_the_audit_are_the_audits() -> None:
    page, audit = (DOCS / "verdicts.md").read_text(), (DOCS / "tables" / "audit.md").read_text()
    assert "4.45 % [4.32, 4.58] of 96000 trials" in audit
    assert "97.52 % of 967 errors that tighten a bound, 99.15 % of 118 named mistakes, 92.84 % of 363" in audit
    for number in ("4.45 %", "96,000", "967", "97.52 %", "99.15 %", "92.84 %"):
        assert number in page
    rows = {tuple(cell.strip() for cell in line.split("|")[1:4]): line for line in audit.splitlines() if line.count("|") == 10}
    for noise, wrong, rate in (
        ("right skewed", "HOLDS", "7.62"),
        ("left skewed", "VIOLATED", "7.52"),
        ("heavy tailed", "VIOLATED", "7.05"),
    ):
        assert rows[noise, "1", wrong].split("|")[5].startswith(f" {rate} ")
        assert f"{rate} %" in page

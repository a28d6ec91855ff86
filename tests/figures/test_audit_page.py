"""The audit's page and Markdown say what the audit found, row by row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from figures.report import audit_markdown, audit_summary, audit_tables, write_audit
from verify.audit import Audit, Cell, Forecast, Mutant, PowerCell
from verify.statistics import rate


def _audit(alarms: int = 200) -> Audit:
    return Audit(
        4000,
        0,
        (Cell("gaussian", 20, 12, rate(alarms, 4000), rate(8, 4000)), Cell("left_skewed", 50, 12, rate(300, 4000), rate(0, 4000))),
        (PowerCell(1.1, 0.8, 20, rate(30, 100), rate(1, 100)),),
        (Forecast(0.8, rate(90, 100)),),
        (
            Mutant("dsgd_convex: times 1/2", "dsgd_convex", "times", "tightening", "contract", "its own recursion"),
            Mutant("mgs_pl: |x|<y", "mgs_pl", "power", "tightening", "missed", ""),
            Mutant("sam_residual: a mistake", "sam_residual", "a mistake", "mistake", "verdict", "a run"),
            Mutant("lei2020_on_average: times 2", "lei2020_on_average", "times", "loosening", "missed", "", counts=False),
        ),
    )


def test_tables() -> None:
    tables = {table.title: table for table in audit_tables(_audit())}
    assert all(len(row) == len(table.heads) for table in tables.values() for row in table.rows)
    assert tables["False alarms"].rows[0] == ("gaussian", "12", "VIOLATED", "5.00 [4.35, 5.72]", "")
    assert tables["False alarms"].rows[2][-1].startswith("7.50 [")
    assert tables["Planted errors by class"].rows[0][2:7] == ("2", "0", "1", "0", "1")
    assert tables["Named mistakes"].rows == (("a mistake", "1", "1", "0", "0", "0"),)
    assert [row[1] for row in tables["What was missed, and why"].rows] == ["mgs_pl: |x|<y"]
    assert tables["Power"].rows == (("1.1", "0.8", "30 / 1"),)


def test_a_broken_promise_is_said_first() -> None:
    assert "kept from 20 replicates on" in audit_summary(_audit())
    assert "not kept for gaussian at 20" in audit_summary(_audit(alarms=400))


def test_page_and_markdown(tmp_path: Path) -> None:
    page = write_audit(_audit(), tmp_path, back="index.html")
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "audit.html"
    assert "|x|&lt;y" in text
    assert 'href="index.html"' in text
    assert text.count("<table") == 6
    assert set(re.findall(r'aria-labelledby="([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))
    markdown = audit_markdown(_audit(), "gossip-bounds audit")
    assert r"mgs_pl: \|x\|<y" in markdown
    assert "`gossip-bounds audit`" in markdown
    assert write_audit(_audit(), tmp_path, back="index.html").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("title", ["False alarms", "Planted errors by class", "Power"])
def test_the_committed_table_has_every_part(title: str) -> None:
    committed = (Path(__file__).parents[2] / "docs" / "tables" / "audit.md").read_text(encoding="utf-8")
    assert f"## {title}" in committed
    assert "4000 trials" in committed

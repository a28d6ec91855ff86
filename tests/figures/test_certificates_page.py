"""The certificates page: every cell says what became of its direction, every link resolves, and nothing is made up."""

import dataclasses
import re
from pathlib import Path

import pytest

import bounds
from bounds.vocabulary import Direction
from figures.report import write_certificates
from figures.report.certificates import summary
from verify.certificates import CertifiedDirection, certify_bound

NAMES = ("lei2020_on_average", "dsgd_convex", "l2_stability_atc")


@pytest.fixture(scope="module")
def rows() -> tuple[CertifiedDirection, ...]:
    return tuple(row for name in NAMES for row in certify_bound(name))


def test_rows_are_what_certify_says(rows: tuple[CertifiedDirection, ...]) -> None:
    assert [row.parameter for row in rows] == [p for name in NAMES for p in bounds.get(name).formula.parameters]
    for row in rows:
        bound = bounds.get(row.bound)
        assert row.direction is bound.directions[row.parameter]
        assert (row.status is None) == (row.direction is Direction.UNKNOWN)
        assert row.status in (None, "proved")
        assert len(row.witnesses) == 2 * (row.direction is Direction.MIXED)
        for witness in row.witnesses:
            assert bound.evaluate(**witness.first) == witness.first_value
            assert row.row()["witnesses"][0]["second_value"] == row.witnesses[0].second_value


def test_the_page(rows: tuple[CertifiedDirection, ...], tmp_path: Path) -> None:
    page = write_certificates(rows, tmp_path, title="Directions")
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "certificates.html"
    cells = re.findall(r'<td class="(\w+)" title="([^"]+)">', text)
    assert len(cells) == len(rows)
    assert sum(style == "holds" for style, _ in cells) == sum(row.status == "proved" for row in rows)
    assert "dsgd_convex never rises in m: proved" in text
    assert "l2_stability_atc no direction is declared in Q: open" in text
    targets = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= targets
    assert bounds.get("l2_stability_atc").open_questions["Q"] in text.replace("&#39;", "'")
    assert write_certificates(rows, tmp_path, title="Directions").read_text(encoding="utf-8") == text


def test_the_page_tells_refuted_and_undecided_from_proved(rows: tuple[CertifiedDirection, ...], tmp_path: Path) -> None:
    planted = [dataclasses.replace(rows[0], status=status, reason=f"because {status}") for status in ("refuted", "undecided")]
    for row in planted:
        text = write_certificates([row], tmp_path, title="Directions").read_text(encoding="utf-8")
        assert f"<p>because {row.status}</p>" in text
        assert "proved on" in text
        assert "1 refuted" in text or "1 undecided" in text
    assert summary(rows).startswith("19 of 19 declared directions are proved")


def test_escaping(rows: tuple[CertifiedDirection, ...], tmp_path: Path) -> None:
    row = dataclasses.replace(rows[0], bound="<script>", reason="<b>")
    text = write_certificates([row], tmp_path, title="<i>").read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<i>" not in text

"""The report's pages: complete, self-contained, escaped, accessible, and the same bytes for the same results."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bounds.errors import DomainError, InputFileError
from figures import CalibrationSummary, write_figures, write_report
from figures.report import case_names, curve_files, table_files
from figures.words import alt_text, caption, shown_words
from verify.verdict import CaseResult, Table, Verdict

VOID = {"meta", "link", "img", "br", "hr"}
FACTS = {"seed": "1", "machine": "<none> & nothing", "command": "gossip-bounds verify --seed 1 --out out"}
COMMANDS = {"core-convex": "gossip-bounds verify core-convex --seed 1 --out again"}


@dataclass
class Element:
    """One element with its attributes and all text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def every(self, tag: str, style: str = "") -> list[Element]:
        """The elements of this kind inside, in order of appearance."""
        found = [self] if self.tag == tag and style in self.attributes.get("class", "") else []
        return found + [one for child in self.inside for one in child.every(tag, style)]


class Tree(HTMLParser):
    """A strict reader: every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("root", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], "an element was not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag
        if tag in ("td", "th", "dt", "dd"):
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


@dataclass
class Page:
    folder: Path
    text: str
    root: Element
    results: list[CaseResult]
    papers: dict[str, Element]
    evidence: dict[str, Element]
    texts: dict[str, str]

    @property
    def shown(self) -> list[CaseResult]:
        """The results in the order of the papers' pages."""
        order = list(dict.fromkeys(result.paper for result in self.results))
        return sorted(self.results, key=lambda result: order.index(result.paper))

    @property
    def cases(self) -> list[Element]:
        """The cases' pages in the order of ``shown``."""
        names = dict(zip(map(id, self.results), case_names(self.results), strict=True))
        return [self.evidence[f"cases/{names[id(result)]}.html"] for result in self.shown]

    @property
    def everything(self) -> dict[str, Element]:
        return {"index.html": self.root, **self.papers, **self.evidence}


@pytest.fixture(scope="module")
def page(results: list[CaseResult], calibration: CalibrationSummary, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("out") / "report"
    shown = {"atc-n": 1, "atc-m": 1, "atc<n>&co": 2, "seven": 2, "no-bound": 1, "gaps": 1, "sgd": 1}
    some = [replace(result, curves=result.curves[: shown.get(result.case, 0)]) for result in results]
    drawn = write_figures(some, folder, sketched={result.claim for result in results} - {"core-consensus"})
    for result, name in zip(drawn, case_names(drawn), strict=True):
        for beside in ("results.json", *curve_files(result, name), *table_files(result, name)):
            (folder.parent / beside).parent.mkdir(exist_ok=True)
            (folder.parent / beside).touch()
    path = write_report(drawn, folder, title="Bounds <& runs>", run_facts=FACTS, calibration=calibration, data=True, commands=COMMANDS)
    assert path == folder.resolve() / "index.html"
    texts = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.html")}
    roots = {name: Tree(one).root for name, one in texts.items()}
    root = roots.pop("index.html")
    files = [link.attributes["href"] for row in root.every("table", "papers")[0].every("th") for link in row.every("a")]
    papers = {name: roots.pop(name) for name in files if name in roots}
    return Page(folder, texts["index.html"], root, drawn, papers, roots, texts)


def _squeeze(text: str) -> str:
    return re.sub(r"[^\S\u202f]+", " ", text).strip()


def _cells(page: Page) -> list[list[str]]:
    rows = page.root.every("table", "verdicts")[0].every("tr")
    cells = [[_squeeze(cell.text) for cell in row.inside] for row in rows]
    return [row for row in cells if len(row) > 1]


def test_every_case_has_its_row_in_order(page: Page) -> None:
    head, *rows = _cells(page)
    assert head == ["Case", "Verdict", "Measured [low, high]", "Bound", "Tightness", "Evidence", "Update form", "Readout"]
    assert [row[0] for row in rows] == [_squeeze(result.case) for result in page.results]
    assert [row[5] for row in rows] == [result.evidence.value for result in page.results]
    assert [row[6] for row in rows] == [result.update_form for result in page.results]
    assert [row[7] for row in rows] == [result.readout.replace("_", " ") for result in page.results]


def test_a_verdict_is_a_word_and_vacuous_is_a_tag(page: Page) -> None:
    for row, result in zip(_cells(page)[1:], page.results, strict=True):
        assert result.verdict.name.replace("_", " ") in row[1]
        assert ("VACUOUS" in row[1]) == (result.vacuous is True)


def test_the_numbers_of_the_table(page: Page) -> None:
    rows = {row[0]: row for row in _cells(page)[1:]}
    assert rows["atc-n"][2:5] == ["0.0123 [0.0098, 0.0151]", "0.2", "16.3×"]
    assert rows["atc-m"][2:5] == ["0.10021 [0.10004, 0.10042]", "0.1", "0.9997×"]
    assert rows["atc-T"][2:5] == ["−0.0012 [−0.0181, 0.0231]", "0.02", "–"]
    assert rows["no-bound"][2:5] == ["–", "–", "–"]
    assert rows["gaps"][2:4] == ["not a number", "∞"]
    assert rows["three"][3] == "3.4\u202f×\u202f10300"


def _levels_are_in_order(text: str) -> bool:
    levels = [int(tag) for tag in re.findall(r"<h([1-6])", text)]
    return levels[0] == 1 and levels.count(1) == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_the_report_says_comes_first_and_headings_are_in_order(page: Page) -> None:
    assert all(map(_levels_are_in_order, page.texts.values()))
    heads = ["By paper", "How to read the words", "Verdicts", "How far to trust these verdicts", "How verdicts are made"]
    assert [_squeeze(head.text) for head in page.root.every("h2")] == heads
    assert all([_squeeze(head.text) for head in root.every("h2")] == ["Claims and verdicts"] for root in page.papers.values())
    assert all([_squeeze(head.text) for head in root.every("h2")][:2] == ["The statement", "The evidence"] for root in page.cases)


def _statement(page: Page, claim: str) -> str:
    return next(result.statement for result in page.results if result.claim == claim)


def test_the_opening_counts_every_paper(page: Page) -> None:
    rows = [[_squeeze(cell.text) for cell in row.inside] for row in page.root.every("table", "papers")[0].every("tr")]
    assert rows[0] == ["Paper", "Claims", "Cases", "HOLDS", "VIOLATED", "UNDECIDED", "NOT APPLICABLE", "Shares"]
    assert rows[-1][:3] == ["All", "5", "20"]
    for row, paper in zip(rows[1:], dict.fromkeys(result.paper for result in page.results), strict=False):
        own = [result for result in page.results if result.paper == paper]
        counts = [str(sum(result.verdict is verdict for result in own)) for verdict in Verdict]
        assert row[1:7] == [str(len({result.claim for result in own})), str(len(own)), *counts]


def test_a_papers_page_opens_with_case_verdict_evidence_and_why(page: Page) -> None:
    assert list(page.papers) == [f"{paper}.html" for paper in dict.fromkeys(result.paper for result in page.results)]
    every = [row.inside for root in page.papers.values() for row in root.every("table", "claims")[0].every("tr")[1:]]
    rows = [row for row in every if len(row) == 6]
    cells = [[_squeeze(cell.text) for cell in row] for row in rows]
    assert [row[0] for row in cells] == [_squeeze(result.case) for result in page.shown]
    for row, result in zip(cells, page.shown, strict=True):
        assert result.verdict.name.replace("_", " ") in row[1]
        assert row[2:5] == [result.evidence.value, result.update_form, result.readout.replace("_", " ")]
        assert row[5]
        assert _squeeze(result.reason).startswith(row[5])
    groups = [_squeeze(row[0].text) for row in every if len(row) == 1]
    assert groups == list(dict.fromkeys(_squeeze(f"{result.claim} {_statement(page, result.claim)}") for result in page.shown))


def test_every_link_leads_somewhere(page: Page) -> None:
    identifiers = {name: re.findall(r'\sid="([^"]*)"', text) for name, text in page.texts.items()}
    for name, root in page.everything.items():
        assert len(identifiers[name]) == len(set(identifiers[name]))
        targets = [link.attributes["href"] for link in root.every("a")]
        assert targets[0] == "#main", "the skip link comes first"
        for target in targets:
            if target.startswith("https://arxiv.org/abs/"):
                continue
            file, _, anchor = target.partition("#")
            place = (page.folder / name).parent / file if file else page.folder / name
            assert place.is_file(), target
            if anchor and "=" not in anchor:
                assert anchor in identifiers[place.resolve().relative_to(page.folder.resolve()).as_posix()], target
        named = [value for tag in ("section", "div") for one in root.every(tag) if (value := one.attributes.get("aria-labelledby"))]
        assert set(named) <= set(identifiers[name])


def test_every_row_leads_to_its_evidence_and_back(page: Page) -> None:
    names = dict(zip(map(id, page.results), case_names(page.results), strict=True))
    for root, results in ((page.root, page.results), *((root, None) for root in page.papers.values())):
        table = root.every("table", "verdicts") or root.every("table", "claims")
        links = [head.every("a")[0].attributes["href"] for head in table[0].every("th") if head.attributes["scope"] == "row"]
        assert results is None or links == [f"cases/{names[id(result)]}.html" for result in results]
        assert set(links) <= set(page.evidence)
    for name, root in page.evidence.items():
        back = [link.attributes["href"] for link in root.every("nav")[0].every("a")]
        assert back[0] == "../index.html"
        assert back[1].startswith("../")
        assert back[2] == f"{back[1]}#case-{Path(name).stem}"
    for paper in page.papers:
        rows = [f"cases/{names[id(result)]}.html" for result in page.shown if f"{result.paper}.html" == paper]
        ahead = [link.attributes["href"] for row in rows for link in page.evidence[row].every("a") if link.attributes.get("rel") == "next"]
        assert [f"cases/{one}" for one in ahead] == rows[1:], "one case leads to the next, through the paper"


def test_the_evidence_says_how_to_run_it_again(page: Page) -> None:
    for root, result in zip(page.cases, page.shown, strict=True):
        commands = [_squeeze(one.text) for one in root.every("pre", "command")]
        assert commands == ([COMMANDS[result.claim]] if result.claim in COMMANDS else [])
        if commands and result.evidence.value == "measured":
            assert "its bands are narrower than here" in root.text
            assert FACTS["command"] in root.text
    assert FACTS["command"] in page.root.text


def test_a_row_of_the_overview_is_light(page: Page) -> None:
    rows = re.findall(r"<tr><th scope=\"row\"><a href=\"cases/.*?</tr>", page.text, re.DOTALL)
    assert len(rows) == len(page.results)
    # 500 cases and the rest of the page stay below 300 kB.
    assert sum(len(row.encode()) for row in rows) / len(rows) < 500


def test_nothing_is_fetched_and_only_the_pages_own_script_runs(page: Page) -> None:
    for name, text in page.texts.items():
        scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        assert len(scripts) == (not name.startswith("cases/"))
        digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
        policy = re.search(r"script-src ([^;\"]*)", text)
        assert policy is not None
        assert policy[1] == (f"'sha256-{digests[0]}'" if digests else "'none'")
        assert "<script" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
        markup = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", text, flags=re.DOTALL)
        assert not re.search(r"url\(|@import|\son\w+=", markup)
        assert not re.search(r"https?:(?!//arxiv\.org/abs/\d)", markup)
    sources = [
        element.attributes[name]
        for root in page.everything.values()
        for tag in ("img", "link")
        for element in root.every(tag)
        for name in ("src", "href")
        if name in element.attributes
    ]
    assert all(source.startswith("data:") for source in sources)


def test_every_figure_is_embedded_with_words(page: Page) -> None:
    assert len(page.root.every("img")) == 2, "the overview draws the calibration only"
    for root, result in zip(page.cases, page.shown, strict=True):
        images, words = root.every("img"), [_squeeze(one.text) for one in root.every("figcaption")]
        assert len(images) == len(words) == bool(result.curves)
        for image in images:
            data = base64.b64decode(image.attributes["src"].removeprefix("data:image/png;base64,"))
            assert data == (page.folder.parent / result.figures[0]).read_bytes()
            assert image.attributes["alt"] == alt_text(result)
            assert len(image.attributes["alt"]) > 40
            assert int(image.attributes["width"]) > 300
            assert int(image.attributes["height"]) > 100
        assert words == ([_squeeze(shown_words(result))] if result.curves else [])
        assert caption(result).startswith(shown_words(result))
        linked = [link.text for data in root.every("ul", "data") for link in data.every("a")]
        assert set(result.figures) <= set(linked)
        assert "results.json" in linked
        assert sum(one.startswith("curves/") for one in linked) == len(result.curves)


def test_hostile_text_is_shown_and_not_obeyed(page: Page) -> None:
    texts = [_squeeze(quote.text) for root in page.cases for quote in root.every("blockquote")]
    assert any("<script>alert('x')</script>" in text for text in texts)
    assert page.root.every("title")[0].text == "Bounds <& runs>"
    for shown in ("digits <1797>", "largest of 4096 sampled points <not a proof>", "right-skewed <heavy>", "<none> & nothing", "atc<n>&co"):
        assert shown in page.root.text + "".join(root.text for root in page.cases)


def test_a_case_shows_its_reason_conditions_constants_and_values(page: Page) -> None:
    for article, result in zip(page.cases, page.shown, strict=True):
        text = _squeeze(article.text)
        assert _squeeze(result.reason) in text
        assert _squeeze(result.statement) in text
        assert result.verdict.value in text
        assert all(one.tag in text and one.source in text for one in result.constants.values())
        assert len(article.every("table", "conditions")) == bool(result.conditions)
        values = [table for details in article.every("details") for table in details.every("table")]
        assert [len(table.every("tr")) - 1 for table in values] == [curve.x.size for curve in result.curves]
    conditions = _squeeze(page.cases[0].every("table", "conditions")[0].text)
    assert "samples per node (n) 16" in conditions
    assert "spectral gap of the mixing matrix (gap) 0.333333" in conditions
    assert "own data yes" in conditions
    assert "loss softmax" in conditions


def test_a_table_of_a_case_is_shown_with_it(by_case: dict[str, CaseResult], tmp_path: Path) -> None:
    table = Table("Steps <needed>", ("graph", "gap", "found"), (("ring & co", 0.333333333, True), ("torus", 0.5, False)))
    write_report([replace(by_case["no-bound"], tables=(table,))], tmp_path / "report", title="t", run_facts={}, calibration=None)
    root = Tree((tmp_path / "report" / "cases" / "core-consensus--no-bound.html").read_text("utf-8")).root
    (shown,) = root.every("table", "findings")
    rows = [[_squeeze(cell.text) for cell in row.inside] for row in shown.every("tr")]
    assert rows == [["graph", "gap", "found"], ["ring & co", "0.3333", "yes"], ["torus", "0.5", "no"]]
    assert _squeeze(shown.every("caption")[0].text) == "Steps <needed>"


def test_a_row_that_does_not_fit_its_table_is_refused() -> None:
    with pytest.raises(DomainError, match="got a row of 1 cells in the table 'a'; its 2 columns need as many"):
        Table("a", ("x", "y"), ((1.0,),))


def test_limits_are_told_also_without_a_figure(page: Page) -> None:
    bare = [root for root, result in zip(page.cases, page.shown, strict=True) if not result.curves]
    assert len(bare) == 13
    assert sum("Nothing here speaks for or against" in article.text for article in bare) == 2


def test_the_summary_counts_every_verdict(page: Page) -> None:
    text = _squeeze(page.root.every("p", "summary")[0].text)
    assert "20 cases of 5 claims ended as follows: 9 HOLDS, 3 VIOLATED, 6 UNDECIDED and 2 NOT APPLICABLE." in text
    assert "In 2 cases the bound exceeds the trivial one" in text
    assert text.count(". ") == 2


def test_the_method_is_told_in_the_enums_words(page: Page) -> None:
    definitions = _squeeze(page.root.every("dl", "definitions")[0].text)
    assert all(f"{verdict.name.replace('_', ' ')} {verdict.value}" in definitions for verdict in Verdict)
    method = next(section for section in page.root.every("section") if section.attributes["aria-labelledby"] == "made")
    assert "split over its measured cases" in method.text
    assert _squeeze(method.every("dl", "numbers")[0].text) == f"seed 1 machine <none> & nothing command {FACTS['command']}"


def test_calibration_is_tabled(page: Page) -> None:
    rows = [[_squeeze(cell.text) for cell in row.inside] for row in page.root.every("table", "calibration")[0].every("tr")]
    assert rows[1] == ["gaussian", "VIOLATED", "2000", "5.2", "[4.3, 6.2]"]
    assert rows[3][:2] == ["bounded", "HOLDS"]
    power = [[_squeeze(cell.text) for cell in row.inside] for row in page.root.every("table", "power")[0].every("tr")]
    assert power[1] == ["0.9", "31", "[28, 34]"]


def test_tables_are_named_and_scroll_by_keyboard(page: Page) -> None:
    tables = [table for root in page.everything.values() for table in root.every("table")]
    for table in tables:
        assert all(head.attributes.get("scope") in ("col", "row", "rowgroup") for head in table.every("th"))
    blocks = [one.attributes for root in page.everything.values() for one in root.every("div")]
    regions = [one for one in blocks if one.get("class", "").split(" ")[0] in ("scroll", "plate")]
    assert len(regions) >= len(tables)
    assert all(one["tabindex"] == "0" and one["role"] == "region" and ("aria-label" in one or "aria-labelledby" in one) for one in regions)


def test_the_same_results_give_the_same_bytes(by_case: dict[str, CaseResult], calibration: CalibrationSummary, tmp_path: Path) -> None:
    some = [by_case["atc-T"], by_case["worst"]]
    texts = []
    for name in ("a", "b"):
        path = write_report(some, tmp_path / name / "report", title="t", run_facts={}, calibration=calibration)
        texts.append([one.read_bytes() for one in sorted(path.parent.rglob("*.html"))])
        assert (path.parent / "figures" / "core-convex--atc-T.svg").is_file(), "figures that are missing are drawn"
    assert texts[0] == texts[1]
    assert len(texts[0]) == 2 + 1 + 2


def test_a_report_without_cases_or_calibration_says_so(tmp_path: Path) -> None:
    root = Tree(write_report([], tmp_path / "report", title="t", run_facts={}, calibration=None).read_text("utf-8")).root
    assert "No case was checked. There is nothing to conclude." in root.text
    assert "No calibration was run with this report" in root.text
    assert not root.every("img")


def test_a_named_figure_that_is_gone_is_one_line(by_case: dict[str, CaseResult], tmp_path: Path) -> None:
    gone = replace(by_case["worst"], figures=("report/figures/gone.png",))
    with pytest.raises(InputFileError, match=r"cannot read .*gone\.png"):
        write_report([gone], tmp_path / "report", title="t", run_facts={}, calibration=None)

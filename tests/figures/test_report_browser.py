"""The report in a real browser: quiet, no wider than the screen, filters that work and are kept in the address, whole without scripts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from figures import CalibrationSummary, write_report
from figures.report import write_audit, write_certificates
from gossip_bounds.main import run
from verify.audit import Audit, Cell, Forecast, Mutant, PowerCell
from verify.certificates import certify_bound
from verify.statistics import rate
from verify.verdict import CaseResult, Table, Verdict

Browser = Callable[..., str]
pytestmark = pytest.mark.browser
WIDE = Table("Steps needed on each of the graphs " * 3, tuple(f"a long name {i}" for i in range(9)), (tuple(i / 7 for i in range(9)),) * 3)
# Where scrolling to the side starts, and what would be cut off on paper.
MEASURE = """
const root = document.documentElement, cut = [];
for (const one of document.querySelectorAll("body *")) {
  const box = one.getBoundingClientRect();
  if (box.right > innerWidth + 1 && !one.closest(".scroll, .plate, .skip, thead")) cut.push(one.tagName + "." + one.className);
}
const shown = name => [...document.querySelectorAll(name)].some(one => one.checkVisibility());
return { width: innerWidth, scroll: root.scrollWidth, cut, filters: shown(".filters"), values: shown("details table") };
"""


def _audit() -> Audit:
    missed = Mutant("mgs_pl: a power", "mgs_pl", "power", "tightening", "missed", "")
    caught = Mutant("dsgd_convex: times 1/2", "dsgd_convex", "times", "tightening", "contract", "its own recursion")
    cells = tuple(Cell("gaussian", count, points, rate(200, 4000), rate(8, 4000)) for points in (1, 12) for count in (20, 50, 128))
    return Audit(4000, 0, cells, (PowerCell(1.1, 0.8, 20, rate(30, 100), rate(1, 100)),), (Forecast(0.8, rate(90, 100)),), (missed, caught))


@pytest.fixture(scope="module")
def report(results: list[CaseResult], calibration: CalibrationSummary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of page; four cases are drawn, the others have no curves."""
    folder = tmp_path_factory.mktemp("out") / "report"
    drawn = {"atc-n", "atc-m", "seven", "sgd"}
    some = [replace(one, curves=one.curves if one.case in drawn else (), tables=(WIDE,) if one.case == "seven" else ()) for one in results]
    facts = {"command": "gossip-bounds verify --seed 1 --out out", "budget": "default: 128 replicates, 4 coupled twins each", "seed": "1"}
    commands = {"core-convex": "gossip-bounds verify core-convex --seed 1 --out again"}
    more = {"certificates": True, "audit": True, "commands": commands}
    write_report(some, folder, title="Bounds against runs", run_facts=facts, calibration=calibration, **more)  # type: ignore[arg-type]
    write_audit(_audit(), folder, back="index.html")
    rows = certify_bound("dsgd_convex")
    write_certificates(rows, folder, title="Directions")
    return folder


FRAME = """<!DOCTYPE html><html lang="en"><title>frame</title><body style="margin:0"><iframe style="border:0" width="%d" height="900"></iframe><script>
addEventListener("message", event => { const got = document.createElement("pre"); got.id = "got"; got.textContent = event.data; document.body.append(got); });
document.querySelector("iframe").src = %s;
</script></body></html>"""


def _asked(browser: Browser, page: Path, script: str, *, width: int = 1280) -> Any:
    """What the body of a function returns after the page's own script, on a screen of this width: in a copy whose policy lets it run.

    The copy stands in a frame, since a window is never as narrow as a phone.
    """
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    own = f'<script>addEventListener("load", () => parent.postMessage(JSON.stringify((() => {{{script}}})()), "*"));</script>'
    copy, frame = page.with_name(f"copy-{page.name}"), page.with_name(f"frame-{page.name}")
    copy.write_text(text.replace("</body>", f"{own}</body>"), "utf-8")
    frame.write_text(FRAME % (width, json.dumps(copy.name)), "utf-8")
    found = re.search(r'<pre id="got">(.*?)</pre>', browser(frame), re.DOTALL)
    assert found is not None
    return json.loads(html.unescape(found[1]))


KINDS = ("index", "core", "cases/core-consensus--seven", "cases/core-convex--atc-n", "audit", "certificates")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_quiet_and_fits_desktop_phone_and_paper(report: Path, browser: Browser, kind: str) -> None:
    page = report / f"{kind}.html"
    assert "</html>" in browser(page)
    for width in (1280, 390):
        found = _asked(browser, page, MEASURE, width=width)
        assert found["width"] == width
        assert found["scroll"] <= width
        assert found["cut"] == []
    # A4 less its margins, at 96 pixels per inch; the rules for paper put to use on the screen.
    paper = _asked(browser, _as_on_paper(page), MEASURE, width=688)
    assert paper["scroll"] <= 688
    assert not paper["filters"]
    assert paper["cut"] == []
    assert paper["values"] == ("<details" in page.read_text("utf-8"))


def _as_on_paper(page: Path) -> Path:
    target = page.with_name(f"paper-{page.name}")
    target.write_text(page.read_text("utf-8").replace("@media print", "@media all"), "utf-8")
    return target


def test_the_page_of_logs_is_quiet_and_filters(made: Any, tmp_path: Path, browser: Browser) -> None:
    made.write(88.0, topology="csgd")
    made.write(93.0, topology="ring", shuffle="random")
    made.write(84.0, topology="exponential")
    assert run(["logs", str(made.folder), "--out", str(tmp_path / "out")]) == 0
    page = tmp_path / "out" / "report" / "logs.html"
    text = browser(page, "#pairs.verdict=HOLDS&runs.q=exponential")
    assert "1 of 2 pairs shown." in text
    assert "1 of 3 runs shown." in text
    for width in (1280, 390):
        assert _asked(browser, page, MEASURE, width=width)["scroll"] <= width


def _rows(text: str) -> list[str]:
    """The cases that are shown, in order."""
    body = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    rows = re.findall(r'<tr(?: id="[^"]*")?( hidden="")?><th scope="row"[^>]*><a href="cases/([^"]*).html">', body)
    return [name for hidden, name in rows if not hidden]


def _names(results: list[CaseResult]) -> list[str]:
    return [f"{one.claim}--{one.case}" for one in results]


@pytest.mark.parametrize(
    ("address", "chosen"),
    [
        ("#verdict=VIOLATED", lambda one: one.verdict is Verdict.VIOLATED),
        ("#verdict=NOT_APPLICABLE", lambda one: one.verdict is Verdict.NOT_APPLICABLE),
        ("#paper=core&update_form=consensus", lambda one: one.paper == "core" and one.update_form == "consensus"),
        ("#evidence=exact&readout=node_average", lambda one: one.evidence.value == "exact"),
        ("#claim=zhu2022-logs&q=and%20m", lambda one: one.case == "n-and-m"),
        ("#verdict=SO_SO", lambda one: True),
        ("#q=%E0%A4%A&evidence=", lambda one: False),
        ("#trust", lambda one: True),
    ],
)
def test_an_address_shows_its_cases(
    report: Path, browser: Browser, results: list[CaseResult], address: str, chosen: Callable[[CaseResult], bool]
) -> None:
    text = browser(report / "index.html", address)
    wanted = [one for one in results if chosen(one)]
    assert len(_rows(text)) == len(wanted)
    assert f"{len(wanted) or 'None'} of 20 cases shown." in text
    assert {name.split("--")[0] for name in _rows(text)} == {one.claim for one in wanted}


def test_numbers_are_sorted_as_numbers(report: Path, browser: Browser) -> None:
    rising, falling = (_rows(browser(report / "index.html", f"#sort={sign}measured")) for sign in ("", "-"))
    known = ["core-convex--atc-T", "core-atc-minibatch--atc-ring", "zhu2022-logs--three", "core-convex--atc-eta", "core-convex--atc-n"]
    assert [name for name in rising if name in known] == known
    assert [name for name in falling if name in known] == known[::-1]
    assert len(rising) == len(falling) == 20
    last = "core-convex--consensus-large-eta"
    assert rising.index(last) > rising.index("zhu2022-logs--csgd-against-ring") < len(rising) - 1, "a missing number stands last"
    assert falling.index(last) > falling.index("core-convex--atc-T")


DRIVE = """
const table = document.querySelector("table[data-filter]"), told = [];
const sorted = () => [...table.querySelectorAll("[aria-sort]")].map(one => one.getAttribute("aria-sort"));
const state = () => told.push([location.hash, document.querySelector("[role=status]").textContent, sorted()]);
const pick = (name, value) => {
  const box = [...document.querySelectorAll(".filters label")].find(one => one.textContent.startsWith(name)).lastChild;
  box.value = value;
  box.dispatchEvent(new Event("input", { bubbles: true }));
};
const sort = () => table.querySelector("[data-sort=tightness] button").click();
pick("Verdict", "VIOLATED"); state();
told.push([...document.querySelectorAll(".filters option")].find(one => one.value === "exact").textContent);
pick("Search", "atc-m"); state();
sort(); state();
sort(); state();
document.querySelector(".all").click(); state();
told.push([...table.querySelectorAll("tbody tr:not(.group) th")].map(one => one.textContent));
return told;
"""


def test_controls_filter_sort_count_and_write_the_address(report: Path, browser: Browser, results: list[CaseResult]) -> None:
    first, exact, searched, rising, falling, cleared, order = _asked(browser, report / "index.html", DRIVE)
    assert first == ["#verdict=VIOLATED", "3 of 20 cases shown.", []]
    assert exact == "exact (1)", "options count what they would show beside the other filters"
    assert searched[:2] == ["#q=atc-m&verdict=VIOLATED", "1 of 20 cases shown."]
    assert rising[0].endswith("sort=tightness")
    assert rising[2] == ["ascending"]
    assert falling[0].endswith("sort=-tightness")
    assert falling[2] == ["descending"]
    assert cleared == ["", "20 of 20 cases shown.", []]
    assert order == [one.case for one in results], "rows go home when they are not sorted"


def test_without_scripts_every_row_is_shown_and_no_control(report: Path, browser: Browser) -> None:
    for name, count in (("index", 20), ("core", 14)):
        text = re.sub(r"<script>.*?</script>", "", (report / f"{name}.html").read_text("utf-8"), flags=re.DOTALL)
        page = report / f"still-{name}.html"
        page.write_text(text, "utf-8")
        drawn = browser(page, "#verdict=VIOLATED")
        assert len(_rows(drawn)) == count
        assert '<form class="filters"' not in drawn

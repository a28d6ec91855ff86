"""The documentation site: generated pages say what the package knows, everything is reachable, and nothing needs a network."""

from __future__ import annotations

import ast
import fnmatch
import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CHROMIUM = shutil.which("chromium")
sys.path.insert(0, str(DOCS / "_ext"))

pytest.importorskip("sphinx", reason="needs the extra [docs]")
pytest.importorskip("latex2mathml", reason="needs the extra [docs]")

import api_pages  # noqa: E402
import bound_pages  # noqa: E402
from benchmark_page import benchmark_page, met  # noqa: E402
from command_page import command_page  # noqa: E402
from curve import curve  # noqa: E402
from docstrings import escaped  # noqa: E402
from markup import plain  # noqa: E402
from mathml import mathml  # noqa: E402

from bounds.registry import catalogue  # noqa: E402
from gossip_bounds.app import EXAMPLES  # noqa: E402

PAGES = sorted(path for path in DOCS.rglob("*.md") if path.parent.name != "_ext")
GENERATED = {*bound_pages.pages(), *(f"api/{name}" for name in api_pages.PAGES), "api/index", "api/commands", "benchmarks"}


@pytest.mark.parametrize("name", list(catalogue()))
def test_the_page_of_a_bound_says_everything_about_it(name: str) -> None:
    bound = catalogue()[name]
    text = bound_pages.bound_page(bound)
    drawn = re.search(r'<div class="readings">.*</div>', text)
    assert drawn is not None
    tree = ElementTree.fromstring(re.sub("&(InvisibleTimes|ApplyFunction);", "", drawn[0]))
    assert len(tree.findall(".//math")) == len(bound.formula.lets)
    for one in bound.symbols:
        assert f"- ``{one.name}``\n" in text
        for words in (one.meaning, one.unit, str(one.domain), bound.directions[one.name].label):
            assert plain(words) in text
    for assumption in (*bound.properties, *bound.conditions):
        assert f"* {plain(assumption.text)}" in text or f"* ``{assumption.text}``" in text
    for words in (bound.title, bound.source.result, bound.source.derivation, bound.source.latex, *bound.open_questions.values()):
        assert words in text or plain(words) in text
    assert all(other in text for other in bound.supersedes)


@pytest.mark.parametrize("name", list(catalogue()))
def test_the_example_of_a_bound_applies_and_both_ways_give_one_number(name: str) -> None:
    bound = catalogue()[name]
    command, printed = bound_pages.example_output(bound)
    assert "applies: yes" in printed
    code = bound_pages.python_example(bound, command)
    *_, last = ast.parse(code).body
    assert isinstance(last, ast.Expr)
    found: dict[str, object] = {}
    exec(code[: code.index(ast.get_source_segment(code, last) or "")], found)
    value = eval(ast.get_source_segment(code, last) or "", found)
    assert repr(value) == code.rpartition("# ")[2]
    assert f"{name} = {value:.6g} " in printed


def test_curves_move_as_their_bounds_declare() -> None:
    drawn = {}
    for name, bound in catalogue().items():
        values = bound_pages.example_values(bound, bound_pages.example_output(bound)[0])
        parameter, picture = curve(bound, values)
        if not parameter:
            continue
        tree = ElementTree.fromstring(picture)
        drawn[name] = tree.attrib["aria-label"]
        points = [tuple(map(float, pair.split(","))) for pair in tree.find("polyline").attrib["points"].split()]  # type: ignore[union-attr]
        heights = [-y for _, y in points]
        rising = bound.directions[parameter].value == "increasing"
        assert heights == sorted(heights, reverse=not rising), name
        assert all(0 <= x <= 560 and 0 <= y <= 240 for x, y in points)
    assert len(drawn) >= 44
    # 2 L^2 eta T/(m n) with L = 1, eta = 0.05, m = 16, n = 64.
    assert drawn["dsgd_convex"] == "generalization error over T, from 10 to 1e5: from 0.000977 to 9.77"


def test_every_bound_is_on_both_indexes() -> None:
    pages = bound_pages.pages()
    for index in ("catalogue/index", "catalogue/papers"):
        linked = re.findall(r":doc:`[\w ]+ </catalogue/(\w+)>`", pages[index])
        assert sorted(linked) == sorted(catalogue())


def test_the_benchmarks_say_what_was_met() -> None:
    row = {"name": "a", "unit": "s, less is better", "ours": 2.0, "peer": 4.0, "peer_name": "b", "ratio": 2.0, "target": 2.0, "note": "n"}
    nothing = row | {"target": None}
    words = nothing | {"note": "asked: below 3; idle"}
    assert [met(one) for one in (row, row | {"target": 2.1}, nothing, words, words | {"ours": 3.5})] == [True, False, None, True, False]
    text = benchmark_page([row, row | {"target": 2.1}, nothing, words])
    assert "Of 4 rows, 3 were asked to reach something, and 2 of these did." in text
    assert [text.count(f"     - {cell}\n") for cell in ("2 s", "ratio 2: met", "ratio 2.1: **not met**", "below 3: met", "idle")] == [
        4,
        1,
        1,
        1,
        1,
    ]
    rows = json.loads((ROOT / "benchmarks" / "results.json").read_text())
    assert all(plain(one["name"]) in benchmark_page() for one in rows)


def test_every_command_is_on_the_page_of_commands() -> None:
    text = command_page()
    assert all(f"\n{name}\n---" in text and f"Usage: gossip-bounds {name} " in text for name in EXAMPLES)


def exported(path: Path) -> list[str]:
    """The names in a package's ``__all__``."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def test_every_exported_name_is_on_one_page() -> None:
    packages = {
        ".".join(path.relative_to(ROOT).parent.parts): exported(path)
        for folder in ("bounds", "empirical", "verify", "figures")
        for path in (ROOT / folder).rglob("__init__.py")
        if "claims" not in path.parts
    }
    text = "\n".join(api_pages.pages().values())
    shown = [getattr(import_module(module), name) for module, name in re.findall(r"auto\w+:: ([\w.]+)\.(\w+)$", text, re.MULTILINE)]
    assert len(set(map(id, shown))) == len(shown) > 250
    things = {f"{package}.{name}": getattr(import_module(package), name) for package, names in packages.items() for name in names}
    assert not things.keys() - {name for name, thing in things.items() if any(thing is one for one in shown)}


def test_every_exported_constant_has_a_comment() -> None:
    from sphinx.pycode import ModuleAnalyzer

    named = [found for text in api_pages.pages().values() for found in re.findall(r"autodata:: ([\w.]+)\.(\w+)", text)]
    assert len(named) > 15
    for module, name in named:
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        assert ("", name) in analyzer.attr_docs, f"{module}.{name} needs a comment that starts with #:"


def test_docstrings_are_text_but_for_code_and_roles() -> None:
    text = "max |lambda_i|, *args and x_ of ``a*b|c_`` in :attr:`Run.x_`\n\n* an item\n>>> 2 * 3"
    assert escaped(text) == "max \\|lambda_i\\|, \\*args and x\\_ of ``a*b|c_`` in :attr:`Run.x_`\n\n* an item\n>>> 2 * 3"
    assert escaped("0..``n``s of :class:`Run`") == "0..\\ ``n``\\ s of :class:`Run`"
    assert escaped("Args:\n    a, b, c: numbers.") == "Args:\n    a/b/c: numbers."
    assert escaped("Raises:\n    SomeError, OtherError: both.") == "Raises:\n    SomeError, OtherError: both."


def test_formulas_follow_mathml_core() -> None:
    assert "<mi>𝒪</mi>" in mathml(r"\mathcal O(n)")
    assert "<mi>𝔼</mi>" in mathml(r"\mathbb E x")
    for bound in catalogue().values():
        found = mathml(bound.source.latex)
        assert not re.findall(r'mathvariant="(?!normal)', found)
        assert not re.search(r'width="[a-z]|>[^<]*\\', found)


def toctrees(text: str) -> list[str]:
    """The entries of every table of contents of a Markdown page."""
    found = []
    for block in re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL):
        lines = [line.strip() for line in block.splitlines() if line.strip() and not line.startswith(":")]
        found += [re.sub(r".*<(.+)>", r"\1", line) for line in lines]
    return found


def test_every_page_is_in_a_table_of_contents() -> None:
    entries = toctrees((DOCS / "index.md").read_text())
    names = {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES} - {"index"}
    assert not [name for name in names if not any(fnmatch.fnmatch(name, entry) for entry in entries)]
    assert not [entry for entry in entries if not fnmatch.filter(names | GENERATED, entry)]
    # The index of bounds and that of names lead to the other generated pages.
    assert {name for name in GENERATED if "/" not in name} | {"catalogue/index", "catalogue/papers", "api/index", "api/commands"} <= set(
        entries
    )


def anchors(path: Path) -> set[str]:
    """What links into a page may name: its headings as Git hosts and MyST spell them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "").lower()).replace(" ", "-") for head in heads}


def broken_links(path: Path) -> list[str]:
    """The relative links of a page that lead nowhere on a Git host; the index may lead to generated pages."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
        target, _, anchor = link.partition("#")
        there = path if not target else path.parent / target
        generated = path == DOCS / "index.md" and target.removesuffix(".rst") in GENERATED
        if "://" in link or generated:
            continue
        if not there.exists() or (anchor and anchor not in anchors(there)):
            found.append(link)
    return found


def test_every_relative_link_leads_somewhere(tmp_path: Path) -> None:
    assert {path.name: broken_links(path) for path in (ROOT / "README.md", *PAGES) if broken_links(path)} == {}
    page = tmp_path / "page.md"
    page.write_text("# A `b` c\n[ok](#a-b-c) [no](#d) [gone](gone.md) [far](https://example.org/x) `[code](x.md)`\n")
    assert broken_links(page) == ["#d", "gone.md"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "cache"), str(DOCS), str(folder / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "site"


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(site: Path) -> None:
    assert {path.stem for path in (site / "catalogue").glob("*.html")} == {*catalogue(), "index", "papers"}
    outside = re.compile(
        r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?:https?:)?//|@import\s*["']?http|url\(["']?(?:https?:)?//"""
    )
    for path in (*site.rglob("*.html"), *site.rglob("*.css")):
        assert not outside.search(path.read_text()), path
    assert "<math" in (site / "catalogue" / "dsgd_convex.html").read_text()
    text = (site / "api" / "bounds.html").read_text()
    assert 'id="bounds.get"' in text
    assert "&lt;factory&gt;" not in text


WATCH = """<!doctype html><body><pre id="got"></pre><script>
const frames = %s.flatMap(page => [1280, 390].map(width => {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: page, width, height: 900 });
  document.body.append(frame);
  return new Promise(done => frame.addEventListener("load", () => setTimeout(() => {
    const inside = frame.contentDocument.documentElement;
    const names = frame.contentWindow.performance.getEntriesByType("resource").map(one => one.name);
    done({ page, width, scrolls: inside.scrollWidth - inside.clientWidth, outside: names.filter(name => !name.startsWith("file:")) });
  }, 500)));
}));
Promise.all(frames).then(got => document.getElementById("got").textContent = JSON.stringify(got));
</script>"""


def in_browser(folder: Path, pages: list[str]) -> tuple[list[dict[str, object]], list[str]]:
    """For each page and width what scrolls sideways and what was asked for elsewhere; and what the console said."""
    watch = folder / "watch.html"
    watch.write_text(WATCH % json.dumps(pages))
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
        "--disable-sync --allow-file-access-from-files --virtual-time-budget=20000 --enable-logging=stderr --dump-dom --window-size=1400,900"
    )
    command = [str(CHROMIUM), *flags.split(), f"--user-data-dir={folder / 'profile'}", watch.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    found = re.search(r'<pre id="got">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    assert found[1]
    return json.loads(found[1].replace("&amp;", "&")), re.findall(".*CONSOLE.*", done.stderr)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
def test_pages_load_silently_and_fit_both_widths(site: Path) -> None:
    pages = [
        "index.html",
        "catalogue/index.html",
        "catalogue/mgs_generalization.html",
        "benchmarks.html",
        "api/bounds.html",
        "certificates.html",
    ]
    found, console = in_browser(site, pages)
    assert not console
    assert len(found) == 2 * len(pages)
    assert not [one for one in found if one["scrolls"] or one["outside"]]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
def test_the_watch_sees_what_it_watches_for(tmp_path: Path) -> None:
    wide = '<body><div style="width: 800px">x</div><img src="http://127.0.0.1:9/x.png"><script>console.error("planted")</script>'
    (tmp_path / "wide.html").write_text(wide)
    (large, small), console = in_browser(tmp_path, ["wide.html"])
    assert any("planted" in line for line in console)
    assert (large["scrolls"], bool(small["scrolls"])) == (0, True)
    assert large["outside"] == ["http://127.0.0.1:9/x.png"]

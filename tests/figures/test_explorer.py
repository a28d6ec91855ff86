"""The explorer: expressions and formulas from the same trees, and in a real browser the same numbers as Python."""

from __future__ import annotations

import html
import json
import math
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import bounds
from bounds.box import admissible, between, default_box
from bounds.errors import DomainError, InputFileError
from bounds.expression import parse
from bounds.symbols import rank_of
from figures.explorer import explorer_page, write_explorer
from figures.explorer.javascript import to_javascript
from figures.explorer.mathml import symbol_mathml, tree_mathml
from figures.explorer.model import explorer_model

CHROMIUM = shutil.which("chromium")


def javascript(text: str) -> str:
    return to_javascript(parse(text, dict.fromkeys(("eta", "T", "m", "spectrum", "rho", "r"))))


def test_trees_become_javascript() -> None:
    assert javascript("2*eta/m") == "((2*p.eta)/p.m)"
    assert javascript("(1-eta)**T") == "g.power((1+((-1)*p.eta)),p.T)"
    assert javascript("least(t0, 0, T, t0/m)") == "g.least(0,p.T,v_t0=>(v_t0/p.m))"
    assert javascript("total(l, spectrum, v, r, l*v*eta)") == "g.total([p.spectrum,p.r],(v_l,v_v)=>((v_l*v_v)*p.eta))"
    assert javascript("when(eta, min(1/3, inf), pi)") == "(p.eta>0?Math.min((1/3),Infinity):Math.PI)"


def test_every_formula_is_well_formed_and_ends_in_no_command() -> None:
    model = explorer_model([bounds.get(name) for name in bounds.entries()])
    texts = [one["math"] for bound in model["bounds"].values() for one in bound["readings"].values()]
    texts += [one["math"] for one in model["parameters"].values()]
    assert len(texts) > 100
    for text in texts:
        tree = ElementTree.fromstring(re.sub("&(InvisibleTimes|ApplyFunction);", "", text))
        assert not [word for word in tree.itertext() if re.search(r"[\\{}^_]|varepsilon|infty", word) and word != "{"]


def test_mathml_brackets_what_binds_less_tightly() -> None:
    def words(text: str) -> str:
        parts = ElementTree.fromstring(
            tree_mathml(parse(text, dict.fromkeys(("eta", "T", "m"))), {}).replace("&InvisibleTimes;", "·")
        ).itertext()
        return "".join(parts)

    assert words("(1-eta)*m") == "(1−eta)·m"
    assert words("m-(eta-T)") == "m−(eta−T)"
    assert words("eta-2*m") == "eta−2·m"
    assert words("(eta*m)**T") == "(eta·m)T"
    assert symbol_mathml(r"\sigma^2") == "<msup><mi>σ</mi><mn>2</mn></msup>"
    assert symbol_mathml(r"w_{\min}") == "<msub><mi>w</mi><mi>min</mi></msub>"
    assert symbol_mathml(r"\bar F") == "<mi>F\u0304</mi>"


def test_the_page_is_the_same_every_time_and_needs_no_network() -> None:
    page = explorer_page([bounds.get("dsgd_convex")])
    assert page == explorer_page([bounds.get("dsgd_convex")])
    addresses = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "src=" not in page.replace("srcset", "")


def test_what_cannot_be_shown_is_one_line(tmp_path: Path) -> None:
    one = bounds.get("dsgd_convex")
    for chosen in ([], [one, one]):
        with pytest.raises(DomainError, match="give one or more different bounds"):
            explorer_page(chosen)
    with pytest.raises(InputFileError):
        write_explorer(tmp_path, [one])


def _points(count: int) -> list[dict[str, Any]]:
    """Random admissible points of all bounds, with the words that choose the reading, and Python's value."""
    rng, found = random.Random(5), list[dict[str, Any]]()
    every = [bounds.get(name) for name in bounds.entries()]
    while len(found) < count:
        bound = every[len(found) % len(every)]
        box = default_box(bound)
        given = [*bound.formula.required, *(name for name in bound.formula.optional if rank_of(name) < 2 and rng.random() < 0.6)]
        values = {name: between(name, *box[name], rng.random()) for name in given}
        form, readout = rng.choice(bound.update_forms).value, rng.choice(bound.readouts).value
        point = admissible(bound, values, box, form, given)
        if point is None:
            continue
        chosen = {name: point[name] for name in given}
        value = float(bound.evaluate(update_form=form, readout=readout, **chosen))
        if math.isfinite(value) and abs(value) > 1e-250:
            found.append({"bound": bound.id, "form": form, "readout": readout, "values": chosen, "expected": value})
    return found


def in_browser(page: Path) -> str:
    """The document after its scripts ran."""
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    command = [
        str(CHROMIUM),
        *flags.split(),
        f"--user-data-dir={page.parent / 'profile'}",
        "--virtual-time-budget=20000",
        "--enable-logging=stderr",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    assert "CONSOLE" not in done.stderr, re.findall(".*CONSOLE.*", done.stderr)[0]
    return done.stdout


CHECK = """
<script>
const points = %s;
const got = points.map(one => {
  const bound = model.bounds[one.bound];
  const on = Object.fromEntries(Object.keys(one.values).map(name => [name, true]));
  const state = { values: one.values, on, forms: { [one.bound]: one.form }, readouts: { [one.bound]: one.readout } };
  everywhere.clear();
  const reading = readingOf(bound, state, one.bound), p = pointOf(bound, state);
  if (!reading) return [null, [bound.switches.join(" ")]];
  return [valueOf(bound, reading, p), assumptionsOf(bound, reading, p, one.form).filter(a => a.holds === false).map(a => a.text)];
});
document.body.append(Object.assign(document.createElement("pre"), { id: "got", textContent: JSON.stringify(got) }));
</script>
"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
def test_a_thousand_points_agree_with_python(tmp_path: Path) -> None:
    points = _points(1000)
    page = tmp_path / "page.html"
    write_explorer(page, [bounds.get(name) for name in bounds.entries()])
    script = CHECK % json.dumps(points).replace("</", "<\\/")
    page.write_text(page.read_text().replace("</body>", script + "</body>"))
    found = re.search(r'<pre id="got">(.*?)</pre>', in_browser(page), re.DOTALL)
    assert found is not None
    wrong = []
    for point, (value, failing) in zip(points, json.loads(html.unescape(found[1])), strict=True):
        apart = abs(value - point["expected"]) / abs(point["expected"]) if value is not None else math.inf
        # Plain doubles lose digits at the smallest steps; a screen shows four.
        if apart > 1e-6 or failing:
            wrong.append((point["bound"], apart, failing, point["values"]))
    assert not wrong, (len(wrong), wrong[:5])


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
def test_the_page_draws_and_names_what_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_explorer(page)
    drawn = in_browser(page)
    assert drawn.count('stroke="var(--c') >= 6
    assert "ring of 16 nodes: gap 0.05075" in drawn
    state = json.dumps({"values": {"eta": 50.0, "beta": 1.0}})
    page.write_text(page.read_text().replace("<script>\n", f"<script>location.hash = encodeURIComponent({json.dumps(state)});\n", 1))
    restored = in_browser(page)
    assert 'class="fails">fails: eta &lt;= 2/beta' in restored
    assert "50" in restored

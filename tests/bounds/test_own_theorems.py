"""A theorem from a file is a bound like any other, and a mistake in the file is one line that names the file and the key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bounds
from bounds.box import default_box
from bounds.errors import GossipBoundsError
from bounds.registry import nothing_kept
from bounds.setting import Constant, LossClass, Network, Schedule, Setting
from bounds.symbols import REGISTRY
from bounds.testing import assert_dominates, assert_monotone, assert_reduces_to
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

TEXT = r"""
id = "own"
title = "An own theorem"
quantity = "generalization_error"
kind = "upper"
update_forms = ["atc", "consensus"]
readouts = ["node_average", "worst_node"]
expression = [
  { text = "x*when(T-1, geometric(q, T), 1)", given = ["T"] },
  { text = "x/(1-q)" },
]
required = ["L", "eta", "m", "n", "kappa"]
optional = ["T", "mu", "beta", "b"]
conditions = ["eta <= 2/beta", { text = "eta <= 1/(2*beta)", forms = ["consensus"] }, { text = "q < 1", absent = ["T"] }]
properties = ["convex"]
supersedes = ["dsgd_convex"]
notes = "A note."
[defaults]
b = 1
[where]
q = [{ text = "1 - eta*mu", given = ["mu"], latex = "q" }, { text = "1 - 1/kappa" }]
x = "2*L**2*eta/(m*n*b)"
[directions]
L = "increasing"
m = "decreasing"
[source]
paper = "author2024"
result = "Author (2024), Theorem 1"
derivation = "By hand."
tag = "recalled"
latex = '2 L^2'
[[symbols]]
name = "kappa"
latex = '\kappa'
meaning = "condition number"
domain = { low = 1.5, high = 50 }
[[symbols]]
name = "weights"
meaning = "weights of the nodes"
unit = "w"
domain = { low = 0, rank = 1, low_open = true }
[recursion]
initial = { d = 0 }
step = { d = "q*d + x" }
result = "d"
relation = "equals"
reason = "A geometric sum."
[[reductions]]
at = { m = 1 }
value = "2*L**2*eta*kappa/(n*b)"
relation = "equals"
"""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    with nothing_kept():
        yield


def written(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_field_arrives(tmp_path: Path) -> None:
    (bound,) = bounds.load(written(tmp_path, TEXT))
    assert bounds.get("own") is bound
    assert bounds.entries()["own"] is bound
    assert list(bounds.entries())[-1] == "own"
    assert (bound.title, bound.quantity, bound.kind) == ("An own theorem", Quantity.GENERALIZATION_ERROR, Kind.UPPER)
    assert bound.update_forms == (UpdateForm.ATC, UpdateForm.CONSENSUS)
    assert bound.readouts == (Readout.NODE_AVERAGE, Readout.WORST_NODE)
    assert bound.source == bounds.Source("author2024", "Author (2024), Theorem 1", "By hand.", "recalled", "2 L^2")
    assert (bound.supersedes, bound.notes) == (("dsgd_convex",), "A note.")
    assert bound.directions == dict.fromkeys(bound.formula.parameters, Direction.UNKNOWN) | {
        "L": Direction.INCREASING,
        "m": Direction.DECREASING,
    }
    kappa = bounds.symbol("kappa")
    assert (kappa.latex, kappa.unit, str(kappa.domain)) == (r"\kappa", "-", "a number >= 1.5 and <= 50")
    assert (1.5, 2.0) in bounds.symbol("weights").domain
    assert (0.0, 2.0) not in bounds.symbol("weights").domain
    assert r"\kappa" in bound.latex()


def test_the_readings_are_the_ones_written(tmp_path: Path) -> None:
    (bound,) = bounds.load(written(tmp_path, TEXT))
    point = {"L": 1.0, "eta": 0.25, "m": 2, "n": 4, "kappa": 4.0}
    x = 2 * 0.25 / 8
    assert bound.evaluate(**point) == pytest.approx(x * 4, rel=1e-12)
    assert bound.evaluate(**point, T=2) == pytest.approx(x * (1 + 0.75), rel=1e-12)
    assert bound.evaluate(**point, T=2, mu=2) == pytest.approx(x * 1.5, rel=1e-12)
    assert bound.evaluate(**point, b=2) == pytest.approx(x * 2, rel=1e-12)
    assert [one.text.partition(" fails")[0] for one in bound.assess({**point, "beta": 4.0}, "consensus")] == ["eta <= 1/(2*beta)"]
    assert bound.assess({**point, "beta": 4.0}, "atc") == []


def test_it_takes_every_property_test(tmp_path: Path) -> None:
    text = TEXT.replace("value = ", "arguments = {}\nvalue = ")
    (bound,) = bounds.load(written(tmp_path, text))
    assert_monotone(bound, "L", examples=40)
    assert_dominates(bound, box={"T": (2, 20)}, examples=40, steps=20)
    assert_reduces_to(bound, {"m": 1}, "2*L**2*eta*kappa/(n*b)", examples=40)
    with pytest.raises(AssertionError, match="not increasing in n"):
        assert_monotone(bound, "n", "increasing", examples=40)
    certificate = bounds.certify(bound, "m", "increasing", samples=20)
    assert certificate.status == "refuted"


def test_it_is_checked_against_settings(tmp_path: Path) -> None:
    constant = Constant(1.0, "certified", "by hand")
    loss = LossClass("quadratic", True, L=constant, beta=constant)
    network = Network("ring", 4, 0.5, 0.3, (1.0, 0.5, 0.5, 0.0))
    setting = Setting(UpdateForm.ATC, Readout.NODE_AVERAGE, 8, 10, Schedule(0.05), loss, network)
    (bound,) = bounds.load(written(tmp_path, TEXT))
    assert bound.supports(setting) == ["own needs kappa, which the setting does not know"]
    plain = (
        TEXT.replace(', "kappa"]', "]").replace("1 - 1/kappa", "1/2").replace("eta*kappa/", "eta*2/").replace('id = "own"', 'id = "plain"')
    )
    (bound,) = bounds.load(written(tmp_path, plain, "plain.toml"))
    assert bound.supports(setting) == []
    assert bound.at(setting) == pytest.approx(2 * 0.05 / 32 * (2 - 2**-9))


CHANGES = [
    ('id = "own"', "", "id is missing; write id ="),
    ('id = "own"', "id = 3", "id: got 3; it takes a valid string"),
    ('id = "own"', 'id = "dsgd_convex"', "exists already in the catalogue; choose another id"),
    ('id = "own"', 'id = "my bound"', "id: 'my bound' is no id"),
    ("notes =", "note =", "unknown table or key 'note'; did you mean 'notes'?"),
    ("[defaults]", "[default]", "unknown table or key 'default'; did you mean 'defaults'?"),
    ('paper = "author2024"', 'papers = "a"', "unknown key 'papers' in [source]; did you mean 'paper'?"),
    ('"generalization_error"', '"generalisation_error"', "unknown quantity 'generalisation_error'; did you mean 'generalization_error'?"),
    ('"upper"', '"uper"', "unknown kind 'uper'; did you mean 'upper'?"),
    ('["atc", "consensus"]', '["atcc"]', "unknown update form 'atcc'; did you mean 'atc'?"),
    ('["atc", "consensus"]', "[]", "update_forms and readouts: write at least one"),
    ('["atc", "consensus"]', '"atc"', "update_forms: got 'atc'; it takes a list"),
    ('"worst_node"', '"worst"', "unknown readout 'worst'; did you mean 'worst_node'?"),
    ('"recalled"', '"guessed"', "[source] tag: got 'guessed'; it takes 'primary'"),
    ('x = "2*L', 'x = "2*Lip', "where, x: column 3 of"),
    ('x = "2*L', 'x = "2+*L', "where, x: column 3 of"),
    ('x = "2*L', 'x = "9**9**9*L', "where, x: column 1 of"),
    ("x/(1-q)", "x/(1-zeta)", "expression: column 6 of 'x/(1-zeta)': got the unknown symbol 'zeta'"),
    ("x/(1-q)", "x/(1-q)*T", "expression: it uses the optional T with no optional parameter"),
    ("x/(1-q)", "x/(1-q)*__import__('os')", "expression: column 20 of"),
    ('{ text = "x/(1-q)" },', "", "expression: no reading fits"),
    ('given = ["T"] }', 'given = ["TT"] }', "expression: unknown optional parameter 'TT'; did you mean 'T'?"),
    ('given = ["T"] }', 'give = ["T"] }', "unknown key 'give' in expression, entry 1; did you mean 'given'?"),
    ('given = ["T"] }', 'given = "T" }', "expression, entry 1, given: got 'T'; it takes a list"),
    ('given = ["mu"],', 'given = ["mu"], forms = ["atcc"],', "where, q: unknown update form 'atcc'; did you mean 'atc'?"),
    ("\nx = ", "\nsqrt = ", "where, sqrt: 'sqrt' cannot name a definition"),
    ("\nx = ", "\neta = ", "where, eta: eta is a parameter; give the definition another name"),
    ("\nx = ", '\n"x y" = ', "where, x y: 'x y' cannot name a definition"),
    ('"n", "kappa"]', '"n", "kapa"]', "required: unknown symbol 'kapa'; did you mean 'kappa'?"),
    ('"n", "kappa"]', '"n", "n", "kappa"]', "required and optional: n is there twice"),
    ('"eta <= 2/beta"', '"eta <= 2/betta"', "conditions, 'eta <= 2/betta': column 10 of"),
    ('"eta <= 2/beta"', '"eta >= 2/beta"', "conditions, 'eta >= 2/beta': column 5 of"),
    ('"eta <= 2/beta"', '"eta + beta"', "got something that is not a condition"),
    ('"eta <= 2/beta"', "3", "conditions, entry 1: got 3; it takes a valid string or"),
    ('absent = ["T"]', 'absent = ["S"]', "conditions, 'q < 1': unknown optional parameter 'S'"),
    ('["convex"]', '["convx"]', "unknown property 'convx'; did you mean 'convex'?"),
    ("b = 1\n", 'b = "1"\n', "[defaults] b: got '1'; it takes a valid integer"),
    ("b = 1\n", "b = 0\n", "defaults: b=0 is out of its domain"),
    ("b = 1\n", "L = 1\n", "defaults: unknown optional parameter 'L'"),
    ('L = "increasing"', 'L = "rising"', "unknown direction 'rising'"),
    ('L = "increasing"', 'Q = "increasing"', "it declares a direction in 'Q'"),
    (
        'supersedes = ["dsgd_convex"]',
        'supersedes = ["dsgd_convx"]',
        "unknown bound in supersedes 'dsgd_convx'; did you mean 'dsgd_convex'?",
    ),
    ('name = "kappa"', "", "needs name, write name ="),
    ('name = "kappa"', 'name = "beta"', "symbols: the symbol beta already means 'smoothness of the loss'"),
    ('name = "kappa"', 'name = "lambda"', "symbols: 'lambda' cannot name a symbol"),
    ('name = "kappa"', 'name = "κ"', "cannot name a symbol"),
    ("low = 1.5, high = 50", "low = 1.5, high = 1", "domain: got low = 1.5 and high = 1; low must be below high"),
    ("low = 1.5, high = 50", "lo = 1.5", "unknown key 'lo' in symbols, entry 1, domain; did you mean 'low'?"),
    ("domain = { low = 1.5, high = 50 }", "", "symbols, entry 1 needs domain, the values it may take"),
    ("rank = 1", "rank = 7", "symbols, entry 2, domain, rank: got 7"),
    ('step = { d = "q*d + x" }', "", "[recursion] needs step, one step of each state"),
    ('"q*d + x"', '"q*D + x"', "recursion: column 3 of"),
    ('relation = "equals"\nreason', 'relation = "is"\nreason', "[recursion] relation: got 'is'; it takes 'equals' or 'dominates'"),
    ("at = { m = 1 }", "at = { k = 1 }", "reductions: own has no parameter 'k'"),
    ("at = { m = 1 }", "at = { m = 0.5 }", "reductions: m=0.5 is out of its domain"),
    ("at = { m = 1 }", "", "reductions, entry 1 needs at, the values where it happens"),
    ('value = "2*L**2*eta*kappa/(n*b)"', "", "reductions: give either to, the id of a bound, or value, a formula"),
    ('value = "2*L', 'to = "hardt2016_convx"\n#', "reductions: unknown bound 'hardt2016_convx'; did you mean 'hardt2016_convex'?"),
    ('value = "2*L', 'to = "hardt2016_convex"\n#', "reductions: hardt2016_convex needs N, which own has not"),
    ('value = "2*L', 'value = "2*Lip', "reductions: column 3 of"),
    ('title = "An own theorem"', 'title = "An own theorem', "is not TOML: Illegal character"),
    ('title = "An own theorem"', "title = [" * 2000, "is not TOML"),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES, ids=[words[:50] for *_, words in CHANGES])
def test_a_mistake_is_one_line_that_names_file_and_key(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert old in TEXT
    symbols = dict(REGISTRY)
    path = written(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(GossipBoundsError) as caught:
        bounds.load(path)
    message = str(caught.value)
    assert words in message
    assert message.count("own.toml") == 1
    assert len(message.splitlines()) == 1
    assert symbols == REGISTRY
    assert "own" not in bounds.entries()


def test_the_line_of_bad_toml(tmp_path: Path) -> None:
    with pytest.raises(GossipBoundsError, match="line 2"):
        bounds.load(written(tmp_path, 'id = "own"\nexpression = 2*L\n'))


def test_loading_again_replaces_and_another_file_may_not(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    bounds.load(path)
    (changed,) = bounds.load(written(tmp_path, TEXT.replace("An own theorem", "Another title")))
    assert bounds.get("own") is changed
    with pytest.raises(GossipBoundsError, match=r"exists already in .*own\.toml"):
        bounds.load(written(tmp_path, TEXT, "again.toml"))
    assert bounds.get("own") is changed


PYTHON = """
import bounds
BOUNDS = tuple(
    bounds.define(id=f"power_{k}", expression=f"eta**{k}", required=["eta"], directions={"eta": "increasing"}) for k in (1, 2)
)
"""


def test_a_python_file_may_define_several(tmp_path: Path) -> None:
    first, second = bounds.load(str(written(tmp_path, PYTHON, "family.py")))
    assert (first.id, second.id) == ("power_1", "power_2")
    assert bounds.get("power_2").evaluate(eta=3) == pytest.approx(9, rel=1e-12)
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "defines no bound; write BOUND = bounds.define"),
        ("BOUND = 1", "holds a int"),
        ("BOUNDS = 1", "defines no bound"),
        ("BOUND = (", "SyntaxError"),
        ("\nimport nothing_like_it", "line 2: ModuleNotFoundError"),
        ("\n\n1/0", "line 3: ZeroDivisionError: division by zero; correct the file"),
        ("import sys\nsys.exit(3)", "line 2: SystemExit"),
        ("import bounds\nBOUND = bounds.define(id='x', expression='2*Z', required=['eta'])", "x: expression: column 3"),
        ("import bounds\nBOUND = bounds.get('dsgd_convex')", "exists already in the catalogue"),
        (PYTHON.replace("power_{k}", "power"), "BOUNDS has one id twice"),
    ],
)
def test_a_mistake_in_python_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(GossipBoundsError) as caught:
        bounds.load(written(tmp_path, text, "own.py"))
    assert words in str(caught.value)
    assert str(caught.value).startswith(repr(str(tmp_path / "own.py")))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "words"), [("none.toml", "cannot read"), ("none.py", "cannot read"), ("own.json", "ends in .toml or .py"), (".", "suffix")]
)
def test_a_file_that_is_none(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(GossipBoundsError, match=words):
        bounds.load(tmp_path / name)


def test_nothing_in_toml_is_executed(tmp_path: Path) -> None:
    attack = "__import__('pathlib').Path('owned').touch()"
    for place in ('x = "2*L**2*eta/(m*n*b)"', '"eta <= 2/beta"', '"q*d + x"', 'value = "2*L**2*eta*kappa/(n*b)"'):
        text = TEXT.replace(place, f'{place[: place.index(chr(34))]}"{attack}"', 1)
        with pytest.raises(GossipBoundsError, match="column"):
            bounds.load(written(tmp_path, text))
    assert not (tmp_path / "owned").exists()
    assert not Path("owned").exists()


def test_import_stays_cheap() -> None:
    code = "import sys, bounds; print([m for m in ('pydantic', 'tomllib', 'runpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pydantic" not in done.stdout


@pytest.mark.parametrize(
    "domain",
    [
        "{}",
        "{ low = 0 }",
        "{ low = 0, low_open = true }",
        "{ low = 500 }",
        "{ low = 500, low_open = true, high = 501 }",
        "{ low = 0, high = 1e-3, low_open = true }",
        "{ high = -1 }",
        "{ low = -3, high = -1 }",
        "{ low = 0, integer = true, low_open = true }",
        "{ low = 2, integer = true }",
        "{ low = 1000, integer = true }",
        "{ integer = true }",
        "{ low = 0, high = 1, integer = true }",
        "{ low = 0.5, rank = 1 }",
    ],
)
def test_a_symbol_of_any_domain_has_a_default_range(domain: str, tmp_path: Path) -> None:
    array = "rank" in domain
    symbol = f'[[symbols]]\nname = "free"\nmeaning = "anything"\ndomain = {domain}'
    value = "total(v, free, v)" if array else "free"
    text = f'id = "ranged"\nexpression = "eta*(2000 + {value})"\nrequired = ["eta", "free"]\n{symbol}'
    (bound,) = bounds.load(written(tmp_path, text))
    low, high = default_box(bound)["free"]
    assert low < high
    assert all(([end] if array else end) in bounds.symbol("free").domain for end in (low, high))
    assert bounds.certify(bound, "free", "decreasing", samples=30).status == "refuted"

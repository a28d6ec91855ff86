"""What is compiled for a formula: names and numbers of our own, and nothing that anybody typed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import bounds
from bounds.bound import Bound
from bounds.box import admissible, between, default_box, readings
from bounds.errors import GossipBoundsError
from bounds.numeric import arrays, runtime
from bounds.registry import nothing_kept
from bounds.symbols import Array, Domain, Symbol, rank_of

#: Names in the code: numbered ones, what the runtime offers, and the words of the little Python that is written.
OURS = set(arrays.ARRAY) | set(runtime.SCALAR) | {"numbers", "inf", "out", "value", "values", "t", "lost"}
WORDS = {"def", "return", "if", "else", "not", "and", "or", "del", "None", "True", "in", "is", "for"}
NUMBERED = re.compile(r"[a-z]\d+|body\d+")
NAME = re.compile(r"[^\W\d]\w*")
NUMBER = re.compile(r"(?<![\w.])(\d+\.?\d*(e[+-]?\d+)?|\.\d+)(?![\w.])")
ALLOWED = re.compile(r"[\w\s()\[\].,:;=<>!%&|+*/-]*")
#: Legal names of symbols that are words of Python in spirit, names of the generated code, or look like attacks.
HOSTILE = (
    *("p0", "v1", "e2", "b3", "k1", "s4", "f5", "w6", "body7", "out", "values", "t", "numbers", "where", "least", "into", "failing"),
    *("np", "numpy", "exec", "compile", "open", "globals", "os", "sys", "eval", "exit", "print", "_", "__", "__import__", "math", "nan"),
    *("__builtins__", "__class__", "x" * 60, "B", "Q0", "self", "update_form", "readout", "lambda_", "power", "expand", "maximum", "rint"),
)

#: The file names under which our code is compiled.
FILES = {"<value>", "<values>"}
_compiled: list[str] = []
_run: list[str] = []
_watching: list[bool] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    # The parser of formulas compiles to a syntax tree, under no file name, which does not run.
    if _watching and event == "compile" and arguments[1] in FILES:
        source = arguments[0]
        _compiled.append(source.decode() if isinstance(source, bytes) else str(source))
    if _watching and event == "exec":
        _run.append(arguments[0].co_filename)  # type: ignore[attr-defined]


# A hook cannot be taken out again; this one does nothing unless it is asked to watch.
sys.addaudithook(_hook)


@contextmanager
def _watched() -> Iterator[list[str]]:
    _compiled.clear()
    _run.clear()
    _watching.append(True)
    try:
        yield _compiled
    finally:
        _watching.pop()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    with nothing_kept():
        yield


def _written(source: str) -> None:
    """Every word of the source is ours."""
    assert ALLOWED.fullmatch(source), source
    plain = NUMBER.sub("0", source)
    for match in NAME.finditer(plain):
        attribute, word = plain[match.start() - 1 : match.start()] == ".", match[0]
        assert word == "__class__" if attribute else word in OURS | WORDS or NUMBERED.fullmatch(word), (word, source)


def _sources(bound: Bound) -> list[str]:
    """The source of every program for every reading of a formula."""
    with _watched() as seen:
        for form in bound.update_forms:
            for optional in readings(bound, form.value):
                ways = bound.ways((form.value, None), (*bound.formula.required, *optional))
                for kind in ("scalar", "pair", "array", "pointwise", "extended"):
                    getattr(ways, kind)
        return list(seen)


@pytest.mark.parametrize("bound_id", bounds.entries())
def test_the_code_of_an_entry_has_only_our_names(bound_id: str) -> None:
    bound = bounds.get(bound_id)
    bound.__dict__.pop("_ways", None)
    sources = _sources(bound)
    assert sources
    for source in sources:
        _written(source)


def _hostile() -> tuple[list[str], list[str]]:
    """Names that the registry takes as symbols: numbers, and arrays."""
    taken: list[str] = []
    for place, name in enumerate(HOSTILE):
        domain = Array(Domain(0, low_open=True)) if place % 7 == 3 else Domain(0, low_open=True)
        try:
            bounds.register(Symbol(name, "x", f"the hostile {place}", "-", domain))
        except GossipBoundsError:
            continue
        taken.append(name)
    return [name for name in taken if not rank_of(name)], [name for name in taken if rank_of(name)]


def test_names_of_symbols_stay_out_of_the_code() -> None:
    numbers, vectors = _hostile()
    assert len(numbers) > 15
    assert len(vectors) > 2
    text = " + ".join(f"{place + 1}*{name}**2" for place, name in enumerate(numbers))
    text += "".join(f" + total(u, {name}, 1 - exp(-u))*{other}" for name, other in zip(vectors, numbers, strict=False))
    text += f" + least(first, 0, T, first*{numbers[0]} + {numbers[1]}/(first+1)) + when({numbers[2]} - 1, geometric({numbers[3]}, T), 7)"
    bound = bounds.define(id="own_hostile", expression=text, required=["T", *numbers, *vectors])
    point = {name: [0.5, 2.0] if rank_of(name) else 0.5 + place / 7 for place, name in enumerate((*numbers, *vectors))} | {"T": 9}
    sources = _sources(bound)
    assert sources
    for source in sources:
        _written(source)
        for name in {*numbers, *vectors} - OURS:
            assert NUMBERED.fullmatch(name) or not re.search(rf"\b{re.escape(name)}\b", source)
    exact = float(bound.enclosure(point).mid())
    assert bound.evaluate(**point) == pytest.approx(exact, rel=1e-12)
    assert bound.evaluate(**(point | {"T": np.array([9, 9])})) == pytest.approx([exact, exact], rel=1e-12)


@pytest.mark.parametrize("bound_id", ["dsgd_convex", "mgs_excess_pl", "excess_risk_consensus", "exit_time_ratio"])
def test_the_text_of_a_formula_is_never_compiled(bound_id: str) -> None:
    bound = bounds.get(bound_id)
    texts = [let.text for let in bound.formula.lets] + [condition.text for condition in bound.conditions]
    own = bounds.define(
        id="own_copy",
        expression=bound.formula.lets,
        required=bound.formula.required,
        optional=bound.formula.optional,
        defaults=dict(bound.formula.defaults),
        conditions=bound.conditions,
        update_forms=[form.value for form in bound.update_forms],
    )
    point = admissible(bound, {name: between(name, *default_box(bound)[name], 0.4) for name in bound.formula.required})
    assert point is not None
    with _watched() as seen:
        own.evaluate(**point)
        own.assess(point)
        own.log_value(point)
    for text in texts:
        for piece in re.findall(r"[A-Za-z_]\w*\s*[-+*/(].{3,}", text):
            assert not any(piece in source for source in seen)
    assert seen
    assert set(_run) <= FILES | {name for name in _run if name.endswith(".py") or name.startswith("<frozen")}
    for source in seen:
        _written(source)


def test_literals_are_printed_by_us() -> None:
    text = "1e3*eta + 0.1*eta**2 + 12345678901234567890*eta + 1/3 + 2**(1/7)*eta"
    bound = bounds.define(id="own_literals", expression=text, required=["eta"])
    for source in _sources(bound):
        _written(source)
    assert bound.evaluate(eta=0.3) == pytest.approx(float(bound.enclosure({"eta": 0.3}).mid()), rel=1e-14)

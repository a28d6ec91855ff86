"""Error bounds as they travel through an expression: inputs said to be off by much more than a rounding, and then made so."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import numpy as np
import pytest

from bounds.expression import PrecisionError, parse
from bounds.expression.balls import enclose
from bounds.expression.tree import Name, Product
from bounds.numeric import arrays, runtime
from bounds.numeric.code import DOUBLE, ROUND, Code, Entries, Value
from bounds.numeric.lowering import Lowering

#: What the inputs may be off by, relatively: roundings on the way hardly count besides it, and no difference loses all digits.
OFF = 64 * ROUND
POINTS = 40
NAMES = ("a", "b", "g", "T")
INEXACT = NAMES[:3]
TEXTS = (
    "a*b",
    "a/b",
    "a+b",
    "a-3*b",
    "(a-b)/(a+b)",
    "sqrt(a)*b",
    "sqrt(a)",
    "a**3",
    "a**4*b",
    "a**g",
    "a**(-3*b)",
    "exp(a)",
    "exp(-a)",
    "1-exp(-a)",
    "exp(a)-1",
    "exp(-a)*b+1",
    "3-exp(-a)",
    "log(a)",
    "log(1+a)*b",
    "log(1-g)",
    "(1-g)**T",
    "1-(1-g)**T",
    "1-(1-g*g)**T",
    "(1-(1-g)**T)/g",
    "geometric(1-g, T)",
    "geometric(1-g/2, T)",
    "geometric(g*g, T)",
    "geometric(a, T)",
    "growth(a, 0, T)",
    "growth(a, b, b+T)-1",
    "min(a, b)*g",
    "max(a, 1/b)",
    "when(a-b, a*g, b/g)",
    "when(T-20, 1-g, a)",
    "erf(g)",
    "erf(a)*b",
    "a+b+g+a*b*g",
    "-a*b",
    "g-a*b",
    "1-g*g",
    "1-g/2",
)
SUMS = (
    "total(u, rho, u*a)",
    "total(u, rho, (1-u)**2)",
    "total(u, rho, sqrt(u))*b",
    "largest(u, rho, u*u*u)",
    "smallest(u, tail(rho), exp(-u*a))",
    "element(rho, 2)*a",
    "a+total(u, rho, total(w, rho, u*w*g))",
    "total(u, rho, u-g)",
)


def _points(text: str) -> list[dict[str, Any]]:
    rng = random.Random(text)
    return [
        {
            "a": math.exp(rng.uniform(-3, 3)) / 2,
            "b": math.exp(rng.uniform(-3, 3)) / 2,
            "g": rng.uniform(0.005, 0.45),
            "T": rng.randint(1, 60),
        }
        for _ in range(POINTS)
    ]


def _inputs() -> dict[str, Value]:
    highs = {"a": 2.0, "b": 2.0, "g": 0.0}
    made = {name: Value(f"{name}1", 0.0, 1, -2.0, high) for name, high in highs.items()}
    # A parameter is the very float that is given: what is inexact is its product with a 2 that is not.
    made |= {f"{name}_": Value(f"{name}2", OFF, 1, 0.301, 0.302) for name in highs}
    return made | {"T": Value("t1", 0.0, 1, 0.0, 2.0, whole=True, least=1.0, most=60.0)}


def _program(text: str, array: bool, entries: bool, pointwise: bool = False) -> Any:
    code = Code(array=array, precision=DOUBLE)
    code.constants |= {"inf": math.inf, "a2": 2.0, "b2": 2.0, "g2": 2.0}
    known = {name: Product(Name(name), Name(f"{name}_")) for name in INEXACT}
    tree = parse(text, dict.fromkeys(("T", "rho")) | known)
    rows = {"rho": Entries("h1", 1, Value("", 0.0, 1, -2.0, 0.0))} if entries else {}
    result = Lowering(code, _inputs(), rows).value(tree)
    code.do(f"return {result.ref}, {result.error}, {result.bad}")
    scope = runtime.SCALAR if not array else arrays.POINTWISE if pointwise else arrays.ARRAY
    return tree, code.function("f", ["a1", "b1", "g1", "t1", *(["h1"] if entries else [])], scope)


def _moved(signs: tuple[int, ...]) -> dict[str, float]:
    """The inexact factors near the ends of what they may be."""
    return {f"{name}_": 2 * (1 + 0.9 * OFF * sign) for name, sign in zip(INEXACT, signs, strict=True)}


def _within(tree: Any, point: dict[str, Any], value: float, error: float) -> None:
    for signs in itertools.product((1, -1), repeat=len(INEXACT)):
        try:
            exact = enclose(tree, point | _moved(signs))
        except PrecisionError:
            continue
        allowed = 1.01 * error * abs(float(exact.mid()))
        assert abs(float((exact - value).mid())) <= allowed, (point, value, error)


@pytest.mark.parametrize("text", TEXTS)
def test_at_one_point(text: str) -> None:
    tree, program = _program(text, array=False, entries=False)
    decided = 0
    for point in _points(text):
        try:
            found = program(*point.values())
        except (ValueError, ArithmeticError):
            continue
        if found is not None:
            decided += 1
            _within(tree, point, float(found[0]), float(found[1]))
    assert decided > POINTS / 8


@pytest.mark.parametrize("pointwise", [False, True])
@pytest.mark.parametrize("text", [*TEXTS, *SUMS])
def test_over_arrays(text: str, pointwise: bool) -> None:
    entries = [0.9, 0.5, 0.5, 0.013] if text in SUMS else None
    tree, program = _program(text, array=True, entries=entries is not None, pointwise=pointwise)
    points = _points(text)
    columns = [np.array([float(point[name]) for point in points]) for name in NAMES]
    with np.errstate(all="ignore"):
        values, error, bad = program(*columns, *([] if entries is None else [np.array(entries)]))
    assert np.ndim(error) <= 1
    every = (np.broadcast_to(part, POINTS) for part in (values, error, False if bad is None else bad))
    decided = 0
    for point, value, off, wrong in zip(points, *every, strict=True):
        if not wrong and not math.isnan(value):
            decided += 1
            _within(tree, point if entries is None else point | {"rho": entries}, float(value), float(off))
    # Over a chunk the worst point speaks for all.
    assert decided > POINTS / 8 or not pointwise


def test_a_product_has_the_errors_of_its_factors() -> None:
    tree, program = _program("a", array=False, entries=False)
    assert isinstance(tree, Product)
    assert OFF <= program(2.0, 1.0, 0.5, 3)[1] <= 2 * OFF

"""The pieces of the fast numerics, each against Arb: elementary functions, telescoped products, the log domain, decisions."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from bounds.assumptions import Condition
from bounds.expression import parse_comparison
from bounds.expression.balls import enclose
from bounds.formula import Formula, Let
from bounds.numeric import arrays, logs, runtime
from bounds.numeric.code import ERF, FUNCTION, ROUND
from bounds.numeric.logs import Log
from bounds.numeric.ways import Ways, decide

COUNT = 4000
UNITS = 10
DIGITS = 400


@contextmanager
def _precise() -> Iterator[None]:
    saved, ctx.prec = ctx.prec, DIGITS
    try:
        yield
    finally:
        ctx.prec = saved


def _log_uniform(rng: random.Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


# Where a platform's functions are worse than what is allowed to them, every error bound is wrong: half of it is the alarm.
@pytest.mark.parametrize(
    ("name", "low", "high", "signs"),
    [
        ("exp", 1e-18, 80.0, (1, -1)),
        ("expm1", 1e-18, 80.0, (1, -1)),
        ("log", 1e-290, 1e290, (1,)),
        ("log1p", 1e-18, 1e9, (1,)),
        ("log1p", 1e-18, 1 - 2.0**-53, (-1,)),
        ("erf", 1e-9, 6.0, (1, -1)),
    ],
)
@pytest.mark.parametrize("on", ["math", "numpy"])
def test_elementary_functions_are_twice_as_good_as_allowed(name: str, low: float, high: float, signs: tuple[int, ...], on: str) -> None:
    rng = random.Random(name)
    points = [sign * _log_uniform(rng, low, high) for sign in signs for _ in range(COUNT)]
    points += [1.0 + sign * _log_uniform(rng, 1e-16, 0.5) for sign in (1, -1) for _ in range(COUNT) if name == "log"]
    allowed = ERF if name == "erf" else FUNCTION
    function: Any = arrays.ARRAY[name] if on == "numpy" else runtime.SCALAR[name]
    values = np.asarray(function(np.array(points))) if on == "numpy" else [function(point) for point in points]
    with _precise():
        for point, value in zip(points, values, strict=True):
            exact = getattr(arb(point), name)()
            assert abs(arb(float(value)) - exact) <= allowed / 2 * abs(exact), (point, float(value))


@pytest.mark.parametrize("on", ["math", "numpy"])
def test_powers_are_twice_as_good_as_allowed(on: str) -> None:
    rng = random.Random(0)
    points = [(_log_uniform(rng, 1e-9, 1e9), rng.choice([rng.uniform(-8, 8), float(rng.randint(-8, 8))])) for _ in range(COUNT)]
    points += [(1.0 + rng.choice((1, -1)) * _log_uniform(rng, 1e-15, 0.5), _log_uniform(rng, 1, 1e3)) for _ in range(COUNT)]
    bases, exponents = (np.array(side) for side in zip(*points, strict=True))
    values = np.power(bases, exponents) if on == "numpy" else [math.pow(*point) for point in points]
    with _precise():
        for (base, exponent), value in zip(points, values, strict=True):
            exact = arb(base) ** arb(exponent)
            assert abs(arb(float(value)) - exact) <= FUNCTION / 2 * abs(exact), (base, exponent)


def _growth(q: float, start: float, length: float) -> arb:
    first, last, rate = arb(start) + 1, arb(start) + 1 + arb(length), arb(q)
    return (last + rate).lgamma() - last.lgamma() - (first + rate).lgamma() + first.lgamma()


def _growths() -> list[tuple[float, float, float]]:
    rng = random.Random(1)
    found = []
    for place in range(COUNT):
        q, length = _log_uniform(rng, 1e-8, 1e2), float(round(_log_uniform(rng, 1, 1e9)))
        start = rng.choice((0.0, float(rng.randint(0, 12)), _log_uniform(rng, 1e-6, 1e9), float(round(_log_uniform(rng, 1, 1e9)))))
        found.append((q, start, float(place % 14) if place % 5 == 0 else length))
    return found


@pytest.mark.parametrize("on", ["math", "numpy"])
def test_the_logarithm_of_a_telescoped_product(on: str) -> None:
    points = _growths()
    columns = [np.array(column) for column in zip(*points, strict=True)]
    values = arrays.growth_log(*columns) if on == "numpy" else [runtime.growth_log(*point) for point in points]
    with _precise():
        for point, value in zip(points, values, strict=True):
            exact = _growth(*point)
            assert abs(arb(float(value)) - exact) <= UNITS * ROUND * abs(exact) + arb(2) ** -300, point


def test_a_product_of_less_than_one_factor_has_no_value() -> None:
    for start, length in ((0.0, 0.5), (3.5, -1.0), (20.0, -1.0)):
        assert math.isnan(arrays.growth_log(0.5, start, length)) or start >= 10
    with pytest.raises(ValueError, match="part of a factor"):
        runtime.growth_log(0.5, 0.0, 0.5)


def _numbers(rng: random.Random, count: int) -> tuple[list[arb], Log]:
    """Random signs, sizes from e^-2000 to e^2000, zeros, ones, and logarithms that are near each other."""
    signs = [rng.choice((-1.0, 1.0, 1.0, 0.0)) for _ in range(count)]
    sizes = [rng.choice((0.0, rng.uniform(-2000, 2000), rng.uniform(-3, 3), rng.uniform(-1e-9, 1e-9))) for _ in range(count)]
    errors = [rng.choice((0.0, 1e-16, 1e-13)) for _ in range(count)]
    made = Log(np.array(signs), np.array([s if sign else -math.inf for s, sign in zip(sizes, signs, strict=True)]), np.array(errors))
    # The exact numbers lie anywhere in their error bounds.
    exact = [int(sign) * (arb(s) + arb(e) * rng.uniform(-1, 1)).exp() for sign, s, e in zip(signs, sizes, errors, strict=True)]
    return exact, made


def _agrees(exact: arb, sign: float, log: float, error: float) -> bool:
    if not error < 1e-3:
        return True
    if sign == 0:
        return bool(exact == 0)
    size = exact * int(sign)
    return bool(size > 0) and bool(abs(size.log() - arb(log)) <= arb(error) * (1 + 1e-3) + arb(2) ** -200)


BINARY: dict[str, tuple[Callable[[Log, Log], Log], Callable[[arb, arb], arb]]] = {
    "multiply": (logs.multiply, lambda a, b: a * b),
    "divide": (logs.divide, lambda a, b: a / b),
    "add": (logs.add, lambda a, b: a + b),
    "difference": (lambda a, b: logs.add(a, logs.negative(b)), lambda a, b: a - b),
    "smaller": (lambda a, b: logs.extreme(a, b, largest=False), arb.min),
    "larger": (lambda a, b: logs.extreme(a, b, largest=True), arb.max),
    "select": (lambda a, b: logs.select(a, b, logs.negative(b)), lambda a, b: b if a > 0 else -b),
    "below_one": (lambda a, b: logs.below_one(a), lambda a, b: 1 - a),
    "select by a difference": (
        lambda a, b: logs.select(logs.add(a, logs.negative(b)), a, logs.of(3.0)),
        lambda a, b: a if a - b > 0 else arb(3),
    ),
    "power": (lambda a, b: logs.power(a, 7.0, 0.0), lambda a, b: a**7),
    "negative power": (lambda a, b: logs.power(a, -40.0, 0.0), lambda a, b: 1 / a**40),
    "geometric": (
        lambda a, b: logs.geometric(logs.power(a, 0.001, 0.0), 30.0),
        lambda a, b: sum(((a.log() * arb(0.001) * i).exp() for i in range(30)), arb(0)) if a > 0 else arb(1),
    ),
    "inverse of a difference": (
        lambda a, b: logs.divide(logs.of(1.0), logs.add(a, logs.negative(b))),
        lambda a, b: 1 / (a - b),
    ),
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_log_domain_operation(name: str) -> None:
    fast, slow = BINARY[name]
    rng = random.Random(name)
    with _precise():
        (first, a), (second, b) = _numbers(rng, COUNT), _numbers(rng, COUNT)
        # Near cancellations, which few random pairs are.
        b = Log(np.where(np.arange(COUNT) % 3 == 0, a.sign, b.sign), np.where(np.arange(COUNT) % 3 == 0, a.log + b.error, b.log), b.error)
        second = [int(s) * arb(float(x)).exp() if s else arb(0) for s, x in zip(b.sign, b.log, strict=True)]
        result = fast(a, b)
        decided = 0
        for x, y, *found in zip(first, second, *np.broadcast_arrays(result.sign, result.log, result.error), strict=True):
            if found[2] < 1e-3:
                decided += 1
                assert _agrees(slow(x, y), *map(float, found)), (x, y, found)
    assert decided > COUNT / 3


@pytest.mark.parametrize("name", ["total", "largest", "smallest"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_log_domain_reduction(name: str) -> None:
    rng = random.Random(name)
    function = {"total": logs.total, "largest": lambda a: logs.largest_of(a, True), "smallest": lambda a: logs.largest_of(a, False)}[name]
    with _precise():
        for _ in range(300):
            exact, made = _numbers(rng, rng.randint(1, 6))
            result = function(made)
            pick = {"largest": max, "smallest": min}.get(name)
            expected = (
                sum(exact, arb(0)) if pick is None else pick(exact, key=lambda ball: (float(ball > 0) - float(ball < 0), _order(ball)))
            )
            assert _agrees(expected, float(result.sign), float(result.log), float(result.error)), (exact, result)


def _order(ball: arb) -> float:
    return 0.0 if ball == 0 else float(abs(ball).log().mid()) * (1 if ball > 0 else -1)


@pytest.mark.parametrize(
    "text",
    [
        "eta <= 2/beta",
        "eta < 2/beta",
        "eta*beta <= 2",
        "1-gap <= gap",
        "T <= 1/eta",
        "sqrt(beta) < 3",
        "eta**2 <= beta**2",
        "beta < 2",
        "beta <= 2",
        "T < 2",
    ],
)
def test_conditions_are_decided_as_arb_decides_them(text: str) -> None:
    """Among the points are equalities, and numbers one float away from them."""
    rng = random.Random(text)
    formula = Formula(("eta", "beta", "gap", "T"), (), (Let("value", "1"),))
    left, relation, right = parse_comparison(text, dict.fromkeys(formula.parameters))
    fast = Ways(left, formula.parameters, {}, upward=False), Ways(right, formula.parameters, {}, upward=False)
    decided = 0
    for _ in range(600):
        beta = rng.choice((0.5, 1.0, 2.0, 3.0, 9.0, _log_uniform(rng, 1e-3, 1e3)))
        eta = rng.choice((2 / beta, math.nextafter(2 / beta, 9e9), math.nextafter(2 / beta, 0), beta, _log_uniform(rng, 1e-3, 1e3)))
        values = {
            "eta": eta,
            "beta": beta,
            "gap": rng.choice((0.5, math.nextafter(0.5, 0), 0.3)),
            "T": rng.choice((1, 2, round(1 / eta) or 1)),
        }
        low, high = enclose(left, values), enclose(right, values)
        expected = bool(low < high) if relation == "<" else bool(low <= high)
        found = decide(fast[0], relation, fast[1], tuple(values.values()))
        decided += found is not None
        assert found in (None, expected), values
        assert Condition(text).check(formula, values).holds is expected, values
    assert decided > 100

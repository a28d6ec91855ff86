"""Random trees and boxes, and an evaluation of values and derivatives in mpmath that shares no code with the package."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath
import pytest

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum

#: Integers, positive reals, and a name without a domain of its own that may be negative.
WHOLE, REAL, ANY, ARRAYS = ("Q", "T", "m"), ("beta", "eta", "gap"), ("x",), ("r", "rho")
_FUNCTIONS = ("sqrt", "exp", "log", "erf", "ceil", "min", "max", "geometric", "growth", "when", "pi")
_NUMBERS = (Fraction(0), Fraction(1), Fraction(2), Fraction(3), Fraction(1, 2), Fraction(-1), Fraction(5, 4), Fraction(-3, 2))


class UndefinedError(Exception):
    """The tree has no value (or none that is computed in good time) at this point."""


class Drawer:
    """Random trees, boxes and points."""

    def __init__(self, seed: int) -> None:
        self.draws = random.Random(seed)

    def tree(self, depth: int, extra: tuple[str, ...] = ()) -> Node:
        """A tree of at most this depth, ``extra`` being bound variables that it may use."""
        pick = self.draws
        if depth == 0 or pick.random() < 0.15:
            return self._leaf(extra)
        kind = pick.choice(("sum", "minus", "product", "quotient", "power", "call", "call", "least", "reduce", "shared"))
        if kind == "sum":
            return Sum(self.tree(depth - 1, extra), self.tree(depth - 1, extra))
        if kind == "minus":
            return Sum(self.tree(depth - 1, extra), Product(Number(Fraction(-1)), self.tree(depth - 1, extra)))
        if kind in ("product", "quotient"):
            return (Product if kind == "product" else Quotient)(self.tree(depth - 1, extra), self.tree(depth - 1, extra))
        if kind == "shared":
            part = self.tree(depth - 1, extra)
            return pick.choice((Product(part, part), Quotient(part, Sum(part, Number(Fraction(1))))))
        if kind == "power":
            return Power(self.tree(depth - 1, extra), self._exponent(depth, extra))
        return self._call(depth, extra) if kind == "call" else self._loop(kind, depth, extra)

    def _leaf(self, extra: tuple[str, ...]) -> Node:
        names = (*WHOLE, *REAL, *ANY, *extra, *extra)
        return Name(self.draws.choice(names)) if self.draws.random() < 0.75 else Number(self.draws.choice(_NUMBERS))

    def _exponent(self, depth: int, extra: tuple[str, ...]) -> Node:
        options: tuple[Node, ...] = (
            Number(Fraction(2)),
            Number(Fraction(3)),
            Number(Fraction(-1)),
            Number(Fraction(1, 2)),
            Number(Fraction(-3, 2)),
            Name("Q"),
            Name("T"),
            Product(Number(Fraction(2)), Name("Q")),
            Product(Number(Fraction(1, 2)), Name("Q")),
        )
        return self.draws.choice(options) if self.draws.random() < 0.85 else self.tree(depth - 1, extra)

    def _call(self, depth: int, extra: tuple[str, ...]) -> Node:
        function = self.draws.choice(_FUNCTIONS)
        if function == "pi":
            return Call("pi", ())
        if function == "geometric" and self.draws.random() < 0.7:
            return Call("geometric", (self.tree(depth - 1, extra), Name(self.draws.choice(WHOLE))))
        if function == "growth" and self.draws.random() < 0.7:
            start = self._leaf(extra)
            return Call("growth", (self.tree(depth - 1, extra), start, Sum(start, self._leaf(extra))))
        count = {"min": 2, "max": 2, "geometric": 2, "growth": 3, "when": 3}.get(function, 1)
        return Call(function, tuple(self.tree(depth - 1, extra) for _ in range(count)))

    def _loop(self, kind: str, depth: int, extra: tuple[str, ...]) -> Node:
        pick = self.draws
        if kind == "least":
            high: Node = pick.choice((Number(Fraction(3)), Name("Q"), Sum(Name("m"), Number(Fraction(-1)))))
            return Least("t0", Number(Fraction(pick.choice((0, 1)))), high, self.tree(depth - 1, (*extra, "t0")))
        variable, array = pick.choice(("p", "v", "m")), pick.choice(ARRAYS)
        function = pick.choice(("total", "largest", "smallest"))
        return Reduce(function, (variable,), (Name(array),), self.tree(depth - 1, (*extra, variable)))

    def box(self) -> dict[str, tuple[float, float]]:
        """Ranges of all names, tiny and huge ones and some that start at 0."""
        pick, box = self.draws, {}
        for name in (*REAL, *ARRAYS):
            low = 10 ** pick.uniform(-8, 4) if pick.random() < 0.5 else 10 ** pick.uniform(-1, 1)
            box[name] = (0.0 if pick.random() < 0.1 else low, low * (1 + 10 ** pick.uniform(-3, 3)))
        if pick.random() < 0.5:
            box["gap"] = (0.1, pick.choice((0.9, 1.0)))
        for name in WHOLE:
            low = pick.choice((1, 1, 2, 3))
            box[name] = (low, low + pick.choice((1, 2, 6)))
        for name in ANY:
            low = pick.uniform(-3, 1)
            box[name] = (low, low + 10 ** pick.uniform(-2, 1))
        return box

    def point(self, box: Mapping[str, tuple[float, float]], corners: float = 0.15) -> dict[str, Any]:
        """A point of the box; arrays get one to four entries."""
        return {
            name: [self._number(name, *ends, corners) for _ in range(self.draws.choice((1, 2, 4)))]
            if name in ARRAYS
            else self._number(name, *ends, corners)
            for name, ends in box.items()
        }

    def _number(self, name: str, low: float, high: float, corners: float) -> float:
        pick = self.draws
        if name in WHOLE:
            return pick.randint(int(low), int(high))
        if pick.random() < corners:
            return pick.choice((low, high))
        at = math.exp(pick.uniform(math.log(low), math.log(high))) if low > 0 and pick.random() < 0.5 else pick.uniform(low, high)
        return min(max(at, low), high)


Dual = tuple[Any, Any]


class Reference:
    """Values and rates p df/dp at a point by forward differentiation in 100 digits; ``largest`` is the largest number on the way."""

    def __init__(self, point: Mapping[str, Any], speeds: Mapping[str, Any]) -> None:
        self.point, self.speeds, self.largest = dict(point), dict(speeds), mpmath.mpf(1)

    def at(self, node: Node) -> Dual:
        """(value, rate)."""
        value, rate = self._plain(node)
        if not (mpmath.isfinite(value) and mpmath.isfinite(rate)) or isinstance(value, mpmath.mpc):
            raise UndefinedError
        self.largest = max(self.largest, abs(value), abs(rate))
        return value, rate

    def _plain(self, node: Node) -> Dual:
        match node:
            case Number(value):
                return (mpmath.mpf(value.numerator) / value.denominator, mpmath.mpf(0))
            case Name(name):
                return mpmath.mpf(self.point[name]), mpmath.mpf(self.speeds.get(name, 0))
            case Call(function, arguments):
                return self._call(function, arguments)
            case Least(variable, low, high, body):
                places = range(int(self.at(low)[0]), max(int(self.at(high)[0]), int(self.at(low)[0])) + 1)
                return min((self._with({variable: place}, {variable: 0}, body) for place in places), key=lambda dual: dual[0])
            case Reduce():
                return self._reduce(node)
        (a, da), (b, db) = map(self.at, node.children())
        match node:
            case Sum():
                return a + b, da + db
            case Product():
                return a * b, da * b + a * db
            case Quotient():
                if b == 0:
                    raise UndefinedError
                return a / b, (da - a / b * db) / b
        return self._power(a, da, b, db)

    def _power(self, a: Any, da: Any, b: Any, db: Any) -> Dual:
        if abs(b) > 1e4 or (a < 0 and (b != int(b) or db)) or (a == 0 and (b <= 0 or db or b < 1)):
            raise UndefinedError
        value = a ** int(b) if b == int(b) else mpmath.exp(b * mpmath.log(a))
        slope = b * a ** int(b - 1) if b == int(b) else b * value / a
        return value, slope * da + (value * mpmath.log(a) * db if db else 0)

    def _with(self, values: Mapping[str, Any], speeds: Mapping[str, Any], body: Node) -> Dual:
        inner = Reference({**self.point, **values}, {**self.speeds, **speeds})
        result = inner.at(body)
        self.largest = max(self.largest, inner.largest)
        return result

    def _reduce(self, node: Reduce) -> Dual:
        (variable,), (array,) = node.variables, node.arrays
        entries, speeds = self.point[array.name], self.speeds.get(array.name) or [0] * len(self.point[array.name])
        duals = [self._with({variable: v}, {variable: s}, node.body) for v, s in zip(entries, speeds, strict=True)]
        if node.function == "total":
            return sum(v for v, _ in duals), sum(d for _, d in duals)
        return (max if node.function == "largest" else min)(duals, key=lambda dual: dual[0])

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Dual:
        if function == "when":
            return self.at(arguments[1] if self.at(arguments[0])[0] > 0 else arguments[2])
        duals = [self.at(argument) for argument in arguments]
        if function in ("min", "max"):
            return (min if function == "min" else max)(duals, key=lambda dual: dual[0])
        return getattr(self, f"_{function}")(*duals)

    def _pi(self) -> Dual:
        return +mpmath.pi, mpmath.mpf(0)

    def _sqrt(self, x: Dual) -> Dual:
        if x[0] < 0 or (x[0] == 0 and x[1]):
            raise UndefinedError
        root = mpmath.sqrt(x[0])
        return root, x[1] / (2 * root) if x[1] else mpmath.mpf(0)

    def _exp(self, x: Dual) -> Dual:
        if abs(x[0]) > 1e5:
            raise UndefinedError
        return mpmath.exp(x[0]), mpmath.exp(x[0]) * x[1]

    def _log(self, x: Dual) -> Dual:
        if x[0] <= 0:
            raise UndefinedError
        return mpmath.log(x[0]), x[1] / x[0]

    def _erf(self, x: Dual) -> Dual:
        return mpmath.erf(x[0]), 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(min(abs(x[0]), 100) ** 2)) * x[1]

    def _ceil(self, x: Dual) -> Dual:
        return mpmath.ceil(x[0]), mpmath.mpf(0)

    def _geometric(self, ratio: Dual, count: Dual) -> Dual:
        r, t = ratio[0], count[0]
        if r == 1 or abs(t) > 1e4 or abs(r - 1) < mpmath.mpf(10) ** -25:
            raise UndefinedError
        power, rate = self._power(*ratio, *count)
        whole = (1 - power) / (1 - r)
        return whole, (-rate + whole * ratio[1]) / (1 - r)

    def _growth(self, rate: Dual, start: Dual, stop: Dual) -> Dual:
        q, s, t = rate[0], start[0], stop[0]
        ends = (s + 1, t + 1, s + 1 + q, t + 1 + q)
        if any(end <= 0 or end > 1e8 for end in ends):
            raise UndefinedError
        value = mpmath.exp(mpmath.loggamma(t + 1 + q) - mpmath.loggamma(t + 1) - mpmath.loggamma(s + 1 + q) + mpmath.loggamma(s + 1))
        in_start, in_stop, past_start, past_stop = map(mpmath.digamma, ends)
        slope = rate[1] * (past_stop - past_start) + stop[1] * (past_stop - in_stop) - start[1] * (past_start - in_start)
        return value, value * slope


@pytest.fixture(scope="session")
def drawer() -> type[Drawer]:
    return Drawer


@pytest.fixture(scope="session")
def reference() -> type[Reference]:
    return Reference


@pytest.fixture(scope="session")
def undefined() -> type[Exception]:
    return UndefinedError

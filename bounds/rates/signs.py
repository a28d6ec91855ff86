"""The sign of a constant, proved from the domains of its names and from the assumptions of a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum, names, walk
from bounds.rates.rational import (
    ONE,
    Polynomial,
    TooLargeError,
    add,
    constant,
    inverse,
    multiply,
    power,
    ratio,
    times,
    variables,
)
from bounds.symbols import REGISTRY

_DEPTH = 5
#: Work that one proof may take, in terms of polynomials looked at.
_EFFORT = 400
_LARGE = 150
_BITS = 128
_MINUS = Number(Fraction(-1))

Sign = int | None


def minus(left: Node, right: Node) -> Node:
    """left - right."""
    return Sum(left, Product(_MINUS, right))


def large(node: Node, most: int = _LARGE) -> bool:
    """Whether the tree has more than ``most`` nodes."""
    return next(islice(walk(node), most, None), None) is not None


def counts(node: Node) -> bool:
    """Whether every name in the node is that of whole numbers."""
    return all(name in REGISTRY and REGISTRY[name].domain.integer for name in names(node))


def _closed(node: Node) -> Sign:
    """The sign of a number without names."""
    from bounds.expression.balls import ball_at

    ball = ball_at(node, {}, 128)
    return 1 if ball > 0 else -1 if ball < 0 else None


@dataclass
class Signs:
    """What is known of the constants: names within their domains (at no end of them), opaque ones, and ``facts``, which are positive.

    ``meanings`` holds the trees that names in place of long constants stand for. ``lows`` holds for every name that stands for a
    whole sub-tree the number it is above; ``shares`` are names between 0 and 1. ``points`` are admissible values of the
    constants: what has another sign at one of them needs no attempt at a proof.
    """

    lows: dict[str, Fraction] = field(default_factory=dict)
    shares: frozenset[str] = frozenset()
    facts: list[Polynomial] = field(default_factory=list)
    meanings: dict[str, Node] = field(default_factory=dict)
    points: Sequence[Mapping[str, Any]] = ()
    _known: dict[Node, Sign] = field(default_factory=dict)
    _balls: dict[tuple[str, int, int], Any] = field(default_factory=dict)
    _left: int = _EFFORT

    def assume(self, node: Node) -> None:
        """Take ``node`` for positive."""
        try:
            value = ratio(node)
        except (TooLargeError, ZeroDivisionError):
            return
        below = self._polynomial(value.under)
        if below and value.number is None:
            self.facts.append(add({}, value.over, below))
            self._known.clear()

    def opaque(self, node: Node) -> Node:
        """A name for a positive constant that has no place in the grammar; the same for the same node."""
        name = f"<{node!r}>"
        self.lows[name] = Fraction(0)
        return Name(name)

    def shortened(self, node: Node) -> Node:
        """A name for a long constant."""
        name = f"<{len(self.meanings)}>"
        self.meanings[name] = node
        return Name(name)

    def of(self, node: Node) -> Sign:
        """1, -1 or 0 where proved for all admissible values (off the ends of domains), else None."""
        if node not in self._known:
            self._known[node] = None
            self._known[node] = self._fresh(node)
        return self._known[node]

    def _fresh(self, node: Node) -> Sign:
        quick = self._structural(node)
        if quick is None and not names(node):
            return _closed(node)
        if quick is not None or isinstance(node, Name | Call | Least | Power):
            return quick
        if large(node):
            return None
        try:
            value = ratio(node)
            over, under = self._polynomial(value.over), self._polynomial(value.under)
        except (TooLargeError, ZeroDivisionError):
            return None
        return None if over is None or under is None else over * under

    def _structural(self, node: Node) -> Sign:
        match node:
            case Number(value):
                return 1 if value is None else (value > 0) - (value < 0)
            case Name(name):
                return self._name(name)
            case Sum(left, right):
                a, b = self.of(left), self.of(right)
                return a if b == 0 or a == b else b if a == 0 else None
            case Product(left, right) | Quotient(left, right):
                a, b = self.of(left), self.of(right)
                return 0 if a == 0 else None if a is None or b is None else a * b
            case Power(base, exponent):
                return self._power(base, exponent)
            case Call(function, arguments):
                return self._call(function, arguments)
            case Reduce(_, _, _, body):
                return self.of(body)
        return None

    def _name(self, name: str) -> Sign:
        if name in self.meanings:
            return self.of(self.meanings[name])
        if name in self.lows or name in self.shares:
            return 1
        return 1 if name in REGISTRY and REGISTRY[name].domain.rank == 0 and REGISTRY[name].domain.low >= 0 else None

    def _power(self, base: Node, exponent: Node) -> Sign:
        sign = self.of(base)
        whole = isinstance(exponent, Number) and exponent.value is not None and exponent.value.denominator == 1
        if not whole:
            # Off the whole numbers a power has a value for a base >= 0 only.
            return sign if sign in (0, 1) else None if counts(exponent) else 1
        assert isinstance(exponent, Number)
        assert exponent.value is not None
        even = exponent.value % 2 == 0
        return sign if sign is None and not even else 1 if even and sign != 0 else sign

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Sign:
        match function:
            case "exp" | "pi" | "growth":
                return 1
            case "sqrt":
                return 0 if self.of(arguments[0]) == 0 else 1
            case "log":
                return self.of(minus(arguments[0], Number(Fraction(1))))
            case "erf" | "ceil":
                return self.of(arguments[0])
            case "size":
                return 1
            case "element":
                # Entries off the ends of their domain.
                known = REGISTRY.get(arguments[0].name) if isinstance(arguments[0], Name) else None
                return 1 if known is not None and known.domain.low >= 0 else None
            case "geometric":
                # At least its first summand, 1, where the count is that of steps.
                return 1 if self.of(arguments[0]) == 1 and self.of(arguments[1]) == 1 and isinstance(arguments[1], Name) else None
            case "min" | "max":
                a, b = map(self.of, arguments)
                wins = -1 if function == "min" else 1
                return a if a == b else wins if wins in (a, b) else None
        return None

    def _polynomial(self, a: Polynomial) -> Sign:
        """The sign of a polynomial: of one sign in shifted variables, or after taking away multiples of facts."""
        if not a:
            return 0
        for sign in self._possible(a):
            self._left = _EFFORT
            if self._positive(add({}, a, sign), _DEPTH):
                return sign
        return None

    def _possible(self, a: Polynomial) -> tuple[int, ...]:
        """The signs that the polynomial does not contradict at the points."""
        possible = {1, -1}
        for point in self.points if len(a) > 1 else ():
            ball = self._value(a, point)
            possible -= {-1} if ball > 0 else {1} if ball < 0 else set()
        return tuple(sorted(possible, reverse=True))

    def _value(self, a: Polynomial, point: Mapping[str, Any]) -> Any:
        """A ball around the polynomial at a point."""
        from flint import arb

        balls = {node: self.ball(node, point, _BITS) for node in variables(a)}
        if any(ball is None for ball in balls.values()):
            return arb("nan")
        total = arb(0)
        for monomial, value in a.items():
            part = arb(value.numerator) / value.denominator
            for node, exponent in monomial:
                part *= balls[node] ** exponent
            total += part
        return total

    def ball(self, node: Node, point: Mapping[str, Any], bits: int) -> Any:
        """A ball around a constant at a point; None where a name in it has no value there."""
        from bounds.expression.balls import ball_at, exact_values

        wanted = names(node)
        values = exact_values({name: value for name, value in point.items() if name in wanted})
        for name in wanted - values.keys():
            values[name] = self._meant(name, point, bits)
        return None if any(value is None for value in values.values()) else ball_at(node, values, bits)

    def _meant(self, name: str, point: Mapping[str, Any], bits: int) -> Any:
        key = (name, id(point), bits)
        if key not in self._balls:
            self._balls[key] = self.ball(self.meanings[name], point, bits) if name in self.meanings else None
        return self._balls[key]

    def _positive(self, a: Polynomial, depth: int) -> bool:
        self._left -= 1 + len(a)
        if not a or all(value > 0 for value in self._shifted(a).values()):
            return True
        if depth == 0 or self._left < 0:
            return False
        below = [(monomial, value) for monomial, value in a.items() if value < 0]
        present = variables(a)
        for fact in sorted(self.facts, key=lambda one: (not variables(one) <= present, len(one))):
            for head, size in fact.items():
                for monomial, value in below:
                    factor = times(monomial, inverse(head))
                    if size < 0 and all(exponent > 0 for _, exponent in factor) and self._all_positive(factor):
                        rest = add(a, multiply({factor: value / size}, fact), -1)
                        if self._left >= 0 and len(rest) < len(a) + 2 and self._positive(rest, depth - 1):
                            return True
        return False

    def _all_positive(self, factor: frozenset[tuple[Node, int]]) -> bool:
        return all(self.of(node) == 1 for node, _ in factor)

    def _shifted(self, a: Polynomial) -> Polynomial:
        """The polynomial (up to a positive factor) in variables that run over (0, inf); {ONE: -1} where one has no known sign."""
        for node in sorted(variables(a), key=repr):
            a = self._shift(a, node)
        return a

    def _shift(self, a: Polynomial, node: Node) -> Polynomial:
        fresh: Polynomial = {frozenset(((node, 1),)): Fraction(1)}
        low, below_one = self._range(node)
        if below_one:
            over, under = constant(1), add(fresh, constant(1))
        elif low == 0:
            return a
        elif low is not None:
            over, under = add(fresh, constant(low)), constant(1)
        elif self.of(node) == -1:
            over, under = add({}, fresh, -1), constant(1)
        else:
            return {ONE: Fraction(-1)}
        highest = max(dict(monomial).get(node, 0) for monomial in a)
        result: Polynomial = {}
        for monomial, value in a.items():
            exponent = dict(monomial).get(node, 0)
            others = frozenset(item for item in monomial if item[0] != node)
            result = add(result, multiply({others: value}, multiply(power(over, exponent), power(under, highest - exponent))))
        return result

    def _range(self, node: Node) -> tuple[Fraction | None, bool]:
        """What a positive variable is above (None where its sign is not known), and whether it is below 1."""
        if isinstance(node, Name):
            if node.name in self.shares:
                return Fraction(0), True
            if node.name in self.lows:
                return self.lows[node.name], False
            if node.name in self.meanings:
                return (Fraction(0) if self.of(node) == 1 else None), False
            if node.name not in REGISTRY or REGISTRY[node.name].domain.rank:
                return None, False
            domain = REGISTRY[node.name].domain
            return (Fraction(domain.low) if domain.low >= 0 else None), domain.low == 0 and domain.high == 1
        if isinstance(node, Power) and self.of(node) == 1:
            base, exponent = self.of(minus(node.base, Number(Fraction(1)))), self.of(node.exponent)
            large = base == exponent and base in (1, -1)
            return Fraction(1 if large else 0), bool(base and exponent and base != exponent)
        return (Fraction(1 if self._grows(node) else 0) if self.of(node) == 1 else None), False

    def _grows(self, node: Node) -> bool:
        if not isinstance(node, Call) or node.function != "growth":
            return False
        rate, start, stop = node.arguments
        return self.of(rate) == 1 and self.of(minus(stop, start)) == 1


def inside(signs: Signs, variable: str, high: Node) -> Signs:
    """What is known with a variable strictly between 0 and ``high``."""
    points = [{**point, variable: float(end.mid()) / 3} for point in signs.points if (end := signs.ball(high, point, _BITS)) is not None]
    inner = Signs({**signs.lows, variable: Fraction(0)}, signs.shares, list(signs.facts), signs.meanings, points)
    inner.assume(minus(high, Name(variable)))
    return inner

"""Rational functions with exact coefficients; their variables are nodes of the tree (names, and whatever is not rational)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum

#: Powers of variables; the empty one is 1.
Monomial = frozenset[tuple[Node, int]]
Polynomial = dict[Monomial, Fraction]

ONE: Monomial = frozenset()
_MOST_TERMS = 60
_HIGHEST_POWER = 12


class TooLargeError(Exception):
    """A polynomial with more terms than are worth looking at."""


def constant(value: Fraction | int) -> Polynomial:
    """The polynomial with one value."""
    return {ONE: Fraction(value)} if value else {}


def add(a: Polynomial, b: Polynomial, factor: Fraction | int = 1) -> Polynomial:
    """a + factor*b."""
    result = dict(a)
    for monomial, value in b.items():
        total = result.get(monomial, Fraction(0)) + factor * value
        if total:
            result[monomial] = total
        else:
            result.pop(monomial, None)
    return result


def times(a: Monomial, b: Monomial) -> Monomial:
    """The product of two monomials (powers may be negative)."""
    if not a or not b:
        return a or b
    powers = dict(a)
    for variable, power in b:
        powers[variable] = powers.get(variable, 0) + power
    return frozenset((variable, power) for variable, power in powers.items() if power)


def inverse(a: Monomial) -> Monomial:
    """1/a."""
    return frozenset((variable, -power) for variable, power in a)


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    """a*b."""
    if len(a) * len(b) > 8 * _MOST_TERMS:
        raise TooLargeError
    result: Polynomial = {}
    for left, x in a.items():
        for right, y in b.items():
            monomial = times(left, right)
            result[monomial] = result[monomial] + x * y if monomial in result else x * y
    return {monomial: value for monomial, value in result.items() if value}


def power(a: Polynomial, exponent: int) -> Polynomial:
    """a**exponent for an exponent >= 0."""
    result = constant(1)
    for _ in range(exponent):
        result = multiply(result, a)
    return result


def variables(a: Polynomial) -> set[Node]:
    """The variables that occur."""
    return {variable for monomial in a for variable, _ in monomial}


def _common(a: Iterable[Monomial]) -> Monomial:
    """The largest monomial that divides all."""
    first, *others = (dict(monomial) for monomial in a)
    least = {variable: min(power, *(other.get(variable, 0) for other in others), power) for variable, power in first.items()}
    for other in others:
        least |= {variable: min(0, power) for variable, power in other.items() if variable not in first}
    return frozenset((variable, power) for variable, power in least.items() if power)


def _divided(a: Polynomial, by: Monomial, factor: Fraction) -> Polynomial:
    down = inverse(by)
    return {times(monomial, down): value / factor for monomial, value in a.items()}


def _content(a: Polynomial) -> Fraction:
    values = list(a.values())
    return Fraction(gcd(*(value.numerator for value in values)), lcm(*(value.denominator for value in values)))


def _quotient(a: Polynomial, b: Polynomial) -> Polynomial | None:
    """a/b where b divides a exactly, by the terms of highest total degree in one order of the variables."""
    order = sorted(variables(a) | variables(b), key=repr)

    def rank(monomial: Monomial) -> tuple[int, ...]:
        powers = dict(monomial)
        return (sum(powers.values()), *(powers.get(variable, 0) for variable in order))

    head = max(b, key=rank)
    result: Polynomial = {}
    while a:
        top = max(a, key=rank)
        shift = times(top, inverse(head))
        if any(power < 0 for _, power in shift) or len(result) > _MOST_TERMS:
            return None
        step = {shift: a[top] / b[head]}
        result, a = add(result, step), add(a, multiply(step, b), -1)
    return result


@dataclass(frozen=True)
class Ratio:
    """A quotient of two polynomials, without common monomials and without a common divisor where one divides the other."""

    over: Polynomial
    under: Polynomial

    @staticmethod
    def of(over: Polynomial, under: Polynomial) -> Ratio:
        """The quotient in its reduced form."""
        if not over:
            return Ratio({}, constant(1))
        shared = _common([*over, *under])
        over, under = _divided(over, shared, _content(over)), _divided(under, shared, _content(over))
        scale = _content(under) * (1 if _sorted(under)[0][1] > 0 else -1)
        over, under = _divided(over, ONE, scale), _divided(under, ONE, scale)
        whole = _quotient(over, under)
        if whole is not None:
            return Ratio(whole, constant(1))
        part = _quotient(under, over)
        return Ratio(constant(1), part)._upright() if part is not None else Ratio(over, under)

    def _upright(self) -> Ratio:
        """The same with whole numbers below, the first of them positive."""
        scale = _content(self.under) * (1 if _sorted(self.under)[0][1] > 0 else -1)
        return Ratio(_divided(self.over, ONE, scale), _divided(self.under, ONE, scale))

    def __add__(self, other: Ratio) -> Ratio:
        if self.under == other.under:
            return Ratio.of(add(self.over, other.over), self.under)
        crossed = add(multiply(self.over, other.under), multiply(other.over, self.under))
        return Ratio.of(crossed, multiply(self.under, other.under))

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio.of(multiply(self.over, other.over), multiply(self.under, other.under))

    def __neg__(self) -> Ratio:
        return Ratio(add({}, self.over, -1), self.under)

    def __sub__(self, other: Ratio) -> Ratio:
        return self + -other

    def reciprocal(self) -> Ratio:
        """1/self, for a ratio other than 0."""
        if not self.over:
            raise ZeroDivisionError
        return Ratio.of(self.under, self.over)

    @property
    def number(self) -> Fraction | None:
        """The value where there is no variable."""
        if not self.over:
            return Fraction(0)
        return self.over[ONE] / self.under[ONE] if set(self.over) == {ONE} == set(self.under) else None


ZERO = Ratio({}, constant(1))
UNIT = Ratio(constant(1), constant(1))


def number(value: Fraction | int) -> Ratio:
    """A number as a ratio."""
    return Ratio(constant(value), constant(1))


def variable(node: Node) -> Ratio:
    """A node as one variable."""
    return Ratio({frozenset(((node, 1),)): Fraction(1)}, constant(1))


def _sorted(a: Polynomial) -> list[tuple[Monomial, Fraction]]:
    return sorted(a.items(), key=lambda item: (-sum(power for _, power in item[0]), sorted(map(repr, item[0]))))


def ratio(node: Node) -> Ratio:
    """The node as a ratio; what is not rational in it becomes a variable.

    Raises:
        TooLargeError, ZeroDivisionError.
    """
    match node:
        case Number(value) if value is not None:
            return number(value)
        case Sum(left, right):
            return ratio(left) + ratio(right)
        case Product(left, right):
            return ratio(left) * ratio(right)
        case Quotient(left, right):
            return ratio(left) * ratio(right).reciprocal()
        case Power(base, exponent):
            return _power(base, exponent)
        case Call("sqrt", (inner,)):
            return _power(inner, Number(Fraction(1, 2)))
    return variable(node)


def _power(base: Node, exponent: Node) -> Ratio:
    shown = ratio(exponent).number
    if shown is not None and shown.denominator == 1 and abs(shown) <= _HIGHEST_POWER:
        inner = ratio(base)
        inner = inner.reciprocal() if shown < 0 else inner
        return Ratio.of(power(inner.over, abs(int(shown))), power(inner.under, abs(int(shown))))
    # (a**b)**c is a**(b c) for an a >= 0, as it is where b is a fraction.
    inner_power = ratio(base.exponent).number if isinstance(base, Power) else None
    if isinstance(base, Power) and inner_power is not None and inner_power.denominator != 1:
        return _power(base.base, tree(ratio(base.exponent) * ratio(exponent)))
    return variable(Power(base, tree(ratio(exponent))))


def _product(value: Fraction, monomial: Monomial) -> Node:
    result: Node | None = None if value == 1 and monomial else Number(value)
    for node, exponent in sorted(monomial, key=repr):
        factor = node if exponent == 1 else Power(node, Number(Fraction(exponent)))
        result = factor if result is None else Product(result, factor)
    assert result is not None
    return result


def _polynomial(a: Polynomial) -> Node:
    result: Node = Number(Fraction(0))
    for place, (monomial, value) in enumerate(_sorted(a)):
        result = Sum(result, _product(value, monomial)) if place else _product(value, monomial)
    return result


def tree(value: Ratio) -> Node:
    """The ratio as a tree, with whole numbers only in a quotient."""
    if value.under == constant(1):
        return _polynomial(value.over)
    whole = lcm(*(size.denominator for part in (value.over, value.under) for size in part.values()))
    return Quotient(_polynomial(add({}, value.over, whole)), _polynomial(add({}, value.under, whole)))


def text(node: Node, level: int = 0) -> str:
    """A tree in the grammar of expressions."""
    match node:
        case Number(None):
            return "inf"
        case Number(value):
            assert value is not None
            shown, own = str(value), 0 if value < 0 else 3 if value.denominator == 1 else 1
        case Name(name):
            shown, own = name, 3
        case Sum(left, right):
            after = text(right, 1)
            minus = text(right, 0) if isinstance(right, Number | Product) else ""
            shown, own = f"{text(left)} - {minus[1:]}" if minus.startswith("-") else f"{text(left)} + {after}", 0
        case Product(Number(value), right) if value == -1:
            shown, own = f"-{text(right, 1)}", 0
        case Product(left, right):
            first = text(left) if text(left).startswith("-") and isinstance(left, Number | Product) else text(left, 1)
            shown, own = f"{first}*{text(right, 2)}", 0 if first.startswith("-") else 1
        case Quotient(left, right):
            first = text(left) if text(left).startswith("-") and isinstance(left, Number | Product) else text(left, 1)
            shown, own = f"{first}/{text(right, 2)}", 0 if first.startswith("-") else 1
        case Power(base, exponent):
            shown, own = f"{text(base, 3)}**{text(exponent, 3)}", 2
        case Call(function, arguments):
            shown, own = (f"{function}({', '.join(map(text, arguments))})" if arguments else function), 3
        case Least(variable, low, high, body):
            shown, own = f"least({variable}, {text(low)}, {text(high)}, {text(body)})", 3
        case Reduce(function, variables, arrays, body):
            pairs = [part for variable, array in zip(variables, arrays, strict=True) for part in (variable, text(array))]
            shown, own = f"{function}({', '.join([*pairs, text(body)])})", 3
        case _:
            shown, own = repr(node), 3
    return shown if own >= level else f"({shown})"

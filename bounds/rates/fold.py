"""Putting values into a tree, and limits by continuity: arithmetic of trees with infinity in it.

What becomes a number, a zero or a one is worked out; the rest keeps its shape. With ``limit``, the arguments are limits rather
than values, and whatever is not continuous there has no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum, names
from bounds.rates.calculus import replaced
from bounds.rates.signs import Sign, Signs, inside, minus
from bounds.symbols import REGISTRY

ZERO, ONE, INFINITE = Number(Fraction(0)), Number(Fraction(1)), Number(None)
MINUS_INFINITE = Product(Number(Fraction(-1)), INFINITE)
_MOST_BITS = 64
_AT = {
    ("sqrt", ZERO): ZERO,
    ("sqrt", ONE): ONE,
    ("sqrt", INFINITE): INFINITE,
    ("exp", ZERO): ONE,
    ("exp", INFINITE): INFINITE,
    ("exp", MINUS_INFINITE): ZERO,
    ("log", ZERO): MINUS_INFINITE,
    ("log", ONE): ZERO,
    ("log", INFINITE): INFINITE,
    ("erf", ZERO): ZERO,
    ("erf", INFINITE): ONE,
    ("ceil", INFINITE): INFINITE,
}


class NoValueError(Exception):
    """An undetermined form: a division by zero, infinity less infinity, or a jump at a limit."""


def infinite(node: Node) -> int:
    """1 or -1 for an infinity, else 0."""
    return 1 if node == INFINITE else -1 if node == MINUS_INFINITE else 0


def _number(node: Node) -> Fraction | None:
    return node.value if isinstance(node, Number) else None


@dataclass(frozen=True)
class Folding:
    """The arithmetic, with what is known of the signs of constants in general position."""

    signs: Signs
    limit: bool = False

    def fold(self, node: Node) -> Node:
        """The tree with its constant parts worked out.

        Raises:
            NoValueError: where that gives no value.
        """
        match node:
            case Sum(left, right):
                return self.total(self.fold(left), self.fold(right))
            case Product(left, right):
                return self.times(self.fold(left), self.fold(right))
            case Quotient(left, right):
                return self.over(self.fold(left), self.fold(right))
            case Power(base, exponent):
                return self.power(self.fold(base), self.fold(exponent))
            case Call("when", (condition, positive, other)):
                return self._when(self.fold(condition), positive, other)
            case Call(function, arguments):
                return self._call(function, tuple(map(self.fold, arguments)))
            case Least():
                return self._least(node)
            case Reduce():
                return self._reduce(node)
        return node

    def _sign(self, node: Node) -> Sign:
        return infinite(node) or self.signs.of(node)

    def _sure(self, node: Node) -> int:
        sign = self._sign(node)
        if not sign:
            raise NoValueError
        return sign

    def _nonzero(self, node: Node) -> bool:
        """Whether the node is 0 at no point, or at least not everywhere."""
        if self._sign(node) in (1, -1):
            return True
        balls = [self.signs.ball(node, point, 256) for point in self.signs.points]
        return any(ball is not None and ball.is_finite() and not ball.contains(0) for ball in balls)

    def total(self, left: Node, right: Node) -> Node:
        """left + right."""
        a, b = _number(left), _number(right)
        one, other = infinite(left), infinite(right)
        if one or other:
            if one * other < 0:
                raise NoValueError
            return left if one else right
        if a is not None and b is not None:
            return Number(a + b)
        opposite = right == self.times(Number(Fraction(-1)), left) or left == self.times(Number(Fraction(-1)), right)
        return ZERO if opposite else right if a == 0 else left if b == 0 else Sum(left, right)

    def times(self, left: Node, right: Node) -> Node:
        """left * right."""
        a, b = _number(left), _number(right)
        if infinite(left) or infinite(right):
            return INFINITE if self._sure(left) * self._sure(right) > 0 else MINUS_INFINITE
        if a is not None and b is not None:
            return Number(a * b)
        if a is not None and isinstance(right, Product) and (inner := _number(right.left)) is not None:
            return self.times(Number(a * inner), right.right)
        return ZERO if 0 in (a, b) else right if a == 1 else left if b == 1 else Product(left, right)

    def over(self, left: Node, right: Node) -> Node:
        """left / right."""
        a, b = _number(left), _number(right)
        if infinite(left):
            return self.times(left, Number(Fraction(0 if infinite(right) else self._sure(right))))
        if infinite(right):
            return ZERO
        if b == 0 or (b is None and self.limit and not self._nonzero(right)):
            raise NoValueError
        if a is not None and b is not None:
            return Number(a / b)
        if a == 0 and self._nonzero(right):
            return ZERO
        return left if b == 1 else Quotient(left, right)

    def power(self, base: Node, exponent: Node) -> Node:
        """base ** exponent."""
        a, e = _number(base), _number(exponent)
        if infinite(exponent):
            return self._endless(base, infinite(exponent))
        if infinite(base) or (a == 0 and (e is None or e <= 0)):
            grows = self._sure(exponent) * (1 if infinite(base) > 0 else -1 if a == 0 else 0)
            if not grows or (a == 0 and grows > 0):
                raise NoValueError
            return ZERO if grows < 0 else INFINITE
        if e == 0 or a == 1:
            return ONE
        if e == 1 or a == 0:
            return base
        small = e is not None and a is not None and abs(e) * max(abs(a.numerator), a.denominator).bit_length() <= _MOST_BITS
        if small and e is not None and a is not None and e.denominator == 1:
            return Number(a ** int(e))
        return Power(base, exponent)

    def _endless(self, base: Node, way: int) -> Node:
        """base to the power of an infinity."""
        if self._sign(minus(ONE, self.power(base, Number(Fraction(2))))) == 1 and not infinite(base):
            shrinks = 1
        elif infinite(base) > 0 or self.signs.of(minus(base, ONE)) == 1:
            shrinks = -1
        else:
            raise NoValueError
        if shrinks * way < 0 and self._sign(base) != 1:
            raise NoValueError
        return ZERO if shrinks * way > 0 else INFINITE

    def _when(self, condition: Node, positive: Node, other: Node) -> Node:
        sign = self._sign(condition)
        if self.limit and not sign:
            raise NoValueError
        if sign is None:
            return Call("when", (condition, self.fold(positive), self.fold(other)))
        return self.fold(positive if sign > 0 else other)

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Node:
        if len(arguments) == 1 and (function, arguments[0]) in _AT:
            return _AT[function, arguments[0]]
        if function == "ceil" and self.limit:
            raise NoValueError
        known: dict[str, Callable[..., Node | None]] = {
            "min": lambda a, b: self._extreme(a, b, 1),
            "max": lambda a, b: self._extreme(a, b, -1),
            "geometric": self._geometric,
            "growth": self._growth,
        }
        found = known[function](*arguments) if function in known else None
        if found is None and any(map(infinite, arguments)):
            raise NoValueError
        return Call(function, arguments) if found is None else found

    @staticmethod
    def _extreme(left: Node, right: Node, way: int) -> Node | None:
        """min for the way 1, max for -1."""
        a, b = _number(left), _number(right)
        if left == right:
            return left
        if infinite(left) or infinite(right):
            ahead = (infinite(left) or 0) * way < (infinite(right) or 0) * way
            return left if ahead else right
        return None if a is None or b is None else Number(min(a * way, b * way) * way)

    def _geometric(self, ratio: Node, count: Node) -> Node | None:
        if infinite(count) > 0:
            if self._sign(minus(ratio, ONE)) == 1:
                return INFINITE
            return self.over(ONE, self.total(ONE, self.times(Number(Fraction(-1)), ratio))) if self._endless(ratio, 1) == ZERO else None
        if count == ZERO or (ratio == ZERO and _at_least_one(count)):
            return ZERO if count == ZERO else ONE
        return count if ratio == ONE else ONE if count == ONE else None

    def _growth(self, rate: Node, start: Node, stop: Node) -> Node | None:
        if infinite(stop) > 0 and not infinite(start):
            return INFINITE if self._sign(rate) == 1 and not infinite(rate) else None
        ends = any(map(infinite, (start, stop)))
        return ONE if not ends and (rate == ZERO or start == stop) and not infinite(rate) else None

    def _least(self, node: Least) -> Node:
        low, high = self.fold(node.low), self.fold(node.high)
        if low == high:
            return self.fold(replaced(node.body, node.variable, low))
        body = self._inside(node, low, high)
        if body is None:
            if self.limit:
                raise NoValueError
            body = self.fold(node.body)
        if self.signs.of(body) == 1 and self.fold(replaced(body, node.variable, low)) == ZERO:
            return ZERO
        return body if node.variable not in names(body) else Least(node.variable, low, high, body)

    def _inside(self, node: Least, low: Node, high: Node) -> Node | None:
        """The body folded for a variable off the ends of its range, where that is right at the ends too; else None."""
        moves = (low, high) != (node.low, node.high)
        if self.limit and moves:
            return None
        body = Folding(inside(self.signs, node.variable, high), self.limit).fold(node.body)
        if infinite(body):
            return None
        ends = ((replaced(body, node.variable, end), replaced(node.body, node.variable, end)) for end in (low, high))
        return body if all(self.fold(one) == self.fold(other) for one, other in ends) else None

    def _reduce(self, node: Reduce) -> Node:
        body = self.fold(node.body)
        if infinite(body):
            raise NoValueError
        return ZERO if body == ZERO else Reduce(node.function, node.variables, node.arrays, body)


def _at_least_one(node: Node) -> bool:
    """Whether the node is a number of steps that is never 0."""
    if isinstance(node, Name):
        domain = REGISTRY[node.name].domain if node.name in REGISTRY else None
        return domain is not None and domain.integer and domain.low >= 1
    return (_number(node) or 0) >= 1

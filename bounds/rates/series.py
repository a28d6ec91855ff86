"""Asymptotic series: a few terms coefficient * exp(rate P^d + ...) * P^power * log(P)^log for P -> inf, and the order of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bounds.expression.tree import Call, Node, Number, Power, Product, Quotient, Sum
from bounds.rates.rational import UNIT, ZERO, Ratio, TooLargeError, number, ratio, tree
from bounds.rates.signs import Sign, Signs, large, minus

_KEPT = 3
_LONG = 60
_BITS = 512
_ONE, _MINUS = Number(Fraction(1)), Number(Fraction(-1))
_GROWS = "which of two terms grows faster depends on the parameters"


class UnknownOrderError(Exception):
    """The order cannot be told; the text says why."""


@dataclass(frozen=True)
class Order:
    """exp(sum of rate P^d) P^power log(P)^log; ``rates`` holds (d, rate) by falling d > 0."""

    power: Ratio = ZERO
    log: Ratio = ZERO
    rates: tuple[tuple[Fraction, Node], ...] = ()


@dataclass(frozen=True)
class Term:
    """A constant other than 0 times an order."""

    coefficient: Node
    order: Order = Order()


@dataclass(frozen=True)
class Series:
    """Terms, the largest first, with a rest of at most the sum of the orders ``rest``; no term and no rest is 0."""

    terms: tuple[Term, ...] = ()
    rest: tuple[Order, ...] = ()

    @property
    def lead(self) -> Term:
        """The largest term.

        Raises:
            UnknownOrderError: where none is known.
        """
        if not self.terms:
            raise UnknownOrderError("the leading terms cancel" if self.rest else "the value is 0")
        return self.terms[0]

    @property
    def zero(self) -> bool:
        """Whether this is 0 exactly."""
        return not self.terms and not self.rest

    @property
    def fixed(self) -> Node | None:
        """The value where it does not depend on P."""
        only = len(self.terms) == 1 and not self.rest and self.terms[0].order == Order()
        return self.terms[0].coefficient if only else Number(Fraction(0)) if self.zero else None


def product(a: Node, b: Node) -> Node:
    """a*b, without factors 1."""
    return b if a == _ONE else a if b == _ONE else Product(a, b)


@dataclass
class Algebra:
    """Arithmetic of series; ``points`` are admissible values of the constants at which a coefficient is seen not to vanish."""

    signs: Signs
    points: Sequence[Mapping[str, Any]]

    def compare(self, a: Order, b: Order) -> int:
        """1, 0 or -1 as a is larger than, the same as, or smaller than b."""
        for _, rate in self.over(a, b).rates:
            return self._sure(self.signs.of(rate))
        for x, y in ((a.power, b.power), (a.log, b.log)):
            sign = self._sure(self.signs.of(tree(x - y)))
            if sign:
                return sign
        return 0

    @staticmethod
    def _sure(sign: Sign) -> int:
        if sign is None:
            raise UnknownOrderError(_GROWS)
        return sign

    def under(self, a: Order, b: Order) -> Order:
        """The order of a product."""
        rates = dict(a.rates)
        for degree, rate in b.rates:
            rates[degree] = Sum(rates[degree], rate) if degree in rates else rate
        kept = tuple((degree, rates[degree]) for degree in sorted(rates, reverse=True) if self.signs.of(rates[degree]) != 0)
        return Order(a.power + b.power, a.log + b.log, kept)

    def over(self, a: Order, b: Order) -> Order:
        """The order of a quotient."""
        return self.under(a, Order(-b.power, -b.log, tuple((degree, product(_MINUS, rate)) for degree, rate in b.rates)))

    def largest(self, orders: Iterable[Order]) -> tuple[Order, ...]:
        """Those of some orders that no other one is seen to reach."""
        kept: list[Order] = []
        for order in orders:
            if not any(self.seen(order, other) in (-1, 0) for other in kept):
                kept = [other for other in kept if self.seen(other, order) != -1] + [order]
        return tuple(kept)

    def seen(self, a: Order, b: Order) -> int | None:
        """:meth:`compare`, or None where that is not known."""
        try:
            return self.compare(a, b)
        except (UnknownOrderError, TooLargeError):
            return None

    def all_orders(self, *parts: Series) -> list[Order]:
        """The orders of all terms and rests."""
        return [order for part in parts for order in (*(term.order for term in part.terms), *part.rest)]

    def vanishes(self, node: Node) -> bool:
        """Whether a constant is 0 everywhere; it is not where a ball around its value at one point excludes 0."""
        seen = 0
        for point in self.points:
            ball = self.signs.ball(node, point, _BITS)
            if ball is not None and ball.is_finite():
                if not ball.contains(0):
                    return False
                seen += 1
        sign = self.signs.of(node)
        if sign is not None:
            return sign == 0
        if seen < 2:
            raise UnknownOrderError("whether the leading terms cancel was not decided")
        return True

    def constant(self, node: Node) -> Series:
        """A constant as a series."""
        if isinstance(node, Number) and node.value is None:
            raise UnknownOrderError("the value is infinite there")
        return Series() if self.vanishes(node) else Series((Term(self.short(node)),))

    def short(self, node: Node) -> Node:
        """The constant in its rational normal form where that is not longer; a long one as a name."""
        if not large(node, _LONG):
            try:
                other = tree(ratio(node))
            except (TooLargeError, ZeroDivisionError):
                return node
            return other if len(repr(other)) <= len(repr(node)) else node
        return self.signs.shortened(node)

    def collect(self, terms: Sequence[Term], rest: Iterable[Order]) -> Series:
        """The sum of terms: equal orders joined, the largest few kept, and the rest as its orders."""
        left, below = self._joined(terms), self.largest(rest)
        kept: list[Term] = []
        while left and len(kept) < _KEPT:
            top = next((term for term in left if all(other is term or self.seen(term.order, other.order) == 1 for other in left)), None)
            if top is None or any(self.seen(top.order, order) != 1 for order in below):
                break
            left.remove(top)
            if not self.vanishes(top.coefficient):
                kept.append(top)
        if not kept and left and all(self.seen(a.order, b.order) is None for a in left for b in left if a is not b) and len(left) > 1:
            raise UnknownOrderError(_GROWS)
        return Series(tuple(kept), self.largest([*below, *(term.order for term in left)]))

    def _joined(self, terms: Sequence[Term]) -> list[Term]:
        groups: list[Term] = []
        for term in terms:
            same = next((i for i, other in enumerate(groups) if self.seen(term.order, other.order) == 0), None)
            if same is None:
                groups.append(term)
            else:
                groups[same] = replace(groups[same], coefficient=self.short(Sum(groups[same].coefficient, term.coefficient)))
        return groups

    def add(self, a: Series, b: Series) -> Series:
        """a + b."""
        return self.collect([*a.terms, *b.terms], (*a.rest, *b.rest))

    def multiply(self, a: Series, b: Series) -> Series:
        """a * b."""
        if a.zero or b.zero:
            return Series()
        terms = [Term(product(x.coefficient, y.coefficient), self.under(x.order, y.order)) for x in a.terms for y in b.terms]
        rests = [self.under(size, order) for x, y in ((a, b), (b, a)) for size in self.sizes(x) for order in y.rest]
        return self.collect(terms, rests)

    @staticmethod
    def sizes(a: Series) -> tuple[Order, ...]:
        """The largest order, or the orders of the rest where there is no term."""
        return (a.terms[0].order,) if a.terms else a.rest

    def scaled(self, a: Series, factor: Node) -> Series:
        """A constant times a."""
        return self.multiply(a, self.constant(factor))

    def relative(self, a: Series) -> Series:
        """a/lead - 1, which tends to 0."""
        lead = a.lead
        terms = tuple(Term(self.short(Quotient(t.coefficient, lead.coefficient)), self.over(t.order, lead.order)) for t in a.terms[1:])
        return Series(terms, tuple(self.over(order, lead.order) for order in a.rest))

    def near_one(self, u: Series, first: Node, second: Node) -> Series:
        """1 + first*u + second*u^2, for u -> 0 and a function with this expansion."""
        result = Series((Term(_ONE),))
        if u.zero:
            return result
        square = self.multiply(u, u)
        cube = [self.under(a, self.under(a, a)) for a in self.sizes(u)]
        parts = self.add(self.add(result, self.scaled(u, first)), self.scaled(square, second))
        return self.collect(parts.terms, (*parts.rest, *cube))

    def power(self, a: Series, exponent: Node) -> Series:
        """a to a constant exponent."""
        if self.signs.of(exponent) == 0:
            return Series((Term(_ONE),))
        if a.zero:
            if self.signs.of(exponent) != 1:
                raise UnknownOrderError("a power of 0")
            return a
        lead, size = a.lead, ratio(exponent)
        rates = tuple((degree, product(exponent, rate)) for degree, rate in lead.order.rates)
        order = Order(lead.order.power * size, lead.order.log * size, rates)
        head = Term(_ONE if lead.coefficient == _ONE else Power(lead.coefficient, exponent), order)
        halved = Quotient(Product(exponent, minus(exponent, _ONE)), Number(Fraction(2)))
        return self.multiply(Series((head,)), self.near_one(self.relative(a), exponent, halved))

    def quotient(self, a: Series, b: Series) -> Series:
        """a / b."""
        return self.multiply(a, self.power(b, _MINUS))

    def log(self, a: Series) -> Series:
        """The logarithm of a positive series."""
        lead = a.lead
        terms = [Term(rate, Order(number(degree))) for degree, rate in lead.order.rates]
        if lead.order.power != ZERO:
            terms.append(Term(tree(lead.order.power), Order(log=UNIT)))
        # log(log P) is below every power of log P.
        rest = () if lead.order.log == ZERO else (Order(log=number(Fraction(1, 2))),)
        start = self.add(self.collect(terms, rest), self.constant(Call("log", (lead.coefficient,))))
        bent = self.near_one(self.relative(a), _ONE, Number(Fraction(-1, 2)))
        return self.add(self.add(start, bent), Series((Term(_MINUS),)))

    def exp(self, a: Series) -> Series:
        """The exponential of a series."""
        if any(self.seen(order, Order()) != -1 for order in a.rest):
            raise UnknownOrderError("an exponent is not known closely enough")
        head, small = Series((Term(_ONE),)), []
        for term in a.terms:
            side = self.compare(term.order, Order())
            if side < 0:
                small.append(term)
            else:
                head = self.multiply(head, Series((self._factor(term, side),)))
        return self.multiply(head, self.near_one(Series(tuple(small), a.rest), _ONE, Number(Fraction(1, 2))))

    @staticmethod
    def _factor(term: Term, side: int) -> Term:
        """exp(term) for a term that does not tend to 0."""
        order = term.order
        if side == 0:
            return Term(Call("exp", (term.coefficient,)))
        if order == Order(log=UNIT):
            return Term(_ONE, Order(ratio(term.coefficient)))
        degree = order.power.number
        if degree is None or order.log != ZERO or order.rates:
            raise UnknownOrderError("an exponent that is no plain power")
        return Term(_ONE, Order(rates=((degree, term.coefficient),)))

    def extreme(self, a: Series, b: Series, function: str) -> Series:
        """The smaller or the larger one (min, max)."""
        difference = self.add(a, Series(tuple(Term(product(_MINUS, t.coefficient), t.order) for t in b.terms), b.rest))
        if difference.zero:
            return a
        sign = self.signs.of(difference.lead.coefficient) if difference.terms else None
        if sign is not None:
            return a if (sign > 0) == (function == "max") else b
        if a.zero or b.zero or self.compare(a.lead.order, b.lead.order) != 0:
            raise UnknownOrderError("the sign of a leading term is not known")
        below = self.largest(self.all_orders(*(Series(s.terms[1:], s.rest) for s in (a, b))))
        return Series((Term(Call(function, (a.lead.coefficient, b.lead.coefficient)), a.lead.order),), below)

"""The order of a tree: every node as a series in P, where the parameter is P (or 1/P) and P -> inf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum, names
from bounds.rates.rational import UNIT, Ratio, number, tree
from bounds.rates.series import Algebra, Order, Series, Term, UnknownOrderError
from bounds.rates.signs import counts, minus

_ONE, _ZERO, _MINUS = Number(Fraction(1)), Number(Fraction(0)), Number(Fraction(-1))
_HALF = Number(Fraction(1, 2))
#: Stands for what is smaller than every power that can matter.
_TINY = Order(number(-1000))


def replaced(node: Node, name: str, by: Node) -> Node:
    """The tree with a name replaced by a tree."""

    def inner(part: Node) -> Node:
        return replaced(part, name, by)

    match node:
        case Name(own):
            return by if own == name else node
        case Sum(left, right) | Product(left, right) | Quotient(left, right):
            return type(node)(inner(left), inner(right))
        case Power(base, exponent):
            base = inner(base)
            return _ONE if base == _ONE else Power(base, inner(exponent))
        case Call(function, arguments):
            return Call(function, tuple(map(inner, arguments)))
        case Least(variable, low, high, body):
            return Least(variable, inner(low), inner(high), body if variable == name else inner(body))
        case Reduce(function, variables, arrays, body):
            return Reduce(function, variables, tuple(map(inner, arrays)), body if name in variables else inner(body))
    return node


@dataclass
class Calculus:
    """Series of trees; ``moving`` maps the names that depend on P to their series."""

    algebra: Algebra
    moving: Mapping[str, Series]
    known: dict[Node, Series] = field(default_factory=dict)

    def series(self, node: Node) -> Series:
        """The series of a node.

        Raises:
            UnknownOrderError: saying why there is none.
        """
        if node not in self.known:
            constant = not names(node) & self.moving.keys()
            self.known[node] = self.algebra.constant(node) if constant else self._fresh(node)
        return self.known[node]

    def _fresh(self, node: Node) -> Series:
        algebra = self.algebra
        match node:
            case Name(name):
                return self.moving[name]
            case Sum(left, right):
                return algebra.add(self.series(left), self.series(right))
            case Product(left, right):
                return algebra.multiply(self.series(left), self.series(right))
            case Quotient(left, right):
                return algebra.quotient(self.series(left), self.series(right))
            case Power(base, exponent):
                return self.power(base, exponent)
            case Call(function, arguments):
                return self._call(function, arguments)
            case Least():
                from bounds.rates.least import least

                return least(self, node)
            case Reduce():
                return self._total(node)
        raise UnknownOrderError("a part that the calculus does not know")

    def power(self, base: Node, exponent: Node) -> Series:
        """base**exponent; with an exponent that moves, exp(exponent*log(base))."""
        algebra, high = self.algebra, self.series(exponent)
        if high.fixed is not None:
            return algebra.power(self.series(base), high.fixed)
        low = self.series(base)
        sign = algebra.signs.of(low.lead.coefficient)
        if sign == 1:
            return algebra.exp(algebra.multiply(high, algebra.log(low)))
        if sign == -1:
            size = algebra.exp(algebra.multiply(high, algebra.log(algebra.scaled(low, _MINUS))))
            # Its sign alternates: only its size is known.
            return Series((), (size.lead.order,))
        raise UnknownOrderError("a power of something whose sign depends on the parameters")

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Series:
        algebra = self.algebra
        match function:
            case "sqrt":
                return algebra.power(self.series(arguments[0]), _HALF)
            case "exp":
                return algebra.exp(self.series(arguments[0]))
            case "log":
                return algebra.log(self.series(arguments[0]))
            case "min" | "max":
                return algebra.extreme(self.series(arguments[0]), self.series(arguments[1]), function)
            case "when":
                return self._when(*arguments)
            case "geometric":
                return self._geometric(*arguments)
            case "growth":
                return self._growth(*arguments)
            case "erf" | "ceil":
                return self._at_limit(function, self.series(arguments[0]))
        raise UnknownOrderError(f"{function} of something that moves")

    def _when(self, condition: Node, positive: Node, other: Node) -> Series:
        test = self.series(condition)
        sign = 0 if test.zero else self.algebra.signs.of(test.lead.coefficient)
        if sign is None:
            raise UnknownOrderError("which case of a definition holds depends on the parameters")
        return self.series(positive if sign > 0 else other)

    def _at_limit(self, function: str, inner: Series) -> Series:
        """erf and ceil: by where the argument tends to."""
        algebra, lead = self.algebra, inner.lead
        side, sign = algebra.compare(lead.order, Order()), algebra.signs.of(lead.coefficient)
        if sign != 1:
            raise UnknownOrderError(f"the sign of the argument of {function} is not known")
        one = Series((Term(_ONE),), (_TINY,))
        if side == 0 and function == "ceil" and counts(lead.coefficient):
            raise UnknownOrderError("what ceil rounds may tend to a whole number")
        if side == 0:
            small = algebra.relative(inner)
            rest = algebra.all_orders(small) if function == "erf" else []
            return Series((Term(Call(function, (lead.coefficient,))),), algebra.largest([*rest, _TINY]))
        if function == "ceil":
            later = algebra.all_orders(Series(inner.terms[1:], inner.rest))
            return Series((lead,), algebra.largest([Order(), *later])) if side > 0 else one
        if side > 0:
            return one
        slope = Quotient(Number(Fraction(2)), Power(Call("pi", ()), _HALF))
        return algebra.multiply(algebra.scaled(inner, slope), Series((Term(_ONE),), (algebra.under(lead.order, lead.order),)))

    def _geometric(self, factor: Node, count: Node) -> Series:
        """sum of factor^s over s < count."""
        algebra, signs = self.algebra, self.algebra.signs
        base, steps = self.series(factor), self.series(count)
        if base.zero:
            return Series((Term(_ONE),))
        apart = algebra.add(Series((Term(_ONE),)), algebra.scaled(base, _MINUS))
        if apart.zero:
            return steps
        if not algebra.compare(apart.lead.order, Order()):
            if steps.fixed is None and base.fixed is not None and signs.of(minus(_ONE, Power(base.fixed, Number(Fraction(2))))) == 1:
                # The power dies away, whatever the sign of its base.
                return Series((Term(Quotient(_ONE, apart.lead.coefficient)),), (_TINY,))
            return algebra.quotient(algebra.add(Series((Term(_ONE),)), algebra.scaled(self.power(factor, count), _MINUS)), apart)
        if steps.fixed is not None and algebra.compare(apart.lead.order, Order()) < 0:
            return Series((Term(steps.fixed),), (apart.lead.order,))
        if steps.fixed is not None:
            return algebra.quotient(algebra.add(self.power(factor, count), Series((Term(_MINUS),))), algebra.scaled(apart, _MINUS))
        raise UnknownOrderError("a geometric sum in which both the ratio and the length move")

    def _growth(self, rate: Node, start: Node, stop: Node) -> Series:
        """Gamma(stop+1+rate) Gamma(start+1) / (Gamma(stop+1) Gamma(start+1+rate))."""
        algebra = self.algebra
        if start == stop:
            return Series((Term(_ONE),))
        q, low, high = self.series(rate), self.series(start), self.series(stop)
        far = [not s.zero and algebra.compare(s.lead.order, Order()) > 0 for s in (q, low, high)]
        if not any(far):
            return self._growth_at(q, low, high)
        if q.fixed is None or not far[2] or algebra.signs.of(q.fixed) != 1:
            raise UnknownOrderError("a product over steps in which the rate moves too")
        made = self._smooth(high, q.fixed)
        if far[1]:
            return algebra.quotient(made, self._smooth(low, q.fixed))
        if low.fixed is None:
            raise UnknownOrderError("a product over steps in which both ends move")
        # Gamma(start+1)/Gamma(start+1+rate)
        return algebra.scaled(made, algebra.signs.opaque(Call("growth", (q.fixed, low.fixed, Number(None)))))

    def _smooth(self, end: Series, q: Node) -> Series:
        """Gamma(end+1+q)/Gamma(end+1) for end -> inf."""
        near = Series((Term(_ONE),), (self.algebra.over(Order(), end.lead.order),))
        return self.algebra.multiply(self.algebra.power(end, q), near)

    def _growth_at(self, q: Series, low: Series, high: Series) -> Series:
        """growth where the rate and both ends tend to constants."""
        algebra = self.algebra
        limits = [_limit(algebra, s) for s in (q, low, high)]
        rest = algebra.largest([order for _, orders in limits for order in orders])
        if limits[0][0] == _ZERO:
            if q.zero:
                return Series((Term(_ONE),))
            # 1 + q times a difference of harmonic numbers.
            slope = algebra.signs.opaque(Call("growth", (_ZERO, limits[1][0], limits[2][0])))
            size = algebra.largest([q.lead.order, *(order for _, orders in limits[1:] for order in orders)])
            line = algebra.multiply(q, Series((Term(slope),), size))
            return algebra.add(Series((Term(_ONE),)), line)
        return Series((Term(Call("growth", tuple(value for value, _ in limits))),), rest)

    def _total(self, node: Reduce) -> Series:
        """A sum over arrays, term by term for entries in general position; the first eigenvalue of a mixing matrix is 1."""
        if node.function != "total":
            raise UnknownOrderError("an extreme entry of an array")
        if node.arrays == (Name("spectrum"),):
            rest = replace(node, arrays=(Call("tail", node.arrays),))
            first = self.series(replaced(node.body, node.variables[0], _ONE))
            return self.algebra.add(first, self._total(rest))
        body = self.series(node.body)
        if any(_opaque(term.coefficient) for term in body.terms):
            raise UnknownOrderError("a sum over an array of parts outside the grammar")
        if any(names(part) & set(node.variables) for term in body.terms for part in _exponents(term.order)):
            raise UnknownOrderError("a sum over an array whose entries have different orders")
        terms = [Term(replace(node, body=term.coefficient), term.order) for term in body.terms]
        return self.algebra.collect(terms, body.rest)


def _opaque(node: Node) -> bool:
    return any(name.startswith("<") for name in names(node))


def _exponents(order: Order) -> Sequence[Node]:
    return [tree(order.power), tree(order.log), *(rate for _, rate in order.rates)]


def _limit(algebra: Algebra, series: Series) -> tuple[Node, list[Order]]:
    """What a bounded series tends to, and the orders of what is left."""
    if series.terms and algebra.compare(series.lead.order, Order()) == 0:
        return series.lead.coefficient, algebra.all_orders(Series(series.terms[1:], series.rest))
    return _ZERO, algebra.all_orders(series)


def parameter(power: Ratio = UNIT) -> Series:
    """P to a power."""
    return Series((Term(_ONE, Order(power)),))


def sides(calculus: Calculus, left: Node, right: Node) -> Series:
    """right - left."""
    return calculus.algebra.add(calculus.series(right), calculus.algebra.scaled(calculus.series(left), _MINUS))

"""The least value over a range of integers: of finitely many orders where the range is fixed, else by balancing powers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from bounds.expression.tree import Least, Name, Node, Number, Product, Quotient, Sum, names
from bounds.rates.calculus import Calculus, parameter, replaced
from bounds.rates.rational import ZERO, Polynomial, Ratio, add, number, tree, variable
from bounds.rates.series import Algebra, Order, Series, Term, UnknownOrderError
from bounds.rates.signs import Signs, inside

#: The minimiser is P to this power, somewhere in (0, 1).
_SHARE = Name("<theta>")


def least(calculus: Calculus, node: Least) -> Series:
    """The series of a least value, up to its constant.

    Raises:
        UnknownOrderError: where neither way applies.
    """
    if not (names(node.low) | names(node.high)) & calculus.moving.keys():
        return _over_fixed_range(calculus, node)
    return _balanced(calculus, node)


def _over_fixed_range(calculus: Calculus, node: Least) -> Series:
    """Finitely many functions: the least order among both ends and an integer between them."""
    algebra = calculus.algebra
    ends = [calculus.series(replaced(node.body, node.variable, end)) for end in (node.low, node.high)]
    signs = inside(algebra.signs, node.variable, node.high)
    inner = Calculus(Algebra(signs, algebra.points), calculus.moving)
    between = inner.series(node.body)
    every = [(algebra, ends[0]), (algebra, ends[1]), (inner.algebra, between)]
    if any(one.signs.of(series.lead.coefficient) != 1 for one, series in every):
        raise UnknownOrderError("the sign of what is minimised is not known")
    algebra.signs.lows |= {name: low for name, low in signs.lows.items() if name != node.variable}
    order = between.lead.order
    for series in ends:
        order = series.lead.order if algebra.compare(series.lead.order, order) < 0 else order
    ahead = [s for s in ends if algebra.compare(s.lead.order, order) == 0]
    alone = len(ahead) == 1 and algebra.compare(between.lead.order, order) > 0
    return ahead[0] if alone else _up_to_constant(algebra, node, order)


def _up_to_constant(algebra: Algebra, node: Node, order: Order) -> Series:
    """A positive constant times an order, the rest below it by a logarithm at least."""
    return Series((Term(algebra.signs.opaque(node), order),), (Order(order.power, order.log - number(Fraction(1, 100)), order.rates),))


def _balanced(calculus: Calculus, node: Least) -> Series:
    """A part that rises linearly from 0 against parts that fall: least where they meet, the variable being P^theta."""
    algebra = calculus.algebra
    high = calculus.series(node.high)
    if node.low != Number(Fraction(0)) or high.lead.order != Order(number(1)) or algebra.signs.of(high.lead.coefficient) != 1:
        raise UnknownOrderError("the range of a minimum moves in a way the calculus does not know")
    signs = Signs(algebra.signs.lows, frozenset((_SHARE.name,)), list(algebra.signs.facts), algebra.signs.meanings)
    moving = {**calculus.moving, node.variable: parameter(variable(_SHARE))}
    inner = Calculus(Algebra(signs, algebra.points), moving)
    powers = _powers(inner, node.body)
    return _up_to_constant(algebra, node, Order(_meeting(signs, powers)))


def _powers(inner: Calculus, node: Node) -> list[Ratio]:
    """The orders of the summands of a positive body."""
    found = []
    for part in _summands(inner, node):
        lead = part.lead
        if inner.algebra.signs.of(lead.coefficient) != 1 or lead.order.log != ZERO or lead.order.rates:
            raise UnknownOrderError("a part of what is minimised is not a positive power")
        found.append(lead.order.power)
    return found


def _summands(inner: Calculus, node: Node) -> list[Series]:
    """The node as one series, or where its summands cannot be compared as several."""
    try:
        return [inner.series(node)]
    except UnknownOrderError:
        match node:
            case Sum(left, right):
                return [*_summands(inner, left), *_summands(inner, right)]
            case Product(left, right):
                pairs = [(a, b) for a in _summands(inner, left) for b in _summands(inner, right)]
                return [inner.algebra.multiply(a, b) for a, b in pairs]
            case Quotient(left, right):
                below = inner.series(right)
                return [inner.algebra.quotient(part, below) for part in _summands(inner, left)]
        raise


def _line(power: Ratio) -> tuple[Ratio, Ratio]:
    """(a, b) of a power a + b theta."""
    key = frozenset(((_SHARE, 1),))
    if any(node == _SHARE for monomial in power.under for node, _ in monomial):
        raise UnknownOrderError("an order that is not linear in the minimiser's")
    constant: Polynomial = {}
    slope: Polynomial = {}
    for monomial, value in power.over.items():
        degree = dict(monomial).get(_SHARE, 0)
        if degree > 1:
            raise UnknownOrderError("an order that is not linear in the minimiser's")
        (slope if degree else constant)[monomial - key] = value
    return Ratio.of(add({}, constant), power.under), Ratio.of(add({}, slope), power.under)


def _meeting(signs: Signs, powers: Sequence[Ratio]) -> Ratio:
    """The least over theta in (0, 1) of the largest power: one line rises, the others fall."""
    lines = [_line(power) for power in powers]
    rising = [line for line in lines if signs.of(tree(line[1])) == 1]
    falling = [line for line in lines if line not in rising]
    if len(rising) != 1 or not falling or any(signs.of(tree(slope)) not in (0, -1) for _, slope in falling):
        raise UnknownOrderError("what is minimised is not one rising part and falling ones")
    (rise,) = rising
    found: tuple[Ratio, Ratio] | None = None
    for fall in falling:
        theta = (fall[0] - rise[0]) * (rise[1] - fall[1]).reciprocal()
        value = rise[0] + rise[1] * theta
        if found is None or _sign(signs, value - found[0]) > 0:
            found = (value, theta)
    assert found is not None
    if _sign(signs, found[1]) <= 0 or _sign(signs, number(1) - found[1]) <= 0:
        raise UnknownOrderError("the minimiser tends to an end of its range")
    return found[0]


def _sign(signs: Signs, value: Ratio) -> int:
    sign = signs.of(tree(value))
    if sign is None:
        raise UnknownOrderError("where a minimum lies depends on the parameters")
    return sign

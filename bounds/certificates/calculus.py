"""Enclosures of a node's value and of how it moves with the parameter, over a whole box at once.

For a node f and the parameter p a state holds the value V of f, the rate F = p df/dp and the elasticity E = F/f. The
elasticity of a sum of positive terms lies between those of its terms whatever their sizes, so that most directions can
be read off the whole box; nothing is ever expanded. Where f has a kink or a jump, F and E are those of its sides, with
the jump's sign added, so that their signs still tell how f moves.

In difference mode p is an integer and F = f(p+1) - f(p); V then covers both points, and by the mean value theorem the
same rules hold for F. E is used for its sign only. This is how powers of negative numbers are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from bounds.certificates.graph import Graph
from bounds.certificates.summands import built, difference, distributed, is_whole, summands
from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum

Interval = Any


class State(NamedTuple):
    """Value, rate and elasticity, each an interval."""

    value: Interval
    rate: Interval
    elasticity: Interval


@dataclass(frozen=True)
class Scope:
    """What is known of the names: ``ranges`` of numbers, ``entries`` of arrays' entries, ``moving`` names.

    ``facts`` are pairs left <= right, and ``caps`` (by the node's id) what they say; ``ends`` are the last places of least values. ``difference``
    turns on difference mode.
    """

    graph: Graph
    ranges: Mapping[str, Interval]
    entries: Mapping[str, Interval] = field(default_factory=dict)
    moving: frozenset[str] = frozenset()
    caps: Mapping[int, Interval] = field(default_factory=dict)
    facts: tuple[tuple[Node, Node], ...] = ()
    ends: Mapping[str, Node] = field(default_factory=dict)
    difference: bool = False

    def also(self, ranges: Mapping[str, Interval], moving: frozenset[str] = frozenset()) -> Scope:
        """The scope with more names; arrays that move make their entries move."""
        return replace(self, ranges={**self.ranges, **ranges}, moving=self.moving | moving)

    def still(self, node: Node) -> bool:
        """Whether nothing in the node moves."""
        return self.graph.names(node).isdisjoint(self.moving)


class Calculus:
    """States of nodes in one scope (``operations`` are those of Arb or of numpy intervals)."""

    def __init__(self, scope: Scope, operations: Any, memo: dict[int, State] | None = None) -> None:
        self.scope, self.of, self.memo = scope, operations, {} if memo is None else memo

    def state(self, node: Node) -> State:
        """The node's state (shared sub-trees are computed once)."""
        found = self.memo.get(id(node))
        if found is None:
            found = self.memo[id(node)] = self._finished(node, _RULES[type(node)](self, node))
        return found

    def _finished(self, node: Node, state: State) -> State:
        """The state with what the assumptions add, and its three parts held against each other."""
        of, (value, rate, elasticity) = self.of, state
        cap = self.scope.caps.get(id(node))
        value = value if cap is None else of.meet(value, cap)
        if self.scope.still(node):
            return State(value, of.zero, of.zero)
        if self.scope.difference:
            return State(value, rate, of.all)
        rate = of.meet(rate, of.mul(value, elasticity))
        positive = of.at_least_zero(value)
        quotient = of.select(of.above_zero(value), of.div(rate, value), of.all)
        elasticity = of.meet(elasticity, quotient)
        rises = positive & of.at_least_zero(rate)
        falls = positive & of.at_least_zero(of.neg(rate))
        elasticity = of.select(rises, of.meet(elasticity, of.nonnegative), elasticity)
        return State(value, rate, of.select(falls, of.meet(elasticity, of.nonpositive), elasticity))

    def signs_only(self, value: Interval, rate: Interval) -> State:
        """A state whose rate has the sign of ``rate`` and any size."""
        of = self.of
        up, down = of.at_least_zero(rate), of.at_least_zero(of.neg(rate))
        rate = of.select(up, of.nonnegative, of.select(down, of.nonpositive, of.all))
        return State(value, of.select(up & down, of.zero, rate) if isinstance(up, bool) else rate, of.all)


def _number(run: Calculus, node: Number) -> State:
    return State(run.of.number(node.value), run.of.zero, run.of.zero)


def _name(run: Calculus, node: Name) -> State:
    value = run.scope.ranges[node.name]
    if run.scope.difference:
        return State(value, run.of.one, run.of.all)
    if not bool_all(run.of.at_least_zero(value)):
        # p df/dp has the sign of df/dp for p >= 0 only.
        return State(value, run.of.all, run.of.all)
    return State(value, value, run.of.one)


def _sum(run: Calculus, node: Sum) -> State:
    of, (a, b) = run.of, map(run.state, (node.left, node.right))
    value, rate = of.add(a.value, b.value), of.add(a.rate, b.rate)
    alike = (of.at_least_zero(a.value) & of.at_least_zero(b.value)) | (
        of.at_least_zero(of.neg(a.value)) & of.at_least_zero(of.neg(b.value))
    )
    hull = of.hull(a.elasticity, b.elasticity)
    state = State(value, rate, of.select(alike, hull, of.all))
    for other in _SUMS:
        state = _narrowed(run, state, other(run, node, a, b))
    return state


def _narrowed(run: Calculus, state: State, other: State | None) -> State:
    """What two enclosures of the same thing say together."""
    return state if other is None else State(*map(run.of.meet, state, other))


def _below_one(node: Sum) -> Node | None:
    """x of 1 - x."""
    if isinstance(node.left, Number) and node.left.value == 1 and isinstance(node.right, Product):
        sign, x = node.right.left, node.right.right
        return x if isinstance(sign, Number) and sign.value == -1 else None
    return None


def as_geometric(graph: Graph, node: Node) -> Node | None:
    """1 - (1 - x)^k written as x geometric(1 - x, k)."""
    power = _below_one(node) if isinstance(node, Sum) else None
    if not isinstance(power, Power) or not isinstance(power.base, Sum):
        return None
    x = _below_one(power.base)
    return None if x is None else graph.make(Product, x, graph.make(Call, "geometric", (power.base, power.exponent)))


def _telescoped(run: Calculus, node: Sum, a: State, b: State) -> State | None:
    other = as_geometric(run.scope.graph, node)
    return None if other is None or run.scope.difference else run.state(other)


def _growth_less_one(run: Calculus, node: Sum, a: State, b: State) -> State | None:
    """growth(q, s, t) - 1 is a power series in q without constant term, so its elasticity in q is at least 1."""
    growth = node.left
    if not (isinstance(growth, Call) and growth.function == "growth" and isinstance(node.right, Number) and node.right.value == -1):
        return None
    rate, start, stop = growth.arguments
    if not run.scope.still(start) or not run.scope.still(stop) or run.scope.difference:
        return None
    if not is_whole(run.scope.graph, difference(run.scope.graph, stop, start)):
        return None
    from bounds.certificates.functions import is_product

    of, q = run.of, run.state(rate)
    factor, known = (of.one[0], of.nonnegative[1]), is_product(run, growth)
    return State(of.select(known, of.nonnegative, of.all), of.all, of.select(known, of.mul(factor, q.elasticity), of.all))


def _below_end(run: Calculus, node: Sum, a: State, b: State) -> State | None:
    """a - t for the place t <= end of a least value: at least a - end, with the summands that cancel taken away."""
    product = node.right
    if not (isinstance(product, Product) and isinstance(product.left, Number) and product.left.value == -1):
        return None
    end = run.scope.ends.get(product.right.name) if isinstance(product.right, Name) else None
    if end is None:
        return None
    low = run.state(difference(run.scope.graph, node.left, end)).value[0]
    return State((low, run.of.all[1]), run.of.all, run.of.all)


def _apart(run: Calculus, node: Sum, a: State, b: State) -> State | None:
    """C + M with C still: the elasticity is that of M over 1 + C/M, and between 0 and that of M where both are positive."""
    of, graph, scope = run.of, run.scope.graph, run.scope
    terms = {} if scope.difference else distributed(graph, node, scope.still)
    still = {key: term for key, term in terms.items() if term[0] is None or scope.still(term[0])}
    moving = {key: term for key, term in terms.items() if key not in still}
    rest, part = built(graph, still), built(graph, moving)
    if not moving or part is node:
        return None
    if not still:
        return run.state(part) if len(moving) < len(summands(node)) or isinstance(part, Product | Name) else None
    c, m = run.state(rest), run.state(part)
    share = of.div(m.elasticity, of.add(of.one, of.div(c.value, m.value)))
    alike = (of.at_least_zero(c.value) & of.at_least_zero(m.value)) | (
        of.at_least_zero(of.neg(c.value)) & of.at_least_zero(of.neg(m.value))
    )
    hull = of.select(alike, of.hull(of.zero, m.elasticity), of.all)
    known = of.above_zero(m.value) | of.above_zero(of.neg(m.value))
    whole = of.select(known, share, of.all)
    return State(of.add(c.value, m.value), m.rate, of.meet(whole, hull))


def _larger_share(run: Calculus, node: Sum, a: State, b: State) -> State | None:
    """x/A - y/B is not negative where x >= y >= 0 and 0 < A <= B."""
    of, graph = run.of, run.scope.graph
    match node:
        case Sum(Quotient(x, below), Product(Number(value), Quotient(y, above))) if value == -1:
            gap, more = run.state(difference(graph, above, below)).value, run.state(difference(graph, x, y)).value
            sure = of.at_least_zero(gap) & of.at_least_zero(more) & of.at_least_zero(run.state(y).value)
            sure = sure & of.at_least_zero(run.state(below).value)
            return State(of.select(sure, of.nonnegative, of.all), of.all, of.all)
    return None


_SUMS: tuple[Callable[[Calculus, Sum, State, State], State | None], ...] = (
    _telescoped,
    _growth_less_one,
    _below_end,
    _apart,
    _larger_share,
)


def _product(run: Calculus, node: Product) -> State:
    of, (a, b) = run.of, map(run.state, (node.left, node.right))
    value = of.power(a.value, 2) if node.left is node.right else of.mul(a.value, b.value)
    rate = of.add(of.mul(a.rate, b.value), of.mul(a.value, b.rate))
    return State(value, rate, of.add(a.elasticity, b.elasticity))


def _quotient(run: Calculus, node: Quotient) -> State:
    of, (a, b) = run.of, map(run.state, (node.left, node.right))
    value = of.div(a.value, b.value)
    rate = of.div(of.add(a.rate, of.neg(of.mul(value, b.rate))), b.value)
    return State(value, rate, of.add(a.elasticity, of.neg(b.elasticity)))


def _power(run: Calculus, node: Power) -> State:
    exponent = node.exponent.value if isinstance(node.exponent, Number) else None
    if exponent is not None and exponent.denominator == 1:
        return _whole_power(run, node.base, int(exponent))
    even = _half(run, node.exponent)
    of, base = run.of, run.state(node.base)
    if even is not None:
        base = State(of.power(base.value, 2), of.mul(of.number(2), of.mul(base.value, base.rate)), of.add(base.elasticity, base.elasticity))
    exponent_state = run.state(node.exponent if even is None else even)
    return _real_power(run, base, exponent_state, _counts(run, node.exponent), isinstance(node.exponent, Number))


def _whole_power(run: Calculus, node: Node, count: int) -> State:
    of, base = run.of, run.state(node)
    if count < 0:
        inverse = _whole_power(run, node, -count)
        value = of.div(of.one, inverse.value)
        sure = of.at_least_zero(inverse.value) | of.at_least_zero(of.neg(inverse.value))
        rate = of.neg(of.mul(of.power(value, 2), inverse.rate))
        return State(value, of.select(sure, rate, of.all), of.select(sure, of.neg(inverse.elasticity), of.all))
    times = of.number(count)
    value = of.power(base.value, count)
    rate = of.mul(of.mul(times, of.power(base.value, max(count - 1, 0))), base.rate)
    return State(value, rate, of.mul(times, base.elasticity))


def _half(run: Calculus, exponent: Node) -> Node | None:
    """k of an exponent 2 k."""
    if isinstance(exponent, Product) and isinstance(exponent.left, Number) and exponent.left.value == 2 and _counts(run, exponent.right):
        return exponent.right
    return None


def _counts(run: Calculus, node: Node) -> bool:
    """Whether the node is surely a whole number >= 0."""
    from bounds.symbols import REGISTRY

    match node:
        case Number(value):
            return value is not None and value.denominator == 1 and value >= 0
        case Name(name):
            known = REGISTRY.get(name)
            return known is not None and known.domain.integer and known.domain.low >= 0
        case Product(left, right):
            return _counts(run, left) and _counts(run, right)
    return False


def _real_power(run: Calculus, base: State, exponent: State, whole: bool, fraction: bool) -> State:
    """exp(exponent log base); for a whole exponent also of a base that may be negative."""
    of = run.of
    logarithm = of.log(base.value)
    value = of.exp(of.mul(exponent.value, logarithm))
    positive = of.at_least_zero(base.value)
    if whole:
        size = of.larger(base.value, of.neg(base.value))
        reach = of.exp(of.mul(exponent.value, of.log(size)))
        value = of.select(positive, value, (-reach[1], reach[1]))
    else:
        # An exponent that only happens to be whole takes negative numbers too.
        value = of.select(positive | fraction, of.meet(value, of.nonnegative), of.all)
    if run.scope.difference:
        return State(value, _power_step(of, base, exponent, value, positive, whole), of.all)
    still = _is_zero(exponent.rate)
    elasticity = of.add(of.mul(exponent.value, base.elasticity), of.zero if still else of.mul(exponent.rate, logarithm))
    elasticity = elasticity if still else of.select(positive, elasticity, of.all)
    return State(value, of.select(positive, of.mul(value, elasticity), of.all), elasticity)


def _power_step(of: Any, base: State, exponent: State, value: Interval, positive: Any, whole: bool) -> Interval:
    """b^(k+d) - b^k for a still base: d b^l (b - 1) with l between k and k+d for whole k and d, d b^l log b in general."""
    if not _is_zero(base.rate):
        return of.all
    if whole:
        return of.mul(value, of.mul(exponent.rate, of.add(base.value, of.number(-1))))
    return of.select(positive, of.mul(value, of.mul(exponent.rate, of.log(base.value))), of.all)


def _is_zero(interval: Interval) -> bool:
    return bool((interval[0] == 0) & (interval[1] == 0)) if not hasattr(interval[0], "shape") or not interval[0].shape else False


def _call(run: Calculus, node: Call) -> State:
    from bounds.certificates.functions import FUNCTIONS

    return FUNCTIONS[node.function](run, node)


def _loop(run: Calculus, node: Least | Reduce) -> State:
    from bounds.certificates.loops import least, reduce

    return least(run, node) if isinstance(node, Least) else reduce(run, node)


def at_least(run: Calculus, high: Node, low: Node) -> Any:
    """Whether high >= low surely holds, because the ranges or an assumption say so."""
    graph = run.scope.graph
    gap = difference(graph, high, low)
    known = run.of.at_least_zero(run.state(gap).value)
    if bool_all(known):
        return known
    rests = (difference(graph, gap, difference(graph, right, left)) for left, right in run.scope.facts)
    return known | any(isinstance(rest, Number) and rest.value is not None and rest.value >= 0 for rest in rests)


def bool_all(mask: Any) -> bool:
    """Whether a mask (a bool or an array of them) is true everywhere."""
    return bool(mask.all()) if hasattr(mask, "all") else bool(mask)


_RULES: dict[type[Node], Callable[[Calculus, Any], State]] = {
    Number: _number,
    Name: _name,
    Sum: _sum,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Least: _loop,
    Reduce: _loop,
}
HALF = Fraction(1, 2)

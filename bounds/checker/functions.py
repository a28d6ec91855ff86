"""States of the grammar's functions, each where its argument makes it continuous."""

from __future__ import annotations

from collections.abc import Callable

from flint import arb

from bounds.checker.motion import State, require, signed, state, whole
from bounds.checker.ranges import ALL, HALF, ONE, POSITIVE, ZERO, Range, most, number
from bounds.checker.scope import Scope
from bounds.checker.trees import origin
from bounds.expression.tree import Call, Node, Number


def _sqrt(scope: Scope, node: Call) -> State:
    inner = state(scope, node.arguments[0])
    require(scope, node, inner.value.positive, "a root of what may be negative")
    value = inner.value.sqrt()
    return State(value, HALF * inner.rate / value, HALF * inner.elasticity)


def _exp(scope: Scope, node: Call) -> State:
    inner = state(scope, node.arguments[0])
    value = inner.value.exp()
    return State(value, value * inner.rate, inner.rate)


def _log(scope: Scope, node: Call) -> State:
    inner = state(scope, node.arguments[0])
    require(scope, node, inner.value.positive, "a logarithm of what may be negative")
    slope = inner.rate / inner.value if inner.value.positive else ALL
    return State(inner.value.log(), slope if scope.steps else slope.meet(inner.elasticity), ALL)


def _erf(scope: Scope, node: Call) -> State:
    inner = state(scope, node.arguments[0])
    value = inner.value.rising(lambda x: arb(x > 0) * 2 - 1 if not x.is_finite() else x.erf())
    elasticity = inner.value.erf_share() * inner.elasticity if inner.value.positive else ALL
    return State(value, signed(value, inner.rate).rate, elasticity)


def _ceil(scope: Scope, node: Call) -> State:
    inner = state(scope, node.arguments[0])
    return signed(inner.value.rising(lambda x: x.ceil() if x.is_finite() else x), inner.rate)


def _extreme(scope: Scope, node: Call) -> State:
    a, b = (state(scope, argument) for argument in node.arguments)
    if node.function == "max":
        value, first, second = Range(most((a.value.low, b.value.low)), most((a.value.high, b.value.high))), a.value.low > b.value.high, b.value.low > a.value.high  # fmt: skip # noqa: E501
    else:
        turned = Range(most((-a.value.high, -b.value.high)), most((-a.value.low, -b.value.low)))
        value, first, second = -turned, a.value.high < b.value.low, b.value.high < a.value.low
    one = a if first else b if second else None
    return State(value, one.rate if one else a.rate.hull(b.rate), one.elasticity if one else a.elasticity.hull(b.elasticity))


def branches(scope: Scope, node: Call) -> tuple[Scope, Scope]:
    """The scopes where the condition is positive and where it is not."""
    zero, condition = scope.trees.number(0), node.arguments[0]
    return scope.under((zero, condition)), scope.under((condition, zero))


def jump(scope: Scope, node: Call) -> Range:
    """A range with the sign of the jump that the value makes where the parameter takes the condition across 0."""
    condition, a, b = node.arguments
    first, second = branches(scope, node)
    found = a.function if isinstance(a, Call) and a.function in ("min", "max") and any(part is b for part in a.arguments) else ""
    if found or (isinstance(b, Number) and b.value is None):
        # a is min(b, ...) or max(b, ...), or b is infinite.
        lead = POSITIVE if found == "max" else -POSITIVE
        if scope.steps:
            return ALL
    else:
        lead = first.value(a) - second.value(b)
    return state(scope, condition).rate * lead


def _when(scope: Scope, node: Call) -> State:
    condition, a, b = node.arguments
    test = scope.value(condition)
    if test.low > 0 or test.high <= 0:
        return state(scope, a if test.low > 0 else b)
    sides = [state(side, part) for side, part in zip(branches(scope, node), (a, b), strict=True)]
    both = State(*(x.hull(y) for x, y in zip(*sides, strict=True)))
    if scope.still(condition):
        return both
    step = jump(scope, node)
    moves = POSITIVE if step.positive and both.rate.positive else -POSITIVE if step.negative and both.rate.negative else ALL
    return State(both.value, moves, ALL)


def _sum_of_powers(ratio: arb, count: arb) -> Range:
    """geometric(r, T) at a point r >= 0, T >= 0: T (phi(T y))/(phi(y)) with phi(x) = (1 - e^-x)/x and y = -log r."""
    if ratio == 0:
        return Range(arb(0), arb(1)) if count < 1 else ONE
    if not (ratio.is_finite() and count.is_finite()):
        return POSITIVE
    y, times = -Range(ratio, ratio).log(), Range(count, count)
    x = times * y
    return (times * ((y.fading() + y) / (x.fading() + x))).meet(POSITIVE)


def _mean_power(ratio: arb, count: arb) -> Range:
    """r/(1-r) - T r^T/(1-r^T) at a point, the mean of s under weights r^s: (w(y) - w(T y))/y with w(x) = x/(e^x - 1)."""
    y = -Range(ratio, ratio).log()
    usable = y.strict and ratio.is_finite() and count.is_finite() and ratio > 0
    return (y.fading() - (Range(count, count) * y).fading()) / y if usable else ALL


def _geometric(scope: Scope, node: Call) -> State:
    """sum of r^s over s < T. Its elasticity in r increases with r and with T where T is whole or >= 1."""
    ratio, count = (state(scope, argument) for argument in node.arguments)
    counted = whole(scope, node.arguments[1])
    require(scope, node, count.value.positive, "a geometric sum of a number of terms that may be negative")
    if not ratio.value.positive:
        require(scope, node, counted and scope.still(node.arguments[0]) and scope.steps, "a geometric sum of a ratio that may be negative")
        return _alternating(scope, ratio, count) if counted else State(ALL, ALL, ALL)
    sure = counted or bool(count.value.low >= 1)
    require(scope, node, sure, "a geometric sum of a number of terms that is not whole and may be below 1")
    if not sure:
        return State(POSITIVE, ALL, ALL)
    least = _sum_of_powers(ratio.value.low, count.value.meet(POSITIVE).low).low
    value = Range(least, _sum_of_powers(ratio.value.high, count.value.high).high)
    if scope.steps:
        exact = counted and ratio.rate == ZERO
        return State(value, ratio.value.power(count.value) * count.rate if exact else ALL, ALL)
    in_count = (-(count.value * ratio.value.log())).fading() * count.elasticity
    ends = Range(_mean_power(ratio.value.low, count.value.low).low, _mean_power(ratio.value.high, count.value.high).high)
    mean = Range(arb(0), most(((count.value - ONE).high, arb(0)))).meet(ends)
    elasticity = (ZERO if ratio.rate == ZERO else mean * ratio.elasticity) + (ZERO if count.rate == ZERO else in_count)
    return State(value, value * elasticity, elasticity)


def _alternating(scope: Scope, ratio: State, count: State) -> State:
    size = ratio.value.hull(-ratio.value).meet(POSITIVE).power(count.value)
    power = Range(-size.high, size.high)
    value = (ONE - power) / (ONE - ratio.value)
    value = value.meet(POSITIVE) if ratio.value.low >= -1 else value
    return State(value, power * count.rate if scope.steps and ratio.rate == ZERO else ALL, ALL)


def _growth(scope: Scope, node: Call) -> State:
    """prod of (1 + q/t) over s < t <= S, where q >= 0 and S >= s >= 0.

    With h(t) = digamma(t+1+q) - digamma(t+1), which is >= 0 and decreases with t, the derivatives of its logarithm are h(S) in S,
    -h(s) in s, and digamma(S+1+q) - digamma(s+1+q) in q; q/(t+1+q) <= h(t) <= q/(t+1/2).
    """
    q, start, stop = (state(scope, argument) for argument in node.arguments)
    apart = scope.trees.gap(node.arguments[2], node.arguments[1])
    fine = q.value.positive and start.value.positive and scope.value(apart).positive
    require(scope, node, fine, "growth(q, s, S) where q >= 0 and 0 <= s <= S is not sure")
    if not fine:
        return State(ALL, ALL, ALL)
    high = ((stop.value + HALF) / (start.value + HALF)).power(q.value).high
    low = ((stop.value + q.value + ONE) / (start.value + q.value + ONE)).power(q.value).low
    value = Range(low, high).meet(Range(arb(1), POSITIVE.high))
    if scope.steps:
        return State(value, ALL, ALL)
    elasticity = q.value * _reciprocals(scope, q.value, start.value, stop.value, apart) * q.elasticity
    moves = _h(q.value, stop.value) * stop.rate - _h(q.value, start.value) * start.rate
    if scope.still(apart) and start.rate.positive:
        # Both ends move by the same amount, and h decreases.
        moves = moves.meet(-(_h(q.value, start.value) * start.rate).hull(ZERO))
    elasticity = elasticity + moves
    return State(value, value * elasticity, elasticity)


def _h(q: Range, at: Range) -> Range:
    return ((at + q + ONE).digamma() - (at + ONE).digamma()).meet(POSITIVE)


def _reciprocals(scope: Scope, q: Range, start: Range, stop: Range, apart: Node) -> Range:
    """The sum of 1/(t + q) over s < t <= S, with its first term where S - s is whole and >= 1."""
    first, last = start + ONE, stop + ONE
    least = Range(last.low + q.high, last.low + q.high).digamma() - Range(first.high + q.high, first.high + q.high).digamma()
    most_ = Range(last.high + q.low, last.high + q.low).digamma() - Range(first.low + q.low, first.low + q.low).digamma()
    low = most((least.low, arb(0)))
    if whole(scope, apart) and scope.value(apart).low >= 1:
        low = most((low, (ONE / (first + q)).low))
    return Range(low, most((most_.high, low)))


def _element(scope: Scope, node: Call) -> State:
    value = scope.entries[origin(node.arguments[0])]
    return State(value, POSITIVE, ALL)


def _pi(scope: Scope, node: Call) -> State:
    return State(Range(number(3).low, number(4).high), ZERO, ZERO)


def _size(scope: Scope, node: Call) -> State:
    return State(Range(arb(1), POSITIVE.high), ZERO, ZERO)


FUNCTIONS: dict[str, Callable[[Scope, Call], State]] = {
    "sqrt": _sqrt,
    "exp": _exp,
    "log": _log,
    "erf": _erf,
    "ceil": _ceil,
    "min": _extreme,
    "max": _extreme,
    "when": _when,
    "geometric": _geometric,
    "growth": _growth,
    "element": _element,
    "size": _size,
    "pi": _pi,
}

"""States of the grammar's functions, see :mod:`bounds.certificates.calculus`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bounds.certificates.calculus import HALF, Calculus, Scope, State, at_least, bool_all
from bounds.certificates.facts import with_caps
from bounds.certificates.graph import array_name
from bounds.certificates.summands import difference, is_whole
from bounds.expression.tree import Call, Node


def _sqrt(run: Calculus, node: Call) -> State:
    of, inner = run.of, run.state(node.arguments[0])
    value = of.sqrt(inner.value)
    rate = of.div(of.mul(of.number(HALF), inner.rate), value)
    return State(value, rate, of.mul(of.number(HALF), inner.elasticity))


def _exp(run: Calculus, node: Call) -> State:
    of, inner = run.of, run.state(node.arguments[0])
    value = of.exp(inner.value)
    return State(value, of.mul(value, inner.rate), inner.rate)


def _log(run: Calculus, node: Call) -> State:
    of, inner = run.of, run.state(node.arguments[0])
    slope = of.div(inner.rate, inner.value)
    return State(of.log(inner.value), slope if run.scope.difference else of.meet(inner.elasticity, slope), of.all)


def _erf(run: Calculus, node: Call) -> State:
    of, inner = run.of, run.state(node.arguments[0])
    value = of.erf(inner.value)
    known = of.at_least_zero(inner.value)
    elasticity = of.select(known, of.mul(of.erf_share(inner.value), inner.elasticity), of.all)
    state = run.signs_only(value, inner.rate)
    return State(value, state.rate, elasticity)


def _ceil(run: Calculus, node: Call) -> State:
    inner = run.state(node.arguments[0])
    return run.signs_only(run.of.ceil(inner.value), inner.rate)


def _pi(run: Calculus, node: Call) -> State:
    return State((run.of.number(3)[0], run.of.number(4)[1]), run.of.zero, run.of.zero)


def _extreme(run: Calculus, node: Call) -> State:
    of, (a, b) = run.of, map(run.state, node.arguments)
    smaller = node.function == "min"
    value = (of.smaller if smaller else of.larger)(a.value, b.value)
    gap = of.add(a.value, of.neg(b.value)) if not smaller else of.add(b.value, of.neg(a.value))
    first, second = of.above_zero(gap), of.above_zero(of.neg(gap))
    rate, elasticity = (
        of.select(first, x, of.select(second, y, of.hull(x, y))) for x, y in ((a.rate, b.rate), (a.elasticity, b.elasticity))
    )
    return State(value, rate, elasticity)


def _when(run: Calculus, node: Call) -> State:
    """``a`` where the condition is positive, else ``b``; a jump between them has the sign that the way across it gives it."""
    of, condition = run.of, run.state(node.arguments[0])
    a, b = node.arguments[1:]
    if bool_all(of.above_zero(condition.value)):
        return run.state(a)
    if bool_all(of.at_least_zero(of.neg(condition.value))):
        return run.state(b)
    first, second = (Calculus(side, of).state(part) for side, part in zip(sides(run.scope, node, of), (a, b), strict=True))
    both = State(*(of.hull(x, y) for x, y in zip(first, second, strict=True)))
    if run.scope.still(node.arguments[0]):
        return both
    step = jump(run, node)
    up, down = of.at_least_zero(step), of.at_least_zero(of.neg(step))
    rises, falls = up & of.at_least_zero(both.rate), down & of.at_least_zero(of.neg(both.rate))
    rate = of.select(rises, of.nonnegative, of.select(falls, of.nonpositive, of.all))
    return State(both.value, rate, of.all)


def sides(scope: Scope, node: Call, of: Any) -> tuple[Scope, Scope]:
    """The scope where the condition is positive, and the one where it is not."""
    condition, a, b = node.arguments
    zero = scope.graph.number(0)
    return with_caps(scope, [(zero, condition)], [condition, a], of), with_caps(scope, [(condition, zero)], [condition, b], of)


def jump(run: Calculus, node: Call) -> Any:
    """An interval with the sign of the jump that the value makes when the parameter crosses the condition's border."""
    condition, a, b = node.arguments
    first, second = (Calculus(side, run.of).state(part) for side, part in zip(sides(run.scope, node, run.of), (a, b), strict=True))
    return run.of.mul(run.state(condition).rate, _lead(run, a, b, first, second))


def _lead(run: Calculus, a: Any, b: Any, first: State, second: State) -> Any:
    """An enclosure of the sign of a - b."""
    of = run.of
    if run.scope.difference:
        return of.add(first.value, of.neg(second.value))
    if isinstance(a, Call) and a.function == "min" and any(part is b for part in a.arguments):
        return of.nonpositive
    if isinstance(a, Call) and a.function == "max" and any(part is b for part in a.arguments):
        return of.nonnegative
    infinite = getattr(b, "value", 0) is None
    return of.nonpositive if infinite else of.add(first.value, of.neg(second.value))


def _geometric(run: Calculus, node: Call) -> State:
    """sum_{s<T} r^s; its elasticities are r/(1-r) - T r^T/(1-r^T), which grows with r and T, and x/(e^x-1) at x = -T log r."""
    of, (ratio, count) = run.of, map(run.state, node.arguments)
    positive, whole = of.at_least_zero(ratio.value), is_whole(run.scope.graph, node.arguments[1])
    value = of.select(positive, _geometric_value(of, ratio.value, count.value), _alternating(of, ratio.value, count.value))
    value = of.select(sums(run, node), value, of.select(positive & of.at_least_zero(count.value), _fractional(of, ratio, count), of.all))
    if run.scope.difference:
        still = run.scope.still(node.arguments[0]) and whole
        power = _signed_power(of, ratio.value, count.value)
        return State(value, of.mul(power, count.rate) if still else of.all, of.all)
    fade = of.neg(of.mul(count.value, of.log(ratio.value)))
    in_count = of.mul(of.weight(fade), count.elasticity)
    fixed = whole and run.scope.still(node.arguments[1])
    smooth = of.at_least_zero(count.value if fixed else of.add(count.value, of.number(-1)))
    mean = of.select(smooth, _mean_power(of, ratio.value, count.value), of.all)
    in_ratio = of.zero if run.scope.still(node.arguments[0]) else of.mul(mean, ratio.elasticity)
    elasticity = of.add(in_ratio, in_count)
    known = positive & of.at_least_zero(count.value)
    return State(value, of.select(known, of.mul(value, elasticity), of.all), of.select(known, elasticity, of.all))


def sums(run: Calculus, node: Call) -> Any:
    """Whether geometric(r, T) surely rises with r >= 0: for whole T >= 0, and for any T >= 1."""
    of, count = run.of, run.state(node.arguments[1]).value
    return of.at_least_zero(count if is_whole(run.scope.graph, node.arguments[1]) else of.add(count, of.number(-1)))


def _fractional(of: Any, ratio: State, count: State) -> Any:
    """geometric for r >= 0 and any T >= 0: it is at most 1 for T <= 1, and rises with T."""
    most = _geometric_value(of, ratio.value, of.larger(count.value, of.one))
    return (of.zero[0], of.larger(most, of.one)[1])


def _geometric_value(of: Any, ratio: Any, count: Any) -> Any:
    return tuple(_geometric_end(of, ratio[side], count[side])[side] for side in (0, 1))


def _geometric_end(of: Any, ratio: Any, count: Any) -> Any:
    """geometric at a point r >= 0 as weight(-log r)/weight(-T log r) * T / ... in the stable form T phi: T (e^x - 1)/x over (e^y - 1)/y."""
    y = of.neg(of.log((ratio, ratio)))
    x = of.mul((count, count), y)
    # (1 - e^-x)/(1 - e^-y) with 1 - e^-x = x / (weight(x) + x).
    shares = of.div(of.add(of.weight(y), y), of.add(of.weight(x), x))
    plain = of.mul((count, count), shares)
    # r = 0 gives 1 (0 where T = 0), r = inf gives inf.
    at_zero = of.smaller((count, count), of.one)
    zero = (ratio == 0) & (ratio == ratio)
    return of.select(zero, at_zero, of.select(_infinite(of, ratio, count), of.nonnegative, plain))


def _infinite(of: Any, ratio: Any, count: Any) -> Any:
    huge = of.number(None)[1]
    return (ratio >= huge) | (count >= huge)


def _signed_power(of: Any, ratio: Any, count: Any) -> Any:
    """r^T for a whole T >= 0 and r of any sign."""
    size = of.larger(ratio, of.neg(ratio))
    reach = of.exp(of.mul(count, of.log(size)))
    return of.select(of.at_least_zero(ratio), of.exp(of.mul(count, of.log(ratio))), (-reach[1], reach[1]))


def _alternating(of: Any, ratio: Any, count: Any) -> Any:
    """geometric for a ratio that may be negative (whole T >= 0)."""
    power = _signed_power(of, ratio, count)
    value = of.div(of.add(of.one, of.neg(power)), of.add(of.one, of.neg(ratio)))
    return of.meet(value, of.nonnegative) if bool_all(of.at_least_zero(of.add(ratio, of.one))) else value


def _mean_power(of: Any, ratio: Any, count: Any) -> Any:
    """r/(1-r) - T r^T/(1-r^T) for r >= 0, between 0 and T - 1."""
    ends = [_mean_power_end(of, ratio[side], count[side])[side] for side in (0, 1)]
    limits = (of.zero[0], of.larger(of.add(count, of.number(-1)), of.zero)[1])
    return of.meet(limits, (ends[0], ends[1]))


def _mean_power_end(of: Any, ratio: Any, count: Any) -> Any:
    y = of.neg(of.log((ratio, ratio)))
    x = of.mul((count, count), y)
    # 1/(e^y - 1) - T/(e^x - 1) = (weight(y) - weight(x)) / y
    value = of.div(of.add(of.weight(y), of.neg(of.weight(x))), y)
    known = of.above_zero(y) | of.above_zero(of.neg(y))
    return of.select(_infinite(of, ratio, count), of.all, of.select(known, value, of.all))


def _growth(run: Calculus, node: Call) -> State:
    """prod_{t=s+1}^{S} (1 + q/t) for q >= 0 and S >= s >= 0; nothing is known of it elsewhere."""
    of, (rate, start, stop) = run.of, map(run.state, node.arguments)
    known = is_product(run, node)
    low = of.larger(start.value, of.zero)
    value = of.select(known, of.larger(_growth_value(of, rate.value, low, stop.value), of.one), of.all)
    if run.scope.difference:
        return State(value, of.all, of.all)
    graph = run.scope.graph
    apart = difference(graph, node.arguments[2], node.arguments[1])
    in_rate = of.mul(of.mul(rate.value, _reciprocals(run, stop.value, low, rate.value, apart)), rate.elasticity)
    ahead, behind = (of.larger(_differences(of, of.add(end, rate.value), end), of.zero) for end in (stop.value, low))
    moves = of.add(of.mul(ahead, stop.rate), of.neg(of.mul(behind, start.rate)))
    # psi(t+1+q) - psi(t+1) falls with t, so that a shift of both ends by the same amount makes the product smaller.
    together = run.scope.still(apart) and bool_all(of.at_least_zero(start.rate))
    moves = of.meet(moves, of.nonpositive) if together else moves
    elasticity = of.select(known, of.add(in_rate, moves), of.all)
    return State(value, of.mul(value, elasticity), elasticity)


def is_product(run: Calculus, node: Call) -> Any:
    """Whether growth(q, s, S) surely has q >= 0 and S >= s >= 0."""
    rate, start, stop = node.arguments
    first, second = (run.of.at_least_zero(run.state(end).value) for end in (rate, start))
    return first & second & at_least(run, stop, start)


def _growth_value(of: Any, rate: Any, start: Any, stop: Any) -> Any:
    """Between ((S+1)/(s+1)...) powers: log(1 + q/t) lies between integrals of q/(t+q) and q/t from either side."""
    ratio_high = of.div(of.add(stop, of.number(HALF)), of.add(start, of.number(HALF)))
    high = of.exp(of.mul(rate, of.log(ratio_high)))
    top = of.add(of.add(stop, rate), of.one)
    bottom = of.add(of.add(start, rate), of.one)
    low = of.exp(of.mul(rate, of.log(of.div(top, bottom))))
    return (low[0], high[1])


def _reciprocals(run: Calculus, stop: Any, start: Any, shift: Any, apart: Node) -> Any:
    """psi(S+1+q) - psi(s+1+q), the sum of 1/(t+q) over s < t <= S: it falls with q, and has a first term where S > s."""
    of = run.of
    least = _differences(of, (stop[0] + shift[1],) * 2, (start[1] + shift[1],) * 2)
    most = _differences(of, (stop[1] + shift[0],) * 2, (start[0] + shift[0],) * 2)
    low = of.larger(least, of.zero)
    first = of.div(of.one, of.add(of.one, of.add(start, shift)))
    if is_whole(run.scope.graph, apart):
        some = of.at_least_zero(of.add(run.state(apart).value, of.number(-1)))
        low = of.select(some, of.larger(low, (first[0], first[0])), low)
    return (low[0], of.larger(most, low)[1])


def _differences(of: Any, high: Any, low: Any) -> Any:
    """psi(high + 1) - psi(low + 1)."""
    return of.add(of.digamma(of.add(high, of.one)), of.neg(of.digamma(of.add(low, of.one))))


def _element(run: Calculus, node: Call) -> State:
    """One entry of an array that is not spelt out; where the array moves, by an amount of its own."""
    of, array = run.of, node.arguments[0]
    value = run.scope.entries[array_name(array)]
    # An index that moves may go anywhere.
    return State(value, of.nonnegative if run.scope.still(node.arguments[1]) else of.all, of.all)


def _size(run: Calculus, node: Call) -> State:
    least = run.of.zero if isinstance(node.arguments[0], Call) else run.of.one
    return State(run.of.add(least, run.of.nonnegative), run.of.zero, run.of.zero)


FUNCTIONS: dict[str, Callable[[Calculus, Call], State]] = {
    "sqrt": _sqrt,
    "exp": _exp,
    "log": _log,
    "erf": _erf,
    "ceil": _ceil,
    "pi": _pi,
    "min": _extreme,
    "max": _extreme,
    "when": _when,
    "geometric": _geometric,
    "growth": _growth,
    "element": _element,
    "size": _size,
}

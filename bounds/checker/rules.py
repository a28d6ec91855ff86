"""The rules of a proof: each is confirmed in its plainest sound form, and whatever does not fit is not confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from bounds.checker.conjugate import conjugate_parts
from bounds.checker.faces import check_faces
from bounds.checker.functions import branches, jump
from bounds.checker.motion import placed, require, state, whole
from bounds.checker.positive import check_symbolic
from bounds.checker.ranges import Range, number
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.checker.trees import value_of
from bounds.expression.tree import Call, Least, Node, Power, Product, Quotient, Reduce, Sum
from bounds.rates.rational import text
from bounds.symbols import REGISTRY

Goal = tuple[Node, int, Scope]
Proof = Mapping[str, Any]


def confirm(proof: Any, node: Node, sign: int, scope: Scope) -> None:
    """Confirm sign * F >= 0 on the scope.

    Raises:
        UnconfirmedError: saying which step fails and why.
    """
    if not isinstance(proof, dict) or not isinstance(proof.get("rule"), str) or proof["rule"] not in RULES:
        raise UnconfirmedError(f"a step with an unknown rule: {str(proof)[:60]}")
    try:
        RULES[proof["rule"]](proof, node, sign, scope)
    except UnconfirmedError as problem:
        if str(problem).startswith("rule "):
            raise
        raise UnconfirmedError(f"rule {proof['rule']} for {_short(node)}: {problem}") from None


def _short(node: Node) -> str:
    shown = text(node)
    return shown if len(shown) < 60 else shown[:57] + "..."


def _constant(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    if not scope.still(node):
        raise UnconfirmedError("the node moves")


def _interval(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    rate = state(scope, node).rate
    if not (rate if sign > 0 else -rate).positive:
        raise UnconfirmedError(f"the rate lies between {rate.low.str(5)} and {rate.high.str(5)}")


def _all(parts: Any, goals: Sequence[Goal]) -> None:
    if not isinstance(parts, list) or len(parts) != len(goals):
        raise UnconfirmedError(f"{len(goals)} parts move, the proof has {len(parts) if isinstance(parts, list) else 'no list'}")
    for part, goal in zip(parts, goals, strict=True):
        confirm(part, *goal)


# pieces -----------------------------------------------------------------------------------------


def _pieces(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    _all(proof.get("parts"), list(_goals(node, sign, scope)))


def _goals(node: Node, sign: int, scope: Scope) -> Iterator[Goal]:
    match node:
        case Sum():
            terms = [(part, share) for part, share in scope.trees.terms(node).values() if part is not None and not scope.still(part)]
            if any(part is node for part, _ in terms):
                raise UnconfirmedError("a sum that is no sum of others")
            yield from ((part, sign if share > 0 else -sign, scope) for part, share in terms)
        case Product(left, right):
            yield from _rated(((left, 1, right), (right, 1, left)), sign, scope)
        case Quotient(left, right):
            require(scope, right, scope.value(right).sign != 0, "the denominator may change its sign")
            require(scope, node, scope.value(right).strict or scope.value(left).sign != 0, "0/0 with a numerator of either sign")
            yield from _rated(((left, 1, right), (right, -(scope.value(right).sign ** 2), left)), sign, scope)
        case Power():
            yield from _of_power(node, sign, scope)
        case Call(function, arguments):
            yield from _of_call(node, function, arguments, sign, scope)
        case Least():
            yield from _of_least(node, sign, scope)
        case Reduce(_, variables, arrays, body):
            yield body, sign, scope.running(variables, arrays)
        case _:
            raise UnconfirmedError("a node without parts")


def _rated(parts: Sequence[tuple[Node, int, Node]], sign: int, scope: Scope) -> Iterator[Goal]:
    for part, own, rest in parts:
        if not scope.still(part):
            yield part, sign * own * _sign(scope, rest), scope


def _sign(scope: Scope, node: Node) -> int:
    sign = scope.value(node).sign
    if not sign:
        raise UnconfirmedError(f"{_short(node)} may have either sign")
    return sign


def _of_power(node: Power, sign: int, scope: Scope) -> Iterator[Goal]:
    count, base = value_of(node.exponent), scope.value(node.base)
    if count is not None:
        if count.denominator != 1 or count < 0:
            require(scope, node, base.positive if count.denominator != 1 else base.sign != 0, "the base may have the wrong sign")
        even = count.denominator == 1 and count % 2 == 0
        yield node.base, sign * (1 if count > 0 else -1) * (_sign(scope, node.base) if even else 1), scope
        return
    if not base.positive:
        raise UnconfirmedError("the base of a real power may be negative")
    if not scope.still(node.base):
        yield node.base, sign * _sign(scope, node.exponent), scope
    if not scope.still(node.exponent):
        require(scope, node, base.low > 0 or scope.value(node.exponent).positive, "a power of what may be 0")
        yield node.exponent, sign * _sign(scope, scope.trees.minus(node.base, scope.trees.number(1))), scope


def _of_call(node: Call, function: str, arguments: tuple[Node, ...], sign: int, scope: Scope) -> Iterator[Goal]:
    if function in ("sqrt", "log"):
        require(scope, node, scope.value(arguments[0]).positive, "its argument may be negative")
    ways = dict.fromkeys(("sqrt", "exp", "log", "erf", "ceil", "min", "max"), (1, 1))
    if function in ways:
        found: tuple[int, ...] = ways[function]
    elif function in ("geometric", "growth") and not scope.steps:
        # The state says where the two are what they should be.
        state(scope, node)
        if function == "geometric" and not scope.value(arguments[0]).positive:
            raise UnconfirmedError("a geometric sum of a ratio that may be negative")
        found = (1, 1) if function == "geometric" else (1, -1, 1)
    elif function == "when":
        yield from _of_when(node, sign, scope)
        return
    else:
        raise UnconfirmedError(f"no pieces of {function} are known here")
    for argument, way in zip(arguments, found, strict=False):
        if not scope.still(argument):
            yield argument, sign * way, scope


def _of_when(node: Call, sign: int, scope: Scope) -> Iterator[Goal]:
    if not scope.still(node.arguments[0]):
        step = jump(scope, node)
        if not (step if sign > 0 else -step).positive:
            raise UnconfirmedError("the jump at the border of the condition may go the other way")
    for argument, side in zip(node.arguments[1:], branches(scope, node), strict=True):
        if not scope.still(argument):
            yield argument, sign, side


def _of_least(node: Least, sign: int, scope: Scope) -> Iterator[Goal]:
    yield node.body, sign, placed(scope, node)
    if not scope.still(node.high) or not scope.still(node.low):
        if scope.steps or not scope.still(node.low) or not state(scope, node.high).rate.positive:
            raise UnconfirmedError("the range of places does not just grow")
        if sign > 0:
            yield scope.trees.put(node.body, {node.variable: node.high}), sign, scope


# other forms of the same value ------------------------------------------------------------------


def _distributed(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    """a (b + c) = a b + a c, and a total of products; with any factor that is a sum of parts in as many as the proof has."""
    make, problem = scope.trees.make, "no factor is a sum with as many parts"
    share, powers = scope.trees.factors(node)
    for key, (part, exponent) in powers.items():
        rest = scope.trees.multiplied(share, {other: factor for other, factor in powers.items() if other != key})
        if exponent != 1 or scope.still(rest):
            continue
        if isinstance(part, Sum):
            terms = scope.trees.terms(part).values()
            parts = [make(Product, rest, scope.trees.summed({0: (piece, times)})) for piece, times in terms]
        elif isinstance(part, Reduce) and part.function == "total" and not scope.trees.names(rest) & set(part.variables):
            parts = [make(Reduce, "total", part.variables, part.arrays, make(Product, rest, part.body))]
        else:
            continue
        try:
            return _all(proof.get("parts"), [(one, sign, scope) for one in parts])
        except UnconfirmedError as found:
            problem = str(found)
    raise UnconfirmedError(problem)


def _dropped(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    share, powers = scope.trees.factors(node)
    for key, (part, exponent) in powers.items():
        factor = scope.trees.make(Power, part, scope.trees.number(exponent))
        if text(factor) == proof.get("factor"):
            rest = scope.trees.multiplied(share, {other: one for other, one in powers.items() if other != key})
            if _sign(scope, factor) < 0 or _sign(scope, rest) < 0:
                raise UnconfirmedError("a factor is negative")
            return _all(proof.get("parts"), [(factor, sign, scope), (rest, sign, scope)])
    raise UnconfirmedError(f"{proof.get('factor')} is no factor")


def _conjugate(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    if scope.steps:
        raise UnconfirmedError("between whole numbers a quotient has no elasticity")
    over, under = conjugate_parts(node, scope)
    _all(proof.get("parts"), [(over, sign, scope), (under, -sign, scope)])


def _peeled(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    """growth(q, s, S) = (1 + q/(s+1)) growth(q, s+1, S)."""
    make, one = scope.trees.make, scope.trees.number(1)

    def swap(part: Node) -> Node | None:
        if isinstance(part, Least | Reduce):
            return part
        if not (isinstance(part, Call) and part.function == "growth"):
            return None
        rate, start, stop = part.arguments
        rest = scope.trees.gap(scope.trees.gap(stop, start), one)
        if not whole(scope, rest) or not scope.value(rest).positive:
            return None
        after = make(Sum, start, one)
        return make(Product, make(Sum, one, make(Quotient, rate, after)), make(Call, "growth", (rate, after, stop)))

    _all(proof.get("parts"), [(scope.trees.replaced(node, swap), sign, scope)])


def _ends(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    """A least value is that at the last place or the least before it."""
    if not isinstance(node, Least) or not scope.still(node.low) or not scope.still(node.high):
        raise UnconfirmedError("no least value between ends that are still")
    last = scope.trees.put(node.body, {node.variable: node.high})
    before = scope.trees.make(Least, node.variable, node.low, scope.trees.gap(node.high, scope.trees.number(1)), node.body)
    _all(proof.get("parts"), [(last, sign, scope), (before, sign, scope)])


def _difference(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    """For a whole number p the steps from p to p + 1 are enough."""
    moving = [REGISTRY[name].domain for name in scope.moving if name in REGISTRY and name not in scope.members]
    if scope.steps or len(scope.moving) != 1 or not all(domain.integer and domain.rank == 0 for domain in moving) or not moving:
        raise UnconfirmedError("what moves is no whole number")
    _all(proof.get("parts"), [(node, sign, replace(scope, steps=True))])


# new names --------------------------------------------------------------------------------------


def renamed(scope: Scope, node: Node, names: Mapping[str, Any]) -> tuple[Node, Scope, dict[str, Node]]:
    """The node and the scope with parts (given by their texts) under names of their own, and the parts."""
    texts = {text(part): part for part in scope.trees.walk(node)}
    cut: dict[str, Node] = {}
    for name, written in names.items():
        part = texts.get(written) if isinstance(written, str) else None
        if part is None or name in scope.ranges or name in REGISTRY or not scope.knows(part):
            raise UnconfirmedError(f"{written!r} is no part of the node that can be called {name!r}")
        cut[name] = part
    by = {id(part): scope.trees.name(name) for name, part in cut.items()}
    facts = tuple(tuple(scope.trees.replaced(side, lambda part: by.get(id(part))) for side in fact) for fact in scope.facts)
    ranges = {**scope.ranges, **{name: scope.value(part) for name, part in cut.items()}}
    inner = Scope(scope.trees, ranges, scope.entries, scope.moving, facts, scope.members, scope.steps, scope.strict)  # type: ignore[arg-type]
    return scope.trees.replaced(node, lambda part: by.get(id(part))), inner, cut


def _through(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    """The chain rule: each named part moves one way with p, and the node one way with each name (and with what else moves)."""
    names, cut, steps = (proof.get(key) for key in ("names", "cut", "steps"))
    if not isinstance(names, list) or not isinstance(cut, list) or not isinstance(steps, list) or len(set(names)) != len(cut):
        raise UnconfirmedError("names, parts and steps do not fit together")
    if scope.steps or any("difference" in _rules(step) for step in steps):
        raise UnconfirmedError("between whole numbers there is no chain rule")
    outer, inner, parts = renamed(scope, node, dict(zip(names, cut, strict=True)))
    own = {name: scope.trees.name(name) for name in sorted(scope.trees.names(outer) & scope.moving)}
    if len(steps) != len(parts) + len(own):
        raise UnconfirmedError(f"{len(parts) + len(own)} names move, the proof has {len(steps)} steps")
    for (name, part), step in zip({**parts, **own}.items(), steps, strict=True):
        way = step.get("way") if isinstance(step, dict) else None
        if way not in (1, -1) or not inner.ranges[name].positive:
            raise UnconfirmedError(f"{name} has no way, or may be negative")
        confirm(step.get("inside"), part, way, scope)
        confirm(step.get("outside"), outer, sign * way, replace(inner, moving=frozenset((name,)), known_gaps=None))


def _rules(proof: Any) -> set[str]:
    """Every rule in a proof."""
    if isinstance(proof, dict):
        return set().union({proof["rule"]} if isinstance(proof.get("rule"), str) else set(), *map(_rules, proof.values()))
    return set().union(*map(_rules, proof)) if isinstance(proof, list) else set()


def _boxes(proof: Proof, node: Node, sign: int, scope: Scope) -> None:
    """Halvings of the ranges; names stand for parts that are still or move exactly like the parameter (E = 1)."""
    names = proof.get("names")
    outer, inner, parts = renamed(scope, node, names if isinstance(names, dict) else {})
    moving = set(scope.moving)
    for name, part in parts.items():
        if not scope.still(part):
            found = state(scope, part).elasticity
            if scope.steps or not (found.low == 1 and found.high == 1):
                raise UnconfirmedError(f"{text(part)} neither is still nor moves like the parameter")
            moving.add(name)
    _halved(proof.get("tree"), outer, sign, replace(inner, moving=frozenset(moving), known_gaps=None))


def _halved(tree: Any, node: Node, sign: int, scope: Scope) -> None:
    if isinstance(tree, dict):
        name, at = tree.get("split"), tree.get("at")
        if not isinstance(name, str) or name not in scope.ranges or isinstance(at, bool) or not isinstance(at, int | float):
            raise UnconfirmedError("a halving without a name or a place")
        ends, point = scope.ranges[name], number(Fraction(at))
        if scope.steps and name in scope.moving and Fraction(at).denominator != 1:
            raise UnconfirmedError("a halving between two whole numbers loses the step across it")
        # The two halves overlap in the point, and together they are the box wherever it lies.
        if not ends.low <= point.low <= point.high <= ends.high:
            raise UnconfirmedError(f"a halving of {name} at {at}, outside the box")
        for side, half in (("low", Range(ends.low, point.high)), ("high", Range(point.low, ends.high))):
            _halved(tree.get(side), node, sign, scope.within({name: half}))
    elif tree == "+":
        _one_box(node, sign, scope)
    elif tree == "c":
        check_faces(node, sign, scope)
    elif tree != "x" or not _void(scope):
        raise UnconfirmedError(f"a leaf {tree!r} that is not so")


def _one_box(node: Node, sign: int, scope: Scope) -> None:
    """The sign on one box; where it holds one step only, also by the two values."""
    try:
        _interval({}, node, sign, scope)
    except UnconfirmedError:
        if not scope.steps:
            raise
        (name,) = scope.moving
        ends = scope.ranges[name]
        first, second = (replace(scope.within({name: Range(end, end)}), moving=frozenset(), steps=False).value(node) for end in ends)
        if not (bool(ends.high - ends.low == 1) and (second - first if sign > 0 else first - second).positive):
            raise


def _void(scope: Scope) -> bool:
    """Whether an assumption fails all over the box, or it has no step in it."""
    if scope.steps and any((scope.ranges[name].high - scope.ranges[name].low).upper() < 1 for name in scope.moving):
        return True
    known = [(left, right) for left, right in scope.facts if scope.knows(left) and scope.knows(right)]
    return any(scope.bare.value(left).low > scope.bare.value(right).high for left, right in known)


RULES: dict[str, Callable[[Proof, Node, int, Scope], None]] = {
    "constant": _constant,
    "interval": _interval,
    "pieces": _pieces,
    "distributed": _distributed,
    "dropped": _dropped,
    "peeled": _peeled,
    "conjugate": _conjugate,
    "ends": _ends,
    "difference": _difference,
    "through": _through,
    "symbolic": lambda proof, node, sign, scope: check_symbolic(scope, node, sign, proof.get("facts") or []),
    "boxes": _boxes,
}

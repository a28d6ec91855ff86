"""From an expression tree to straight-line float64 code with an error bound, aware of complements.

Three forms of a sub-expression are written on demand: its value, its complement 1 - value, and its logarithm. So ``1-gap``
raised to a power and subtracted from 1 becomes ``-expm1(Q*log1p(-gap))`` wherever the parts stand in the tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum, difference
from bounds.numeric import arithmetic as on
from bounds.numeric.code import CLOSE, ERF, ROUND, Code, Entries, UnsupportedError, Value
from bounds.numeric.parts import array_element, array_size, minimised, reduced
from bounds.numeric.runtime import GROWTH_ERROR

_ONE = Number(Fraction(1))
_MINUS_ONE = Number(Fraction(-1))
_MOST_FACTORS = 4
_SHORTEST_CHAIN = 3
#: Errors of this many roundings may be amplified without harm.
_SMALL_ERROR = 4.0


class Lowering:
    """Writes the code of one expression; ``inputs`` are the values of its names, ``arrays`` the names of array variables."""

    def __init__(self, code: Code, inputs: Mapping[str, Value], arrays: Mapping[str, Entries] | None = None) -> None:
        self.code = code
        self.inputs = dict(inputs)
        self.arrays = dict(arrays or {})
        #: By form and identity, which is fast to look up; the node is kept so that its identity stays its own.
        self.known: dict[tuple[str, int], tuple[Node, Value]] = {}

    def value(self, node: Node) -> Value:
        """The value of the expression."""
        return self._once("value", node, self._value)

    def complement(self, node: Node) -> Value:
        """1 - value, relatively accurate also where the value is close to 1."""
        return self._once("complement", node, self._complement)

    def logarithm(self, node: Node) -> Value:
        """The logarithm of a positive value, relatively accurate also where the value is close to 1."""
        return self._once("logarithm", node, self._logarithm)

    def _once(self, form: str, node: Node, write: Callable[[Node], Value]) -> Value:
        key = (form, id(node))
        if key not in self.known:
            self.known[key] = (node, write(node))
        return self.known[key][1]

    def _value(self, node: Node) -> Value:
        match node:
            case Number(None):
                self.code.singular = True
                return on.INFINITY
            case Number(value):
                assert value is not None
                return on.literal(value)
            case Name(name):
                return self.inputs[name]
            case Sum(left, right):
                return self._sum(left, right)
            case Product(Number(first), Number(second)) if first is not None and second is not None:
                return on.literal(first * second)
            case Product(left, right):
                return self._chain(node) or on.multiply(self.code, self.value(left), self.value(right))
            case Quotient(left, right):
                return self._chain(node) or on.divide(self.code, self.value(left), self.value(right))
            case Power(base, exponent):
                return self._power(base, exponent)
            case Call(function, arguments):
                return self._call(function, arguments)
            case Reduce():
                return reduced(self, node)
            case Least():
                return minimised(self, node)
        raise UnsupportedError(type(node).__name__)

    def _chain(self, node: Node) -> Value | None:
        """Several factors over arrays in any order, so that those of few points are multiplied first; None where that may overflow."""
        if not self.code.array:
            return None
        above, below = factors(node)
        if len(above) + len(below) < _SHORTEST_CHAIN:
            return None
        return on.product(self.code, [self.value(factor) for factor in above], [self.value(factor) for factor in below])

    def _sum(self, left: Node, right: Node) -> Value:
        """left + right; 1 - x and x - 1 through the complement of x."""
        for one, other in ((left, right), (right, left)):
            negated = _negated(other)
            if one == _ONE and negated is not None:
                return self.complement(negated)
            if _negated(one) == _ONE and negated is None:
                return on.negative(self.code, self.complement(other))
        return on.add(self.code, self.value(left), self.value(right))

    def _complement(self, node: Node) -> Value:
        code = self.code
        match node:
            case Sum(left, right) if _ONE in (left, right):
                return on.negative(code, self.value(right if left == _ONE else left))
            case Sum(left, right) if self._near_one(node):
                return on.add(code, self.complement(left), on.negative(code, self.value(right)))
            case Product(left, right) if self._near_one(node):
                return on.add(code, self.complement(left), on.multiply(code, self.value(left), self.complement(right)))
            case Quotient(left, right):
                return on.divide(code, on.add(code, self.value(right), on.negative(code, self.value(left))), self.value(right))
            case Power(base, exponent) if self._near_one(base):
                return self._complement_of_power(base, exponent)
            case Call("growth" | "exp", _):
                return on.minus_expm1(code, self.logarithm(node))
        a = self.value(node)
        rest = on.add(code, on.literal(Fraction(1)), on.negative(code, a))
        # An exact number in [0, 1] leaves one in [0, 1].
        return replace(rest, sign=1, high=0.0) if a.exact and a.sign > 0 and a.high <= 0.0 else rest

    def _near_one(self, node: Node) -> bool:
        """Whether the complement is worth writing in parts: some part comes close to 1 by what it is."""
        match node:
            case Name():
                return self.value(node).high <= CLOSE
            case Sum(left, right):
                return _ONE in (left, right) or self._near_one(left)
            case Product(left, right):
                return left != _MINUS_ONE and (self._near_one(left) or self._near_one(right))
            case Power(base, _):
                return self._near_one(base)
            case Call("growth" | "exp", _):
                return True
        return False

    def _complement_of_power(self, base: Node, exponent: Node) -> Value:
        code, a, e = self.code, self.value(base), self.value(exponent)
        if exponent == Number(Fraction(2)):
            return on.multiply(code, self.complement(base), on.add(code, on.literal(Fraction(1)), a))
        if a.sign > 0 or not (a.exact and e.exact and e.whole):
            return on.minus_expm1(code, self.logarithm(Power(base, exponent)))
        return self._signed_complement(a, e)

    def _signed_complement(self, a: Value, e: Value) -> Value:
        """1 - a^e for an exact base of any sign: 1 - |a|^e where the power is positive, no cancellation where it is negative."""
        code, power = self.code, self.code.let(f"power({a.ref}, {e.ref})")
        below_one = a.high <= 0.0
        # A power so small that it is 0 here is nothing beside 1.
        size_log = Value(code.call("log", f"absolute({a.ref})"), code.precision.function, -1 if below_one else 0, -16.0, 3.0, True)
        size = on.minus_expm1(code, on.multiply(code, e, size_log))
        ref = code.where(f"{power} >= 0.0", size.ref, f"1.0 - {power}")
        error = code.worse(size.error, code.precision.round + code.precision.function)
        high = 0.31 if below_one else size.high + 0.31
        return Value(ref, error, 1 if below_one else 0, size.low, high, True, bad=code.bad(a.bad, e.bad, size.bad))

    def _logarithm(self, node: Node) -> Value:
        code = self.code
        match node:
            case Power(base, exponent):
                return on.multiply(code, self.value(exponent), self.logarithm(base))
            case Call("exp", (argument,)):
                return self.value(argument)
            case Call("growth", arguments):
                return self._growth(*arguments)
            case Name() | Number():
                return self._plain_logarithm(self.value(node))
        return self._logarithm_by_complement(node)

    def _plain_logarithm(self, a: Value) -> Value:
        """The logarithm of an exact number."""
        ref = self.code.call("log", a.ref)
        sign = 1 if a.least >= 1 else -1 if a.high <= 0 else 0
        self.code.singular |= a.zero
        # At 0 it is -inf, and the powers made of it are exactly 0.
        return Value(ref, self.code.precision.function, sign, -16.0, 3.0, True, bad=a.bad)

    def _logarithm_by_complement(self, node: Node) -> Value:
        c = self.complement(node)
        if c.sign < 0 or c.exact or (isinstance(c.error, float) and c.error <= _SMALL_ERROR * self.code.precision.round):
            return on.log1p_minus(self.code, c)
        return self.code.unless(self._two_sided_logarithm(node), f"{self.value(node).ref} > 0.0")

    def _two_sided_logarithm(self, node: Node) -> Value:
        """log(v) for v below 1/2, log1p(-(1 - v)) above: each relatively accurate where it is used; -690 at v = 0."""
        code, v, c = self.code, self.value(node), self.complement(node)
        near = f"log1p(-{code.extreme('minimum', c.ref, '0.5')})"
        ref = code.where(f"{c.ref} > 0.5", f"log({code.extreme('maximum', v.ref, '1e-300')})", near)
        # The relative condition of log(1 - c) is at most 1.45 up to c = 1/2, and that of log(v) at most 1/log 2 down from there.
        error = code.error(code.precision.function, (1.45, code.worse(v.error, c.error)))
        return Value(ref, error, -c.sign, min(c.low, 0.0) - 1.0, 3.0, True, bad=code.bad(v.bad, c.bad))

    def _power(self, base: Node, exponent: Node) -> Value:
        code = self.code
        power = exponent.value if isinstance(exponent, Number) else None
        if power is not None and power.denominator == 1 and 1 <= power <= _MOST_FACTORS:
            factor = self.value(base)
            result = factor
            for _ in range(int(power) - 1):
                result = on.multiply(code, result, factor)
            return replace(result, sign=1) if power % 2 == 0 else result
        if power == Fraction(1, 2):
            return on.square_root(code, self.value(base))
        a, e = self.value(base), self.value(exponent)
        if a.exact and e.exact and (e.whole or a.sign > 0):
            return self._direct_power(a, e)
        return on.exponential(code, on.multiply(code, e, self.logarithm(base)))

    def _direct_power(self, a: Value, e: Value) -> Value:
        code, sign = self.code, max(a.sign, 0)
        value = Value(
            code.let(f"power({a.ref}, {e.ref})"), code.precision.function, sign, -400.0, 400.0, a.zero, bad=code.bad(a.bad, e.bad)
        )
        return code.ranged(value, *([a.ref] if a.zero else []))

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Value:
        code = self.code
        match function:
            case "sqrt":
                return on.square_root(code, self.value(arguments[0]))
            case "exp":
                return on.exponential(code, self.value(arguments[0]))
            case "log":
                return self._finite_logarithm(arguments[0])
            case "min" | "max":
                return self._extreme(function, *map(self.value, arguments))
            case "geometric":
                return self._geometric(*arguments)
            case "growth":
                return on.exponential(code, self.logarithm(Call(function, arguments)))
            case "when":
                return self._when(*arguments)
            case "erf":
                a = self.value(arguments[0])
                return Value(code.call("erf", a.ref), code.error(ERF, (1.0, a.error)), a.sign, min(a.low, 0.0), 0.0, a.zero, bad=a.bad)
            case "ceil":
                return self._ceil(self.value(arguments[0]))
            case "pi":
                return Value(repr(math.pi), ROUND, 1, 0.5, 0.5)
            case "size":
                return array_size(self, arguments[0])
            case "element":
                return array_element(self, *arguments)
        raise UnsupportedError(function)

    def _finite_logarithm(self, node: Node) -> Value:
        """The logarithm where nothing follows that a logarithm of 0 would suit."""
        result = self.logarithm(node)
        return self.code.unless(result, f"{result.ref} > -inf") if self.code.singular else result

    def _extreme(self, function: str, a: Value, b: Value) -> Value:
        code = self.code
        a, b = code.numeric(a), code.numeric(b)
        pick = min if function == "min" else max
        sign = a.sign if a.sign == b.sign else (1 if function == "max" and 1 in (a.sign, b.sign) else 0)
        ref = code.let(code.extreme(f"{function}imum", a.ref, b.ref))
        error, bad = code.worse(a.error, b.error), code.bad(a.bad, b.bad)
        whole = a.whole and b.whole
        low, high = min(a.low, b.low), max(x.high for x in (a, b))
        return Value(ref, error, sign, low, high, a.zero or b.zero, whole, pick(a.least, b.least), pick(a.most, b.most), bad)

    def _geometric(self, ratio: Node, count: Node) -> Value:
        """(1 - r^n)/(1 - r), which is n at r = 1."""
        code, n, c = self.code, self.value(count), self.complement(ratio)
        power = ratio if isinstance(ratio, Power) else Power(ratio, _ONE)
        base, exponent = self.value(power.base), self.value(power.exponent)
        if base.sign == 0 and base.exact and exponent.whole and n.whole:
            whole = on.multiply(code, exponent, n)
            whole = code.unless(replace(whole, error=0.0, whole=True), f"{whole.ref} <= {2.0**53!r}")
            top = self._signed_complement(base, whole)
            same = code.let(f"{c.ref} == 0.0")
            ref = code.where(same, n.ref, f"{top.ref}/{code.where(same, '1.0', c.ref)}")
            error = code.error(code.precision.round, (1.0, top.error), (1.0, c.error))
            return code.ranged(Value(ref, error, 1, -1.0, n.high, n.least <= 0, bad=code.bad(n.bad, c.bad, top.bad, whole.bad)))
        if self.value(ratio).sign <= 0:
            n = code.unless(n, f"{self.value(ratio).ref} >= 0.0")
        if not n.whole:
            # Only a whole power of nearly 0 vanishes as one of 0 does.
            n = code.unless(n, f"{self.value(ratio).ref} > 0.0")
        exponent = on.multiply(code, n, self._safe_logarithm(ratio))
        top = on.minus_expm1(code, replace(exponent, bad=None))
        same = f"{c.ref} == 0.0"
        ref = code.where(same, n.ref, f"{top.ref}/{code.where(same, '1.0', c.ref) if code.array else c.ref}")
        error = code.error(code.precision.round, (1.0, top.error), (1.0, c.error))
        bad = code.bad(n.bad, c.bad, exponent.bad, top.bad)
        return code.ranged(
            Value(ref, error, 1, -1.0, max(n.high, 75.0) + 1.0, n.zero or n.least <= 0, bad=bad), *([n.ref] if n.least <= 0 else [])
        )

    def _safe_logarithm(self, ratio: Node) -> Value:
        """A logarithm that is only very negative where the ratio is 0: its powers then vanish as they should."""
        c = self.complement(ratio)
        simple = isinstance(ratio, Power | Name) or c.sign < 0 or c.exact
        return self.logarithm(ratio) if simple else self._two_sided_logarithm(ratio)

    def _growth(self, rate: Node, start: Node, stop: Node) -> Value:
        """The logarithm of growth, by a Stirling double difference (:mod:`bounds.numeric.runtime`)."""
        code, q, a = self.code, self.value(rate), self.value(start)
        if not (q.sign > 0 and a.sign > 0):
            raise UnsupportedError("growth of a number that may be negative")
        length = self.value(difference(stop, start))
        checked = length if length.sign > 0 else code.unless(length, f"{length.ref} >= 0.0")
        ref = code.call("growth_log", q.ref, a.ref, checked.ref)
        # Each argument has a condition number of at most 1 up to the length of the product, which is absorbed in the factor.
        error = code.error(GROWTH_ERROR, (2.0, q.error), (2.0, a.error), (2.0, length.error))
        return Value(ref, error, 1, min(q.low, 0.0) - 16.0, 18.0, True, bad=code.bad(q.bad, a.bad, checked.bad))

    def _ceil(self, a: Value) -> Value:
        code = self.code
        nearest = code.let(f"rint({a.ref})")
        slack = code.let(f"{a.error}*absolute({a.ref})")
        up = code.unless(Value(code.let(f"ceil({a.ref})"), bad=a.bad), f"absolute({a.ref} - {nearest}) > {slack}")
        return replace(up, sign=a.sign, low=0.0, high=max(a.high, 0.0) + 0.1, zero=True, whole=True, least=0.0 if a.sign > 0 else -math.inf)

    def _when(self, condition: Node, positive: Node, other: Node) -> Value:
        code, c = self.code, self.code.numeric(self.value(condition))
        # An inexact difference of 0 was given up when it was formed, and its error bound leaves any other one its sign.
        if code.array:
            a, b = self._assuming(c).value(positive), self.value(other)
            test = code.let(f"{code.negated[c.ref]} < 0.0" if c.ref in code.negated else f"{c.ref} > 0.0")
            ref = code.let(f"either_way({test}, {a.ref}, {b.ref})")
            # Only the branch that is taken can spoil a point.
            chosen = None if a.bad is None and b.bad is None else code.let(f"chosen({test}, {a.bad}, {b.bad})", "b")
            return self._either(a, b, ref, code.worse(a.error, b.error), code.bad(c.bad, chosen))
        ref, error = f"w{code.fresh()}", f"e{code.fresh()}"
        branches: list[Value] = []
        for head, node in ((f"if {c.ref} > 0.0:", positive), ("else:", other)):
            with code.block(head):
                inner = self._assuming(c if node is positive else None)
                branch = inner.value(node)
                code.do(f"{ref} = {branch.ref}")
                code.do(f"{error} = {branch.error}")
                branches.append(branch)
        return self._either(branches[0], branches[1], ref, error, None)

    def _assuming(self, positive: Value | None) -> Lowering:
        """A lowering for a branch, in which a value is known to be positive."""
        inner = Lowering(self.code, self.inputs, self.arrays)
        inner.known = dict(self.known)
        if positive is not None:
            for key, (node, value) in self.known.items():
                if value.ref == positive.ref:
                    inner.known[key] = (node, replace(value, sign=1, zero=False))
        return inner

    def _either(self, a: Value, b: Value, ref: str, error: float | str, bad: str | None) -> Value:
        sign = a.sign if a.sign == b.sign else 0
        return Value(ref, error, sign, min(a.low, b.low), max(a.high, b.high), a.zero or b.zero, bad=bad)


def factors(node: Node) -> tuple[list[Node], list[Node]]:
    """The factors of a product and the divisors, through nested products and quotients."""
    match node:
        case Product(left, right) if left != _MINUS_ONE:
            (first, under), (second, beneath) = factors(left), factors(right)
            return first + second, under + beneath
        case Quotient(left, right):
            (first, under), (second, beneath) = factors(left), factors(right)
            return first + beneath, under + second
    return [node], []


def _negated(node: Node) -> Node | None:
    """x where ``node`` is -x."""
    if isinstance(node, Product) and node.left == _MINUS_ONE:
        return node.right
    return _ONE if node == _MINUS_ONE else None

"""Float64 arithmetic on :class:`bounds.numeric.code.Value` with first-order relative error bounds."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from bounds.numeric.code import ROUND, Code, Value

_TWO = math.log10(2.0)
_PER_DECADE = math.log(10.0)
_EXACT_INTEGER = 2**53


def literal(number: Fraction) -> Value:
    """A constant."""
    value = float(number)
    size = math.log10(abs(value)) if value else 0.0
    whole = number.denominator == 1 and abs(number) <= _EXACT_INTEGER
    error = 0.0 if Fraction(value) == number else ROUND
    return Value(
        repr(value),
        error,
        1 if value >= 0 else -1,
        size,
        size,
        value == 0,
        whole,
        value if whole else -math.inf,
        value if whole else math.inf,
    )


INFINITY = Value("inf", 0.0, 1, math.inf, -math.inf)


def negative(code: Code, a: Value) -> Value:
    """-a."""
    constant = _constant(a)
    if constant is not None:
        return replace(a, ref=repr(-constant), sign=1 if constant <= 0 else -1, least=-a.most, most=-a.least)
    return replace(a, ref=code.negation(a.ref), sign=-a.sign, least=-a.most, most=-a.least)


def _constant(a: Value) -> float | None:
    try:
        return float(a.ref)
    except ValueError:
        return None


def multiply(code: Code, a: Value, b: Value) -> Value:
    """a * b."""
    for one, other in ((a, b), (b, a)):
        if one.ref in ("1.0", "-1.0"):
            return other if one.ref == "1.0" else negative(code, other)
        if one.ref in code.negated:
            return negative(code, multiply(code, negative(code, one), other))
    whole = a.whole and b.whole and max(a.high, b.high, a.high + b.high) < 15.0
    error = 0.0 if whole else code.error(code.precision.round, (1.0, a.error), (1.0, b.error))
    least = a.least * b.least if whole and a.least >= 0 and b.least >= 0 else -math.inf
    value = Value(
        code.let(f"{a.ref}*{b.ref}"),
        error,
        a.sign * b.sign,
        a.low + b.low,
        a.high + b.high,
        a.zero or b.zero,
        whole,
        least,
        math.inf,
        code.bad(a.bad, b.bad),
        None if whole else _slack(code, a, b) or _slack(code, b, a),
    )
    return code.ranged(value, *(factor.ref for factor in (a, b) if factor.zero))


def product(code: Code, above: list[Value], below: list[Value]) -> Value | None:
    """A product over another, of arrays in the order of their sizes; None where some order may overflow."""
    every = above + below
    if sum(max(abs(x.low), abs(x.high)) for x in every) > code.precision.most_decades:
        return None
    plain = [(code.negated.get(x.ref, x.ref), x.ref in code.negated) for x in every]
    refs = [ref for ref, _ in plain]
    top, bottom = ", ".join(refs[: len(above)]), ", ".join(refs[len(above) :])
    error = code.error((len(every) - 1) * code.precision.round, *((1.0, x.error) for x in every))
    sign = math.prod(-x.sign if turned else x.sign for x, (_, turned) in zip(every, plain, strict=True))
    low = sum(x.low for x in above) - sum(x.high for x in below)
    high = sum(x.high for x in above) - sum(x.low for x in below)
    bad, zero = code.bad(*(x.bad for x in every)), any(x.zero for x in above)
    value = Value(code.let(f"product(({top},), ({bottom}{',' * bool(below)}))"), error, sign, low, high, zero, bad=bad)
    for divisor in below:
        if divisor.zero:
            value = code.unless(value, f"{divisor.ref} != 0.0")
    return negative(code, value) if sum(turned for _, turned in plain) % 2 else value


def _slack(code: Code, a: Value, b: Value) -> tuple[str, float] | None:
    """The absolute error of a product of a value in [0, 1] that has a slack with one >= 0 of constant relative error."""
    if a.slack is None or a.high > 0.0 or b.sign <= 0 or isinstance(b.error, str):
        return None
    factor, constant = a.slack
    return b.ref if factor == "1.0" else code.let(f"{factor}*{b.ref}"), constant + b.error + code.precision.round


def divide(code: Code, a: Value, b: Value) -> Value:
    """a / b."""
    if b.ref == "1.0":
        return a
    if a.ref in code.negated:
        return negative(code, divide(code, negative(code, a), b))
    if b.ref in code.negated:
        return negative(code, divide(code, a, negative(code, b)))
    error = code.error(code.precision.round, (1.0, a.error), (1.0, b.error))
    value = Value(code.let(f"{a.ref}/{b.ref}"), error, a.sign * b.sign, a.low - b.high, a.high - b.low, a.zero, bad=code.bad(a.bad, b.bad))
    if b.zero:
        value = code.unless(value, f"{b.ref} != 0.0")
    return code.ranged(value, *([a.ref] if a.zero else []))


def add(code: Code, a: Value, b: Value) -> Value:
    """a + b; where they have opposite signs, the loss of accuracy is measured."""
    if a.zero and a.ref == "0.0":
        return b
    if b.zero and b.ref == "0.0":
        return a
    if a.ref in code.negated and b.ref in code.negated:
        return negative(code, add(code, negative(code, a), negative(code, b)))
    a, b = (b, a) if a.ref in code.negated else (a, b)
    text = f"{a.ref} - {code.negated[b.ref]}" if b.ref in code.negated else f"{a.ref} + {b.ref}"
    bad, high = code.bad(a.bad, b.bad), max(a.high, b.high) + _TWO
    whole, least, most = a.whole and b.whole and high < 15.0, a.least + b.least, a.most + b.most
    if a.sign * b.sign > 0:
        low = (
            max(a.low, b.low)
            if not (a.zero or b.zero)
            else max(x.low for x in (a, b) if not x.zero)
            if not (a.zero and b.zero)
            else min(a.low, b.low)
        )
        error = 0.0 if whole else code.error(code.precision.round, (1.0, code.worse(a.error, b.error)))
        return code.ranged(Value(code.let(text), error, a.sign, low, high, a.zero and b.zero, whole, least, most, bad))
    sign = 1 if whole and least >= 0 else -1 if whole and most <= 0 else 0
    if a.exact and b.exact:
        # Two floats: their difference is rounded once, and is no smaller than their last bits.
        low = 0.0 if whole else min(a.low, b.low) - 17.0
        return code.ranged(Value(code.let(text), 0.0 if whole else code.precision.round, sign, low, high, True, whole, least, most, bad))
    return _cancelling(code, a, b, Value(code.let(text), 0.0, 0, max(a.low, b.low) - 2.0, high, a.zero and b.zero, bad=bad))


def _cancelling(code: Code, a: Value, b: Value, total: Value) -> Value:
    """A difference: its points must keep their error, the operands' errors over what is left, below a limit."""
    lost = code.let(f"{_lost(code, a, b)}/absolute({total.ref})")
    most = code.precision.loss
    size, checked = code.within(Value(lost, bad=total.bad), most)
    return code.ranged(replace(total, error=code.error(code.precision.round, (1.0, size)), bad=checked.bad))


def _lost(code: Code, a: Value, b: Value) -> str:
    """The text of the absolute error that two operands bring in."""
    if a.error == b.error:
        return f"({_absolute(code, a)} + {_absolute(code, b)})*{a.error}"
    return f"({' + '.join(_brought(code, x) for x in (a, b) if x.error != 0.0)})"


def _brought(code: Code, a: Value) -> str:
    if a.slack is not None:
        return f"{a.slack[0]}*{a.slack[1]!r}"
    # The sign goes into the constant, which costs nothing.
    if a.sign < 0 and a.ref in code.negated:
        return f"{code.negated[a.ref]}*{a.error}"
    return f"{a.ref}*(-{a.error})" if a.sign < 0 else f"{_absolute(code, a)}*{a.error}"


def _absolute(code: Code, a: Value) -> str:
    if a.sign > 0:
        return a.ref
    if a.sign < 0:
        return negative(code, a).ref
    return f"absolute({a.ref})"


def square_root(code: Code, a: Value) -> Value:
    """The root of a value >= 0."""
    checked = a if a.sign > 0 else code.unless(a, f"{a.ref} >= 0.0")
    error = code.error(code.precision.round, (0.5, a.error))
    return Value(code.call("sqrt", a.ref), error, 1, a.low / 2, a.high / 2, a.zero, bad=checked.bad)


def exponential(code: Code, a: Value) -> Value:
    """exp(a), which turns the absolute error of a into a relative one; exactly 0 where a is the logarithm of 0."""
    # math.log has no value at 0, so that only arrays ever get here with -inf; the test of a negative number lets it pass.
    size, checked = code.within(a, code.precision.exponent)
    error = code.error(code.precision.function, (size, a.error)) if a.error != 0.0 else code.precision.function
    decades = code.precision.exponent / _PER_DECADE
    if a.sign >= 0 or isinstance(a.error, str):
        return Value(code.call("exp", a.ref), error, 1, -decades, decades, True, bad=checked.bad)
    # exp(a) |a| is at most 1/e, however far down a goes.
    slack = ("1.0", code.precision.function + 0.37 * a.error)
    return Value(code.call("exp", a.ref), error, 1, -decades, 0.0, True, bad=checked.bad, slack=slack)


def minus_expm1(code: Code, a: Value) -> Value:
    """1 - exp(a) with full relative accuracy near a = 0; very negative a are no harm."""
    clipped = a if a.sign <= 0 and a.sign else code.unless(a, f"{a.ref} <= {code.precision.exponent!r}")
    ref = code.call("expm1", a.ref)
    # The relative condition |a| e^a / |e^a - 1| is at most 1 for a <= 0 and at most 1 + a above.
    factor: float | str = 1.0 if a.sign < 0 else code.beyond_one(a.ref, code.precision.exponent)
    low = min(a.low, 0.0) - 1.0
    high = 0.1 if a.sign < 0 else code.precision.exponent / _PER_DECADE
    value = Value(f"{ref}", code.error(code.precision.function, (factor, a.error)), a.sign, low, high, a.zero, bad=clipped.bad)
    return negative(code, code.ranged(value))


def log1p_minus(code: Code, a: Value) -> Value:
    """log(1 - a) for a below 1, relatively accurate near a = 0; an a with an error must stay away from 1."""
    code.singular |= a.sign >= 0 and a.high >= 0.0
    value = Value(code.call("log1p", negative(code, a).ref), 0.0, -a.sign, min(a.low, 0.0) - 1.0, max(a.high, 1.6), a.zero, bad=a.bad)
    if a.exact or a.sign < 0:
        return replace(value, error=code.error(code.precision.function, (1.0, a.error)))
    # The relative condition |a| / ((1 - a) |log(1 - a)|) is at most 1/(1 - a) above 0 and at most 1 below.
    most = code.precision.amplification
    return replace(code.unless(value, f"1.0 - {a.ref} >= {1.0 / most!r}"), error=code.error(code.precision.function, (1.1 * most, a.error)))

"""A fast function for an expression and an order of its parameters: for one point, or for chunks of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

from bounds.expression.tree import Node, Number, Product, Quotient
from bounds.numeric.code import CLOSE, DOUBLE, ROUND, TOLERANCE, Code, Entries, Precision, UnsupportedError, Value
from bounds.numeric.lowering import Lowering
from bounds.numeric.runtime import SCALAR
from bounds.symbols import Domain, rank_of, symbol

#: Inputs outside these sizes are left to the slower ways: inside them few intermediate results can overflow.
SMALLEST, LARGEST = 1e-9, 1e9
_SMALLEST_SHARE = 1e-15
_SMALLEST_ENTRY = 1e-30
_NUMBERS = frozenset({int, float})

#: ``up``: a float that is at least the value. ``near``: one within the error bound. ``pair``: that and the bound itself.
Rounding = Literal["up", "near", "pair"]


def smallest(domain: Domain) -> float:
    """The smallest positive input that the fast way takes: gaps may be smaller than other things."""
    return max(domain.low, _SMALLEST_SHARE if domain.high <= 1 else SMALLEST)


def input_value(name: str, ref: str) -> Value:
    """What is known of a parameter before its value is."""
    domain = symbol(name).domain
    if not isinstance(domain, Domain) or domain.low < 0:
        raise UnsupportedError(name)
    low, high = math.log10(smallest(domain)), math.log10(min(LARGEST, domain.high))
    zero = domain.low == 0 and not domain.low_open
    return Value(ref, 0.0, 1, low, high, zero, domain.integer, domain.low if domain.integer else -math.inf)


def entry_limits(name: str) -> tuple[float, float]:
    """The least and the largest size of an entry other than 0 that the fast way takes."""
    domain = symbol(name).domain
    return (SMALLEST, LARGEST) if hasattr(domain, "entry") else (_SMALLEST_ENTRY, domain.high + CLOSE)


def input_entries(name: str, ref: str) -> Entries:
    """What is known of an array before it is given."""
    domain = symbol(name).domain
    entry = domain.entry if hasattr(domain, "entry") else None
    sign = 1 if entry is not None and entry.low >= 0 else 0
    open_ = entry is not None and entry.low >= 0 and entry.low_open
    low, high = map(math.log10, entry_limits(name))
    return Entries(ref, domain.rank, Value("", 0.0, sign, low, high, not open_))


def _guard(name: str, ref: str) -> str:
    """The test that a scalar input is of a plain type, in its domain, and neither too large nor too small."""
    domain = symbol(name).domain
    assert isinstance(domain, Domain)
    if domain.integer and domain.high == 1:
        # A flag that is 0 means another formula.
        return f"{ref}.__class__ in numbers and {ref} == 1"
    inside = f"{smallest(domain)!r} <= {ref} <= {min(LARGEST, domain.high)!r}"
    if domain.low == 0 and not domain.low_open:
        inside = f"({ref} == 0 or {inside})"
    whole = f" and {ref} % 1 == 0" if domain.integer else ""
    return f"{ref}.__class__ in numbers and {inside}{whole}"


def scalar(tree: Node, parameters: Sequence[str], defaults: Mapping[str, float], rounding: Rounding) -> Callable[..., Any]:
    """A function of the parameters in this order: the rounded value, or None where it cannot be had this way.

    Raises:
        UnsupportedError: when the expression has a part that this way does not know.
    """
    if any(rank_of(name) for name in parameters):
        raise UnsupportedError("an array")
    code = Code(array=False)
    refs = {name: f"p{index}" for index, name in enumerate(parameters)}
    code.constants["numbers"] = _NUMBERS
    code.constants["inf"] = math.inf
    code.do(f"if not ({' and '.join(_guard(name, ref) for name, ref in refs.items()) or 'True'}): return None")
    result = Lowering(code, _inputs(refs, defaults)).value(tree)
    code.do(f"if {result.ref} != {result.ref}: return None")
    if isinstance(result.error, str):
        code.do(f"if not {result.error} <= {TOLERANCE!r}: return None")
    elif result.error > TOLERANCE:
        raise UnsupportedError("an error bound that is too large")
    code.do(f"return {_rounded(result, rounding, scalar=True)}")
    return _safe(code.function("value", list(refs.values()), SCALAR))


def _inputs(refs: Mapping[str, str], defaults: Mapping[str, float]) -> dict[str, Value]:
    given = {name: input_value(name, ref) for name, ref in refs.items() if not rank_of(name)}
    absent = {name: input_value(name, repr(float(value))) for name, value in defaults.items() if name not in refs}
    return absent | given


def _rounded(result: Value, rounding: Rounding, scalar: bool) -> str:
    if rounding == "pair":
        return f"({result.ref}, {result.error})"
    if rounding == "near" or result.exact:
        return f"{result.ref}*1.0" if scalar else result.ref
    # The factor makes up for the bound being of first order, and for the roundings here.
    if not isinstance(result.error, str):
        factor: str = repr(1.0 + 1.001 * result.error + 4 * ROUND)
    else:
        factor = f"(1.0 + (1.001*{result.error} + {4 * ROUND!r}))"
    return f"{result.ref}*{factor}" if result.sign > 0 else f"({result.ref} + absolute({result.ref})*({factor} - 1.0))"


def _folded(tree: Node, result: Value) -> Node | None:
    """The tree with the rounding upwards in a number that multiplies the whole, which costs nothing; None where there is none."""
    if isinstance(result.error, str) or result.sign <= 0:
        return None
    match tree:
        case Number(value) if value is not None and value > 0:
            raised = math.nextafter(float(value) * (1.0 + 1.001 * result.error + 4 * ROUND), math.inf)
            return Number(Fraction(raised))
        case Product(left, right):
            first = _folded(left, result)
            if first is not None:
                return Product(first, right)
            second = _folded(right, result)
            return None if second is None else Product(left, second)
        case Quotient(left, right):
            first = _folded(left, result)
            return None if first is None else Quotient(first, right)
    return None


def _safe(function: Callable[..., Any]) -> Callable[..., Any]:
    def value(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (ArithmeticError, ValueError):
            return None

    return value


def array(
    tree: Node, parameters: Sequence[str], defaults: Mapping[str, float], rounding: Rounding, precision: Precision | None = None
) -> tuple[Callable[..., tuple[Any, Any, Any]], bool]:
    """A function of arrays (or numbers) in this order that broadcast, and of an array for the values (or None): rounded values,
    error bound, mask of bad points or None; and whether no point is ever bad.

    The error bound is one number for all points, or with a ``precision`` one for each; inputs are then in that precision.

    Raises:
        UnsupportedError: when the expression has a part that this way does not know.
    """
    from bounds.numeric.arrays import ARRAY, POINTWISE

    code = Code(array=True, precision=precision or DOUBLE)
    refs = {name: f"p{index}" for index, name in enumerate(parameters)}
    arrays = {name: input_entries(name, ref) for name, ref in refs.items() if rank_of(name)}
    result = Lowering(code, _inputs(refs, defaults), arrays).value(tree)
    folded = _folded(tree, result) if rounding == "up" else None
    if folded is not None:
        code = Code(array=True, precision=precision or DOUBLE)
        result = Lowering(code, _inputs(refs, defaults), arrays).value(folded)
        rounding = "near"
    code.into(_rounded(result, rounding, scalar=False), "out")
    code.do(f"return out, {result.error}, {result.bad}")
    made = code.function("values", [*refs.values(), "out"], ARRAY if precision is None else POINTWISE)
    # Without a mask every operation is on numbers that cannot overflow, and no value is ever missing.
    return made, result.bad is None and not code.singular


__all__ = ["Rounding", "array", "scalar"]

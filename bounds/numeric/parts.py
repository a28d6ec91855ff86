"""Lowering of the parts that run over something: sums over the entries of an array, and least values over integers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bounds.expression.tree import Call, Least, Name, Node, Number, Product, Quotient, Reduce, Sum, names
from bounds.numeric.code import CLOSE, Entries, UnsupportedError, Value

if TYPE_CHECKING:
    from bounds.numeric.lowering import Lowering

_MOST_PLACE = 12.0


def entries_of(lowering: Lowering, node: Node) -> Entries:
    """The array that a node names."""
    if isinstance(node, Name) and node.name in lowering.arrays:
        return lowering.arrays[node.name]
    if isinstance(node, Call) and node.function == "tail":
        whole = entries_of(lowering, node.arguments[0])
        rows = "[..., 1:]" if whole.rank == 1 else "[..., 1:, :]"
        # The one eigenvalue that rounding may lift above 1 is the first.
        entry = replace(whole.entry, high=0.0) if whole.entry.high <= CLOSE else whole.entry
        return replace(whole, ref=lowering.code.let(f"{whole.ref}{rows}"), entry=entry)
    raise UnsupportedError("an array that is not a name")


def array_size(lowering: Lowering, node: Node) -> Value:
    """The number of entries."""
    array = entries_of(lowering, node)
    if array.rank > 1 or not lowering.code.array:
        raise UnsupportedError("size")
    return Value(lowering.code.let(f"entries({array.ref})"), low=0.0, high=6.0, whole=True, least=1.0)


def array_element(lowering: Lowering, node: Node, index: Node) -> Value:
    """The k-th entry, counted from 1."""
    array = entries_of(lowering, node)
    if array.rank > 1 or not lowering.code.array or not isinstance(index, Number) or index.value is None:
        raise UnsupportedError("element")
    return replace(array.entry, ref=lowering.code.let(f"{array.ref}[..., {int(index.value) - 1}]"))


def reduced(lowering: Lowering, node: Reduce) -> Value:
    """A sum, a largest or a smallest value over the entries of arrays, vectorised along a last axis."""
    code = lowering.code
    if not code.array:
        raise UnsupportedError(node.function)
    arrays = [entries_of(lowering, array) for array in node.arrays]
    body = _inner(lowering, node, arrays).value(node.body)
    outer = [lowering.inputs[name].bad for name in sorted(names(node.body) - set(node.variables)) if name in lowering.inputs]
    inside = None if body.bad is None else code.let(f"anywhere({body.bad})", "b")
    # What the rows of a matrix run along is its first column.
    refs = ", ".join(array.ref if array.rank == 1 else code.let(f"{array.ref}[..., 0]") for array in arrays)
    ref = code.let(f"{node.function}({body.ref}, {refs})")
    body = replace(body, error=code.let(f"worst({body.error})", "e") if isinstance(body.error, str) else body.error)
    value = Value(ref, body.error, body.sign, body.low, body.high, body.zero, bad=code.bad(inside, *outer))
    return value if node.function != "total" else _summed(lowering, value, body, refs)


def _inner(lowering: Lowering, node: Reduce, arrays: list[Entries]) -> Lowering:
    """A lowering in which the variables of ``node`` are entries, and everything else has one axis more."""
    from bounds.numeric.lowering import Lowering as Inner

    code = lowering.code
    inputs = {
        name: replace(value, ref=code.let(f"expand({value.ref})"), bad=None)
        for name, value in lowering.inputs.items()
        if name in names(node.body)
    }
    inner = dict(lowering.arrays)
    for variable, array in zip(node.variables, arrays, strict=True):
        if array.rank > 1:
            inner[variable] = replace(array, rank=array.rank - 1)
        else:
            inputs[variable] = replace(array.entry, ref=array.ref)
    return Inner(code, inputs, inner)


def _summed(lowering: Lowering, value: Value, body: Value, refs: str) -> Value:
    code = lowering.code
    count = code.let(f"roundings({refs})", "s")
    widened = replace(value, high=body.high + 6.0)
    if body.sign != 0:
        return code.ranged(replace(widened, error=code.error(0.0, (1.0, body.error), (count, code.precision.round))))
    ratio = code.let(f"total(absolute({body.ref}), {refs})/absolute({value.ref})")
    factor, checked = code.within(Value(ratio, bad=widened.bad), code.precision.amplification)
    widened = replace(widened, bad=checked.bad)
    return code.ranged(
        replace(widened, error=code.error(0.0, (factor, code.error(0.0, (1.0, body.error), (count, code.precision.round)))), zero=False)
    )


def minimised(lowering: Lowering, node: Least) -> Value:
    """The least value over integers, where the body is a rising multiple of the variable plus a falling rest."""
    from bounds.numeric.lowering import Lowering as Inner

    code = lowering.code
    rising, falling = _split(node)
    slope = lowering.value(rising)
    low, high = lowering.value(node.low), lowering.value(node.high)
    if not (low.whole and high.whole and slope.sign > 0):
        raise UnsupportedError("least over something else than integers, or without a rising part")
    for part in _constant_parts(node.body, node.variable):
        lowering.value(part)
    body = f"body{code.fresh()}"
    with code.block(f"def {body}(t):"):
        place = Value("t", low=0.0, high=_MOST_PLACE, zero=True, whole=True, least=0.0)
        inner = Inner(code, lowering.inputs | {node.variable: place}, lowering.arrays)
        inner.known = dict(lowering.known)
        rest, whole = inner.value(falling), inner.value(node.body)
        code.do(f"return {rest.ref}, {whole.ref}, {whole.error}" + (f", {whole.bad}" if code.array else ""))
    names_ = sorted({lowering.inputs[name].ref for name in names(node) if name in lowering.inputs})
    shapes = f", ({', '.join(names_)},)" if code.array else ""
    found = f"f{code.fresh()}"
    code.do(f"{found} = least({body}, {slope.ref}, {low.ref}, {high.ref}{shapes})")
    if not code.array:
        code.do(f"if {found} is None: return None")
    bad = code.bad(code.let(f"{found}[2]", "b"), slope.bad) if code.array else None
    return Value(code.let(f"{found}[0]"), code.let(f"{found}[1]", "e"), whole.sign, whole.low, whole.high, whole.zero, bad=bad)


def _constant_parts(node: Node, variable: str) -> list[Node]:
    """The largest sub-expressions without the variable: computed once, outside the search."""
    if variable not in names(node):
        return [] if isinstance(node, Number) else [node]
    return [part for child in node.children() for part in _constant_parts(child, variable)]


def _split(node: Least) -> tuple[Node, Node]:
    """(slope of the terms that are linear in the variable, the rest)."""
    linear: list[Node] = []
    rest: list[Node] = []
    for term in _terms(node.body):
        (linear if _is_linear(term, node.variable) else rest).append(term)
    if not linear or not rest:
        raise UnsupportedError("least of a body without a linear part and another one")
    slope = _joined([_with_one(term, node.variable) for term in linear])
    return slope, _joined(rest)


def _terms(node: Node) -> list[Node]:
    return [*_terms(node.left), *_terms(node.right)] if isinstance(node, Sum) else [node]


def _joined(terms: list[Node]) -> Node:
    total = terms[0]
    for term in terms[1:]:
        total = Sum(total, term)
    return total


def _is_linear(node: Node, variable: str) -> bool:
    match node:
        case Name(name):
            return name == variable
        case Product(left, right):
            inside = [part for part in (left, right) if variable in names(part)]
            return len(inside) == 1 and _is_linear(inside[0], variable)
        case Quotient(left, right):
            return variable not in names(right) and _is_linear(left, variable)
    return False


def _with_one(node: Node, variable: str) -> Node:
    match node:
        case Name(name) if name == variable:
            return Number(Fraction(1))
        case Product(left, right):
            return Product(_with_one(left, variable), _with_one(right, variable))
        case Quotient(left, right):
            return Quotient(_with_one(left, variable), right)
    return node

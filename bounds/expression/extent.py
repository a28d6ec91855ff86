"""How large an expression is once its definitions are put in, so that none can take for ever to evaluate or to print.

Small text can mean very much: ``9**9**9**9``, or forty definitions that each use the one before twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum

_MAX_NODES = 20_000
_MAX_DEPTH = 150
_MAX_LOOPS = 3
#: Of an exact constant, which computer algebra writes out: (10001/10000)**(10**9) is near e^100000 but has 10^10 digits.
_MAX_BITS = 1 << 15
#: Of the size of a constant, which stands in an exponent next.
_MAX_MAGNITUDE = 1 << 12
_MAX_GROWTH = 10_000
_MAX_PLACE = 16
_WORK_BITS = 64
_SMALL = frozenset({"min", "max", "ceil", "size"})


@dataclass(frozen=True, slots=True)
class Extent:
    """Size of a tree: ``bits`` is what its exact coefficients take at most, ``loops`` how deep its loops nest."""

    nodes: int
    depth: int
    bits: int
    loops: int
    constant: bool
    minimised: bool


class Ruler:
    """Measures trees, each shared part once."""

    def __init__(self) -> None:
        # The tree is kept beside its extent, so that its id stays its own.
        self._known: dict[int, tuple[Node, Extent]] = {}

    def measure(self, tree: Node) -> Extent:
        """The extent of a tree; parts measured before are not measured again."""
        if id(tree) not in self._known:
            self._known[id(tree)] = (tree, self._fresh(tree))
        return self._known[id(tree)][1]

    def _fresh(self, tree: Node) -> Extent:
        parts = [self.measure(child) for child in tree.children()]
        constant = not (isinstance(tree, Name) or tree == Number(None)) and all(part.constant for part in parts)
        return Extent(
            nodes=1 + sum(part.nodes for part in parts),
            depth=1 + max((part.depth for part in parts), default=0),
            bits=self._bits(tree, parts, constant),
            loops=isinstance(tree, Reduce | Least) + max((part.loops for part in parts), default=0),
            constant=constant,
            minimised=isinstance(tree, Least) or any(part.minimised for part in parts),
        )

    def _bits(self, tree: Node, parts: list[Extent], constant: bool) -> int:
        match tree:
            case Number(value) if value is not None:
                return max(abs(value.numerator), value.denominator).bit_length() - 1
            case Sum():
                return sum(part.bits for part in parts) + constant
            case Product() | Quotient():
                return sum(part.bits for part in parts)
            case Power(_, exponent) | Call("geometric", (_, exponent)) if parts[1].constant:
                return parts[0].bits * self._whole(exponent)
        return max((part.bits for part in parts), default=0)

    def _whole(self, exponent: Node) -> int:
        """The size of a constant exponent, rounded up, and where it is beyond all limits just that."""
        plain = _plain(exponent)
        if plain is not None:
            return min(math.ceil(plain), _MAX_BITS + 1)
        size = _size(exponent)
        return int(float(size.upper())) + 1 if size < _MAX_BITS else _MAX_BITS + 1

    def excess(self, tree: Node) -> str:
        """What is too large about a tree whose parts are not; empty when nothing is."""
        extent = self.measure(tree)
        if extent.nodes > _MAX_NODES:
            return f"more than {_MAX_NODES} operations with all definitions put in"
        if extent.depth > _MAX_DEPTH:
            return f"nesting deeper than {_MAX_DEPTH} with all definitions put in"
        if extent.loops > _MAX_LOOPS:
            return f"more than {_MAX_LOOPS} of total, largest, smallest and least inside each other"
        if extent.bits > _MAX_BITS:
            return f"an exact constant of more than {_MAX_BITS} bits"
        return self._excess_of_places(tree) or self._excess_of_constants(tree, extent)

    def _excess_of_places(self, tree: Node) -> str:
        """A place in a range or an array is looked up as an integer, which must be one that fits into memory."""
        if isinstance(tree, Least) and self.measure(tree.body).minimised:
            return "a least inside a least"
        places = (tree.low, tree.high) if isinstance(tree, Least) else tree.children()[1:] if _is_element(tree) else ()
        if all(self._is_small(place) for place in places):
            return ""
        return f"a place that is not made of at most {_MAX_PLACE} numbers, symbols, +, -, *, /, min, max, ceil and size"

    def _is_small(self, tree: Node) -> bool:
        allowed = isinstance(tree, Number | Name | Sum | Product | Quotient) or (isinstance(tree, Call) and tree.function in _SMALL)
        return allowed and self.measure(tree).nodes <= 2 * _MAX_PLACE and all(map(self._is_small, tree.children()))

    def _excess_of_constants(self, tree: Node, extent: Extent) -> str:
        if isinstance(tree, Call) and tree.function == "growth":
            known = [part for part in tree.arguments if self.measure(part).constant]
            return "" if all(_at_most(part, _MAX_GROWTH) for part in known) else f"a constant beyond {_MAX_GROWTH} in growth"
        if not extent.constant or not isinstance(tree, Quotient | Power | Call):
            return ""
        return "" if _at_most(tree, 2**_MAX_MAGNITUDE) else f"a constant that is no number, or one beyond 2**{_MAX_MAGNITUDE}"


def _plain(tree: Node) -> Fraction | None:
    """The size of a number, of minus a number, or of a ratio of two, which need no Arb (whose import takes a while)."""
    match tree:
        case Number(value) if value is not None:
            return abs(value)
        case Product(Number(first), Number(second)) if first is not None and second is not None:
            return abs(first * second)
        case Quotient(Number(first), Number(second)) if first is not None and second:
            return abs(first / second)
    return None


def _size(tree: Node) -> Any:
    """An enclosure of the size of any other constant."""
    from bounds.expression.balls import ball_at

    return abs(ball_at(tree, {}, _WORK_BITS))


def _at_most(tree: Node, most: int) -> bool:
    plain = _plain(tree)
    return plain <= most if plain is not None else bool(_size(tree) <= most)


def _is_element(tree: Node) -> bool:
    return isinstance(tree, Call) and tree.function == "element"

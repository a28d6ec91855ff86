"""Trees in which equal parts are one object: building, replacing and writing out, for the checker alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.symbols import REGISTRY

Swap = Callable[[Node], Node | None]
#: Terms or factors by the node's id: (node, number); None stands for the constant term.
Parts = dict[int | None, tuple[Node | None, Fraction]]


def value_of(node: Any) -> Fraction | None:
    """The number of a finite number's node."""
    return node.value if isinstance(node, Number) else None


def counts(node: Node) -> bool:
    """Whether the node is surely a whole number >= 0."""
    match node:
        case Number(value):
            return value is not None and value.denominator == 1 and value >= 0
        case Name(name):
            domain = REGISTRY[name].domain if name in REGISTRY else None
            return domain is not None and domain.rank == 0 and domain.integer and domain.low >= 0
        case Sum(left, right) | Product(left, right):
            return counts(left) and counts(right)
    return False


class Trees:
    """Builds trees; two that are equal are the same object."""

    def __init__(self) -> None:
        self._known: dict[Any, Node] = {}
        self._names: dict[int, frozenset[str]] = {}
        self.memo: dict[str, Any] = {"nodes": {}, "plans": {}, "monomials": {}, "places": frozenset()}

    def make(self, kind: type[Node], *fields: Any) -> Node:
        """The node of this kind with these fields, or what it plainly equals."""
        simple = self._plainly(kind, *fields)
        if simple is not None:
            return simple
        key = (kind, *(tuple(map(id, f)) if isinstance(f, tuple) and f and isinstance(f[0], Node) else _key(f) for f in fields))
        return self._known.setdefault(key, kind(*fields))

    def number(self, value: Fraction | int | None) -> Node:
        """A number."""
        return self.make(Number, None if value is None else Fraction(value))

    def name(self, name: str) -> Node:
        """A name."""
        return self.make(Name, name)

    def minus(self, left: Node, right: Node) -> Node:
        """left - right."""
        return self.make(Sum, left, self.make(Product, self.number(-1), right))

    def _plainly(self, kind: type[Node], *given: Any) -> Node | None:
        fields: tuple[Any, ...] = given
        a, b = (value_of(field) for field in (*fields, None)[:2])
        if kind is Sum:
            if a == 0 or b == 0:
                other: Node = fields[1] if a == 0 else fields[0]
                return other
            opposite = isinstance(fields[1], Product) and value_of(fields[1].left) == -1 and fields[1].right is fields[0]
            return self.number(0) if opposite else self.number(a + b) if a is not None and b is not None else None
        if kind is Product:
            if a == 1 or b == 1:
                rest: Node = fields[1] if a == 1 else fields[0]
                return rest
            return self.number(0) if _zero(a, fields[1]) or _zero(b, fields[0]) else self._folded(a, b)
        if kind is Quotient:
            return fields[0] if b == 1 or (a == 0 and b != 0) else None
        if kind is Power:
            return self._plain_power(fields[0], fields[1], a, b)
        if kind is Call and fields[0] in ("min", "max", "growth") and fields[1][-1] is fields[1][-2]:
            return self.number(1) if fields[0] == "growth" else fields[1][0]
        return None

    def _folded(self, a: Fraction | None, b: Fraction | None) -> Node | None:
        return self.number(a * b) if a is not None and b is not None else None

    def _plain_power(self, base: Node, exponent: Node, a: Fraction | None, b: Fraction | None) -> Node | None:
        if b == 1 or a == 1 or (a == 0 and (_above_zero(exponent) or (b is not None and b > 0))):
            return base
        match exponent:
            case Product(Number(times), Name() as count) if times and times > 0 and times.denominator == 1 and counts(count):
                return self.make(Power, self.make(Power, base, count), self.number(times))
        return None

    # looking and replacing ----------------------------------------------------------------------

    def names(self, node: Node) -> frozenset[str]:
        """The free names."""
        found = self._names.get(id(node))
        if found is None:
            found = self._names[id(node)] = frozenset((node.name,)) if isinstance(node, Name) else self._inner_names(node)
        return found

    def _inner_names(self, node: Node) -> frozenset[str]:
        own = (
            frozenset((node.variable,))
            if isinstance(node, Least)
            else frozenset(node.variables)
            if isinstance(node, Reduce)
            else frozenset()
        )
        *outside, body = node.children() or (None,)
        if body is None:
            return frozenset()
        return frozenset().union(*map(self.names, outside)) | (self.names(body) - own)

    def walk(self, node: Node) -> Iterator[Node]:
        """Every part once."""
        seen, pending = set(), [node]
        while pending:
            part = pending.pop()
            if id(part) not in seen:
                seen.add(id(part))
                yield part
                pending += part.children()

    def replaced(self, node: Node, swap: Swap, done: dict[int, Node] | None = None) -> Node:
        """The node with every part for which ``swap`` gives another one replaced, the largest parts first."""
        done = {} if done is None else done
        if id(node) not in done:
            by = swap(node)
            done[id(node)] = by if by is not None else self.over(node, lambda part: self.replaced(part, swap, done))
        return done[id(node)]

    def over(self, node: Node, inner: Callable[[Node], Node]) -> Node:
        """The node with something done to each of its direct parts, in order."""
        match node:
            case Sum(left, right) | Product(left, right) | Quotient(left, right) | Power(left, right):
                return self.make(type(node), inner(left), inner(right))
            case Call(function, arguments):
                return self.make(Call, function, tuple(map(inner, arguments)))
            case Least(variable, low, high, body):
                return self.make(Least, variable, inner(low), inner(high), inner(body))
            case Reduce(function, variables, arrays, body):
                return self.make(Reduce, function, variables, tuple(map(inner, arrays)), inner(body))
            case Number(value):
                return self.make(Number, value)
        assert isinstance(node, Name)
        return self.name(node.name)

    def put(self, node: Node, by: Mapping[str, Node]) -> Node:
        """The node with free names replaced."""
        return self.replaced(
            node, lambda part: by.get(part.name) if isinstance(part, Name) else None if self.names(part) & by.keys() else part
        )

    def taken(self, node: Node) -> Node:
        """A foreign tree among these."""
        return self.replaced(node, lambda _: None)

    # arrays -------------------------------------------------------------------------------------

    def with_array(self, node: Node, array: str, entries: Sequence[float]) -> Node:
        """The node with every sum or extreme over a known array written out."""

        def swap(part: Node) -> Node | None:
            if isinstance(part, Call) and part.function == "size" and part.arguments == (Name(array),):
                return self.number(len(entries))
            return self._written(part, array, entries) if isinstance(part, Reduce) else None

        return self.replaced(node, swap)

    def _written(self, part: Reduce, array: str, entries: Sequence[float]) -> Node | None:
        pairs = list(zip(part.variables, part.arrays, strict=True))
        known = {variable: entries[_tails(over) :] for variable, over in pairs if origin(over) == array}
        if not known:
            return None
        terms = []
        for place in range(max(map(len, known.values()))):
            by = {variable: self.number(Fraction(values[place % len(values)])) for variable, values in known.items()}
            by |= {variable: self.name(f"{variable}@{place}@{origin(over)}") for variable, over in pairs if variable not in known}
            terms.append(self.with_array(self.put(part.body, by), array, entries))
        if part.function != "total":
            result = terms[0]
            for term in terms[1:]:
                result = self.make(Call, "max" if part.function == "largest" else "min", (result, term))
            return result
        result = self.number(0)
        for term in {id(term): term for term in terms}.values():
            count = sum(other is term for other in terms)
            result = self.make(Sum, result, self.make(Product, self.number(count), term))
        return result

    # sums and products --------------------------------------------------------------------------

    def terms(self, node: Node) -> Parts:
        """The terms of a sum with their numeric coefficients, in order."""
        found: Parts = {}
        _terms(node, Fraction(1), found)
        return {key: term for key, term in found.items() if term[1]}

    def summed(self, parts: Parts) -> Node:
        """The sum of terms."""
        result = self.number(0)
        for part, share in parts.values():
            result = self.make(Sum, result, self.number(share) if part is None else self.make(Product, self.number(share), part))
        return result

    def gap(self, left: Node, right: Node) -> Node:
        """left - right without the terms that cancel."""
        return self.summed(self.terms(self.minus(left, right)))

    def factors(self, node: Node) -> tuple[Fraction, Parts]:
        """(number, factors with whole exponents), in order."""
        found: Parts = {}
        share = _factors(node, 1, found)
        return share, {key: factor for key, factor in found.items() if factor[1]}

    def multiplied(self, share: Fraction, parts: Parts) -> Node:
        """The product of a number and powers."""
        result = self.number(share)
        for part, exponent in parts.values():
            result = self.make(Product, result, self.make(Power, part, self.number(exponent)))
        return result


def _key(field: Any) -> Any:
    return id(field) if isinstance(field, Node) else field


def _above_zero(node: Node) -> bool:
    domain = REGISTRY[node.name].domain if isinstance(node, Name) and node.name in REGISTRY else None
    return domain is not None and domain.rank == 0 and domain.integer and domain.low >= 1


def _zero(value: Fraction | None, other: Node) -> bool:
    return value == 0 and not (isinstance(other, Number) and other.value is None)


def _put(parts: Parts, node: Node | None, share: Fraction) -> None:
    key = None if node is None else id(node)
    parts[key] = (node, share + parts.get(key, (None, Fraction(0)))[1])


def _terms(node: Node, share: Fraction, found: Parts) -> None:
    match node:
        case Number(value) if value is not None:
            _put(found, None, share * value)
        case Sum(left, right):
            _terms(left, share, found)
            _terms(right, share, found)
        case Product(Number(value), rest) | Product(rest, Number(value)) if value is not None:
            _terms(rest, share * value, found)
        case Quotient(rest, Number(value)) if value:
            _terms(rest, share / value, found)
        case _:
            _put(found, node, share)


def _factors(node: Node, exponent: int, found: Parts) -> Fraction:
    match node:
        case Number(value) if value:
            return value**exponent
        case Product(left, right):
            return _factors(left, exponent, found) * _factors(right, exponent, found)
        case Quotient(left, right):
            return _factors(left, exponent, found) * _factors(right, -exponent, found)
        case Power(base, Number(value)) if value is not None and value.denominator == 1:
            return _factors(base, exponent * int(value), found)
    _put(found, node, Fraction(exponent))
    return Fraction(1)


def _tails(array: Node) -> int:
    return 1 + _tails(array.arguments[0]) if isinstance(array, Call) else 0


def origin(array: Node) -> str:
    """The parameter that an array, its tail or a row of it comes from."""
    while isinstance(array, Call):
        array = array.arguments[0]
    assert isinstance(array, Name)
    return array.name.rpartition("@")[2]

"""Trees as graphs in which equal sub-trees are one object, so that work on a sub-tree is done once and sharing can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.symbols import REGISTRY, rank_of

_ONE, _ZERO = Fraction(1), Fraction(0)
_MOST_COPIES = 64


class Graph:
    """Builds nodes that are identical when they are equal; ``names`` tells what occurs free in one."""

    def __init__(self) -> None:
        self._nodes: dict[Any, Node] = {}
        self._names: dict[int, frozenset[str]] = {}
        self._binders: dict[str, int] = {}
        self.plans: dict[Any, Any] = {}

    def make(self, kind: type[Node], *fields: Any) -> Node:
        """The one node of this kind with these fields (children must be nodes of this graph), lightly simplified."""
        simple: Node | None = self._simpler(kind, fields)
        if simple is not None:
            return simple
        key = (kind, *(_key(field) for field in fields))
        if key not in self._nodes:
            self._nodes[key] = kind(*fields)
        return self._nodes[key]

    def number(self, value: Fraction | int | None) -> Node:
        """A number's node."""
        return self.make(Number, None if value is None else Fraction(value))

    def name(self, name: str) -> Node:
        """A name's node."""
        return self.make(Name, name)

    def product(self, factors: Sequence[Node]) -> Node:
        """The product of the factors; 1 when there is none."""
        result = self.number(1)
        for factor in factors:
            result = self.make(Product, result, factor)
        return result

    def minus(self, left: Node, right: Node) -> Node:
        """left - right."""
        return self.make(Sum, left, self.make(Product, self.number(-1), right))

    def names(self, node: Node) -> frozenset[str]:
        """The names that occur free in the node."""
        found = self._names.get(id(node))
        if found is None:
            found = self._names[id(node)] = self._fresh_names(node)
        return found

    def _fresh_names(self, node: Node) -> frozenset[str]:
        match node:
            case Name(name):
                # A row of an array, written out, moves when the array does.
                return frozenset((name, name.rpartition("@")[2]))
            case Least(variable, low, high, body):
                return self.names(low) | self.names(high) | (self.names(body) - {variable})
            case Reduce(_, variables, arrays, body):
                return frozenset().union(*map(self.names, arrays)) | (self.names(body) - set(variables))
        return frozenset().union(*map(self.names, node.children()))

    def rebuilt(self, node: Node, swap: Callable[[Node], Node | None], memo: dict[int, Node] | None = None) -> Node:
        """The node with every sub-tree for which ``swap`` gives one replaced by it, from the top down."""
        memo = {} if memo is None else memo
        if id(node) not in memo:
            by = swap(node)
            memo[id(node)] = by if by is not None else self.over(node, lambda part: self.rebuilt(part, swap, memo))
        return memo[id(node)]

    def replaced(self, node: Node, by: Mapping[int, Node]) -> Node:
        """The node with the sub-trees of these ids replaced."""
        return self.rebuilt(node, lambda part: by.get(id(part)))

    def over(self, node: Node, inner: Callable[[Node], Node]) -> Node:
        """The node with ``inner`` applied to its direct sub-trees."""
        match node:
            case Sum(left, right) | Product(left, right) | Quotient(left, right) | Power(left, right):
                return self.make(type(node), inner(left), inner(right))
            case Call(function, arguments):
                return self.make(Call, function, tuple(map(inner, arguments)))
            case Least(variable, low, high, body):
                return self.make(Least, variable, inner(low), inner(high), inner(body))
            case Reduce(function, variables, arrays, body):
                return self.make(Reduce, function, variables, tuple(map(inner, arrays)), inner(body))
        return self.make(type(node), *([node.value] if isinstance(node, Number) else [node.name] if isinstance(node, Name) else []))

    def substituted(self, node: Node, by: Mapping[str, Node]) -> Node:
        """The node with free names replaced by nodes."""

        def swap(part: Node) -> Node | None:
            if isinstance(part, Name):
                return by.get(part.name)
            return None if self.names(part) & by.keys() else part

        return self.rebuilt(node, swap)

    def added(self, node: Node) -> Node:
        """A foreign tree as a node of this graph."""
        return self.rebuilt(node, lambda _: None)

    def separated(self, node: Node) -> Node:
        """A foreign tree as a node of this graph in which one name is bound to one array only, and never within itself."""
        return self._separated(node, {})

    def _separated(self, node: Node, names: dict[str, str]) -> Node:
        def inner(part: Node) -> Node:
            return self._separated(part, names)

        match node:
            case Name(name):
                return self.name(names.get(name, name))
            case Least(variable, low, high, body):
                fresh = self._binder(variable, None, names, keeps=_like_symbol(variable, low))
                return self.make(Least, fresh, inner(low), inner(high), self._separated(body, {**names, variable: fresh}))
            case Reduce(function, variables, arrays, body):
                over = tuple(map(inner, arrays))
                own = {one: self._binder(one, array, names) for one, array in zip(variables, over, strict=True)}
                return self.make(Reduce, function, tuple(own.values()), over, self._separated(body, {**names, **own}))
        return self.over(node, inner)

    def _binder(self, variable: str, array: Node | None, names: Mapping[str, str], keeps: bool = False) -> str:
        name, count = variable, 0
        # What a symbol's domain says holds for its parameter, and seldom for a variable of that name.
        while (name in REGISTRY and not keeps) or self._binders.setdefault(name, id(array)) != id(array) or name in names.values():
            count += 1
            name, keeps = f"{variable}_{count}", False
        return name

    def with_arrays(self, node: Node, arrays: Mapping[str, Sequence[float]]) -> Node:
        """The node with sums over known arrays written out, entry by entry."""

        def swap(part: Node) -> Node | None:
            match part:
                case Reduce(function, variables, over, body):
                    return self._written_out(function, variables, over, body, arrays)
                case Call("size", (Name(name),)) if name in arrays:
                    return self.number(len(arrays[name]))
            return None

        return self.rebuilt(node, swap)

    def _written_out(
        self, function: str, variables: tuple[str, ...], over: tuple[Node, ...], body: Node, arrays: Mapping[str, Sequence[float]]
    ) -> Node | None:
        known = {variable: entries for variable, array in zip(variables, over, strict=True) if (entries := _entries(array, arrays))}
        if not known:
            return None
        rest = [(variable, array) for variable, array in zip(variables, over, strict=True) if variable not in known]
        length = max(map(len, known.values()))
        results = []
        for place in range(length):
            values = {variable: self.number(Fraction(entries[place % len(entries)])) for variable, entries in known.items()}
            # A row that runs alongside is a row of its own for every entry.
            values |= {variable: self.name(f"{variable}@{place}@{array_name(array)}") for variable, array in rest}
            results.append(self.with_arrays(self.substituted(body, values), arrays))
        return self._combined(function, results)

    def _combined(self, function: str, results: list[Node]) -> Node:
        if function != "total":
            result = results[0]
            for other in results[1:]:
                result = self.make(Call, "max" if function == "largest" else "min", (result, other))
            return result
        # Equal terms (zero eigenvalues, those that come in pairs) are added once.
        counts = {id(term): (term, sum(1 for other in results if other is term)) for term in results}
        result = self.number(0)
        for term, count in counts.values():
            result = self.make(Sum, result, self.make(Product, self.number(count), term))
        return result

    def walk(self, node: Node) -> Iterator[Node]:
        """Every sub-tree once, the node itself first."""
        seen: set[int] = set()
        pending = [node]
        while pending:
            part = pending.pop()
            if id(part) not in seen:
                seen.add(id(part))
                yield part
                pending.extend(part.children())

    def _simpler(self, kind: type[Node], fields: Any) -> Any:
        values = [field.value if isinstance(field, Number) else ... for field in fields]
        if kind is Sum:
            return self._simpler_sum(fields, values)
        if kind is Product:
            return self._simpler_product(fields, values)
        if kind is Quotient and values[1] == 1:
            return fields[0]
        if kind is Quotient and values[0] == 0 and values[1] != 0:
            return fields[0]
        if kind is Power:
            return self._simpler_power(fields, values)
        if kind is Call and fields[0] == "growth" and fields[1][1] is fields[1][2]:
            return self.number(1)
        if kind is Call and fields[0] in ("min", "max") and fields[1][0] is fields[1][1]:
            return fields[1][0]
        return None

    def _simpler_power(self, fields: Any, values: list[Any]) -> Any:
        if values[1] == 1 or values[0] == _ONE or (values[0] == _ZERO and _positive(fields[1])):
            return fields[0]
        match fields[1]:
            case Product(Number(times), Name(name) as count) if times is not None and times.denominator == 1 and rank_of(name) == 0:
                # b^(2 Q) is the square of b^Q: said once, the two are known to move together.
                if times > 0 and name in REGISTRY and REGISTRY[name].domain.integer:
                    return self.make(Power, self.make(Power, fields[0], count), self.number(times))
        return None

    def _simpler_sum(self, fields: Any, values: list[Any]) -> Any:
        if values[0] == 0 or values[1] == 0:
            return fields[1] if values[0] == 0 else fields[0]
        if isinstance(fields[1], Product) and fields[1].right is fields[0] and getattr(fields[1].left, "value", 0) == -1:
            return self.number(0)
        return self.number(values[0] + values[1]) if None not in values and ... not in values else None

    def _simpler_product(self, fields: Any, values: list[Any]) -> Any:
        if values[0] == 1 or values[1] == 1:
            return fields[1] if values[0] == 1 else fields[0]
        if (values[0] == 0 and values[1] is not None) or (values[1] == 0 and values[0] is not None):
            return self.number(0)
        return self.number(values[0] * values[1]) if None not in values and ... not in values else None


def _like_symbol(variable: str, low: Node) -> bool:
    """Whether a place of a least value, at least ``low``, is in the domain of the symbol of its name (if there is one)."""
    domain = REGISTRY[variable].domain if variable in REGISTRY else None
    whole = domain is not None and domain.rank == 0 and domain.integer
    return domain is not None and whole and isinstance(low, Number) and low.value is not None and low.value >= domain.low


def _key(field: Any) -> Any:
    if isinstance(field, Node):
        return id(field)
    return tuple(map(_key, field)) if isinstance(field, tuple) else field


def _positive(node: Node) -> bool:
    """Whether the exponent is surely positive: a positive number, or a symbol that is never 0 or less."""
    if isinstance(node, Name):
        domain = REGISTRY[node.name].domain if node.name in REGISTRY else None
        return domain is not None and domain.rank == 0 and domain.low >= 0 and 0 not in domain
    return isinstance(node, Number) and node.value is not None and node.value > 0


def _entries(array: Node, arrays: Mapping[str, Sequence[float]]) -> list[float]:
    if isinstance(array, Call) and array.function == "tail":
        return _entries(array.arguments[0], arrays)[1:]
    return list(arrays.get(array.name, ())) if isinstance(array, Name) else []


def array_name(array: Node) -> str:
    """The parameter that an array (or its tail, or a row of it) comes from."""
    while isinstance(array, Call):
        array = array.arguments[0]
    assert isinstance(array, Name)
    return array.name.rpartition("@")[2]

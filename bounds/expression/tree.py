"""The expression tree of a bound: frozen nodes over exact rationals, named symbols and a closed list of functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """Base of every node; nodes are values, equal when their trees are equal."""

    def children(self) -> tuple[Node, ...]:
        """The direct sub-expressions."""
        return ()


@dataclass(frozen=True, slots=True)
class Number(Node):
    """An exact rational, or infinity when ``value`` is None."""

    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A parameter of the bound."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """left + right."""

    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Product(Node):
    """left * right."""

    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Quotient(Node):
    """left / right."""

    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Power(Node):
    """base ** exponent, for a base >= 0 unless the exponent is an integer."""

    base: Node
    exponent: Node

    def children(self) -> tuple[Node, ...]:
        return (self.base, self.exponent)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """One of :data:`FUNCTIONS` applied to its arguments."""

    function: str
    arguments: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True)
class Least(Node):
    """The least value of ``body`` over the integers ``low <= variable <= high``; ``body`` is convex in the variable."""

    variable: str
    low: Node
    high: Node
    body: Node

    def children(self) -> tuple[Node, ...]:
        return (self.low, self.high, self.body)


@dataclass(frozen=True, slots=True)
class Reduce(Node):
    """``body`` over the entries of one or several arrays of equal length (or length 1), reduced to one number.

    ``function`` is one of :data:`REDUCTIONS`; ``variables[i]`` runs over the entries of ``arrays[i]``.
    """

    function: str
    variables: tuple[str, ...]
    arrays: tuple[Node, ...]
    body: Node

    def children(self) -> tuple[Node, ...]:
        return (*self.arrays, self.body)


#: Functions of the grammar with their number of arguments.
#: ``geometric(r, T)`` is sum_{s=0}^{T-1} r^s; ``growth(q, t0, T)`` is prod_{t=t0+1}^{T} (1 + q/t), continued to real
#: t0 and T - t0 by gamma functions; ``when(c, a, b)`` is a where c > 0 and b elsewhere. ``least(t, low, high, body)`` is
#: :class:`Least`. ``ceil(a)`` is the least integer >= a; ``erf`` the error function; ``pi`` is written without brackets.
FUNCTIONS: dict[str, int] = {
    "sqrt": 1,
    "exp": 1,
    "log": 1,
    "erf": 1,
    "ceil": 1,
    "min": 2,
    "max": 2,
    "geometric": 2,
    "growth": 3,
    "when": 3,
    "pi": 0,
}
#: ``total(v, a, body)`` sums ``body`` over the entries v of the array a, ``largest`` and ``smallest`` take an extreme one;
#: further pairs (``total(v, a, w, b, body)``) run alongside. The rows of an array of rank 2 are arrays.
REDUCTIONS = ("total", "largest", "smallest")
#: Functions of an array: ``size(a)`` its length, ``element(a, k)`` its k-th entry (from 1), ``tail(a)`` all but the first.
ARRAY_FUNCTIONS: dict[str, int] = {"size": 1, "element": 2, "tail": 1}


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree, the root first."""
    yield node
    for child in node.children():
        yield from walk(child)


def difference(left: Node, right: Node) -> Node:
    """left - right, without a summand that both have at the same place."""
    if isinstance(left, Sum) and isinstance(right, Sum):
        if left.right == right.right:
            return difference(left.left, right.left)
        if left.left == right.left:
            return difference(left.right, right.right)
    return Sum(left, Product(Number(Fraction(-1)), right))


def names(node: Node) -> frozenset[str]:
    """The parameter names that occur free in the tree."""
    if isinstance(node, Name):
        return frozenset((node.name,))
    if isinstance(node, Least):
        return names(node.low) | names(node.high) | (names(node.body) - {node.variable})
    if isinstance(node, Reduce):
        return frozenset().union(*map(names, node.arrays)) | (names(node.body) - set(node.variables))
    return frozenset().union(*map(names, node.children()))

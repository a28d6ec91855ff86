"""The elasticity d log f / d log p of a tree as a tree, built factor by factor and never expanded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from bounds.certificates.graph import Graph
from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Sum


class NoElasticityError(Exception):
    """The grammar has no words for the derivative of this node."""


class Elasticity:
    """Elasticities of nodes in the names ``moving`` (all at the same relative speed).

    ``nonnegative`` says of a node whether it surely is; a logarithm is taken apart only where all factors are.
    """

    def __init__(self, graph: Graph, moving: frozenset[str], nonnegative: Callable[[Node], bool]) -> None:
        self.graph, self.moving, self.nonnegative = graph, moving, nonnegative
        self._known: dict[int, Node] = {}

    def of(self, node: Node) -> Node:
        """The elasticity of a node.

        Raises:
            NoElasticityError: for functions without one in the grammar (growth, min, max, sums over arrays, ...).
        """
        if not self.graph.names(node) & self.moving:
            return self.graph.number(0)
        if id(node) not in self._known:
            self._known[id(node)] = self._fresh(node)
        return self._known[id(node)]

    def rate(self, node: Node) -> Node:
        """p df/dp."""
        return self.graph.make(Product, node, self.of(node))

    def slope(self, node: Node) -> Node:
        """p df/dp without a division by the node, which may be 0: powers of sums are not taken apart.

        Raises:
            NoElasticityError: as for :meth:`of`.
        """
        graph = self.graph
        if not self._moves(node):
            return graph.number(0)
        match node:
            case Name():
                return node
            case Sum(left, right):
                return graph.make(Sum, self.slope(left), self.slope(right))
            case Product(left, right):
                return graph.make(Sum, graph.make(Product, self.slope(left), right), graph.make(Product, left, self.slope(right)))
            case Quotient(left, right):
                over = graph.minus(self.slope(left), graph.make(Product, node, self.slope(right)))
                return graph.make(Quotient, over, right)
            case Power(base, exponent) if not self._moves(exponent):
                lower = graph.make(Power, base, graph.make(Sum, exponent, graph.number(-1)))
                return graph.make(Product, graph.make(Product, exponent, lower), self.slope(base))
            case Call("exp", (part,)):
                return graph.make(Product, node, self.slope(part))
            case Call("log", (part,)):
                return graph.make(Quotient, self.slope(part), part)
            case Call("sqrt", (part,)):
                return graph.make(Quotient, self.slope(part), graph.make(Product, graph.number(2), node))
        return self.rate(node)

    def _fresh(self, node: Node) -> Node:
        graph = self.graph
        match node:
            case Name():
                return graph.number(1)
            case Sum(left, right):
                return graph.make(Quotient, graph.make(Sum, self.rate(left), self.rate(right)), node)
            case Product(left, right):
                return graph.make(Sum, self.of(left), self.of(right))
            case Quotient(left, right):
                return graph.minus(self.of(left), self.of(right))
            case Power(base, exponent):
                if self._moves(exponent) and not self.nonnegative(base):
                    raise NoElasticityError
                moves = graph.make(Product, self.rate(exponent), self._log(base)) if self._moves(exponent) else graph.number(0)
                return graph.make(Sum, graph.make(Product, exponent, self.of(base)), moves)
            case Call(function, arguments):
                return self._call(node, function, arguments)
        raise NoElasticityError

    def _moves(self, node: Node) -> bool:
        return bool(self.graph.names(node) & self.moving)

    def _call(self, node: Node, function: str, arguments: tuple[Node, ...]) -> Node:
        graph = self.graph
        if function == "sqrt":
            return graph.make(Product, graph.number(Fraction(1, 2)), self.of(arguments[0]))
        if function == "exp":
            return self.rate(arguments[0])
        if function == "log":
            return graph.make(Quotient, self.of(arguments[0]), node)
        if function == "geometric" and not self._moves(arguments[1]):
            return graph.make(Product, self._mean_power(node, *arguments), self.of(arguments[0]))
        raise NoElasticityError

    def _mean_power(self, node: Node, ratio: Node, count: Node) -> Node:
        """(r G - T (1 - (1-r) G)) / ((1-r) G), where G is the geometric sum and 1 - (1-r) G = r^T."""
        graph = self.graph
        fade = graph.make(Product, graph.minus(graph.number(1), ratio), node)
        over = graph.minus(graph.make(Product, ratio, node), graph.make(Product, count, graph.minus(graph.number(1), fade)))
        return graph.make(Quotient, over, fade)

    def _log(self, node: Node) -> Node:
        """The logarithm of a product as a sum over its factors."""
        graph = self.graph
        signed = node.children()[:1] if isinstance(node, Power) else node.children()
        if isinstance(node, Product | Quotient | Power) and not all(map(self.nonnegative, signed)):
            return graph.make(Call, "log", (node,))
        match node:
            case Product(left, right):
                return graph.make(Sum, self._log(left), self._log(right))
            case Quotient(left, right):
                return graph.minus(self._log(left), self._log(right))
            case Power(base, exponent):
                return graph.make(Product, exponent, self._log(base))
            case Number(value) if value == 1:
                return graph.number(0)
        return graph.make(Call, "log", (node,))

    def log(self, node: Node) -> Node:
        """log of the node, over the factors of a product."""
        return self._log(node)

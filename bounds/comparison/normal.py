"""The log-linear normal form: a product as bases with exponents, where exponents are trees and equal bases have met."""

from __future__ import annotations

from fractions import Fraction

from bounds.certificates.graph import Graph
from bounds.certificates.positivity import NotPolynomialError, Polynomials, atoms_of
from bounds.expression.tree import Call, Node, Number, Power, Product, Quotient, Sum

#: Base ids to (base, exponent).
Exponents = dict[int, tuple[Node, Node]]


def log_linear(graph: Graph, over: Node, under: Node) -> Exponents:
    """Bases with exponents whose product is over/under, for bases above 0; exponents that cancel are left out."""
    found: Exponents = {}
    _gather(graph, over, graph.number(1), found)
    _gather(graph, under, graph.number(-1), found)
    return {key: (base, exponent) for key, (base, exponent) in found.items() if not _vanishes(graph, exponent)}


def _gather(graph: Graph, node: Node, exponent: Node, found: Exponents) -> None:
    match node:
        case Product(left, right):
            _gather(graph, left, exponent, found)
            _gather(graph, right, exponent, found)
        case Quotient(left, right):
            _gather(graph, left, exponent, found)
            _gather(graph, right, graph.make(Product, graph.number(-1), exponent), found)
        case Power(base, power):
            _gather(graph, base, graph.make(Product, power, exponent), found)
        case Call("sqrt", (base,)):
            _gather(graph, base, graph.make(Product, graph.number(Fraction(1, 2)), exponent), found)
        case Number(value) if value == 1:
            return
        case _:
            known = found.get(id(node))
            found[id(node)] = (node, exponent if known is None else graph.make(Sum, known[1], exponent))


def _vanishes(graph: Graph, exponent: Node) -> bool:
    """Whether the exponent is 0 as a fraction of polynomials."""
    try:
        return bool(Polynomials(graph, atoms_of([exponent]), lambda _: 1).of(exponent)[0] == 0)
    except (NotPolynomialError, ZeroDivisionError):
        return False


def logarithm(graph: Graph, exponents: Exponents) -> Node:
    """The sum of the exponents times the logarithms of their bases."""
    result: Node = graph.number(0)
    for base, exponent in exponents.values():
        result = graph.make(Sum, result, graph.make(Product, exponent, graph.make(Call, "log", (base,))))
    return result

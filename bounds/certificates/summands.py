"""Sums as lists of summands and products as powers of factors, without expanding either."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from bounds.certificates.graph import Graph
from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.symbols import REGISTRY

#: Node ids to (node, coefficient); None stands for the constant.
Terms = dict[int | None, tuple[Node | None, Fraction]]
#: Node ids to (node, exponent).
Factors = dict[int, tuple[Node, Fraction]]


def summands(node: Node) -> Terms:
    """The summands with their numeric coefficients."""
    terms: Terms = {}
    _collect(node, Fraction(1), terms)
    return {key: term for key, term in terms.items() if term[1]}


def _collect(node: Node, share: Fraction, terms: Terms) -> None:
    match node:
        case Number(value) if value is not None:
            _put(terms, None, None, share * value)
        case Sum(left, right):
            _collect(left, share, terms)
            _collect(right, share, terms)
        case Product(Number(value), rest) | Product(rest, Number(value)) if value is not None:
            _collect(rest, share * value, terms)
        case Quotient(rest, Number(value)) if value:
            _collect(rest, share / value, terms)
        case _:
            _put(terms, id(node), node, share)


def distributed(graph: Graph, node: Node, still: Callable[[Node], bool]) -> Terms:
    """The summands, with still factors multiplied into sums."""
    terms: Terms = {}
    for part, share in summands(node).values():
        for piece in _opened(graph, part, still) if part is not None else [None]:
            for inner, weight in summands(piece).values() if piece is not None else [(None, Fraction(1))]:
                _put(terms, None if inner is None else id(inner), inner, share * weight)
    return {key: term for key, term in terms.items() if term[1]}


def _opened(graph: Graph, node: Node, still: Callable[[Node], bool]) -> list[Node]:
    match node:
        case Product(factor, Sum(left, right)) | Product(Sum(left, right), factor) if still(factor):
            return [graph.make(Product, factor, side) for side in (left, right)]
    return [node]


def _put(terms: Terms, key: int | None, node: Node | None, share: Fraction) -> None:
    terms[key] = (node, share + terms.get(key, (None, Fraction(0)))[1])


def built(graph: Graph, terms: Terms) -> Node:
    """The sum of the terms."""
    result: Node = graph.number(0)
    for node, share in terms.values():
        result = graph.make(Sum, result, graph.number(share) if node is None else graph.make(Product, graph.number(share), node))
    return result


def difference(graph: Graph, left: Node, right: Node) -> Node:
    """left - right without the summands that cancel."""
    terms = summands(left)
    for key, (node, share) in summands(right).items():
        _put(terms, key, node, -share)
    return built(graph, {key: term for key, term in terms.items() if term[1]})


def is_whole(graph: Graph, node: Node) -> bool:
    """Whether the node is surely a whole number."""
    return all(share.denominator == 1 and (part is None or _counts(part)) for part, share in summands(node).values())


def _counts(node: Node) -> bool:
    match node:
        case Name(name):
            return name in REGISTRY and REGISTRY[name].domain.rank == 0 and REGISTRY[name].domain.integer
        case Product(left, right):
            return _counts(left) and _counts(right)
        case Call("ceil" | "size"):
            return True
    return False


def factors(node: Node) -> tuple[Fraction, Factors]:
    """(number, factors with exponents) whose product is the node, for factors that are not negative."""
    found: Factors = {}
    number = _gather(node, Fraction(1), found)
    return number, {key: factor for key, factor in found.items() if factor[1]}


def _gather(node: Node, exponent: Fraction, found: Factors) -> Fraction:
    # (x^2)^(1/2) is not x where x is negative, and (x y)^(1/2) has no factors where both are.
    split = exponent.denominator == 1 or all(map(never_negative, node.children()))
    match node:
        case Number(value) if value and exponent.denominator == 1:
            return Fraction(value ** int(exponent))
        case Product(left, right) if split:
            return _gather(left, exponent, found) * _gather(right, exponent, found)
        case Quotient(left, right) if split:
            return _gather(left, exponent, found) * _gather(right, -exponent, found)
        case Power(base, Number(value)) if value is not None and (split or never_negative(base)):
            return _gather(base, exponent * value, found)
    found[id(node)] = (node, exponent + found.get(id(node), (None, Fraction(0)))[1])
    return Fraction(1)


def never_negative(node: Node) -> bool:
    """Whether the node cannot be negative, as far as its form and the domains of its symbols tell."""
    match node:
        case Number(value):
            return value is None or value >= 0
        case Name(name):
            return name in REGISTRY and REGISTRY[name].domain.low >= 0
        case Power(base, Number(value)):
            return (value is not None and value % 2 == 0) or never_negative(base)
        case Call("sqrt" | "exp"):
            return True
        case Reduce(_, _, _, body):
            return never_negative(body)
    return isinstance(node, Sum | Product | Quotient | Power) and all(map(never_negative, node.children()))


def built_product(graph: Graph, number: Fraction, powers: Factors) -> Node:
    """The product of a number and powers."""
    result: Node = graph.number(number)
    for node, exponent in powers.values():
        result = graph.make(Product, result, graph.make(Power, node, graph.number(exponent)))
    return result

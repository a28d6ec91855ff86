"""Other forms of a tree that say the same: products distributed, factors taken out, conjugates."""

from __future__ import annotations

from collections.abc import Callable

from bounds.certificates.calculus import Scope
from bounds.certificates.conjugates import quotient
from bounds.certificates.graph import Graph
from bounds.certificates.summands import built, built_product, difference, factors, is_whole, summands
from bounds.expression.tree import Call, Least, Node, Power, Product, Quotient, Reduce, Sum


def distribution(graph: Graph, node: Node, scope: Scope) -> list[Node] | None:
    """The products that a product with one sum (or total) among its factors is the sum (or total) of."""
    number, powers = factors(node)
    for key, (part, power) in powers.items():
        if power == 1 and (isinstance(part, Sum) or (isinstance(part, Reduce) and part.function == "total")) and len(powers) > 1:
            rest = built_product(graph, number, {other: factor for other, factor in powers.items() if other != key})
            if scope.still(rest) or (isinstance(part, Reduce) and graph.names(rest) & set(part.variables)):
                continue
            if isinstance(part, Reduce):
                return [graph.make(Reduce, part.function, part.variables, part.arrays, graph.make(Product, rest, part.body))]
            terms = summands(part).values()
            return [graph.make(Product, rest, built(graph, {0: (piece, share)})) for piece, share in terms]
    return None


def dropping(graph: Graph, node: Node, scope: Scope) -> list[tuple[Node, Node]]:
    """(function, product of the other factors) for the functions that move, where at least two others do."""
    number, powers = factors(node)
    moving = [key for key, (part, _) in powers.items() if not scope.still(part)]
    if len(moving) < 3:
        return []
    pieces = []
    for key in (key for key in moving if isinstance(powers[key][0], Call)):
        part, power = powers[key]
        rest = built_product(graph, number, {other: factor for other, factor in powers.items() if other != key})
        pieces.append((graph.make(Power, part, graph.number(power)), rest))
    return pieces


def peeled(graph: Graph, node: Node, holds: Callable[[Node], bool]) -> Node:
    """The node with a factor taken out of each growth(q, s, S), where S - s - 1 is a whole number and ``holds`` says it is >= 0."""
    one = graph.number(1)

    def swap(part: Node) -> Node | None:
        if not (isinstance(part, Call) and part.function == "growth"):
            # Under a variable of its own nothing is known of the ends here.
            return part if isinstance(part, Least | Reduce) else None
        rate, start, stop = part.arguments
        rest = difference(graph, difference(graph, stop, start), one)
        if None in summands(start) or not is_whole(graph, rest) or not holds(rest):
            return None
        after = graph.make(Sum, start, one)
        return graph.make(Product, graph.make(Sum, one, graph.make(Quotient, rate, after)), graph.make(Call, "growth", (rate, after, stop)))

    return graph.rebuilt(node, swap)


def conjugate(graph: Graph, node: Node) -> tuple[Node, Node, Node, Node] | None:
    """(w, sqrt(d) - a, e, d) for a node (a + sqrt(d))/e with d - a^2 = e w; None for any other."""
    match node:
        case Quotient(Sum(a, Call("sqrt", (d,)) as root), e):
            square = graph.make(Product, a, a)
            over = quotient(graph, graph.minus(d, square), e)
            return None if over is None else (over, graph.minus(root, a), e, d)
    return None

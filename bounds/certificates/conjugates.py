"""Exact division of one tree by another, as polynomials in their atoms."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from bounds.certificates.graph import Graph
from bounds.certificates.positivity import NotPolynomialError, Polynomials, atoms_of
from bounds.expression.tree import Node, Power, Product, Sum


def quotient(graph: Graph, over: Node, under: Node) -> Node | None:
    """A tree w with over = under * w, where both are polynomials and w is one with nonnegative coefficients; else None."""
    try:
        ring = Polynomials(graph, atoms_of([over, under]), lambda _: 0)
        (a, b), (c, d) = ring.of(over), ring.of(under)
    except (NotPolynomialError, ZeroDivisionError):
        return None
    whole, rest = divmod(a * d, c) if c != 0 else (a, a)
    if rest != 0 or not b.is_constant() or not d.is_constant():
        return None
    return as_tree(graph, ring, whole / (b.coeffs()[0]))


def as_tree(graph: Graph, ring: Polynomials, polynomial: Any) -> Node:
    """A polynomial as a sum of monomials."""
    result: Node = graph.number(0)
    for powers, value in zip(polynomial.monoms(), polynomial.coeffs(), strict=True):
        term: Node = graph.number(Fraction(int(value.p), int(value.q)))
        for atom, power in zip(ring.atoms, powers, strict=True):
            if power:
                term = graph.make(Product, term, graph.make(Power, atom, graph.number(int(power))))
        result = graph.make(Sum, result, term)
    return result

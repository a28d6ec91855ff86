"""The rule "conjugate": (a + sqrt(d))/e = w/(sqrt(d) - a) where d - a^2 = e w, with w a polynomial found by sympy."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from bounds.checker.positive import Algebra
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.expression.tree import Call, Node, Power, Product, Quotient, Sum


def conjugate_parts(node: Node, scope: Scope) -> tuple[Node, Node]:
    """w and sqrt(d) - a: the node is their quotient, and both are positive.

    Raises:
        UnconfirmedError: where the node has no such form, or w may be 0 (0/0 would say nothing of the node).
    """
    match node:
        case Quotient(Sum(a, Call("sqrt", (d,)) as root), e):
            trees, algebra = scope.trees, Algebra(scope)
            over = _quotient(algebra, trees.minus(d, trees.make(Product, a, a)), e)
            # e w > 0 makes the two factors of d - a^2 = (sqrt(d) + a)(sqrt(d) - a) of one sign: that of their sum, 2 sqrt(d).
            if scope.value(d).positive and scope.value(e).low > 0 and scope.value(over).low > 0:
                return over, trees.minus(root, a)
            raise UnconfirmedError("d may be negative, or e or w not positive")
    raise UnconfirmedError("the node is no (a + sqrt(d))/e")


def _quotient(algebra: Algebra, over: Node, under: Node) -> Node:
    """over/under as a sum of monomials in the atoms.

    Raises:
        UnconfirmedError: where the quotient is no polynomial.
    """
    (a, b), (c, d) = algebra.of(over), algebra.of(under)
    top, bottom = sympy.fraction(sympy.cancel(a * d / (b * c)))
    if not bottom.is_number:
        raise UnconfirmedError("d - a^2 is no multiple of e")
    trees, atoms = algebra.scope.trees, list(algebra.nodes)
    result = trees.number(0)
    for powers, share in sympy.Poly(sympy.expand(top / bottom), *atoms).terms():
        result = trees.make(Sum, result, _monomial(algebra, share, zip(atoms, powers, strict=True)))
    return result


def _monomial(algebra: Algebra, share: Any, powers: Any) -> Node:
    trees = algebra.scope.trees
    term = trees.number(Fraction(int(share.p), int(share.q)))
    for atom, power in powers:
        if power:
            term = trees.make(Product, term, trees.make(Power, algebra.nodes[atom], trees.number(power)))
    return term

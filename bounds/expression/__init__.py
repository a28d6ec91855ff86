"""Expressions of bounds: parsing, sympy and LaTeX (rigorous evaluation is in :mod:`bounds.expression.balls`, which imports Arb)."""

from bounds.errors import PrecisionError
from bounds.expression.parse import parse, parse_comparison
from bounds.expression.symbolic import to_latex, to_sympy
from bounds.expression.tree import FUNCTIONS, Name, Node, Number, names, walk

__all__ = [
    "FUNCTIONS",
    "Name",
    "Node",
    "Number",
    "PrecisionError",
    "names",
    "parse",
    "parse_comparison",
    "to_latex",
    "to_sympy",
    "walk",
]

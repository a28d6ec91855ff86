"""Expressions of bounds: parsing, rigorous evaluation, sympy and LaTeX."""

from bounds.expression.balls import PrecisionError, ball_at, enclose, exact_values, round_near, round_up
from bounds.expression.parse import parse, parse_comparison
from bounds.expression.symbolic import to_latex, to_sympy
from bounds.expression.tree import FUNCTIONS, Name, Node, Number, names, walk

__all__ = [
    "FUNCTIONS",
    "Name",
    "Node",
    "Number",
    "PrecisionError",
    "ball_at",
    "enclose",
    "exact_values",
    "names",
    "parse",
    "parse_comparison",
    "round_near",
    "round_up",
    "to_latex",
    "to_sympy",
    "walk",
]

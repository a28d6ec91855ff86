"""Expression trees as sympy expressions and LaTeX; the only module of ``bounds`` that imports sympy, and only when called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Sum
from bounds.symbols import REGISTRY

if TYPE_CHECKING:
    import sympy


def _call(function: str, arguments: list[Any]) -> Any:
    import sympy

    if function == "geometric":
        ratio, count = arguments
        return (1 - ratio**count) / (1 - ratio)
    if function == "when":
        condition, positive, other = arguments
        return sympy.Piecewise((positive, condition > 0), (other, True))
    table = {"sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log, "min": sympy.Min, "max": sympy.Max}
    return table[function](*arguments)


def to_sympy(node: Node) -> sympy.Expr:
    """The tree as a sympy expression; every symbol is declared positive, integers as integers."""
    import sympy

    match node:
        case Number(None):
            return sympy.oo
        case Number(value):
            assert value is not None
            return sympy.Rational(value.numerator, value.denominator)
        case Name(name):
            domain = REGISTRY[name].domain if name in REGISTRY else None
            integer = True if domain is not None and domain.integer else None
            return sympy.Symbol(name, positive=True, integer=integer)
        case Sum(left, right):
            return to_sympy(left) + to_sympy(right)
        case Product(left, right):
            return to_sympy(left) * to_sympy(right)
        case Quotient(left, right):
            return to_sympy(left) / to_sympy(right)
        case Power(base, exponent):
            return to_sympy(base) ** to_sympy(exponent)
        case Call(function, arguments):
            return _call(function, [to_sympy(argument) for argument in arguments])
    raise TypeError(f"got {type(node).__name__}; an expression is built from the nodes of bounds.expression.tree")


def _names(extra: dict[str, str]) -> dict[Any, str]:
    import sympy

    named = {name: symbol.latex for name, symbol in REGISTRY.items()} | extra
    result = {}
    for name, latex in named.items():
        result[to_sympy(Name(name))] = latex
        result[sympy.Symbol(name)] = latex
    return result


def to_latex(node: Node, extra: dict[str, str] | None = None) -> str:
    """LaTeX of the tree with the registry's symbols; ``extra`` names further symbols (definitions)."""
    import sympy

    return str(sympy.latex(to_sympy(node), symbol_names=_names(extra or {})))

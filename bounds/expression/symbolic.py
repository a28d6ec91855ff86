"""Expression trees as sympy expressions and LaTeX; the only module of ``bounds`` that imports sympy, and only when called."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Sum
from bounds.symbols import REGISTRY

if TYPE_CHECKING:
    import sympy


def _call(function: str, arguments: list[Any]) -> Any:
    import sympy

    if function == "geometric":
        ratio, count = arguments
        return (1 - ratio**count) / (1 - ratio)
    if function == "growth":
        rate, start, stop = arguments
        return sympy.gamma(stop + 1 + rate) * sympy.gamma(start + 1) / (sympy.gamma(stop + 1) * sympy.gamma(start + 1 + rate))
    if function == "when":
        condition, positive, other = arguments
        return sympy.Piecewise((positive, condition > 0), (other, True))
    table = {"sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log, "min": sympy.Min, "max": sympy.Max}
    return table[function](*arguments)


@cache
def least_function() -> Any:
    """The sympy function ``least(t, low, high, body)``; it stays unevaluated and prints as a minimum over integers."""
    import sympy

    class least(sympy.Function):  # type: ignore[misc]  # noqa: N801
        nargs = 4

        def _latex(self, printer: Any) -> str:
            variable, low, high, body = (printer._print(argument) for argument in self.args)
            return rf"\min_{{{variable} \in \{{{low}, \ldots, {high}\}}}} \left({body}\right)"

    return least


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
        case Least(variable, low, high, body):
            return least_function()(to_sympy(Name(variable)), to_sympy(low), to_sympy(high), to_sympy(body))
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

"""Expression trees as sympy expressions and LaTeX; the only module of ``bounds`` that imports sympy, and only when called."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.symbols import REGISTRY, rank_of

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
    if function == "pi":
        return sympy.pi
    if function in ("size", "element", "tail"):
        return _array_function(function)(*arguments)
    names = {"sqrt": "sqrt", "exp": "exp", "log": "log", "min": "Min", "max": "Max", "erf": "erf", "ceil": "ceiling"}
    return getattr(sympy, names[function])(*arguments)


def _raised(text: str, exponent: str | None) -> str:
    """LaTeX of a power: sympy hands the exponent of a function to the function."""
    return text if exponent is None else rf"\left({text}\right)^{{{exponent}}}"


@cache
def _array_function(function: str) -> Any:
    """An unevaluated sympy function of an array that prints as its length, an entry, or the entries behind the first."""
    import sympy

    def _latex(self: Any, printer: Any, exp: str | None = None) -> str:
        array, *index = (printer._print(argument) for argument in self.args)
        forms = {"size": rf"\left|{array}\right|", "element": f"{{{array}}}_{{{''.join(index)}}}", "tail": rf"{array}_{{\geq 2}}"}
        return _raised(forms[function], exp)

    return type(function, (sympy.Function,), {"_latex": _latex})


@cache
def reduction_function(function: str) -> Any:
    """The sympy function ``total(v, array, ..., body)`` and its like; it stays unevaluated and prints as an indexed operator."""
    import sympy

    operator = {"total": r"\sum", "largest": r"\max", "smallest": r"\min"}[function]

    def _latex(self: Any, printer: Any, exp: str | None = None) -> str:
        *pairs, body = (printer._print(argument) for argument in self.args)
        over = r",\, ".join(rf"{variable} \in {array}" for variable, array in zip(pairs[::2], pairs[1::2], strict=True))
        return _raised(rf"{operator}_{{{over}}} \left({body}\right)", exp)

    return type(function, (sympy.Function,), {"_latex": _latex})


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


def to_sympy(node: Node, bound: frozenset[str] = frozenset()) -> sympy.Expr:
    """The tree as a sympy expression; every symbol is declared positive (integers as integers), except arrays and ``bound``.

    Args:
        bound: variables that run over the entries of an array, of which nothing is declared.
    """
    import sympy

    def inner(part: Node) -> Any:
        return to_sympy(part, bound)

    match node:
        case Number(None):
            return sympy.oo
        case Number(value):
            assert value is not None
            return sympy.Rational(value.numerator, value.denominator)
        case Name(name):
            return _symbol(name, bound)
        case Sum(left, right):
            return inner(left) + inner(right)
        case Product(left, right):
            return inner(left) * inner(right)
        case Quotient(left, right):
            return inner(left) / inner(right)
        case Power(base, exponent):
            return inner(base) ** inner(exponent)
        case Least(variable, low, high, body):
            return least_function()(inner(Name(variable)), inner(low), inner(high), inner(body))
        case Reduce(function, variables, arrays, body):
            pairs = [part for v, array in zip(variables, arrays, strict=True) for part in (sympy.Symbol(v), inner(array))]
            return reduction_function(function)(*pairs, to_sympy(body, bound | set(variables)))
        case Call(function, arguments):
            return _call(function, [inner(argument) for argument in arguments])
    raise TypeError(f"got {type(node).__name__}; an expression is built from the nodes of bounds.expression.tree")


def _symbol(name: str, bound: frozenset[str]) -> Any:
    import sympy

    if name in bound or rank_of(name):
        return sympy.Symbol(name)
    integer = True if name in REGISTRY and REGISTRY[name].domain.integer else None
    return sympy.Symbol(name, positive=True, integer=integer)


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

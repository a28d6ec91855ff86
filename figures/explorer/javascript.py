"""Expression trees as JavaScript: the same tree that Python evaluates, over the few functions of ``mathematics.js``."""

from __future__ import annotations

from fractions import Fraction

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum

_INFIX = {Sum: "+", Product: "*", Quotient: "/"}
_MATH = {"sqrt": "Math.sqrt", "exp": "Math.exp", "log": "Math.log", "ceil": "Math.ceil", "min": "Math.min", "max": "Math.max"}


def to_javascript(node: Node) -> str:
    """An expression in ``p.NAME`` for every free name, and in ``g.FUNCTION`` for what JavaScript has not.

    A name that a sum or a minimum binds is a plain variable, ``v_NAME``, so that it can hide no parameter.
    """
    return _text(node, frozenset())


def _text(node: Node, bound: frozenset[str]) -> str:
    match node:
        case Number(None):
            return "Infinity"
        case Number(value):
            assert value is not None
            return _number(value)
        case Name(name):
            return f"v_{name}" if name in bound else f"p.{name}"
        case Sum() | Product() | Quotient():
            return f"({_text(node.left, bound)}{_INFIX[type(node)]}{_text(node.right, bound)})"
        case Power(base, exponent):
            return f"g.power({_text(base, bound)},{_text(exponent, bound)})"
        case Least(variable, low, high, body):
            inside = _text(body, bound | {variable})
            return f"g.least({_text(low, bound)},{_text(high, bound)},v_{variable}=>{inside})"
        case Reduce(function, variables, arrays, body):
            inside = _text(body, bound | set(variables))
            names = ",".join(f"v_{name}" for name in variables)
            return f"g.{function}([{','.join(_text(array, bound) for array in arrays)}],({names})=>{inside})"
        case Call(function, arguments):
            return _call(function, [_text(argument, bound) for argument in arguments])
    raise TypeError(f"got {type(node).__name__}; an expression is built from the nodes of bounds.expression.tree")


def _call(function: str, arguments: list[str]) -> str:
    if function == "pi":
        return "Math.PI"
    if function == "when":
        condition, positive, other = arguments
        return f"({condition}>0?{positive}:{other})"
    return f"{_MATH.get(function, f'g.{function}')}({','.join(arguments)})"


def _number(value: Fraction) -> str:
    """The double nearest to a rational, written so that JavaScript reads the same one."""
    text = str(value.numerator) if value.denominator == 1 and abs(value.numerator) < 1 << 53 else repr(float(value))
    return f"({text})" if value < 0 else text

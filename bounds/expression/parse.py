"""Expression text to tree, through a whitelist of syntax nodes: nothing that is typed is ever executed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from fractions import Fraction

from bounds.errors import ExpressionError
from bounds.expression.tree import FUNCTIONS, Call, Least, Name, Node, Number, Power, Product, Quotient, Sum

_MAX_LENGTH = 2000
_MAX_DEPTH = 100
_MAX_EXPONENT = 400
_MINUS_ONE = Number(Fraction(-1))
_BINARY = {ast.Mult: Product, ast.Div: Quotient, ast.Pow: Power}
_ALLOWED = "numbers, symbols, + - * / **, and " + ", ".join(sorted((*FUNCTIONS, "least")))


class _Builder:
    def __init__(self, text: str, known: Mapping[str, Node | None]) -> None:
        self.text = text
        self.known = known

    def fail(self, node: ast.AST, got: str) -> ExpressionError:
        column = getattr(node, "col_offset", 0) + 1
        return ExpressionError(f"column {column} of {self.text[:80]!r}: got {got}; allowed are {_ALLOWED}")

    def build(self, node: ast.AST, depth: int = 0) -> Node:
        if depth > _MAX_DEPTH:
            raise self.fail(node, f"nesting deeper than {_MAX_DEPTH}")
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return Sum(self.build(left, depth + 1), self.build(right, depth + 1))
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return Sum(self.build(left, depth + 1), Product(_MINUS_ONE, self.build(right, depth + 1)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](self.build(left, depth + 1), self.build(right, depth + 1))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Product(_MINUS_ONE, self.build(operand, depth + 1))
            case ast.Constant():
                return self.number(node)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Call():
                return self.call(node, depth)
        raise self.fail(node, f"the syntax {type(node).__name__}")

    def number(self, node: ast.Constant) -> Node:
        source = ast.get_source_segment(self.text, node) or ""
        if type(node.value) not in (int, float) or "_" in source or source[:2].lower() in ("0x", "0o", "0b"):
            raise self.fail(node, f"the constant {source[:20]!r}")
        mantissa, _, exponent = source.lower().partition("e")
        if len(mantissa) > _MAX_EXPONENT or (exponent and abs(int(exponent)) > _MAX_EXPONENT):
            raise self.fail(node, f"a number with more than {_MAX_EXPONENT} digits")
        return Number(Fraction(source))

    def name(self, node: ast.AST, name: str) -> Node:
        if name == "inf":
            return Number(None)
        if name not in self.known:
            raise self.fail(node, f"the unknown symbol {name!r}")
        return self.known[name] or Name(name)

    def call(self, node: ast.Call, depth: int) -> Node:
        if not isinstance(node.func, ast.Name) or node.func.id not in (*FUNCTIONS, "least") or node.keywords:
            raise self.fail(node, "a call that is not one of our functions")
        function = node.func.id
        if function == "least":
            return self.least(node, depth)
        if len(node.args) != FUNCTIONS[function]:
            raise self.fail(node, f"{len(node.args)} arguments for {function}, which takes {FUNCTIONS[function]}")
        return Call(function, tuple(self.build(argument, depth + 1) for argument in node.args))

    def least(self, node: ast.Call, depth: int) -> Node:
        match node.args:
            case [ast.Name(id=variable), low, high, body] if variable not in self.known:
                inner = _Builder(self.text, {**self.known, variable: None})
                return Least(variable, self.build(low, depth + 1), self.build(high, depth + 1), inner.build(body, depth + 1))
        raise self.fail(node, "least without a variable of its own; write least(t, low, high, body)")


def _syntax(text: str) -> ast.expr:
    if len(text) > _MAX_LENGTH or not text.isascii():
        raise ExpressionError(f"got an expression of {len(text)} characters; allowed are at most {_MAX_LENGTH} ASCII characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        raise ExpressionError(f"column {column} of {text[:80]!r}: not an expression; allowed are {_ALLOWED}") from None


def parse(text: str, known: Mapping[str, Node | None]) -> Node:
    """Parse expression text.

    Args:
        text: for example ``2*L**2*eta*T/(m*n)``; decimal numbers become exact rationals.
        known: the names that may occur; a name mapped to a tree is a definition and is replaced by it.

    Raises:
        ExpressionError: naming the column, for anything outside the grammar.
    """
    return _Builder(text.strip(), known).build(_syntax(text))


def parse_comparison(text: str, known: Mapping[str, Node | None]) -> tuple[Node, str, Node]:
    """Parse ``left <= right`` or ``left < right`` into (left, relation, right).

    Raises:
        ExpressionError: for anything else.
    """
    tree = _syntax(text)
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or not isinstance(tree.ops[0], ast.Lt | ast.LtE):
        raise ExpressionError(f"column 1 of {text[:80]!r}: not a condition; write left <= right or left < right")
    builder = _Builder(text.strip(), known)
    relation = "<" if isinstance(tree.ops[0], ast.Lt) else "<="
    return builder.build(tree.left), relation, builder.build(tree.comparators[0])

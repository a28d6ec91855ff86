"""Expression text to tree, through a whitelist of syntax nodes: nothing that is typed is ever executed."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping
from fractions import Fraction

from bounds.errors import ExpressionError
from bounds.expression.extent import Ruler
from bounds.expression.text import mistake, prepare
from bounds.expression.tree import (
    ARRAY_FUNCTIONS,
    FUNCTIONS,
    REDUCTIONS,
    Call,
    Least,
    Name,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Reduce,
    Sum,
)
from bounds.symbols import rank_of

_MAX_DEPTH = 100
_MAX_EXPONENT = 400
_MINUS_ONE = Number(Fraction(-1))
_BINARY = {ast.Mult: Product, ast.Div: Quotient, ast.Pow: Power}
_SYNTAX: dict[type[ast.AST], str] = {
    ast.UnaryOp: "a leading +",
    ast.Compare: "a comparison",
    ast.Tuple: "commas without a function, or empty brackets",
    ast.Starred: "a starred argument",
}
_WORDS = frozenset((*FUNCTIONS, *REDUCTIONS, *ARRAY_FUNCTIONS, "least", "inf"))
#: Words with a meaning of their own: no symbol and no definition may take one as its name.
RESERVED = _WORDS | {"pi"}
_ALLOWED = "numbers, symbols, + - * / **, and " + ", ".join(sorted(_WORDS))


class _Builder:
    """Builds the tree; ``ranks`` holds the rank of every name that is an array (a vector 1, a matrix 2)."""

    def __init__(self, text: str, known: Mapping[str, Node | None], ranks: Mapping[str, int], ruler: Ruler) -> None:
        self.text = text
        self.known = known
        self.ranks = ranks
        self.ruler = ruler

    def fail(self, node: ast.AST, got: str) -> ExpressionError:
        return mistake(self.text, getattr(node, "col_offset", 0) + 1, got, _ALLOWED)

    def build(self, node: ast.AST, depth: int = 0) -> Node:
        if depth > _MAX_DEPTH:
            raise self.fail(node, f"nesting deeper than {_MAX_DEPTH}")
        tree = self.fresh(node, depth)
        excess = self.ruler.excess(tree)
        if excess:
            raise self.fail(node, excess)
        return tree

    def inner(self, variables: Mapping[str, int]) -> _Builder:
        """A builder that also knows these variables, given with their ranks."""
        return _Builder(self.text, {**self.known, **dict.fromkeys(variables)}, {**self.ranks, **variables}, self.ruler)

    def fresh(self, node: ast.AST, depth: int) -> Node:
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
        raise self.fail(node, _SYNTAX.get(type(node), f"the syntax {type(node).__name__}"))

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
        if name == "pi":
            return Call("pi", ())
        if self.ranks.get(name):
            raise self.fail(node, f"the array {name} where a number is needed (write total(v, {name}, ...))")
        if name not in self.known:
            raise self.fail(node, f"the unknown symbol {name!r}")
        return self.known[name] or Name(name)

    def call(self, node: ast.Call, depth: int) -> Node:
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        if function not in _WORDS or FUNCTIONS.get(function) == 0 or node.keywords:
            raise self.fail(node, "a call that is not one of our functions")
        if function == "least":
            return self.least(node, depth)
        if function in REDUCTIONS:
            return self.reduce(node, function, depth)
        takes = (FUNCTIONS | ARRAY_FUNCTIONS).get(function)
        if len(node.args) != takes:
            raise self.fail(node, f"{len(node.args)} arguments for {function}, which takes {takes}")
        if function == "tail":
            raise self.fail(node, "an array where a number is needed (write total(v, tail(a), ...))")
        if function in ARRAY_FUNCTIONS:
            return Call(function, (self.array(node.args[0])[0], *(self.build(argument, depth + 1) for argument in node.args[1:])))
        return Call(function, tuple(self.build(argument, depth + 1) for argument in node.args))

    def array(self, node: ast.AST) -> tuple[Node, int]:
        """An array and its rank: a name, or the tail of an array."""
        match node:
            case ast.Name(id=name) if self.ranks.get(name):
                return Name(name), self.ranks[name]
            case ast.Call(func=ast.Name(id="tail"), args=[inner], keywords=[]):
                tree, rank = self.array(inner)
                return Call("tail", (tree,)), rank
        raise self.fail(node, "something that is not an array")

    def reduce(self, node: ast.Call, function: str, depth: int) -> Node:
        *pairs, body = node.args or [node]
        heads, arrays = pairs[::2], [self.array(array) for array in pairs[1::2]]
        variables = [head.id for head in heads if isinstance(head, ast.Name) and not self.taken(head.id)]
        if not arrays or len(heads) != len(arrays) or len(set(variables)) != len(arrays):
            raise self.fail(node, f"{function} without variables of its own; write {function}(v, array, body)")
        inner = self.inner({name: rank - 1 for name, (_, rank) in zip(variables, arrays, strict=True)})
        return Reduce(function, tuple(variables), tuple(tree for tree, _ in arrays), inner.build(body, depth + 1))

    def taken(self, name: str) -> bool:
        """Whether a bound variable may not have this name."""
        return name in self.known or name in RESERVED

    def least(self, node: ast.Call, depth: int) -> Node:
        match node.args:
            case [ast.Name(id=variable), low, high, body] if not self.taken(variable):
                inner = self.inner({variable: 0})
                return Least(variable, self.build(low, depth + 1), self.build(high, depth + 1), inner.build(body, depth + 1))
        raise self.fail(node, "least without a variable of its own; write least(t, low, high, body)")


def is_free_name(name: str) -> bool:
    """Whether a symbol or a definition may have this name."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and name not in RESERVED


def _syntax(text: str) -> ast.expr:
    """The syntax tree of text that :func:`bounds.expression.text.prepare` let through."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = min(max(getattr(error, "offset", None) or 1, 1), len(text) + 1)
        raise mistake(text, column, "something that is not an expression", _ALLOWED) from None


def parse(text: str, known: Mapping[str, Node | None]) -> Node:
    """Parse expression text.

    Args:
        text: for example ``2*L**2*eta*T/(m*n)``; decimal numbers become exact rationals.
        known: the names that may occur; a name mapped to a tree is a definition and is replaced by it.

    Raises:
        ExpressionError: naming the column, for anything outside the grammar.
    """
    text = prepare(text, _ALLOWED)
    return _builder(text, known).build(_syntax(text))


def _builder(text: str, known: Mapping[str, Node | None]) -> _Builder:
    return _Builder(text, known, {name: rank_of(name) for name, tree in known.items() if tree is None}, Ruler())


def parse_comparison(text: str, known: Mapping[str, Node | None]) -> tuple[Node, str, Node]:
    """Parse ``left <= right`` or ``left < right`` into (left, relation, right).

    Raises:
        ExpressionError: for anything else.
    """
    text = prepare(text, _ALLOWED)
    tree = _syntax(text)
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or not isinstance(tree.ops[0], ast.Lt | ast.LtE):
        raise mistake(text, 1, "something that is not a condition", "left <= right and left < right")
    builder = _builder(text, known)
    relation = "<" if isinstance(tree.ops[0], ast.Lt) else "<="
    return builder.build(tree.left), relation, builder.build(tree.comparators[0])

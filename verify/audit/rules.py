"""Planted errors by rule: a bound whose formula is rewritten, everywhere or as a whole.

A rewritten formula keeps the readings, conditions and declared directions of the original; its definitions are rewritten too, so a
recursion or condition that uses them makes the same mistake, as it would if somebody had written the formula so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from bounds.bound import Bound
from bounds.box import readings
from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum, names, walk
from bounds.formula import Formula
from bounds.symbols import rank_of, symbol

ONE, HALF = Number(Fraction(1)), Number(Fraction(1, 2))
#: The stand-in for an entry of an array, or for a number, in the text of a change.
_SELF = Name("itself")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a formula: ``parameter`` (or each of its entries) becomes ``into``, ``node`` becomes ``other``, all times ``factor``.

    ``into`` is a tree in the name ``itself``.
    """

    factor: Fraction = Fraction(1)
    parameter: str = ""
    into: Node = _SELF
    node: Node | None = None
    other: Node = _SELF

    def tree(self, tree: Node) -> Node:
        """The rewritten tree, without the factor."""
        return _rewritten(tree, self, frozenset((self.parameter,)) if rank_of(self.parameter) else frozenset(), {})


@dataclass(frozen=True, slots=True)
class Rewritten(Formula):
    """A formula whose every definition went through ``change``."""

    change: Change = Change()

    def trees(self, given: frozenset[str]) -> Mapping[str, Node]:
        return _trees(self, given)


@cache
def _trees(formula: Rewritten, given: frozenset[str]) -> dict[str, Node]:
    original = Formula(formula.required, formula.optional, formula.lets, formula.defaults).trees(given)
    trees = {name: formula.change.tree(tree) for name, tree in original.items()}
    if formula.change.factor != 1:
        trees["value"] = Product(Number(formula.change.factor), trees["value"])
    return trees


@dataclass(frozen=True, slots=True)
class Planted:
    """A bound with a planted error; ``rule`` says what was done, ``word`` to what."""

    bound: Bound
    rule: str
    word: str

    @property
    def name(self) -> str:
        """Bound, rule and place."""
        return f"{self.bound.id}: {self.rule}{' ' if self.word else ''}{self.word}"


def rewritten(bound: Bound, change: Change) -> Bound:
    """``bound`` with its formula changed."""
    old = bound.formula
    return replace(bound, formula=Rewritten(old.required, old.optional, old.lets, old.defaults, change))


def planted(bound: Bound) -> Iterator[Planted]:
    """Every error that the rules plant in ``bound``; some of them change nothing."""
    trees = list(values(bound))
    used = [name for name in bound.formula.parameters if any(name in names(tree) for tree in trees)]
    changes = [("times", "1/2", Change(Fraction(1, 2))), ("times", "2", Change(Fraction(2)))]
    changes += [("without", name, Change(parameter=name, into=ONE)) for name in used]
    for name in filter(_positive, used):
        changes += [(f"power {power} of", name, Change(parameter=name, into=Power(_SELF, Number(power)))) for power in _POWERS]
    for power in dict.fromkeys(node for tree in trees for node in walk(tree) if _changeable(node)):
        changes += _exponents(power)
    other = Sum(ONE, Product(Number(Fraction(-1)), _SELF))
    changes += [("gap for lambda in", name, Change(parameter=name, into=other)) for name in ("gap", "spectrum") if name in used]
    for rule, word, change in changes:
        yield Planted(rewritten(bound, change), rule, word)


_POWERS = (Fraction(1, 2), Fraction(3, 2))


def values(bound: Bound) -> Iterator[Node]:
    """The value of every reading."""
    for form in bound.update_forms:
        for readout in bound.readouts:
            for reading in readings(bound, form.value):
                yield bound.expression(reading, form.value, readout.value)


def _positive(name: str) -> bool:
    return symbol(name).domain.low >= 0


def _changeable(node: Node) -> bool:
    """Powers and roots whose base has no sign: a power of an eigenvalue has none with exponent 1/2."""
    if isinstance(node, Call) and node.function == "sqrt":
        return True
    return isinstance(node, Power) and not any(name in ("l", "v", "row", "g") for name in names(node.base))


def _exponents(node: Node) -> list[tuple[str, str, Change]]:
    from bounds.expression import to_latex

    told = to_latex(node, {})
    if isinstance(node, Call):
        (inside,) = node.arguments
        return [("no root in", told, Change(node=node, other=inside)), ("exponent lower in", told, Change(node=node, other=ONE))]
    assert isinstance(node, Power)
    lower, higher = (Power(node.base, Sum(node.exponent, Number(step))) for step in (Fraction(-1, 2), Fraction(1, 2)))
    return [("exponent lower in", told, Change(node=node, other=lower)), ("exponent higher in", told, Change(node=node, other=higher))]


def _rewritten(node: Node, change: Change, arrays: frozenset[str], entries: Mapping[str, int]) -> Node:
    """``arrays`` are names whose entries are changed; ``entries`` are names of entries, with what is left of their rank."""
    if node == change.node:
        return change.other
    if isinstance(node, Name) and (node.name == change.parameter or node.name in entries) and node.name not in arrays:
        return _put(change.into, node)
    if isinstance(node, Call) and node.function == "element" and _root(node.arguments[0]) in arrays:
        return _put(change.into, node)
    if isinstance(node, Reduce):
        inner = _inner(node, arrays, change)
        arrays, entries = arrays | inner[0], {**entries, **dict.fromkeys(inner[1], 0)}
    return _with_children(node, [_rewritten(child, change, arrays, entries) for child in node.children()])


def _inner(node: Reduce, arrays: frozenset[str], change: Change) -> tuple[set[str], set[str]]:
    """The variables over changed arrays that are arrays themselves, and those that are entries."""
    over = {variable for variable, array in zip(node.variables, node.arrays, strict=True) if _root(array) in arrays}
    rows = {name for name in over if rank_of(change.parameter) > 1 and name == "row"}
    return rows, over - rows


def _root(node: Node) -> str:
    while isinstance(node, Call):
        node = node.arguments[0]
    return node.name if isinstance(node, Name) else ""


def _put(into: Node, itself: Node) -> Node:
    if into == _SELF:
        return itself
    return _with_children(into, [_put(child, itself) for child in into.children()])


def _with_children(node: Node, children: list[Node]) -> Node:
    match node:
        case Sum() | Product() | Quotient() | Power():
            return type(node)(*children)
        case Call(function=function):
            return Call(function, tuple(children))
        case Least(variable=variable):
            return Least(variable, *children)
        case Reduce(function=function, variables=variables):
            return Reduce(function, variables, tuple(children[:-1]), children[-1])
    return node

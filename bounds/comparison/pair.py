"""Two bounds brought to one set of parameters: what is given to each, in which box, under which assumptions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bounds.arrays import SPECTRA
from bounds.bound import Bound
from bounds.box import Box, default_box, is_integer
from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.facts import Fact, spelt_out, with_caps
from bounds.certificates.graph import Graph
from bounds.certificates.summands import is_whole
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression import Node, names, parse
from bounds.formula import FLAGS
from bounds.symbols import rank_of, symbol
from bounds.vocabulary import UpdateForm, word

_SPECTRUM = "spectrum"
#: What a centralized sample size is when the other bound counts nodes and samples per node.
_TOTAL = ("N", "m*n")
#: left, "<" or "<=", right.
Relation = tuple[Node, str, Node]
#: Trees by the ids of what they are in the parameters of the comparison, with the own parameters that are expressions there.
Own = Mapping[int, tuple[Node, Mapping[str, Node]]]


@dataclass(frozen=True)
class Side:
    """One of the two bounds as it is read: ``given`` are its own parameters, ``mapped`` those that are expressions in the other's."""

    bound: Bound
    update_form: str
    readout: str
    mapped: Mapping[str, Node]
    given: frozenset[str] = frozenset()

    def needs(self) -> frozenset[str]:
        """The required parameters, those given, and the optional ones that the assumptions then relevant mention."""
        chosen = {*self.bound.formula.required, *self.given, *self.mapped}
        while True:
            choice = self.bound.given(chosen, self.update_form, self.readout)
            present = dict.fromkeys(chosen, 1.0)
            relevant = [one for one in self.bound.conditions if one.relevant(self.update_form, present)]
            sides = [one.sides(self.bound.formula, choice) for one in relevant]
            fresh = {name for left, _, right in sides for name in names(left) | names(right)} - chosen
            if not fresh:
                return frozenset(chosen)
            chosen |= fresh

    def shared(self) -> frozenset[str]:
        """The names that are parameters of the comparison."""
        return (self.given - self.mapped.keys()) | {name for tree in self.mapped.values() for name in names(tree)}

    def trees(self, graph: Graph, flags: frozenset[str]) -> tuple[Node, list[Relation], Own]:
        """The value and the assumptions in the parameters of the comparison, and all of these trees in the bound's own parameters.

        Flags that are not in ``flags`` are 0.
        """
        given = (self.given - FLAGS) | (self.given & flags)
        choice = self.bound.given(given, self.update_form, self.readout)
        absent = {name: graph.number(value) for name, value in self.bound.formula.defaults if name not in given}
        mapped = {name: graph.added(tree) for name, tree in self.mapped.items()}
        own: dict[int, tuple[Node, Mapping[str, Node]]] = {}

        def shared(tree: Node) -> Node:
            mine = graph.substituted(graph.added(tree), absent)
            result = graph.substituted(mine, mapped)
            own[id(result)] = mine, mapped
            return result

        relevant = [one for one in self.bound.conditions if one.relevant(self.update_form, dict.fromkeys(given, 1.0))]
        sides = [one.sides(self.bound.formula, choice) for one in relevant]
        value = shared(self.bound.expression(given, self.update_form, self.readout))
        conditions = [(shared(left), how, shared(right)) for left, how, right in sides]
        return value, conditions + [one for name in self.mapped for one in _domain(graph, name, mapped[name])], own


def _domain(graph: Graph, name: str, tree: Node) -> list[Relation]:
    """The domain of a parameter that is an expression, as conditions."""
    domain = symbol(name).domain
    low = (graph.number(Fraction(domain.low)), "<" if getattr(domain, "low_open", False) else "<=", tree)
    high = (tree, "<=", graph.number(None if domain.high == float("inf") else Fraction(domain.high)))
    return [one for one, end in ((low, domain.low), (high, domain.high)) if abs(end) != float("inf")]


@dataclass(frozen=True)
class Case:
    """One pair of trees: ``flags`` are 1 in it, ``spectrum`` names one of :data:`bounds.arrays.SPECTRA`.

    ``a``, ``b`` and ``conditions`` have arrays as parameters; ``written`` are the same trees with the spectrum's entries
    written out, in which proofs are looked for. ``own`` has the trees in each bound's own parameters.
    """

    graph: Graph
    flags: frozenset[str]
    spectrum: str | None
    a: Node
    b: Node
    conditions: tuple[Relation, ...]
    written: tuple[Node, Node]
    facts: tuple[Fact, ...]
    box: Box
    own: Own

    def scope(self) -> Scope:
        """The box with what the assumptions say on it."""
        free = {name: ends for name, ends in self.box.items() if name not in FLAGS and not (name == _SPECTRUM and self.spectrum)}
        ends = {name: (ArbIntervals.number(low)[0], ArbIntervals.number(high)[1]) for name, (low, high) in free.items()}
        scope = Scope(
            self.graph,
            {name: interval for name, interval in ends.items() if not rank_of(name)},
            {name: interval for name, interval in ends.items() if rank_of(name)},
        )
        nodes = list(self.written)
        return with_caps(scope, spelt_out(self.graph, self.facts, nodes), nodes, ArbIntervals)


class Pair:
    """What is compared: both sides, the parameters of the comparison with their box, and every case.

    Raises:
        UnknownParameterError, DomainError, UnknownNameError, ExpressionError: each one line.
    """

    def __init__(
        self,
        a: Bound,
        b: Bound,
        box: Mapping[str, tuple[float, float]] | None = None,
        update_form: str | None = None,
        readout: str | None = None,
        let: Mapping[str, str] | None = None,
    ) -> None:
        self.let = _defaults(a, b, let or {})
        forms, readouts = _forms(a, b, update_form), _readouts(a, b, readout)
        mapped = _mapped(a, b, self.let)
        sides = [Side(bound, forms[i], readouts[i], mapped[i]) for i, bound in enumerate((a, b))]
        self.a, self.b = _given(sides, box or {})
        self.names = tuple(sorted(self.a.shared() | self.b.shared(), key=_order(a, b)))
        self.box = self._box(box or {})
        self.graph = Graph()

    def _box(self, box: Mapping[str, tuple[float, float]]) -> Box:
        result: Box = {}
        for name in self.names:
            own = [default_box(side.bound)[name] for side in (self.a, self.b) if name in side.given and name not in side.mapped]
            result[name] = _checked(name, box[name]) if name in box else (max(low for low, _ in own), min(high for _, high in own))
        for name in box:
            if name not in result:
                told = f"{name} is {self.let[name]} here; give ranges of its parts" if name in self.let else f"allowed: {', '.join(result)}"
                raise UnknownParameterError(f"{self.a.bound.id} and {self.b.bound.id} are not compared in {name!r}; {told}")
        return result

    def cases(self) -> Iterator[Case]:
        """Every choice of flags and spectrum that the box allows."""
        flags = [name for name in self.names if name in FLAGS]
        for chosen in itertools.product(*(sorted(set(self.box[name])) for name in flags)):
            given = frozenset(name for name, value in zip(flags, chosen, strict=True) if value)
            (a, of_a, own_a), (b, of_b, own_b) = (side.trees(self.graph, given) for side in (self.a, self.b))
            conditions = tuple({(id(one[0]), one[1], id(one[2])): one for one in (*of_a, *of_b)}.values())
            for name in SPECTRA if _SPECTRUM in self.names else (None,):
                arrays = {_SPECTRUM: SPECTRA[name]} if name else {}
                written = [self.graph.with_arrays(node, arrays) for node in (a, b)]
                facts = tuple((self.graph.with_arrays(x, arrays), self.graph.with_arrays(y, arrays)) for x, _, y in conditions)
                yield Case(self.graph, given, name, a, b, conditions, (written[0], written[1]), facts, self.box, {**own_a, **own_b})


def _defaults(a: Bound, b: Bound, let: Mapping[str, str]) -> dict[str, str]:
    """``let`` with N = m n where one bound has N and the other m and n."""
    name, text = _TOTAL
    for one, other in ((a, b), (b, a)):
        if name in one.formula.parameters and {"m", "n"} <= set(other.formula.parameters) and name not in other.formula.parameters:
            return {name: text, **let}
    return dict(let)


def _forms(a: Bound, b: Bound, update_form: str | None) -> tuple[str, str]:
    """The update form of each: the given one where the bound speaks of it, else one that both speak of, else its first."""
    if update_form is not None:
        chosen = word(UpdateForm, update_form)
        if chosen not in (*a.update_forms, *b.update_forms):
            raise DomainError(f"neither {a.id} nor {b.id} speaks about update form {chosen.value!r}; allowed: {_all(a, b)}")
        first, second = (chosen if chosen in one.update_forms else one.update_forms[0] for one in (a, b))
        return first.value, second.value
    both = [form for form in a.update_forms if form in b.update_forms]
    return (both[0].value, both[0].value) if both else (a.update_forms[0].value, b.update_forms[0].value)


def _all(a: Bound, b: Bound) -> str:
    return ", ".join(dict.fromkeys(form.value for form in (*a.update_forms, *b.update_forms)))


def _readouts(a: Bound, b: Bound, readout: str | None) -> tuple[str, str]:
    if readout is not None:
        return a.readout(readout).value, b.readout(readout).value
    both = [one for one in a.readouts if one in b.readouts]
    return (both[0].value, both[0].value) if both else (a.readouts[0].value, b.readouts[0].value)


def _mapped(a: Bound, b: Bound, let: Mapping[str, str]) -> tuple[dict[str, Node], dict[str, Node]]:
    """Of each bound the parameters that are expressions: of the one that has the name, and if both do, lacks part of the expression."""
    result: tuple[dict[str, Node], dict[str, Node]] = ({}, {})
    for name, text in let.items():
        own = [place for place, one in enumerate((a, b)) if name in one.formula.parameters]
        if not own:
            raise UnknownParameterError(f"neither {a.id} nor {b.id} has a parameter {name!r}; give one of theirs in NAME=EXPRESSION")
        tree = parse(text, dict.fromkeys((*a.formula.parameters, *b.formula.parameters)))
        short = [place for place in own if not names(tree) <= set((a, b)[place].formula.parameters)]
        if len(own) > 1 and len(short) != 1:
            raise DomainError(f"{name}={text} fits both bounds or none; one of them must lack a name that the expression has")
        place = short[0] if len(own) > 1 else own[0]
        strange = names(tree) - set((b, a)[place].formula.parameters)
        if strange or rank_of(name) or any(map(rank_of, names(tree))):
            raise DomainError(f"{name}={text} must use numbers among the parameters of {(b, a)[place].id}")
        if is_integer(name) and not is_whole(Graph(), Graph().added(tree)):
            raise DomainError(f"{name}={text} is not surely a whole number, and {name} takes {symbol(name).domain}")
        result[place][name] = tree
    return result


def _given(sides: list[Side], box: Mapping[str, Any]) -> tuple[Side, Side]:
    """The sides with the parameters that they are given: what the box names, and what either of them needs."""
    while True:
        asked = set(box).union(*(side.needs() - side.mapped.keys() for side in sides), *(side.shared() for side in sides))
        fresh = [replace(side, given=side.needs() | (asked & set(side.bound.formula.parameters))) for side in sides]
        if fresh == sides:
            return fresh[0], fresh[1]
        sides = fresh


def _order(a: Bound, b: Bound) -> Any:
    known = [*a.formula.parameters, *b.formula.parameters]
    return known.index


def _checked(name: str, ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    for end in ends:
        symbol(name).check([end, end] if rank_of(name) else end)
    if low > high:
        raise DomainError(f"the range {name}={low:g}:{high:g} is empty; its low end must not be above its high end")
    return (int(low), int(high)) if is_integer(name) else (float(low), float(high))

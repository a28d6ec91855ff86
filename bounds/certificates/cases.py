"""What a direction speaks about: every reading, update form and readout of a bound as trees in one graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bounds.arrays import SPECTRA
from bounds.bound import Bound
from bounds.box import Box, readings
from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.facts import Fact, spelt_out, with_caps
from bounds.certificates.graph import Graph
from bounds.expression.tree import Node
from bounds.symbols import rank_of

_SPECTRUM = "spectrum"


@dataclass(frozen=True)
class Case:
    """One tree of a bound with the assumptions under which it is meant.

    ``given`` are the parameters given, ``spectrum`` names one of :data:`bounds.arrays.SPECTRA` where the tree has one.
    ``facts`` are the assumptions as pairs left <= right, ``conditions`` their texts.
    """

    update_form: str
    readout: str
    given: tuple[str, ...]
    spectrum: str | None
    node: Node
    facts: tuple[Fact, ...]
    conditions: tuple[str, ...]

    def label(self) -> dict[str, object]:
        """The case in words, as certificates record it."""
        return {"update_form": self.update_form, "readout": self.readout, "given": list(self.given), "spectrum": self.spectrum}

    def scope(self, graph: Graph, box: Box, moving: Iterable[str]) -> Scope:
        """The box with what the assumptions say on it."""
        ends = {name: (ArbIntervals.number(box[name][0])[0], ArbIntervals.number(box[name][1])[1]) for name in self.given}
        scope = Scope(
            graph,
            {name: interval for name, interval in ends.items() if not rank_of(name)},
            {name: interval for name, interval in ends.items() if rank_of(name)},
            frozenset(moving),
        )
        return with_caps(scope, spelt_out(graph, self.facts, [self.node]), [self.node], ArbIntervals)


def cases(bound: Bound, parameter: str, graph: Graph, update_form: str | None = None, given: Iterable[str] = ()) -> list[Case]:
    """Every different case of a bound in which ``parameter`` (and all of ``given``) is given, for one update form or for all."""
    forms = bound.update_forms if update_form is None else (bound.form(update_form),)
    found: dict[object, Case] = {}
    for form in forms:
        for readout in bound.readouts:
            for reading in readings(bound, form.value, (parameter, *given)):
                for case in _spelt_out(bound, form.value, readout.value, (*bound.formula.required, *reading), parameter, graph):
                    key = (id(case.node), tuple(id(side) for fact in case.facts for side in fact))
                    found.setdefault(key, case)
    return list(found.values())


def _spelt_out(bound: Bound, form: str, readout: str, given: tuple[str, ...], parameter: str, graph: Graph) -> Iterator[Case]:
    choice = bound.given(given, form, readout)
    conditions = [condition for condition in bound.conditions if condition.relevant(form, dict.fromkeys(given, 1.0))]
    sides = [condition.sides(bound.formula, choice) for condition in conditions]
    tree = bound.expression(given, form, readout)
    spelled = _SPECTRUM in given and parameter != _SPECTRUM
    spectra: list[tuple[str | None, tuple[float, ...]]] = [*SPECTRA.items()] if spelled else [(None, ())]
    for name, spectrum in spectra:
        arrays = {_SPECTRUM: spectrum} if name else {}
        node, *pairs = (graph.with_arrays(graph.separated(one), arrays) for one in (tree, *(side for pair in sides for side in pair[::2])))
        facts = tuple(zip(pairs[::2], pairs[1::2], strict=True))
        yield Case(form, readout, given, name, node, facts, tuple(condition.text for condition in conditions))

"""What a proof must cover: every reading, update form, readout and spectrum of a bound, spelt out by the checker itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bounds.arrays import SPECTRA
from bounds.bound import Bound
from bounds.box import readings
from bounds.checker.positive import logarithm
from bounds.checker.ranges import ZERO, Range, number
from bounds.checker.rules import confirm
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.checker.trees import Trees, origin
from bounds.expression.tree import Call, Node, Quotient, Reduce
from bounds.formula import FLAGS
from bounds.symbols import rank_of

_SIGNS = {"increasing": (1,), "decreasing": (-1,), "constant": (1, -1)}
_FLAG = "_flag"
Fact = tuple[Node, Node]
#: Update form, readout, parameters given, name of the spectrum.
Label = tuple[str, str, tuple[str, ...], str | None]


@dataclass(frozen=True)
class Claim:
    """How a bound is claimed to move with a parameter on a box (``direction`` is a monotone one)."""

    bound: Bound
    parameter: str
    direction: str
    box: Mapping[str, tuple[float, float]]
    trees: Trees
    _spelt: dict[Label, tuple[Node, tuple[Fact, ...]]] = field(default_factory=dict, repr=False)

    def labels(self, form: str | None, given: Sequence[str]) -> Iterator[Label]:
        """Every case that must be covered."""
        for update_form in [form] if form else [form.value for form in self.bound.update_forms]:
            for readout in self.bound.readouts:
                for reading in readings(self.bound, update_form, (self.parameter, *given)):
                    names = (*self.bound.formula.required, *reading)
                    spelled = "spectrum" in names and self.parameter != "spectrum"
                    for spectrum in SPECTRA if spelled else (None,):
                        yield update_form, readout.value, names, spectrum

    def spelt_out(self, label: Label) -> tuple[Node, tuple[Fact, ...]]:
        """The tree and the assumptions of a case."""
        if label not in self._spelt:
            self._spelt[label] = self._spelt_out(label)
        return self._spelt[label]

    def _spelt_out(self, label: Label) -> tuple[Node, tuple[Fact, ...]]:
        form, readout, given, spectrum = label
        bound, trees = self.bound, self.trees
        choice = bound.given(given, form, readout)
        sides = [c.sides(bound.formula, choice) for c in bound.conditions if c.relevant(form, dict.fromkeys(given, 1.0))]

        def own(node: Node) -> Node:
            node = trees.taken(node)
            return node if spectrum is None else trees.with_array(node, "spectrum", SPECTRA[spectrum])

        return own(bound.expression(given, form, readout)), tuple((own(left), own(right)) for left, _, right in sides)

    def scope(self, given: Sequence[str], facts: Sequence[Fact], moving: Sequence[str]) -> Scope:
        """The box with the assumptions."""
        ends = {name: Range(number(self.box[name][0]).low, number(self.box[name][1]).high) for name in given}
        if "heterogeneity" in ends:
            # Gradients at a minimum sum to 0: whole rows of them are 0, whatever the box says.
            ends["heterogeneity"] = ends["heterogeneity"].hull(ZERO)
        scalars, arrays = ({name: ends[name] for name in given if bool(rank_of(name)) is ranked} for ranked in (False, True))
        return Scope(self.trees, scalars, arrays, frozenset(moving), tuple(facts))

    def check(self, label: Label, case: Mapping[str, Any]) -> None:
        """Confirm the proofs of a case.

        Raises:
            UnconfirmedError: saying which step fails and why.
        """
        node, facts = self.spelt_out(label)
        proofs, signs = case.get("proofs"), _SIGNS[self.direction]
        if not isinstance(proofs, list) or not proofs:
            raise UnconfirmedError("no proof")
        if self.parameter in FLAGS:
            self._flag(label, node, facts, proofs)
            return
        if len(proofs) != len(signs):
            raise UnconfirmedError(f"got {len(proofs)} proofs, {self.direction} needs {len(signs)}")
        scope = self.scope(label[2], facts, [self.parameter])
        for proof, sign in zip(proofs, signs, strict=True):
            confirm(proof, node, sign, scope)
        if not scope.still(node):
            self._orderly(scope, [node, *itertools.chain.from_iterable(facts)])
            self._sections(label, facts, case.get("sections"))

    def _orderly(self, scope: Scope, nodes: Sequence[Node]) -> None:
        """F = p df/dp has the sign of df/dp for p >= 0 only, and a spectrum is one of a few whatever its box says."""
        parts = [part for node in nodes for part in self.trees.walk(node)]
        if self.parameter == "spectrum" and "spectrum" in {origin(array) for part in parts for array in _arrays(part)}:
            raise UnconfirmedError("eigenvalues may be negative, and a proof follows entries that are not")
        if not {**scope.entries, **scope.ranges}[self.parameter].positive:
            raise UnconfirmedError(f"{self.parameter} may be negative")

    # the admissible values are an interval ------------------------------------------------------

    def _sections(self, label: Label, facts: Sequence[Fact], entries: Any) -> None:
        """One assumption after the other: on the values that meet those before it, its gap moves one way."""
        scope = self.scope(label[2], (), [self.parameter])
        done = [place for place, fact in enumerate(facts) if all(map(scope.still, fact))]
        for entry in entries if isinstance(entries, list) else []:
            place = entry.get("assumption") if isinstance(entry, dict) else None
            if not isinstance(place, int) or not 0 <= place < len(facts) or entry.get("way") not in (1, -1):
                raise UnconfirmedError("a section without an assumption or a way")
            before = self.scope(label[2], [facts[other] for other in (*done, place)], [self.parameter])
            try:
                confirm(entry.get("proof"), self._gap(facts[place], entry.get("of"), before), entry["way"], before)
            except UnconfirmedError as problem:
                raise UnconfirmedError(f"section of assumption {place}: {problem}") from None
            done.append(place)
        missing = sorted(set(range(len(facts))) - set(done))
        if missing:
            raise UnconfirmedError(f"no section for assumption {missing[0]}, in which {self.parameter} occurs")

    def _gap(self, fact: Fact, of: Any, scope: Scope) -> Node:
        """A node that moves one way: the fact then holds on an interval."""
        left, right = fact
        if (of == "left" and scope.still(right)) or (of == "right" and scope.still(left)):
            return left if of == "left" else right
        if of == "ratio" and scope.value(right).positive:
            return self.trees.make(Quotient, left, right)
        if of == "logarithm":
            return self._log_gap(scope, fact)
        raise UnconfirmedError(f"{of!r} says nothing about its two sides")

    def _log_gap(self, scope: Scope, fact: Fact) -> Node:
        """log right - log left times its positive denominator."""
        from bounds.checker.positive import numerator

        return numerator(scope, self.trees.minus(logarithm(scope, fact[1]), logarithm(scope, fact[0])))

    # parameters that are 0 or 1 -----------------------------------------------------------------

    def _flag(self, label: Label, node: Node, facts: Sequence[Fact], proofs: list[Any]) -> None:
        """The tree with the flag against the tree without it: they differ in one part, and move one way with it."""
        form, readout, given, spectrum = label
        other, more = self.spelt_out((form, readout, tuple(name for name in given if name != self.parameter), spectrum))
        if other is node:
            return
        found: dict[tuple[int, int], tuple[Node, Node]] = {}
        outer = self._joined(node, other, found)
        (proof,) = proofs if len(proofs) == 1 else ({},)
        way = proof.get("way") if isinstance(proof, dict) and proof.get("rule") == "flag" else None
        if way not in (1, -1) or self.direction == "constant":
            raise UnconfirmedError("two different trees without a proof how they compare")
        if len(found) != 1:
            raise UnconfirmedError("the trees differ in more than one part")
        ((first, second),) = found.values()
        if any(self.trees.put(outer, {_FLAG: part}) is not tree for part, tree in ((first, node), (second, other))):
            raise UnconfirmedError("the two trees do not come from one")
        scope = self.scope(given, (*facts, *more), ())
        gap = self.trees.minus(second, first) if way > 0 else self.trees.minus(first, second)
        if not scope.expanded(gap).positive:
            raise UnconfirmedError("which of the two parts is larger is not sure")
        ends = scope.value(first).hull(scope.value(second))
        inner = Scope(self.trees, {**scope.ranges, _FLAG: ends}, scope.entries, frozenset((_FLAG,)))
        parts = proof.get("parts")
        confirm(
            parts[0] if isinstance(parts, list) and len(parts) == 1 else None, outer, way if self.direction == "decreasing" else -way, inner
        )
        return

    def _joined(self, first: Node, second: Node, found: dict[tuple[int, int], tuple[Node, Node]]) -> Node:
        """One tree for two, with a name in every place where they differ; the parts that stand there are put into ``found``."""
        mine, theirs = first.children(), second.children()
        words = [(type(node), getattr(node, "function", None), getattr(node, "variable", None)) for node in (first, second)]
        if first is second:
            return first
        if words[0] != words[1] or len(mine) != len(theirs) or all(a is b for a, b in zip(mine, theirs, strict=True)):
            found[id(first), id(second)] = (first, second)
            return self.trees.name(_FLAG)
        joined = iter([self._joined(a, b, found) for a, b in zip(mine, theirs, strict=True)])
        return self.trees.over(first, lambda _: next(joined))


def _arrays(node: Node) -> tuple[Node, ...]:
    """The arrays whose entries a node looks at."""
    match node:
        case Reduce(_, _, arrays, _):
            return arrays
        case Call("element", (array, _)):
            return (array,)
    return ()

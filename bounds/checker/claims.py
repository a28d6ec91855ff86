"""What a proof must cover: every reading, update form, readout and spectrum of a bound, spelt out by the checker itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bounds.arrays import SPECTRA
from bounds.bound import Bound
from bounds.box import readings
from bounds.checker.positive import logarithm
from bounds.checker.ranges import Range, number
from bounds.checker.rules import confirm
from bounds.checker.scope import Scope, Unconfirmed
from bounds.checker.trees import Trees
from bounds.expression.tree import Node, Quotient
from bounds.formula import FLAGS
from bounds.symbols import rank_of

_SIGNS = {"increasing": (1,), "decreasing": (-1,), "constant": (1, -1)}
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
        scalars, arrays = ({name: ends[name] for name in given if bool(rank_of(name)) is ranked} for ranked in (False, True))
        return Scope(self.trees, scalars, arrays, frozenset(moving), tuple(facts))

    def check(self, label: Label, case: Mapping[str, Any]) -> None:
        """Confirm the proofs of a case.

        Raises:
            Unconfirmed: saying which step fails and why.
        """
        node, facts = self.spelt_out(label)
        proofs, signs = case.get("proofs"), _SIGNS[self.direction]
        if not isinstance(proofs, list) or not proofs:
            raise Unconfirmed("no proof")
        if self.parameter in FLAGS:
            return self._flag(label, node, facts, proofs)
        if len(proofs) != len(signs):
            raise Unconfirmed(f"got {len(proofs)} proofs, {self.direction} needs {len(signs)}")
        scope = self.scope(label[2], facts, [self.parameter])
        for proof, sign in zip(proofs, signs, strict=True):
            confirm(proof, node, sign, scope)
        if "constant" not in {proof.get("rule") for proof in proofs}:
            self._sections(label, facts, case.get("sections"))

    # the admissible values are an interval ------------------------------------------------------

    def _sections(self, label: Label, facts: Sequence[Fact], entries: Any) -> None:
        """One assumption after the other: on the values that meet those before it, its gap moves one way."""
        scope = self.scope(label[2], (), [self.parameter])
        done = [place for place, fact in enumerate(facts) if all(map(scope.still, fact))]
        for entry in entries if isinstance(entries, list) else []:
            place = entry.get("assumption") if isinstance(entry, dict) else None
            if not isinstance(place, int) or not 0 <= place < len(facts) or entry.get("way") not in (1, -1):
                raise Unconfirmed("a section without an assumption or a way")
            before = self.scope(label[2], [facts[other] for other in (*done, place)], [self.parameter])
            try:
                confirm(entry.get("proof"), self._gap(facts[place], entry.get("of"), before), entry["way"], before)
            except Unconfirmed as problem:
                raise Unconfirmed(f"section of assumption {place}: {problem}") from None
            done.append(place)
        missing = sorted(set(range(len(facts))) - set(done))
        if missing:
            raise Unconfirmed(f"no section for assumption {missing[0]}, in which {self.parameter} occurs")

    def _gap(self, fact: Fact, of: Any, scope: Scope) -> Node:
        """A node that moves one way: the fact then holds on an interval."""
        left, right = fact
        if (of == "left" and scope.still(right)) or (of == "right" and scope.still(left)):
            return left if of == "left" else right
        if of == "ratio" and scope.value(right).positive:
            return self.trees.make(Quotient, left, right)
        if of == "logarithm":
            return self._log_gap(scope, fact)
        raise Unconfirmed(f"{of!r} says nothing about its two sides")

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
            return None
        first, second = self._differing(node, other)
        (proof,) = proofs if len(proofs) == 1 else ({},)
        way = proof.get("way") if isinstance(proof, dict) and proof.get("rule") == "flag" else None
        if way not in (1, -1) or self.direction == "constant":
            raise Unconfirmed("two different trees without a proof how they compare")
        name = self.trees.name("_flag")
        outer = self.trees.replaced(node, lambda part: name if part is first else None)
        if self.trees.put(outer, {"_flag": second}) is not other:
            raise Unconfirmed("the trees differ in more than one part")
        scope = self.scope(given, (*facts, *more), ())
        gap = self.trees.minus(second, first) if way > 0 else self.trees.minus(first, second)
        if not scope.expanded(gap).positive:
            raise Unconfirmed("which of the two parts is larger is not sure")
        ends = scope.value(first).hull(scope.value(second))
        inner = Scope(self.trees, {**scope.ranges, "_flag": ends}, scope.entries, frozenset(("_flag",)))
        parts = proof.get("parts")
        confirm(parts[0] if isinstance(parts, list) and len(parts) == 1 else None, outer, way if self.direction == "decreasing" else -way, inner)
        return None

    def _differing(self, first: Node, second: Node) -> tuple[Node, Node]:
        """The smallest parts that hold all the difference between two trees."""
        pairs = list(zip(first.children(), second.children(), strict=False))
        unlike = {(id(a), id(b)): (a, b) for a, b in pairs if a is not b}
        same = type(first) is type(second) and len(first.children()) == len(second.children())
        same = same and getattr(first, "function", None) == getattr(second, "function", None)
        found = {(id(a), id(b)): (a, b) for pair in unlike.values() for a, b in [self._differing(*pair)]} if same else {}
        return next(iter(found.values())) if len(found) == 1 else (first, second)

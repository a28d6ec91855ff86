"""Assumptions of a theorem as objects that can be checked against a setting or against bare parameter values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bounds.expression import Node, names, parse_comparison
from bounds.formula import Formula
from bounds.numeric.ways import Ways, decide
from bounds.setting import Fact

#: Structural facts that a theorem may assume, in words.
PROPERTIES = {
    "convex": "every local loss is convex",
    "symmetric": "the mixing matrix is symmetric",
    "doubly_stochastic": "the mixing matrix is doubly stochastic",
    "nonnegative": "the mixing matrix has no negative weight",
    "common_start": "all nodes start from the same point",
    "uniform_sampling": "every node draws uniformly from its own samples, anew at every step",
    "unprojected": "no projection is active",
    "quadratic": "every local loss is quadratic",
    "common_hessian": "all nodes share one Hessian",
    "common_noise": "gradient noise is independent over nodes and steps, does not depend on the weights, and has one covariance at all nodes",
    "bounded_loss": "the loss has values in [0, M]",
    "nonnegative_loss": "the loss is never negative",
    "homogeneous": "at the minimum no node has a gradient",
    "common_loss": "all nodes share one expected loss",
    "isotropic_heterogeneity": "heterogeneity has one size along all eigenvectors of the mixing matrix but the first",
    "ring_of_thirds": "the graph is a ring with all weights 1/3, and there is one gossip step a step",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether an assumption holds: True, False, or None when a fact it needs is unknown; ``text`` says it in words."""

    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """An inequality between parameters, such as ``eta <= 2/beta``.

    ``forms`` restricts it to some update forms, ``given`` and ``absent`` to evaluations where these optional
    parameters are, or are not, given.
    """

    text: str
    forms: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def relevant(self, form: str, given: Mapping[str, Fact]) -> bool:
        """Whether the theorem needs this condition here."""
        return (not self.forms or form in self.forms) and all(n in given for n in self.given) and not any(n in given for n in self.absent)

    def sides(self, formula: Formula, given: frozenset[str]) -> tuple[Node, str, Node]:
        """Both sides as trees with the relation between them."""
        return _sides(self.text, formula, given)[0]

    def check(self, formula: Formula, facts: Mapping[str, Fact], words: Iterable[str] = ()) -> Outcome:
        """Decide the inequality with certified arithmetic; ``words`` are the update form and the readout."""
        (left, relation, right), needed = _sides(self.text, formula, formula.given(facts, words))
        missing = [name for name in needed if name not in facts]
        if missing:
            return Outcome(None, f"{self.text} (needs {', '.join(missing)})")
        values = {name: facts[name] for name in needed}
        if decide(_ways(left, tuple(values)), relation, _ways(right, tuple(values)), tuple(values.values())):
            return Outcome(True, self.text)
        from bounds.expression.balls import enclose

        low, high = enclose(left, values), enclose(right, values)
        # Balls this sharp overlap only at equality, where a non-strict condition holds.
        holds = bool(low < high) if relation == "<" else not bool(low > high)
        # A number on the left is the limit, and what stands on the right was given.
        got, relation, limit = (low, relation, high) if names(left) else (high, relation.replace("<", ">"), low)
        return Outcome(holds, f"{self.text} fails: got {float(got.mid()):.6g}, allowed {relation} {float(limit.mid()):.6g}")


@lru_cache(maxsize=4096)
def _ways(tree: Node, parameters: tuple[str, ...]) -> Ways:
    return Ways(tree, parameters, {}, upward=False)


# A search for counterexamples asks for the same few conditions thousands of times.
@lru_cache(maxsize=4096)
def _sides(text: str, formula: Formula, given: frozenset[str]) -> tuple[tuple[Node, str, Node], tuple[str, ...]]:
    """Both sides with the relation, and the names they need in order."""
    sides = parse_comparison(text, dict.fromkeys(formula.parameters) | dict(formula.trees(given)))
    return sides, tuple(sorted(names(sides[0]) | names(sides[2])))


@dataclass(frozen=True, slots=True)
class Property:
    """A structural fact of the setting (convex losses, symmetric matrix, ...), named as in ``Setting.facts()``."""

    name: str

    @property
    def text(self) -> str:
        """The assumption in words."""
        return PROPERTIES[self.name]

    def check(self, facts: Mapping[str, Fact]) -> Outcome:
        """Whether the property is among the facts and true."""
        holds = bool(facts[self.name]) if self.name in facts else None
        return Outcome(holds, f"{self.text}: this is {'not known' if holds is None else 'not so'} here")

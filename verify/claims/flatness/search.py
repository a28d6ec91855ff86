"""Exceptions to an ordering, found by a seeded search over small random networks and decided in exact rational arithmetic.

>>> found = search(QUESTIONS["atc-below-centralized"], 0, 500)
>>> found.witness.left < found.witness.right
True
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from bounds.setting import Fact
from empirical.oracles import evolve, steady_state
from empirical.streams import stream
from verify.claims.flatness.common import NAMES
from verify.claims.flatness.networks import Family, Network, draws
from verify.claims.flatness.rationals import Exactly, after, settled
from verify.finding_case import Finding
from verify.verdict import Numbers, Table, Verdict

#: A difference must be at least this share of the larger value, so that it is no matter of taste.
_SHARE = Fraction(1, 1000)
_STABLE = 0.999
_WINDOWS = (1, 2, 3, 5, 8, 12, 20)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of one update form: node_average, network_mean, combined (the models after one more combination), or one node."""

    form: str
    where: str = "node_average"

    def words(self) -> str:
        """In words."""
        where = {"network_mean": "at the network mean", "combined": "after one more combination", "node": "at one node"}
        return NAMES[self.form] if self.form == "centralized" else f"{NAMES[self.form]} {where.get(self.where, 'at the node average')}"

    def of(self, moments: Exactly, node: int | None) -> Fraction:
        """The exact excess risk; centralized SGD has one model only."""
        single = node if self.where == "node" and self.form != "centralized" else None
        return moments.excess(single, combined=self.where == "combined", averaged=self.where == "network_mean")


@dataclass(frozen=True, slots=True)
class Question:
    """Is there a network of the family where ``left`` has a smaller excess risk than ``right``?

    ``window``: after some steps from the minimiser (in the steady state otherwise). ``usual``: where the node averages keep their
    usual order (that of ``right`` below that of ``left``) or, for a window, where the steady states do.
    """

    family: Family
    left: Reading
    right: Reading
    window: bool = False
    usual: bool = False


@dataclass(frozen=True, slots=True)
class Witness:
    """A network with ``left`` < ``right``, both exact; of node ``node`` or after ``steps`` steps where the question asks for that."""

    question: Question
    network: Network
    left: Fraction
    right: Fraction
    node: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """The first witness (None if there was none), and among how many stable networks of how many draws it was sought."""

    witness: Witness | None
    draws: int
    stable: int


_NOISY = Family(hessians="own", noise="own")
_PULLED = Family(hessians="own", noise="none", pulls=True)
_ONE_NOISY = Family(hessians="common", noise="own")
_AVERAGE = {form: Reading(form) for form in ("centralized", "atc", "cta", "consensus")}
_MEAN = {form: Reading(form, "network_mean") for form in ("atc", "cta", "consensus")}
_CENTRALIZED, _ATC, _CONSENSUS = _AVERAGE["centralized"], _AVERAGE["atc"], _AVERAGE["consensus"]
_FORMS = ("atc", "cta", "consensus")

QUESTIONS: dict[str, Question] = {
    **{f"{form}-below-centralized": Question(_NOISY, _AVERAGE[form], _CENTRALIZED) for form in _FORMS},
    **{f"{form}-mean-below-centralized": Question(_NOISY, _MEAN[form], _CENTRALIZED) for form in _FORMS},
    **{f"{form}-node-below-centralized": Question(_ONE_NOISY, Reading(form, "node"), _CENTRALIZED) for form in _FORMS},
    "consensus-below-cta": Question(Family("common", "common", lazy=True), _CONSENSUS, _AVERAGE["cta"]),
    "combined-below-atc": Question(Family("common", "common", lazy=True), Reading("consensus", "combined"), _ATC),
    "node-order": Question(_ONE_NOISY, Reading("consensus", "node"), Reading("atc", "node"), usual=True),
    "bias-order": Question(_PULLED, _CONSENSUS, _ATC),
    "noise-order": Question(_NOISY, _CONSENSUS, _ATC),
    "bias-window": Question(Family("common", "none", True, d=1, eta=(0.005, 0.2)), _CONSENSUS, _ATC, window=True, usual=True),
}


def search(question: Question, seed: int, most: int, stop: bool = True) -> Searched:
    """Draw up to ``most`` networks from the stream of ``seed`` and the question; ``stop`` at the first witness.

    Networks where a step of either form does not contract are passed over.
    """
    rng, stable, first = stream(seed, f"witness {question}", 0), 0, None
    for count, network in enumerate(draws(question.family, rng), start=1):
        if contracts(network, question.left.form) and contracts(network, question.right.form):
            stable += 1
            first = first or examine(question, network)
        if count == most or (first and stop):
            break
    return Searched(first, count, stable)


def frequency(question: Question, seed: int, most: int) -> tuple[int, int]:
    """In how many of how many stable networks the answer is yes."""
    rng = stream(seed, f"frequency {question}", 0)
    found = [
        examine(question, network) is not None
        for network, _ in zip(draws(question.family, rng), range(most), strict=False)
        if contracts(network, question.left.form) and contracts(network, question.right.form)
    ]
    return sum(found), len(found)


def contracts(network: Network, form: str) -> bool:
    """Is the spectral radius of a step below 0.999?"""
    return radius(network, form) < _STABLE


def radius(network: Network, form: str) -> float:
    """Spectral radius of a step, by its maps on the stacked models."""
    maps, curvature = network.method(form).maps(network.m), network.problem().curvature
    pulled = np.einsum("sk,kab,ku->saub", maps.spread, curvature, maps.points).reshape(len(maps.keep) * network.d, -1)
    return float(np.abs(np.linalg.eigvals(np.kron(maps.keep, np.eye(network.d)) - float(network.eta) * pulled)).max())


def examine(question: Question, network: Network) -> Witness | None:
    """The network as a witness, if it is one."""
    if question.window:
        return _in_a_window(question, network)
    left, right = settled(network, question.left.form), settled(network, question.right.form)
    if question.usual and not clear(right.excess(), left.excess()):
        return None
    for node in range(network.m) if "node" in (question.left.where, question.right.where) else (None,):
        pair = question.left.of(left, node), question.right.of(right, node)
        if clear(*pair):
            return Witness(question, network, *pair, node=node)
    return None


def _in_a_window(question: Question, network: Network) -> Witness | None:
    if not clear(settled(network, question.right.form).excess(), settled(network, question.left.form).excess()):
        return None
    for steps in _WINDOWS:
        left, right = (one.of(after(network, one.form, steps), None) for one in (question.left, question.right))
        if clear(left, right):
            return Witness(question, network, left, right, steps=steps)
    return None


def clear(left: Fraction, right: Fraction) -> bool:
    """Is ``left`` below ``right`` by a thousandth of it?"""
    return right - left > _SHARE * right


def again(witness: Witness) -> tuple[float, float]:
    """Both excess risks by the float moment recursions, which share no code with the rational ones."""
    return tuple(_float(witness, one) for one in (witness.question.left, witness.question.right))  # type: ignore[return-value]


def _float(witness: Witness, one: Reading) -> float:
    problem, method = witness.network.problem(), witness.network.method(one.form)
    objective = problem.objective()
    window = None if witness.steps is None else evolve(method, problem, [witness.steps], start=objective.minimiser())
    models = (steady_state(method, problem) if window is None else next(window)).models
    if one.where == "combined":
        models = models.combine(np.linalg.matrix_power(witness.network.method("consensus").mixing.matrix, witness.network.Q))  # type: ignore[union-attr]
    values = (models.average() if one.where == "network_mean" else models).excesses(objective)
    single = one.where == "node" and one.form != "centralized"
    return float(values[witness.node] if single else values.mean())


def found(question: str, seed: int, most: int, verdict: Verdict, more: Callable[[Searched], str] | None = None) -> Finding:
    """``verdict`` with a witness in its numbers and table; UNDECIDED where ``most`` draws bring none; ``more`` ends the reason."""
    asked = QUESTIONS[question]
    result = search(asked, seed, most)
    conditions: dict[str, Fact] = {"networks": asked.family.words(), "nodes": "2 to 5", "dimension": "1 or 2", "seed": seed}
    if result.witness is None:
        reason = f"None of {result.stable} stable random networks ({asked.family.words()}) has {_question(asked)}."
        return Finding(Verdict.UNDECIDED, reason, conditions=conditions)
    one = result.witness
    reason = f"{sentence(one)} It is number {result.draws} of the random networks drawn ({asked.family.words()})."
    extra = more(result) if more else ""
    return Finding(verdict, reason + extra, numbers(one), None, conditions, tables=(one.network.table("The network"), values(one)))


def _question(asked: Question) -> str:
    return f"{asked.left.words()} below {asked.right.words()} by a thousandth"


def sentence(one: Witness) -> str:
    """What the witness shows, with its numbers."""
    place = "" if one.node is None else f" (node {one.node})"
    when = "" if one.steps is None else f" after {one.steps} steps from the minimiser"
    left, right = one.question.left.words(), one.question.right.words()
    return (
        f"On a network of {one.network.m} nodes the excess risk of {left} is {float(one.left):.6g} and that of {right} "
        f"{float(one.right):.6g}{place}{when}, in exact rational arithmetic."
    )


def numbers(one: Witness) -> Numbers:
    """``measured`` is the left value, ``bound`` the right one."""
    left, right = float(one.left), float(one.right)
    return Numbers(left, left, left, right, right / left if left else None)


def values(one: Witness) -> Table:
    """Both values, exact and by the float recursions, and the node averages of every stable update form."""
    recomputed = again(one)
    rows: list[tuple[Any, ...]] = [
        (reading.words(), f"{float(exact):.15g}", f"{value:.15g}")
        for reading, exact, value in zip((one.question.left, one.question.right), (one.left, one.right), recomputed, strict=True)
    ]
    plain = replace(one, steps=None, node=None)
    for form in ("centralized", *_FORMS):
        if one.steps is None and contracts(one.network, form):
            reading = Reading(form)
            rows.append((reading.words(), f"{float(settled(one.network, form).excess()):.15g}", f"{_float(plain, reading):.15g}"))
    return Table("Excess risks of the witness", ("what", "rational arithmetic", "float recursion"), tuple(dict.fromkeys(rows)))

"""Do decentralized strategies end at flatter minima? Trace and top eigenvalue of the Hessian at the network mean after equal work."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from bounds.symbols import Domain, Symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.flatness.common import NAMES, PAPER, Build
from verify.claims.flatness.landings import (
    DISTANCES,
    FARTHER,
    FORMS,
    IMAGES,
    START_WORDS,
    Landings,
    M,
    Plan,
    conditions,
    joined,
    percent,
    plans,
    word,
)
from verify.claims.images import absent
from verify.finding_case import Finding, Heading, TasksCase
from verify.statistics import Contrast, contrast, max_t_band, resamples_for
from verify.verdict import Curve, Numbers, Table, Verdict

CLAIM = "cao2025-flatter-minima"
STATEMENT = "Decentralized strategies favour flatter minima than centralized training."
MEASURES = {"trace": "trace", "top": "largest eigenvalue"}
#: Curvatures within one percent are called equal; equality is no refutation, which takes a difference, and more replicates may show one.
MARGIN = math.log(1.01)
_MEAN = Readout.NETWORK_MEAN.value
_DISTANCE = Symbol("s", "s", "distance from the network mean", "w", Domain(-math.inf))
_SLICES = (("random direction", FARTHER), ("top eigenvector", 1.0))
_EDGE = 1 + float(np.linalg.eigvalsh(topology("ring", M).matrix)[0])
_VERDICTS = {"below": Verdict.HOLDS, "above": Verdict.VIOLATED, "within": Verdict.UNDECIDED, "open": Verdict.UNDECIDED}


def flatter(
    blocks: tuple[Landings, ...], level: float, rng: np.random.Generator, plan: Plan, start: str, form: str, column: int, measure: str
) -> Finding:
    """One curvature of one form against the centralized one, in logarithms, paired by replicate."""
    found = joined(blocks)
    own, central = FORMS.index(form), FORMS.index("centralized")
    table = Table(f"Means over {len(found.trace)} replicates", _HEADS, tuple(_row(found, name, column) for name in FORMS))
    shown = conditions(plan, start, column)
    values = getattr(found, measure)[:, :, column]
    if (values[:, [own, central]] <= 0).any():
        reason = f"The {MEASURES[measure]} is not positive in every replicate, so that no ratio says which minimum is flatter."
        return Finding(Verdict.UNDECIDED, reason, conditions=shown, tables=(table,))
    one = contrast(np.log(values[:, own] / values[:, central]), MARGIN, level, resamples_for(level / 4, RESAMPLES), rng)
    numbers = Numbers(one.mean, one.low, one.high, 0.0, replicates=one.replicates)
    reason = _words(one, found, plan, start, form, column, measure)
    curves = _slices(found, plan, column, level, rng) if (form, measure, column) == ("consensus", "top", len(plan.steps) - 1) else ()
    return Finding(_VERDICTS[one.side], reason, numbers, None, shown, curves=curves, tables=(table,))


def _words(one: Contrast, found: Landings, plan: Plan, start: str, form: str, column: int, measure: str) -> str:
    own, central = FORMS.index(form), FORMS.index("centralized")
    sides = {
        "below": "the decentralized one is flatter",
        "above": "the decentralized one is sharper",
        "within": "no difference beyond 1 % either way, and none shown",
        "open": "not decided",
    }
    span = f"{percent(one.mean)} [{percent(one.low)}, {percent(one.high)}]"
    loss = np.log(found.training[:, own, column] / found.training[:, central, column]).mean()
    text = (
        f"{START_WORDS[start]} and with {plan.words(column)} the {MEASURES[measure]} of the Hessian at the network mean of {NAMES[form]} differs from that of "
        f"centralized SGD after equal work by {span}: {sides[one.side]}. Its training loss differs by {percent(float(loss))}"
    )
    if measure == "trace":
        error = np.mean(found.trace_error[:, own, column] / found.trace[:, own, column])
        text += f"; Hutchinson's standard error of one trace is {100 * float(error):.2g} %, and its probes are shared"
    steepest = plan.steps[column][2] * float(found.top[:, central, column].mean())
    if form == "consensus" and measure == "top":
        side = "inside" if steepest < _EDGE else "beyond"
        text += f". eta times the largest eigenvalue is {steepest:.2g} where centralized SGD ends, {side} the consensus form's limit of stability, {_EDGE:.2g}"
    if form == "atc" and found.repeated[:, FORMS.index("cta"), column].all():
        text += ". CTA has the same network mean"
    return f"{text}."


_HEADS = (
    "form",
    "trace",
    "its standard error",
    "largest eigenvalue",
    "training loss",
    "test loss",
    "accuracy",
    "gradient norm",
    "spread of the nodes",
)


def _row(found: Landings, form: str, column: int) -> tuple[str | float, ...]:
    at = FORMS.index(form)
    parts = (found.trace, found.trace_error, found.top, found.training, found.test, found.accuracy, found.gradient, found.spread)
    return (NAMES[form], *(float(one[:, at, column].mean()) for one in parts))


def _slices(found: Landings, plan: Plan, column: int, level: float, rng: np.random.Generator) -> tuple[Curve, ...]:
    """The training loss around the minima: the consensus form with its band, the others as lines."""
    return tuple(
        _slice(found.slices[:, :, column, kind], plan.reach * farther * DISTANCES, words, level, rng)
        for kind, (words, farther) in enumerate(_SLICES)
    )


def _slice(losses: np.ndarray, x: np.ndarray, words: str, level: float, rng: np.random.Generator) -> Curve:
    values = losses[:, FORMS.index("consensus")]
    # Both sides are one: half of the points carry all there is to know.
    half = len(x) // 2
    band = max_t_band(values[:, half:], level, resamples_for(level, RESAMPLES), rng)
    mean, low, high = (np.concatenate([end[:0:-1], end]) for end in (band.mean, band.low, band.high))
    lines = tuple((NAMES[name], losses[:, FORMS.index(name)].mean(axis=0)) for name in ("atc", "cta"))
    central = losses[:, FORMS.index("centralized")].mean(axis=0)
    return Curve(
        _DISTANCE, Quantity.OTHER, x, mean, low, high, central, None, level, len(losses), values,
        f"training loss, {words}", "centralized SGD (the band is that of the consensus form)", lines,
    )  # fmt: skip


def flatter_minima(budget: Budget, seed: int, device: str) -> list[Case]:
    """By problem, start, batch size, form and measure; the runs are shared with the claims on accuracy."""
    cases: list[Case] = []
    for plan in plans(budget):
        for start, column, form, measure in product(plan.starts, range(len(plan.steps)), ("atc", "consensus"), MEASURES):
            about = Heading(CLAIM, f"{word(plan)}-{start}-{plan.steps[column][0]}-{form}-{measure}", PAPER, STATEMENT, form, _MEAN)
            cases.append(TasksCase(about, plan.tasks(start, seed), flatter, (plan, start, form, column, measure)))
    return cases + absent(CLAIM, PAPER, STATEMENT, budget, IMAGES)


CLAIMS: dict[str, Build] = {CLAIM: flatter_minima}

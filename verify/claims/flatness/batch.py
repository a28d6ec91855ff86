"""``cao2025-large-batch``: is the advantage of decentralized training an effect of large batches, as the paper's first version says?"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from bounds.setting import Fact, Schedule
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical.oracles import Method, Quadratic, steady_state
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.flatness import modes, runs
from verify.claims.flatness.common import NAMES, PAPER, Build
from verify.claims.flatness.runs import Excess, read_excess
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.statistics import judge, resamples_for
from verify.verdict import Curve, Evidence, Numbers, Table, Verdict

CLAIM = "cao2025-large-batch"
STATEMENT = (
    "It is in the large-batch regime that decentralized training has its advantage over centralized training: relative to centralized, "
    "its excess risk around a minimum grows with the batch."
)
FORMS = ("atc", "cta", "consensus")
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
RUN_BATCHES = (1, 2, 4, 8)
_ETA, _MARGIN = 0.02, 0.1
#: A larger step forgets faster, so that its runs average more; heterogeneity takes over at larger batches for smaller ones.
_RUN_ETAS = {"shared": 0.1, "split": 0.05}
_NODES = Readout.NODE_AVERAGE.value
_PULLS = np.repeat([0.1, -0.1], 4)
_RING = topology("ring", 8)


def exact_excess(form: str, b: int, eta: float, pulled: bool) -> float:
    """Steady excess risk on the ring of 8 with h = R = 1; ``pulled``: four neighbouring nodes with gradient 0.1 at the minimum, four with -0.1."""
    pulls = _PULLS if pulled else np.zeros(8)
    problem = Quadratic([[1.0]], -pulls[:, None], [[1.0]])
    mixing = None if form == "centralized" else _RING
    method = Method(update_form=word(UpdateForm, form), schedule=Schedule(eta), mixing=mixing, b=b)
    return steady_state(method, problem).excess_risk(problem.objective(), _NODES)


def ratios(form: str, batches: tuple[int, ...], eta: float, pulled: bool, scaled: bool = False) -> np.ndarray:
    """Excess risk over that of centralized SGD, by batch; ``scaled``: the step is eta b."""
    steps = [eta * b if scaled else eta for b in batches]
    pairs = zip(batches, steps, strict=True)
    return np.array([exact_excess(form, b, step, pulled) / exact_excess("centralized", b, step, pulled) for b, step in pairs])


def crossover(form: str) -> tuple[float, float]:
    """The batch at which the heterogeneity part equals the centralized excess risk: to leading order in the step, and exactly."""
    values, vectors = np.linalg.eigh(_RING.matrix)
    rest, along = values[:-1], vectors.T[:-1] @ _PULLS
    weight = np.ones_like(rest) if form != "atc" else rest**2
    leading = 1 / (2 * _ETA * float(np.sum(weight * along**2 / (1 - rest) ** 2)))
    noise_free = exact_excess(form, 10**12, _ETA, True)
    return leading, exact_excess("centralized", 1, _ETA, True) / noise_free


def homogeneous(form: str) -> Finding:
    """Without heterogeneity every excess risk is a number over b: the ratio cannot depend on it."""
    found = ratios(form, BATCHES, _ETA, False)
    spread = float(np.ptp(found) / found[0])
    numbers = Numbers(float(found[-1]), float(found.min()), float(found.max()), float(found[0]), float(found[0] / found[-1]))
    if spread > 1e-10:
        return Finding(Verdict.UNDECIDED, f"The ratio moves by {spread:.3g} of its value.", numbers)
    reason = (
        f"At a fixed step and without heterogeneity the excess risk of {NAMES[form]} over the centralized one is {found[0]:.4g} at b = 1 and "
        f"{found[-1]:.4g} at b = 4096: both are exactly proportional to 1/b, so the ratio does not depend on the batch. The advantage is there at "
        "every batch, large ones are nothing special, and its absolute size vanishes as 1/b."
    )
    return Finding(Verdict.VIOLATED, reason, numbers, None, _conditions("none", f"{_ETA:g}"), curves=(_curve(form, False),))


def heterogeneous(form: str) -> Finding:
    """The heterogeneity part does not depend on b, everything else is a number over b: the ratio is a + c b with c > 0."""
    found = ratios(form, BATCHES, _ETA, True)
    slopes = np.diff(found) / np.diff(BATCHES)
    leading, exact = crossover(form)
    linear = float(np.ptp(slopes) / slopes.mean())
    numbers = Numbers(float(found[-1]), float(found[-1]), float(found[-1]), float(found[0]), float(found[0] / found[-1]))
    rows = tuple(
        (b, float(alike), float(unlike)) for b, alike, unlike in zip(BATCHES, ratios(form, BATCHES, _ETA, False), found, strict=True)
    )
    table = Table("Excess risk over that of centralized SGD", ("b", "same minimisers", "own minimisers"), rows)
    if linear > 1e-6 or not modes.proved(modes.bias(form), modes.STABLE, (0, 1)) or not slopes.min() > 0:
        return Finding(Verdict.UNDECIDED, f"The ratio is not shown to grow linearly with b ({linear:.3g}).", numbers, tables=(table,))
    reason = (
        f"At a fixed step and with heterogeneity the excess risk of {NAMES[form]} over the centralized one grows linearly with the batch, from "
        f"{found[0]:.4g} at b = 1 to {found[-1]:.4g} at b = 4096: the part due to heterogeneity is the only one that no batch averages out. It equals the "
        f"centralized excess risk at b = {exact:.4g} (to leading order in the step {leading:.4g}) and dominates beyond."
    )
    return Finding(
        Verdict.HOLDS, reason, numbers, None, _conditions("own minimisers", f"{_ETA:g}"), curves=(_curve(form, True),), tables=(table,)
    )


def scaled_step(form: str) -> Finding:
    """With eta proportional to b the ratio grows because the step does."""
    step, batches = 0.002, (1, 4, 16, 64, 256)
    found = ratios(form, batches, step, False, scaled=True)
    share = sympy.diff(modes.X * (2 - modes.X) * modes.noise(form), modes.X)
    below_one = tuple(
        modes.Region(one.words.partition(", ")[0] + ", 0 < x < 1", one.eigenvalue, modes.between(0, 1, modes.T)) for one in modes.WIDE
    )
    known = modes.proved(share, modes.STABLE if form == "consensus" else below_one, (0, 1))
    numbers = Numbers(float(found[-1]), float(found[-1]), float(found[-1]), float(found[0]), float(found[0] / found[-1]))
    if not known or not (np.diff(found) > 0).all():
        return Finding(Verdict.UNDECIDED, "The growth was not proved.", numbers)
    where = "at which it is stable" if form == "consensus" else "up to 1/curvature"
    reason = (
        f"With a step proportional to the batch (eta = {step:g} b) the excess risk of {NAMES[form]} over the centralized one grows "
        f"from {found[0]:.4g} at b = 1 "
        f"to {found[-1]:.4g} at b = {batches[-1]} even without heterogeneity: the ratio of every mode is proved to grow with the step, {where}. "
        "The batch enters through the step only."
    )
    drawn = _line(form, batches, found, "step proportional to the batch")
    return Finding(Verdict.HOLDS, reason, numbers, None, _conditions("none", f"{step:g} b"), curves=(drawn,))


def _conditions(heterogeneity: str, step: str) -> dict[str, Fact]:
    return {"topology": "ring", "m": 8, "Hessian": "1 for all nodes", "noise variance": 1.0, "eta": step, "heterogeneity": heterogeneity}


def _curve(form: str, pulled: bool) -> Curve:
    return _line(form, BATCHES, ratios(form, BATCHES, _ETA, pulled), "own minimisers" if pulled else "one minimiser")


def _line(form: str, batches: tuple[int, ...], found: np.ndarray, words: str) -> Curve:
    x = np.array(batches, dtype=np.float64)
    label = f"excess risk of {NAMES[form]} over centralized"
    one = np.ones_like(found)
    return Curve.exact(symbol("b"), Quantity.OTHER, x, found, one, label=label, bound_label=f"centralized SGD ({words})")


def _extra(own: tuple[Excess, ...], central: tuple[Excess, ...]) -> np.ndarray:
    """b (excess risk of one form minus the centralized one), (replicates, batches): constant in b where there is no heterogeneity."""
    batches = np.array([one.run.b for one in own], dtype=np.float64)
    return np.asarray(batches * (runs.table_of(own, _NODES) - runs.table_of(central, _NODES)))


def measured_homogeneous(measured: tuple[Excess, ...], level: float, rng: np.random.Generator) -> Finding:
    """All nodes hold the same samples: b times the extra excess risk at every batch against its value at b = 1, within a tenth."""
    own, central = measured[: len(RUN_BATCHES)], measured[len(RUN_BATCHES) :]
    extra = _extra(own, central)
    resamples = resamples_for(level / 4, RESAMPLES)
    apart = extra[:, 1:] - extra[:, :1]
    # The margin is a share of an estimate; comparing with both 1 - margin and 1 + margin times the first keeps its error in the pair.
    ends = np.concatenate([apart - _MARGIN * extra[:, :1], -apart - _MARGIN * extra[:, :1]], axis=1)
    same = judge(ends, np.zeros(ends.shape[1]), level / 2, resamples, rng)
    grows = judge(-apart + _MARGIN * extra[:, :1], np.zeros(apart.shape[1]), level / 2, resamples, rng)
    shares = extra.mean(axis=0) / extra[:, 0].mean()
    listed = ", ".join(f"{share:.4g} (b = {b})" for share, b in zip(shares, RUN_BATCHES, strict=True))
    verdict = Verdict.VIOLATED if same.verdict is Verdict.HOLDS else Verdict.HOLDS if grows.verdict is Verdict.HOLDS else Verdict.UNDECIDED
    ends_words = {
        Verdict.VIOLATED: "within a tenth of 1",
        Verdict.HOLDS: "above 1.1",
        Verdict.UNDECIDED: "not decided to be within a tenth of 1",
    }
    reason = (
        f"Measured with the same samples at all nodes and a fixed step, b times the extra excess risk of {_name(own)} is, relative to b = 1, {listed}: "
        f"{ends_words[verdict]} at the given level, so relative to centralized SGD the advantage is the same at every batch.{runs.agreement(own, _NODES)}"
    )
    if verdict is not Verdict.VIOLATED:
        reason = reason.replace(", so relative to centralized SGD the advantage is the same at every batch", "")
    x = tuple(float(b) for b in RUN_BATCHES)
    drawn = runs.curve(own, _NODES, x, "b", level, rng, {"exact, centralized SGD": (central, _NODES)})
    return Finding(verdict, reason, same.numbers, None, runs.conditions(own), curves=(drawn,))


def measured_heterogeneous(measured: tuple[Excess, ...], level: float, rng: np.random.Generator) -> Finding:
    """Own samples at every node: b times the extra excess risk grows, and the batch where its constant part overtakes centralized SGD."""
    own, central = measured[: len(RUN_BATCHES)], measured[len(RUN_BATCHES) :]
    extra = _extra(own, central)
    found = judge(-np.diff(extra, axis=1), np.zeros(extra.shape[1] - 1), level / 2, resamples_for(level / 2, RESAMPLES), rng)
    rows, agreed = _brackets(own, central, extra, level / 2, rng)
    predicted = _predicted(own, central)
    ends = {
        Verdict.HOLDS: "grows from every batch to the next",
        Verdict.VIOLATED: "falls somewhere",
        Verdict.UNDECIDED: "is not decided to grow",
    }
    ratio = runs.table_of(own, _NODES).mean(axis=0) / runs.table_of(central, _NODES).mean(axis=0)
    reason = (
        f"Measured with own samples at every node and a fixed step, the extra excess risk of {_name(own)} relative to the centralized one "
        f"{ends[found.verdict]} at the given level: the ratio is {ratio[0]:.4g} at b = {RUN_BATCHES[0]} and {ratio[-1]:.4g} at b = {RUN_BATCHES[-1]}. "
        f"The part that no batch averages out equals the centralized excess risk at b = {predicted:.4g} by the exact recursions; measured, {agreed}."
        f"{runs.agreement(own, _NODES)}"
    )
    x = tuple(float(b) for b in RUN_BATCHES)
    drawn = runs.curve(own, _NODES, x, "b", level, rng, {"exact, centralized SGD": (central, _NODES)})
    heads = ("b", "constant part minus centralized", "low", "high")
    table = Table("Where the part due to heterogeneity overtakes the centralized excess risk", heads, rows)
    return Finding(found.verdict, reason, found.numbers, None, runs.conditions(own), curves=(drawn,), tables=(table,))


def _brackets(
    own: tuple[Excess, ...], central: tuple[Excess, ...], extra: np.ndarray, level: float, rng: np.random.Generator
) -> tuple[tuple[tuple[Fact, ...], ...], str]:
    """At every batch the band of (constant part of the extra excess risk) - (centralized excess risk), and between which batches it turns.

    With extra(b) = noise + b constant, the constant part is the slope between the smallest and the largest batch: linear in every replicate.
    """
    constant = (extra[:, -1] - extra[:, 0]) / (RUN_BATCHES[-1] - RUN_BATCHES[0])
    above = constant[:, None] - runs.table_of(central, _NODES)
    band = judge(above, np.zeros(above.shape[1]), level, resamples_for(level, RESAMPLES), rng).band
    rows = tuple((b, *map(float, row)) for b, *row in zip(RUN_BATCHES, band.mean, band.low, band.high, strict=True))
    below = [b for b, high in zip(RUN_BATCHES, band.high, strict=True) if high < 0]
    beyond = [b for b, low in zip(RUN_BATCHES, band.low, strict=True) if low > 0]
    low, high = (f"above {max(below)}" if below else "undecided below"), (f"below {min(beyond)}" if beyond else "undecided above")
    return rows, f"it is {low} and {high} at the given level"


def _predicted(own: tuple[Excess, ...], central: tuple[Excess, ...]) -> float:
    """The crossover of the mean over training sets: centralized excess at b = 1 over the constant part, both exact."""
    extra = [one.run.b * float(one.exact[_NODES].mean() - other.exact[_NODES].mean()) for one, other in zip(own, central, strict=True)]
    constant = (extra[-1] - extra[0]) / (own[-1].run.b - own[0].run.b)
    return own[0].run.b * float(central[0].exact[_NODES].mean()) / constant


def _name(own: tuple[Excess, ...]) -> str:
    return NAMES[own[0].run.update_form.value]


def large_batch(budget: Budget, seed: int, device: str) -> list[Case]:
    """Exact ratios by batch, with and without heterogeneity and a step that grows with the batch; and runs."""
    cases: list[Case] = []
    kinds: tuple[tuple[str, Any], ...] = (
        ("fixed-step-one-minimiser", homogeneous),
        ("fixed-step-own-minimisers", heterogeneous),
        ("step-grows-with-batch", scaled_step),
    )
    for form in FORMS:
        for name, find in kinds:
            cases.append(ExactCase(Heading(CLAIM, f"{name}-{form}", PAPER, STATEMENT, form, _NODES), find, (form,), Evidence.EXACT))
    for form in ("atc", "consensus"):
        for data, find_measured in (("shared", measured_homogeneous), ("split", measured_heterogeneous)):
            both = [
                tuple(runs.run(one, seed, runs.replicates(budget), _RUN_ETAS[data], b, data) for b in RUN_BATCHES)
                for one in (form, "centralized")
            ]
            name = "same-data" if data == "shared" else "own-data"
            heading = Heading(CLAIM, f"measured-{name}-{form}", PAPER, STATEMENT, form, _NODES)
            cases.append(RunsCase(heading, both[0] + both[1], (), find_measured, (), device, read=read_excess))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: large_batch}

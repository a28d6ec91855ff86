r"""``li2025-no-bounded-gradients``: which guarantees do without the bounded-gradient assumption, and what the kept ones imply.

A beta-smooth loss that is nowhere negative has \|grad l(w)\|^2 <= 2 beta l(w), because 0 <= l(w - grad l(w)/beta) <= l(w) -
\|grad l(w)\|^2/(2 beta). With values in [0, M] the same holds for M - l, so \|grad l\|^2 <= 2 beta min(l, M - l) <= beta M. On the line,
the loss that rises from 0 with curvature beta up to M/2 and on to M with curvature -beta attains sqrt(beta M) at its inflection.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import bounds
from bounds.setting import Fact
from bounds.symbols import symbol
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Measurement, Run, measure
from empirical.optimisation import Optimisation, optimise
from empirical.oracles import SampledGradients, evolve, evolve_twins, least_squares, method_of
from empirical.oracles.moments import reduced
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.images import absent, image_problems
from verify.claims.multigossip.common import PAPER, PROBLEMS, Build
from verify.claims.multigossip.descent import PAIRED, band_of, exact_numbers, read_descent
from verify.claims.multigossip.training import word
from verify.curve_case import shared_conditions
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.precision import centre_precision
from verify.statistics import judge, resamples_for
from verify.verdict import Curve, Evidence, Numbers, Verdict

CLAIM = "li2025-no-bounded-gradients"
_LIST = "The guarantees for smooth non-convex losses need no bounded-gradient assumption beside the smoothness and the range [0, M] of the loss."
_SCOPE = "Without the bounded-gradient assumption the guarantees for non-convex losses also cover losses whose gradients are unbounded."
_CONVEX = (
    "For smooth convex losses >= 0 the l2 on-average stability and the generalization error are bounded without any bound on gradients."
)
_NODES = Readout.NODE_AVERAGE.value
_RULE = bounds.get("dsgd_on_average_convex")
#: The dimension and the spread of the synthetic least-squares problems.
_DIMENSION, _NOISE = 2, 0.5


def largest_slope(points: int) -> float:
    r"""max \|l'\|/sqrt(beta M) of the extremal loss, from its values alone (central differences on ``points`` places): 1 in the limit."""
    x, h = np.linspace(-0.5, 2.5, points), 1e-6
    values = [_extremal(x + step) for step in (-h, h)]
    return float(np.abs((values[1] - values[0]) / (2 * h)).max())


def _extremal(x: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """0, then x^2/2 up to x = 1, then 1 - (2 - x)^2/2 up to x = 2, then 1: beta = M = 1, and slope 1 at x = 1."""
    inside = np.clip(x, 0, 2)
    return np.asarray(np.where(inside <= 1, inside**2 / 2, 1 - (2 - inside) ** 2 / 2))


def implied() -> Finding:
    """The implication, with the loss that attains its constant."""
    slope = largest_slope(3001)
    reason = (
        "They do, because the assumption follows from the others: a beta-smooth loss with values in [0, M] has gradients of norm at most "
        f"sqrt(beta M), hence below sqrt(2 beta M) (proved in two lines; a loss on the line reaches {slope:.6f} sqrt(beta M)). So it is "
        "implied rather than avoided: any bound for L-Lipschitz losses applies with L = sqrt(2 beta M)."
    )
    return Finding(Verdict.HOLDS if slope <= 1 + 1e-6 else Verdict.VIOLATED, reason, exact_numbers(slope, math.sqrt(2)))


def scope() -> Finding:
    """What the range [0, M] excludes."""
    reason = (
        "The burn-in term t0/n of these guarantees needs values in [0, M]; with smoothness that bounds all gradients by sqrt(beta M). A "
        "smooth loss with unbounded gradients (least squares, a quadratic) therefore has no M, and the guarantee does not speak about it. "
        "Cross entropy has no M either, unless models stay in a ball."
    )
    return Finding(Verdict.NOT_APPLICABLE, reason)


def below_implied(measured: tuple[Optimisation, ...], level: float, rng: np.random.Generator) -> Finding:
    """The largest gradient norm ever met against sqrt(2 beta M); a maximum, so one value above it would refute."""
    (found,) = measured
    setting = found.settings[-1]
    beta, M = setting.loss.beta, setting.loss.M
    met = found.values["largest"]
    largest, conditions = met.max(axis=0), shared_conditions(list(found.settings))
    if beta is None or M is None:
        known = ", ".join(f"{value:.4g} in {one.T} steps" for value, one in zip(largest, found.settings, strict=True))
        reason = (
            "The loss has no M without projection, and no beta of it is proved, so that nothing is assumed that would bound its gradients, "
            f"and no such guarantee speaks about it. The largest gradient norm of any training sample in {len(met)} runs is {known}."
        )
        numbers = Numbers(float(largest[-1]), replicates=len(met))
        return Finding(Verdict.NOT_APPLICABLE, reason, numbers, None, conditions, curves=(_met(found, None),))
    limit = math.sqrt(2 * beta.value * M.value)
    verdict = Verdict.HOLDS if largest[-1] <= limit else Verdict.VIOLATED
    reason = (
        f"The largest gradient norm of any training sample in {len(found.D0)} runs is {largest[-1]:.4g}; sqrt(2 beta M) is {limit:.4g}, "
        f"with beta = {beta.value:.4g} and M = {M.value:.4g} proved."
    )
    numbers = Numbers(float(largest[-1]), None, None, limit, limit / float(largest[-1]), len(found.D0))
    return Finding(verdict, reason, numbers, None, conditions, setting.loss.constants(), (_met(found, limit),))


def _met(found: Optimisation, limit: float | None) -> Curve:
    """The largest gradient norm met so far along the steps: mean, least and largest over the runs."""
    met, x = found.values["largest"], np.array([one.T for one in found.settings], dtype=np.float64)
    ceiling = None if limit is None else np.full(len(x), limit)
    return Curve(
        symbol("T"), Quantity.OTHER, x, met.mean(axis=0), met.min(axis=0), met.max(axis=0), ceiling, None, 0.0, len(met), met,
        label="largest gradient norm of a training sample so far", bound_label=None if limit is None else "sqrt(2 beta M)",
    )  # fmt: skip


def _data(rng: np.random.Generator, m: int, n: int) -> SampledGradients:
    z = rng.uniform(-1, 1, (m, n, _DIMENSION))
    return least_squares(z, z @ np.array([1.0, -2.0]) + _NOISE * rng.uniform(-1, 1, (m, n)))


def _mean_loss(data: SampledGradients, node: int, state: Any) -> float:
    """The expected mean loss of node ``node``'s own samples at its model."""
    return float(np.mean([state.models.risks(data.loss(node, place))[node] for place in range(data.samples)]))


def stability_without_gradients(seed: int, sets: int, steps: tuple[int, ...]) -> Finding:
    """Exact l2 on-average stability on least squares against the on-average bound, given training set and replacements.

    Given both, F of the bound is the mean over the run and its twins: each twin is charged the loss of its own replaced sample.
    """
    m, n, T = 4, 5, max(steps)
    run = Run(problem="quadratic", update_form=UpdateForm.ATC, m=m, n=n, T=T, eta=0.5, replicates=1)
    beta, method = _DIMENSION, method_of(run)
    exact, allowed = np.empty((sets, len(steps))), np.empty((sets, len(steps)))
    for number in range(sets):
        rng = stream(seed, "least squares", number)
        stable, met = exact_twins(method, _data(rng, m, n), _data(rng, m, n), T)
        for k, t in enumerate(steps):
            exact[number, k], allowed[number, k] = stable[t], 8 * math.e * (1 + t / n) * beta * 0.5**2 / (m * n) * met[:t].sum()
    ratios = allowed / exact
    r, k = divmod(int(ratios.argmin()), len(steps))
    verdict = Verdict.HOLDS if ratios.min() >= 1 else Verdict.VIOLATED
    reason = (
        f"On {sets} least-squares problems, whose gradients are unbounded, the exact squared l2 stability stays at or below "
        f"8 e (1+T/n) beta eta^2 T F/(m n): bound over exact value lies between {ratios.min():.3g} and {ratios.max():.3g}."
        if verdict is Verdict.HOLDS
        else f"At T = {steps[k]} the exact squared l2 stability is {1 / ratios.min():.3g} times the bound."
    )
    x = np.asarray(steps, dtype=np.float64)
    curve = Curve.exact(symbol("T"), Quantity.L2_STABILITY, x, exact[r], allowed[r], bound_label="8 e (1+T/n) beta eta^2 T F/(m n)")
    conditions: dict[str, Fact] = {"loss": "least squares", "m": m, "n": n, "eta": 0.5, "topology": "ring", "beta": beta}
    return Finding(verdict, reason, exact_numbers(float(exact[r, k]), float(allowed[r, k])), None, conditions, curves=(curve,))


def exact_twins(method: Any, data: SampledGradients, other: SampledGradients, T: int) -> tuple[Any, Any]:
    """Squared l2 on-average stability after the steps 0..T, and F_t of the steps 0..T-1: mean of the losses of both runs."""
    m, n = data.nodes, data.samples
    stable, twin_losses = np.zeros(T + 1), np.zeros(T)
    for node in range(m):
        for place in range(n):
            for t, state in enumerate(evolve_twins(method, data, other, node, place, range(T + 1))):
                stable[t] += reduced(state.difference.models.squares(), _NODES) / (m * n)
                if t < T:
                    twin_losses[t] += state.twin.models.risks(other.loss(node, place))[node] / (m * n)
    losses = [np.mean([_mean_loss(data, node, state) for node in range(m)]) for state in evolve(method, data, range(T))]
    return stable, (np.array(losses) + twin_losses) / 2


def read_on_average(run: Run, wanted: tuple[str, ...], device: str) -> tuple[Optimisation, dict[int, Measurement]]:
    """What a run met on its way, and its squared l2 stability by number of steps where it has twins."""
    request = (Quantity.L2_STABILITY, Readout.NODE_AVERAGE)
    stable = {one.setting.T: one for one in measure(run, [request], device=device)} if run.twins else {}
    return optimise(run, wanted, device), stable


def generalizes(measured: tuple[Any, ...], level: float, rng: np.random.Generator) -> Finding:
    """Measured generalization error against the on-average bound with the losses that each run met, replicate by replicate.

    At any fixed gam the bound is linear in F and R_S, so the mean over replicates of (error - bound of the replicate's F and R_S) is
    at most 0; gam is the minimiser for the mean F and R_S, where it has no first-order effect.
    """
    ((found, _),) = measured
    error, met, fitted = (found.values[name] for name in ("generalization", "met", "raw_training"))
    ceilings = np.stack([_on_average(one, met[:, k], fitted[:, k]) for k, one in enumerate(found.settings)], axis=1)
    return _against(found, error, ceilings, level, rng, Quantity.GENERALIZATION_ERROR, _RULE.id, None)


def stays_close(measured: tuple[Any, ...], level: float, rng: np.random.Generator) -> Finding:
    """Measured squared l2 stability against 8 e (1+T/n) beta eta^2 T F/(m n) with each replicate's F."""
    ((found, stable),) = measured
    values = np.stack([stable[one.T].values for one in found.settings], axis=1)
    ceilings = np.stack([_distance(one, found.values["met"][:, k]) for k, one in enumerate(found.settings)], axis=1)
    return _against(found, values, ceilings, level, rng, Quantity.L2_STABILITY, None, "8 e (1+T/n) beta eta^2 T F/(m n)")


def _distance(setting: Any, met: Any) -> Any:
    eta, T, m, n, beta = setting.schedule.eta, setting.T, setting.m, setting.n, setting.loss.beta.value
    return 8 * math.e * (1 + T / n) * beta * eta**2 * T * met / (m * n)


def _on_average(setting: Any, met: Any, fitted: Any) -> Any:
    beta = setting.loss.beta.value
    D = float(_distance(setting, met.mean()))
    gam = math.sqrt(2 * beta * fitted.mean() / D)
    given = {"beta": beta, "eta": setting.schedule.eta, "T": setting.T, "m": setting.m, "n": setting.n, "gam": gam}
    return _RULE.evaluate(**given, F=met, R_S=fitted)


def _against(
    found: Optimisation,
    values: Any,
    ceilings: Any,
    level: float,
    rng: np.random.Generator,
    quantity: Quantity,
    rule: str | None,
    name: str | None,
) -> Finding:
    settings, mean = list(found.settings), ceilings.mean(axis=0)
    unmet = [text.text for one in settings for text in _RULE.assess(one.facts() | {"nonnegative_loss": True})]
    if unmet or not settings[0].loss.convex:
        return Finding(
            Verdict.NOT_APPLICABLE, "; ".join(dict.fromkeys(unmet)) or "The loss is not convex.", conditions=shared_conditions(settings)
        )
    judged = judge(
        values - (ceilings - mean), mean, level, resamples_for(level, RESAMPLES), rng, points=[f"T = {one.T}" for one in settings]
    )
    x, band = np.array([one.T for one in settings], dtype=np.float64), band_of(values, level, rng)
    curve = Curve(
        symbol("T"), quantity, x, values.mean(axis=0), band.low, band.high, mean, rule, level, len(values), values, bound_label=name
    )
    reason = judged.reason + PAIRED + " No bound on gradients enters: models and gradients are not projected." + centre_precision(band)
    return Finding(judged.verdict, reason, judged.numbers, None, shared_conditions(settings), settings[-1].loss.constants(), (curve,))


def _measured(budget: Budget, seed: int, device: str) -> list[Case]:
    """Largest gradients on bounded losses, and the on-average bounds on losses with unbounded gradients."""
    steps, cases = (25, 50, 100), list[Case]()
    common: dict[str, Any] = {"update_form": UpdateForm.ATC, "m": 8, "n": 16, "T": 100, "seed": seed, "checkpoints": steps}
    bounded: dict[str, dict[str, Any]] = {"softmax": {"eta": 1.0, "radius": 10.0}, "sigmoid": {"c": 20.0}, "network": {"c": 20.0}}
    on_images = {"replicates": 8, "T": 50, "checkpoints": (10, 25, 50)}
    unbounded: dict[str, dict[str, Any]] = {"mlp": {"eta": 0.5, **on_images}, "cnn": {"eta": 0.02, **on_images}}
    for name in PROBLEMS + image_problems(budget):
        change = {"replicates": max(8, budget.replicates // 8)} | (bounded | unbounded)[name.partition("-")[0]]
        run = Run(problem=name, **(common | change))
        heading = Heading(CLAIM, f"largest-gradient-{word(name)}", PAPER, _LIST, "atc", Readout.GRADIENT_POINT.value)
        cases.append(RunsCase(heading, (run,), ("largest",), below_implied, (), device, measured=False, read=read_descent))
    for name, eta in (("softmax-l2-digits", 0.5), ("quadratic", 0.2)):
        for part, find, twins in (("generalization", generalizes, 0), ("stability", stays_close, budget.twins)):
            run = Run(problem=name, replicates=budget.replicates, twins=twins, eta=eta, **common)
            wanted = ("met", "raw_training", "generalization") if not twins else ("met",)
            heading = Heading(CLAIM, f"convex-{part}-{name.removesuffix('-digits')}", PAPER, _CONVEX, "atc", _NODES)
            cases.append(RunsCase(heading, (run,), wanted, find, (), device, read=read_on_average))
    return cases


def no_bounded_gradients(budget: Budget, seed: int, device: str) -> list[Case]:
    """The implication and its scope, the largest gradients met, and what holds without bounded gradients."""
    sets = 1 if budget.name == "quick" else 4
    headings = {case: Heading(CLAIM, case, PAPER, words, "atc", _NODES) for case, words in (("implied", _LIST), ("scope", _SCOPE))}
    twins = Heading(CLAIM, "convex-least-squares-exact", PAPER, _CONVEX, "atc", _NODES)
    exact = ExactCase(twins, stability_without_gradients, (seed, sets, (5, 20, 60)), Evidence.EXACT, cost=1e6)
    theory = [ExactCase(headings["implied"], implied), ExactCase(headings["scope"], scope)]
    return [*theory, *_measured(budget, seed, device), exact, *absent(CLAIM, PAPER, _LIST, budget)]


CLAIMS: dict[str, Build] = {CLAIM: no_bounded_gradients}

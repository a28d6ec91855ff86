"""``zhu2023-equivalence``: does decentralized SGD minimize the loss of average-direction SAM?"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

import bounds
from bounds.setting import Fact
from bounds.vocabulary import Readout
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.averaged_sam import fields, orders, rationals, trained
from verify.claims.averaged_sam.common import PAPER, Build
from verify.claims.averaged_sam.orders import MARGIN
from verify.claims.averaged_sam.trained import Spreads, read_spreads
from verify.claims.core import Budget
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.statistics import judge, ratio_test, resamples_for
from verify.verdict import Evidence, Numbers, Table, Verdict

CLAIM = "zhu2023-equivalence"
_MEAN_STEP = (
    "In the mean, one step of the averaged model of decentralized SGD is a gradient step on E L(w + e), e normal with the nodes' covariance "
    "Xi, up to terms of third order in the nodes' distances from their mean, under general losses."
)
_MINIMIZES = "Decentralized SGD minimizes, asymptotically, the loss function of an average-direction sharpness-aware minimization."
_PENALTY = "The loss that decentralized SGD descends is approximately L(w) + E[L(w + e) - L(w)], e normal with covariance Xi: sharpness is penalized."
_TRACE = "Decentralized SGD implicitly adds Tr(H Xi)/2 to the loss, H the Hessian at the mean model and Xi the covariance of the nodes."
_POINT, _MODELS, _MEAN = Readout.GRADIENT_POINT.value, Readout.NODE_AVERAGE.value, Readout.NETWORK_MEAN.value
_ORDERS = {"generic": 3, "symmetric": 4}
#: How far the penalized loss may be from the nodes' mean loss, as a factor of the penalty.
PENALTY_FACTOR = 1.05
#: The share of the shift of the mean gradient that the theorem may leave unexplained (holds), and that refutes it.
EXPLAINED, REFUTED = 0.5, 1.0


def cubic(form: str, readout: str, seed: int, draws: int) -> Finding:
    """A loss with no fourth derivative: mean step and Gaussian objective in exact rational arithmetic."""
    largest, least = Fraction(0), None
    for index in range(draws):
        step, loss = rationals.drawn(form, seed, index, 5, 6, quintic=False)
        at = step.points if readout == _POINT else step.models
        centre = at.sum(axis=0) / Fraction(len(at))
        away = step.moved - loss.averaged(centre, rationals.spread(at))
        shift = step.moved - loss.gradient(centre)
        size = max(map(abs, away))
        largest, ratio = max(largest, size), float(size / max(map(abs, shift)))
        least = ratio if least is None else min(least, ratio)
    rest = fields.cubic_rest()
    conditions: dict[str, Fact] = {"loss": "random cubics", "m": 5, "d": 6, "W": "random doubly stochastic, not symmetric", "checks": draws}
    numbers = Numbers(float(largest), bound=0.0)
    if largest == 0 and not any(rest):
        reason = (
            "The residual is exactly 0 for every cubic loss and every doubly stochastic W: the gradient of a cubic is its own Taylor "
            "polynomial of second "
            "order, whose first-order term sums to 0 and whose second is the gradient of Tr(H Xi)/2, Xi held fixed, as for any law with "
            "covariance Xi. "
            f"Checked symbolically (general cubic in the plane, 3 nodes) and on {draws} random cubics in R^6 with 5 nodes: difference 0 in "
            "rational arithmetic."
        )
        return Finding(Verdict.HOLDS, reason, numbers, conditions=conditions)
    if least is not None and least > 0:
        reason = (
            f"With Xi of the models before they are combined the theorem is wrong for cubics: at every one of {draws} draws the mean step "
            "differs from "
            f"the Gaussian one by at least {least:.2g} of its shift from the plain gradient. CTA takes gradients at W X, whose spread is W Xi W^T; "
            "with that one the residual is exactly 0."
        )
        return Finding(Verdict.VIOLATED, reason, Numbers(least, bound=0.0), conditions=conditions)
    return Finding(Verdict.UNDECIDED, f"The largest difference is {float(largest):.3g}.", numbers, conditions=conditions)


def own_points(form: str, seed: int, draws: int) -> Finding:
    """Perturbations that are the nodes' own deviations, on losses of degree five."""
    largest = Fraction(0)
    for index in range(draws):
        step, loss = rationals.drawn(form, seed, index, 5, 4, quintic=True)
        mean = sum(loss.gradient(x) for x in step.points) / Fraction(len(step.points))
        largest = max(largest, *map(abs, step.moved - mean))
    conditions: dict[str, Fact] = {"loss": "random polynomials of degree 5", "m": 5, "d": 4, "checks": draws}
    if largest:
        return Finding(
            Verdict.UNDECIDED, f"The largest difference is {float(largest):.3g}.", Numbers(float(largest)), conditions=conditions
        )
    reason = (
        "With e drawn from the nodes' own deviations d_k, held fixed, instead of a normal law, it is an identity: columns of W sum to 1, so the mean "
        "model moves by exactly -eta grad of (1/m) sum_k L(w + d_k), for every loss, every number of nodes and every doubly stochastic W (difference "
        f"0 in rational arithmetic on {draws} draws). This average-direction SAM is what one step descends; it needs no derivative of order four."
    )
    return Finding(Verdict.HOLDS, reason, Numbers(0.0, bound=0.0), conditions=conditions)


def residual_order(kind: str, seed: int, draws: int) -> Finding:
    """The order of the Gaussian residual in the spread."""
    found, order = orders.residuals(kind, seed, draws), _ORDERS[kind]
    slope, local = found.slope("gaussian"), found.local("gaussian")
    steady = max(abs(one - order) for one in (slope, *local)) <= MARGIN
    whole = found.slope("plain"), found.slope("penalized")
    conditions = _network(kind, draws)
    numbers = Numbers(slope, min(local), max(local), float(order))
    if not steady:
        reason = f"The slope is {slope:.3f} (local slopes {min(local):.3f} to {max(local):.3f}), not within {MARGIN} of {order}."
        verdict = Verdict.VIOLATED if max(local) < 3 - MARGIN else Verdict.UNDECIDED
        return Finding(verdict, reason, numbers, conditions=conditions, curves=(orders.curve(found, order),))
    why = (
        "the skewness of the nodes' deviations enters at order 3 through the fourth derivative, so the theorem's order is attained and "
        "cannot be raised"
        if order == 3
        else "opposite deviations have no skewness, so the residual is one order smaller than the theorem says"
    )
    reason = (
        f"The residual is of order {slope:.3f} in the distance of the nodes from their mean (local slopes {min(local):.3f} to "
        f"{max(local):.3f}): {why}. "
        f"Without the spread the order is {whole[0]:.3f}, with Tr(H Xi)/2 in place of the Gaussian mean {whole[1]:.3f} (tanh network, Gauss-Hermite "
        "quadrature in the span of the deviations, no sampling error)."
    )
    return Finding(Verdict.HOLDS, reason, numbers, conditions=conditions, curves=(orders.curve(found, order),))


def own_losses(seed: int, draws: int) -> Finding:
    """Node losses with Hessians of their own."""
    found = orders.residuals("generic", seed, draws, own=True)
    slope, local = found.slope("gaussian"), found.local("gaussian")
    gain = float(np.max(np.abs(found.gaussian / found.plain - 1)))
    numbers, conditions = Numbers(slope, min(local), max(local), 3.0), _network("generic", draws) | {"data": "own at every node"}
    first = max(abs(one - 1) for one in (slope, *local)) <= MARGIN
    if not first:
        return Finding(Verdict.UNDECIDED, f"The slope is {slope:.3f}, neither 1 nor 3.", numbers, conditions=conditions)
    reason = (
        f"When the nodes' expected losses differ the residual is of order {slope:.3f}, not 3: the term (1/m) sum_k (H_k - H) d_k is of "
        "first order in the "
        "distances and exceeds the sharpness term, which is of second order, at every small spread; the Gaussian smoothing changes the "
        "residual by at "
        f"most {gain:.2g} of its size. The theorem needs equal expected Hessians at all nodes, such as one distribution with fresh samples."
    )
    return Finding(Verdict.VIOLATED, reason, numbers, conditions=conditions, curves=(orders.curve(found, 1),))


def _network(kind: str, draws: int) -> dict[str, Fact]:
    nodes = 4 if kind == "generic" else 6
    return {"loss": "tanh network 3-8-1, squared error", "deviations": kind, "m": nodes, "networks": draws, "margin of the order": MARGIN}


def constants(seed: int, draws: int) -> Finding:
    """Sums of sines, whose Gaussian mean is exact: the residual against M4/6 (mean |d|^3 + E|e|^3)."""
    worst = max(_wave_residual(seed, index) for index in range(draws))
    numbers = Numbers(worst, bound=1.0, tightness=1 / worst)
    if worst > 1:
        return Finding(Verdict.VIOLATED, f"The residual is {worst:.4g} times what it may be.", numbers)
    reason = (
        "Taylor's theorem at both ends gives the residual with its constants: at most eta M4/6 ((1/m) sum_k |d_k|^3 + E|e|^3), M4 a bound "
        "on the fourth "
        f"derivative, which the paper's O(.) hides although no bound on the Hessian is needed. On {draws} random sums of sines, whose "
        "Gaussian mean is "
        f"exact, the residual reaches {worst:.3g} of it."
    )
    return Finding(Verdict.HOLDS, reason, numbers, conditions={"loss": "sums of four sines in R^3", "draws": draws, "M4": "bounded"})


def _wave_residual(seed: int, index: int) -> float:
    """L = sum_a c_a sin(a.w): E cos(a.(w + e)) = cos(a.w) exp(-a^T Xi a/2), and E|e|^3 >= (Tr Xi)^(3/2)."""
    draws = stream(seed, "sam waves", index)
    m, waves, size, centre = int(draws.integers(2, 9)), draws.standard_normal((4, 3)), draws.standard_normal(4), draws.standard_normal(3)
    away = draws.standard_normal((m, 3)) * 10 ** draws.uniform(-1.5, 0.3)
    away -= away.mean(axis=0)
    spread = away.T @ away / m
    mean = ((size * np.cos((centre + away) @ waves.T)) @ waves).mean(axis=0)
    smooth = (size * np.cos(waves @ centre) * np.exp(-np.einsum("ai,ij,aj->a", waves, spread, waves) / 2)) @ waves
    M4 = float(np.abs(size) @ np.sum(waves**2, axis=1) ** 2)
    residual = bounds.get("sam_residual")
    cubes = float(np.mean(np.linalg.norm(away, axis=1) ** 3)), float(np.trace(spread)) ** 1.5
    return float(np.linalg.norm(mean - smooth) / sum(residual.evaluate(eta=1.0, M4=M4, rho3=cube) for cube in cubes))


def moving_spread() -> Finding:
    """A spread that depends on the place: the field has a curl."""
    found = fields.anisotropic()
    expected = 2 * fields.C * fields.X * fields.Y
    conditions: dict[str, Fact] = {"loss": str(fields.LOSS), "Xi": "c diag(1 + x^2, 1)"}
    if found - expected != 0:
        return Finding(Verdict.UNDECIDED, f"The curl is {found}.", conditions=conditions)
    reason = (
        "Over many steps there is in general no loss that it descends: where Xi depends on the place the mean step follows grad L + D^3 "
        "L[Xi(w)]/2, which "
        f"is no gradient. For L = {fields.LOSS} and Xi = c diag(1 + x^2, 1) its curl is {found}, not 0 (symbolic). The objective of one "
        "step, with Xi(t) "
        "held fixed, exists; it is another one at each step."
    )
    return Finding(Verdict.VIOLATED, reason, conditions=conditions)


def steady_spread() -> Finding:
    """Isotropic noise: the steady spread is a function of the Hessian, and then there is a loss, but another one."""
    curls = [fields.of_hessian(power) for power in range(3)]
    rest, penalty, pull = fields.of_inverse()
    zero = all(curl == 0 and not any(left) for curl, left in curls) and not any(rest)
    conditions: dict[str, Fact] = {"noise": "the same in every direction", "Xi": "a function f of the Hessian", "loss": str(fields.LOSS)}
    if not zero or penalty != fields.C or not any(pull):
        return Finding(Verdict.UNDECIDED, "The potential was not confirmed.", conditions=conditions)
    reason = (
        "With gradient noise alike in all directions the steady spread is a function f of the Hessian, and the mean steps do descend a "
        "fixed loss, but "
        "L + Tr g(H)/2 with g' = f, not E L(w + e). With slow mixing f(H) = c/H: the average-direction penalty Tr(H Xi)/2 is then the "
        "constant c d/2 and "
        "flattens nothing, while the steps descend L + (c/2) log det H (potentials confirmed symbolically for f = 1, H, H^2 and 1/H on "
        f"L = {fields.LOSS})."
    )
    return Finding(Verdict.VIOLATED, reason, conditions=conditions)


def penalized_loss(measured: tuple[Spreads, ...], level: float, rng: np.random.Generator, against: str) -> Finding:
    """mean_k L(w_k) - L(wbar) against E L(wbar + e) - L(wbar) (``normal``) or Tr(H Xi)/2 (``half``), as a ratio of means over replicates."""
    one = measured[0]
    found = ratio_test(one.own[:, None], getattr(one, against)[:, None], PENALTY_FACTOR, level, resamples_for(level / 2, RESAMPLES), rng)
    ratio, low, high = float(found.ratio[0]), float(found.low[0]), float(found.high[0])
    numbers = Numbers(ratio, low, high, PENALTY_FACTOR, None, len(one.own))
    if not np.isfinite(ratio):
        return Finding(found.verdict, found.reason, numbers, None, trained.conditions(one.run))
    told = {
        Verdict.HOLDS: f"within a factor {PENALTY_FACTOR:g}",
        Verdict.VIOLATED: f"not within a factor {PENALTY_FACTOR:g}: the spread is too large for the approximation",
        Verdict.UNDECIDED: f"neither shown to be within a factor {PENALTY_FACTOR:g} nor outside",
    }
    name = "E L(wbar + e) - L(wbar)" if against == "normal" else "Tr(H Xi)/2"
    reason = (
        f"The nodes' mean loss lies {one.own.mean():.4g} above the loss of their mean, {ratio:.4f} [{low:.4f}, {high:.4f}] times {name}, "
        f"{told[found.verdict]} (ratio of means over {len(one.own)} runs, consensus distance {one.trace.mean():.3g})."
    )
    return Finding(found.verdict, reason, numbers, None, trained.conditions(one.run) | {"margin": PENALTY_FACTOR})


def mean_gradient(measured: tuple[Spreads, ...], level: float, rng: np.random.Generator) -> Finding:
    """What the theorem leaves of the shift of the mean gradient, over the size of its own term."""
    one = measured[0]
    table, resamples = one.unexplained[:, None], resamples_for(level, RESAMPLES)
    inside = judge(table, np.array([EXPLAINED]), level, resamples, rng)
    outside = judge(-table, np.array([-REFUTED]), level, resamples, rng)
    verdict = Verdict.HOLDS if inside.verdict is Verdict.HOLDS else Verdict.UNDECIDED
    verdict = Verdict.VIOLATED if outside.verdict is Verdict.HOLDS else verdict
    numbers = inside.numbers
    told = {
        Verdict.HOLDS: f"below {EXPLAINED:g}, so the direction of the theorem is the direction taken",
        Verdict.VIOLATED: f"above {REFUTED:g}, so the theorem's term is not even the larger part: unequal Hessians of the nodes' own samples move the "
        "mean gradient at first order",
        Verdict.UNDECIDED: f"neither shown to be below {EXPLAINED:g} nor above {REFUTED:g}",
    }
    reason = (
        f"What the theorem leaves of the shift (1/m) sum_k grad L_k(w_k) - grad L(wbar) has {numbers.measured:.3g} [{numbers.low:.3g}, "
        f"{numbers.high:.3g}] "
        f"times the norm of its sharpness term, {told[verdict]}."
    )
    return Finding(verdict, reason, numbers, None, trained.conditions(one.run), tables=(_quantiles(one),))


def _quantiles(one: Spreads) -> Table:
    rows = tuple((f"{100 * q:g} %", float(np.quantile(one.unexplained, q))) for q in (0.0, 0.25, 0.5, 0.75, 1.0))
    return Table("Unexplained part over the sharpness term, by run", ("quantile", "ratio"), rows)


def _exact(budget: Budget, seed: int) -> list[Case]:
    quick, cases = budget.name == "quick", list[Case]()
    checks, draws = (10, 3) if quick else (60, 8)

    def add(
        case: str,
        statement: str,
        form: str,
        readout: str,
        find: Callable[..., Finding],
        arguments: tuple[Any, ...],
        evidence: Evidence,
        cost: float = 1e6,
    ) -> None:
        cases.append(ExactCase(Heading(CLAIM, case, PAPER, statement, form, readout), find, arguments, evidence, cost))

    for form in ("consensus", "atc", "cta"):
        add(f"cubic-{form}", _MEAN_STEP, form, _POINT, cubic, (form, _POINT, seed, checks), Evidence.PROVED)
    add("cubic-cta-models", _MEAN_STEP, "cta", _MODELS, cubic, ("cta", _MODELS, seed, checks), Evidence.PROVED)
    add("own-points", _MINIMIZES, "consensus", _POINT, own_points, ("consensus", seed, checks), Evidence.PROVED)
    for kind in _ORDERS:
        add(f"gaussian-{kind}", _MEAN_STEP, "consensus", _POINT, residual_order, (kind, seed, draws), Evidence.EXACT, 1e7)
    add("constants", _MEAN_STEP, "consensus", _POINT, constants, (seed, 100 if quick else 2000), Evidence.PROVED)
    add("unequal-losses", _MEAN_STEP, "consensus", _POINT, own_losses, (seed, draws), Evidence.EXACT, 1e7)
    add("moving-spread", _MINIMIZES, "consensus", _MEAN, moving_spread, (), Evidence.PROVED)
    add("steady-spread", _MINIMIZES, "consensus", _MEAN, steady_spread, (), Evidence.PROVED)
    return cases


def equivalence(budget: Budget, seed: int, device: str) -> list[Case]:
    """Proofs, orders of the residual, objectives over many steps, and training runs."""
    cases = _exact(budget, seed)
    replicates = budget.replicates if budget.name == "quick" else 2 * budget.replicates
    for data, eta, name in (
        ("shared", 1.0, "same-samples"),
        ("split", 1.0, "own-samples"),
        ("label_skew", 1.0, "own-classes"),
        ("label_skew", 10.0, "own-classes-large-step"),
    ):
        runs = (trained.run(data, seed, replicates, eta),)
        for against, case, statement in (("normal", "loss", _PENALTY), ("half", "trace", _TRACE)):
            heading = Heading(CLAIM, f"runs-{case}-{name}", PAPER, statement, "consensus", _POINT)
            cases.append(RunsCase(heading, runs, (), penalized_loss, (against,), device, read=read_spreads))
        if eta == 1.0:
            heading = Heading(CLAIM, f"runs-gradient-{name}", PAPER, _MEAN_STEP, "consensus", _POINT)
            cases.append(RunsCase(heading, runs, (), mean_gradient, (), device, read=read_spreads))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: equivalence}

"""``zhu2023-gradient-smoothing``: is the gradient that decentralized SGD follows smoother than that of the loss?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

import bounds
from bounds.setting import Fact
from bounds.symbols import Domain, Symbol
from bounds.vocabulary import Quantity, Readout
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.averaged_sam import lines, trained
from verify.claims.averaged_sam.common import PAPER, Build
from verify.claims.averaged_sam.lines import SIGMAS, Line
from verify.claims.averaged_sam.trained import read_tops
from verify.claims.core import Budget
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.statistics import judge, resamples_for
from verify.verdict import Curve, Evidence, Numbers, Table, Verdict

CLAIM = "zhu2023-gradient-smoothing"
_EFFECT = (
    "Decentralized SGD exhibits a gradient smoothing effect: the gradient that it follows changes less from place to place than that of the "
    "loss, also for losses that are not beta-smooth."
)
_BOUND = (
    "For an alpha-Lipschitz loss with a beta-Lipschitz gradient, the gradient of the loss that decentralized SGD descends is "
    "min(c alpha/sigma, beta)-Lipschitz, sigma^2 the least variance of the nodes' spread in any direction."
)
_POINT, _MEAN = Readout.GRADIENT_POINT.value, Readout.NETWORK_MEAN.value
_DIRECTIONS = (("alpha", "increasing"), ("beta", "increasing"), ("xi_min", "decreasing"))
_ROUNDING = 1e-9
_SIGMA = Symbol("sigma", r"\sigma", "deviation of the smoothing along the direction", "w", Domain(0, low_open=True))
SHARP = math.sqrt(2 / math.pi)
COUNTS = (4, 16, 64, 256)


def lipschitz_constant() -> Finding:
    """Directions in Arb, and erf(x) <= min(1, 2x/sqrt pi) symbolically."""
    bound = bounds.get("smoothing_lipschitz")
    found = [(name, way, bounds.certify(bound, name, way).status) for name, way in _DIRECTIONS]
    x = sympy.Symbol("x", positive=True)
    # 2x/sqrt(pi) - erf(x) is 0 at 0 and has this slope; -expm1 of a negative number is positive.
    slope = sympy.simplify(sympy.diff(2 * x / sympy.sqrt(sympy.pi) - sympy.erf(x), x) - 2 / sympy.sqrt(sympy.pi) * (1 - sympy.exp(-(x**2))))
    table = Table("Certified directions", ("parameter", "direction", "status"), tuple((a, b, str(c)) for a, b, c in found))
    conditions: dict[str, Fact] = {
        "law of e": "normal with covariance Xi",
        "Xi": "least eigenvalue sigma^2 > 0",
        "constant c": "the paper's was not read",
    }
    if slope != 0 or any(status != "proved" for _, _, status in found):
        return Finding(Verdict.UNDECIDED, "A direction or the comparison was not proved.", conditions=conditions, tables=(table,))
    reason = (
        "For a normal law that spreads in every direction it holds with every c >= sqrt(2/pi) = 0.798: the smoothed gradient is beta "
        "erf(alpha/(sqrt 2 beta "
        "sigma))-Lipschitz, strictly below beta and at most min(sqrt(2/pi) alpha/sigma, beta) since erf(x) <= min(1, 2x/sqrt pi). It falls "
        "in sigma and "
        "rises in alpha and beta (certified in interval arithmetic); beta may be infinite."
    )
    return Finding(Verdict.HOLDS, reason, Numbers(SHARP), conditions=conditions, tables=(table,))


def attained() -> Finding:
    """Huber losses: quadrature against the closed form, over the simple bound."""
    rows, worst = list[tuple[Fact, ...]](), 0.0
    for beta in (0.3, 1.0, 3.0, 10.0, 1e4):
        for sigma in (0.1, 0.3, 1.0, 3.0):
            exact, closed = lines.huber_curvature(1.0, beta, sigma), lines.bound(1.0, beta, sigma)
            worst = max(worst, abs(exact / closed - 1))
            rows.append((beta, sigma, exact, closed, exact / min(beta, SHARP / sigma)))
    shares = [float(str(row[-1])) for row in rows]
    largest = lines.huber_curvature(1.0, 1e4, 1.0)
    numbers = Numbers(largest, largest, largest, SHARP, SHARP / largest)
    table = Table("Huber losses with alpha = 1", ("beta", "sigma", "quadrature", "beta erf", "over min(beta, 0.798/sigma)"), tuple(rows))
    if worst > _ROUNDING:
        return Finding(Verdict.UNDECIDED, f"Quadrature and closed form differ by {worst:.2g} of their value.", numbers, tables=(table,))
    reason = (
        "It is attained: a Huber loss has a smoothed gradient with exactly the constant beta erf(alpha/(sqrt 2 beta sigma)) (20 pairs "
        "beta, sigma; quadrature "
        f"agrees within {worst:.1g} of the value), {min(shares):.3f} to {max(shares):.4f} of min(beta, sqrt(2/pi) alpha/sigma); at beta = 10^4 it is "
        f"{largest:.5f}, so no c below sqrt(2/pi) = {SHARP:.5f} will do and c = 1 or sqrt 2 is not sharp."
    )
    return Finding(Verdict.HOLDS, reason, numbers, None, {"loss": "Huber, minimum at 0", "alpha": 1.0}, tables=(table,))


def along_lines(seed: int, randoms: int) -> Finding:
    """A trained network along its sharpest and along random directions, inside the span of the smoothing."""
    found, L, beta = lines.network_lines(seed, randoms)
    rows = [(one, s, one.steepest(s), one.limit(s), lines.bound(L, beta, s)) for one in found for s in SIGMAS]
    worst = max(rows, key=lambda row: row[2] / row[3])
    proved = max(row[2] / row[4] for row in rows)
    numbers = Numbers(worst[2], worst[2], worst[2], worst[3], worst[3] / worst[2])
    heads = ("direction", "sigma", "smoothed", "bound, constants of the line", "bound, proved L and beta")
    table = Table("Lipschitz constant of the gradient along a direction", heads, tuple((one.name, *rest) for one, *rest in rows))
    sharpest = found[0]
    conditions: dict[str, Fact] = {
        "problem": "network-digits",
        "directions": randoms + 1,
        "L": L,
        "beta": beta,
        "smoothing": "normal, along u",
    }
    if proved > 1 or worst[2] > worst[3] * (1 + _ROUNDING):
        return Finding(
            Verdict.VIOLATED, f"{worst[0].name}: {worst[2]:.4g} exceeds {worst[3]:.4g}.", numbers, None, conditions, tables=(table,)
        )
    reason = (
        f"Along every one of {randoms + 1} directions of a trained network and at every sigma the smoothed gradient stays below the bound: "
        "it reaches "
        f"{worst[2] / worst[3]:.3f} of it with the line's own alpha and beta ({worst[0].name} direction, sigma = {worst[1]:g}) and "
        f"{proved:.2g} of it with the "
        f"proved L and beta. In the sharpest direction {np.abs(sharpest.bends).max():.3g} becomes {sharpest.steepest(SIGMAS[0]):.3g} at sigma = "
        f"{SIGMAS[0]:g} and {sharpest.steepest(SIGMAS[-1]):.3g} at {SIGMAS[-1]:g} (quadrature, no sampling error)."
    )
    return Finding(Verdict.HOLDS, reason, numbers, None, conditions, curves=(_line_curve(sharpest),), tables=(table,))


def _line_curve(one: Line) -> Curve:
    values, limits = (np.array([of(s) for s in SIGMAS]) for of in (one.steepest, one.limit))
    slope = float(np.abs(one.slopes).max())
    simple = np.minimum(float(np.abs(one.bends).max()), SHARP * slope / np.array(SIGMAS))
    return Curve.exact(
        _SIGMA,
        Quantity.OTHER,
        SIGMAS,
        values,
        limits,
        label="Lipschitz constant, smoothed",
        bound_label="beta erf(alpha/(sqrt 2 beta sigma))",
        companions=(("min(beta, sqrt(2/pi) alpha/sigma)", simple),),
    )


def in_the_span(seed: int, draws: int) -> Finding:
    """Huber losses of a.w under a singular covariance: the exact curvature along u in its range against the bound of that direction."""
    worst = max(_span_ratio(seed, index) for index in range(draws))
    if worst > 1 + _ROUNDING:
        return Finding(Verdict.VIOLATED, f"The bound is exceeded {worst:.4g} times.", Numbers(worst, bound=1.0))
    reason = (
        f"In the span of the spread it holds with 1/sigma^2 = u^T Xi^+ u, the least variance along u given the rest: on {draws} random "
        "covariances of rank 3 in "
        f"R^6 and Huber losses of one direction, in closed form, the smoothed curvature along u reaches {worst:.4f} of beta erf(alpha "
        "sqrt(u^T Xi^+ u)/(sqrt 2 "
        "beta)), and all of it where the loss varies along u only and u is an eigenvector."
    )
    return Finding(Verdict.HOLDS, reason, Numbers(worst, bound=1.0, tightness=1 / worst), conditions={"nodes": 4, "d": 6, "draws": draws})


def _span_ratio(seed: int, index: int) -> float:
    draws = stream(seed, "sam span", index)
    away = draws.standard_normal((4, 6)) * np.exp(draws.standard_normal((4, 1)))
    away -= away.mean(axis=0)
    _, sizes, rows = np.linalg.svd(away / 2, full_matrices=False)
    sizes, rows = sizes[:3], rows[:3]
    alpha, beta = 10 ** draws.uniform(-1, 1, 2)
    # Half of the losses lie along an eigenvector, where the bound is attained.
    along = draws.standard_normal(3)
    u = rows[0] if index % 2 else along / np.linalg.norm(along) @ rows
    a = rows[0] if index % 2 else draws.standard_normal(6)
    a = a / np.linalg.norm(a)
    exact = (u @ a) ** 2 * lines.bound(alpha, beta, float(np.linalg.norm(sizes * (rows @ a))))
    return float(exact / lines.bound(alpha, beta, 1 / float(np.linalg.norm((rows @ u) / sizes))))


def outside_the_span(m: int, d: int) -> Finding:
    """A direction orthogonal to the deviations of fewer than d + 1 nodes."""
    away = stream(0, "sam outside", m).standard_normal((m, d))
    away -= away.mean(axis=0)
    u = np.linalg.svd(away)[2][-1]
    moved = float(np.abs(away @ u).max())
    rank, least = int(np.linalg.matrix_rank(away)), float(np.linalg.eigvalsh(away.T @ away / m)[0])
    kept = lines.bound(1.0, 1.0, max(moved, 0.0) if moved > _ROUNDING else 0.0)
    numbers, conditions = Numbers(kept, kept, kept, 1.0, 1.0), {"m": m, "d": d, "rank of Xi": rank}
    if rank != m - 1 or moved > _ROUNDING or least > _ROUNDING:
        return Finding(Verdict.UNDECIDED, f"The witness moves by {moved:.2g}.", numbers, conditions=dict(conditions))
    reason = (
        f"There is none outside the span of the nodes' deviations, whose dimension is at most m - 1: with {m} nodes in R^{d} Xi has rank "
        f"{rank}, its least "
        "eigenvalue is 0, and the bound as written is beta, no smoothing at all. Along a unit u orthogonal to all deviations a Huber loss "
        "of u.w keeps its "
        "curvature beta exactly, for the nodes' own points and for the normal law. A network has millions of weights and 16 nodes: all but "
        "15 directions."
    )
    return Finding(Verdict.VIOLATED, reason, numbers, None, dict(conditions))


def own_points() -> Finding:
    """|w| averaged over m points: steps of 2/m."""
    rows = tuple((m, 2 / m, lines.resolved(m, 0.5), lines.resolved(m, 0.05), SHARP) for m in COUNTS)
    heads = ("m", "jump of the gradient", "effective constant at sigma/2", "at sigma/20", "normal law")
    table = Table("|w| averaged over m points with deviation 1", heads, rows)
    reason = (
        "For a loss that is not beta-smooth the gradient stays as rough as it was: |w| averaged over the m nodes' own points has a "
        "gradient that jumps by 2/m at "
        "every one of them, so it is Lipschitz with no constant, where the normal law of the theorem promises sqrt(2/pi) alpha/sigma. The "
        "jumps shrink: seen at "
        f"the resolution sigma/2 the constant is {rows[0][2]:.3g} with m = 4 and {rows[-1][2]:.3g} with m = 256 points at normal quantiles, against "
        f"{SHARP:.3f}; at sigma/20 it is still {rows[1][3]:.3g} with m = 16."
    )
    return Finding(
        Verdict.VIOLATED, reason, Numbers(2 / COUNTS[0], bound=0.0), None, {"loss": "|w|", "alpha": 1.0, "sigma": 1.0}, tables=(table,)
    )


def never_rougher() -> Finding:
    """Averages of gradients: the constant never grows."""
    worst = max(_tops_ratio(index) for index in range(100))
    if worst > 1 + _ROUNDING:
        return Finding(Verdict.UNDECIDED, "The inequality was not confirmed.", Numbers(worst, bound=1.0))
    reason = (
        "What always holds, for the nodes' own points, any loss and any number of nodes: a mean of beta-Lipschitz gradients is "
        "beta-Lipschitz, and the top "
        "eigenvalue, being the largest u^T H u over unit u and so convex, obeys lambda_max((1/m) sum_k H(w_k)) <= (1/m) sum_k "
        "lambda_max(H(w_k)). The mean gradient is nowhere "
        "rougher than the loss "
        f"is at its roughest (on 100 sets of 8 random symmetric matrices the left side is at most {worst:.3f} of the right)."
    )
    return Finding(Verdict.HOLDS, reason, Numbers(worst, bound=1.0, tightness=1 / worst), conditions={"loss": "any", "m": "any"})


def _tops_ratio(index: int) -> float:
    drawn = stream(0, "sam tops", index).standard_normal((8, 5, 5))
    matrices = drawn + drawn.swapaxes(1, 2) + 4 * np.eye(5)
    return float(np.linalg.eigvalsh(matrices.mean(axis=0))[-1] / np.linalg.eigvalsh(matrices)[:, -1].mean())


def flat_place() -> Finding:
    """Beside the kink of a Huber loss the smoothed curvature is larger than the loss's own."""
    gain = 0.5 * (math.erf(3 / math.sqrt(2)) - math.erf(1 / math.sqrt(2)))
    reason = (
        "At one place the opposite can happen: a normal mean brings curvature from the neighbourhood, so where the loss is flatter than "
        "around it the "
        f"smoothed gradient changes faster. A Huber loss with alpha = beta = 1 has curvature 0 at w = 2 and {gain:.4f} after smoothing "
        "with sigma = 1. Only "
        "the largest constant over all places is certain not to grow."
    )
    return Finding(Verdict.VIOLATED, reason, Numbers(gain, gain, gain, 0.0), None, {"loss": "Huber", "place": 2.0, "sigma": 1.0})


def quadratic() -> Finding:
    """A constant Hessian is its own mean."""
    reason = (
        "On a quadratic there is none: its Hessian is the same at all nodes, so the mean gradient is the gradient at the mean, whatever "
        "the spread. It is not "
        "alpha-Lipschitz on the whole space (alpha is infinite and the bound is beta)."
    )
    return Finding(Verdict.VIOLATED, reason, Numbers(1.0, 1.0, 1.0, 1.0), None, {"loss": "quadratic", "alpha": "infinite"})


def sharpest(measured: tuple[np.ndarray, ...], level: float, rng: np.random.Generator, run: Any) -> Finding:
    """lambda_max of the nodes' mean Hessian over that of the Hessian at their mean, by run."""
    ratios = measured[0][:, :1] / measured[0][:, 1:]
    found = judge(ratios, np.ones(1), level, resamples_for(level, RESAMPLES), rng)
    numbers, told = (
        found.numbers,
        {
            Verdict.HOLDS: "smaller",
            Verdict.VIOLATED: "larger: at these places smoothing raises the top curvature",
            Verdict.UNDECIDED: "neither shown to be smaller nor larger",
        }[found.verdict],
    )
    reason = (
        f"The top curvature of the nodes' mean loss, at the model that training reaches, is {numbers.measured:.5f} [{numbers.low:.5f}, "
        f"{numbers.high:.5f}] times "
        f"that of the loss at the mean model, {told}; on average {measured[0][:, 0].mean():.4g} against {measured[0][:, 1].mean():.4g} in "
        f"{len(ratios)} runs, a "
        f"change of {100 * (numbers.measured or 0) - 100:+.2g} %."
    )
    return Finding(found.verdict, reason, numbers, None, trained.conditions(run))


def _exact(budget: Budget, seed: int) -> list[Case]:
    quick, cases = budget.name == "quick", list[Case]()

    def add(case: str, statement: str, find: Callable[..., Finding], arguments: tuple[Any, ...], evidence: Evidence, cost: float) -> None:
        cases.append(ExactCase(Heading(CLAIM, case, PAPER, statement, "consensus", _POINT), find, arguments, evidence, cost))

    add("normal-law", _BOUND, lipschitz_constant, (), Evidence.PROVED, 1e7)
    add("attained", _BOUND, attained, (), Evidence.EXACT, 1e6)
    add("in-the-span", _BOUND, in_the_span, (seed, 200 if quick else 2000), Evidence.EXACT, 1e6)
    add("network-directions", _BOUND, along_lines, (seed, 3 if quick else 12), Evidence.EXACT, 1e7)
    add("outside-the-span", _EFFECT, outside_the_span, (4, 8), Evidence.PROVED, 1.0)
    add("own-points", _EFFECT, own_points, (), Evidence.PROVED, 1.0)
    add("never-rougher", _EFFECT, never_rougher, (), Evidence.PROVED, 1e5)
    add("flat-place", _EFFECT, flat_place, (), Evidence.PROVED, 1.0)
    add("quadratic", _EFFECT, quadratic, (), Evidence.PROVED, 1.0)
    return cases


def gradient_smoothing(budget: Budget, seed: int, device: str) -> list[Case]:
    """The bound, where it is attained, what it does not cover, and the top curvature in training runs."""
    cases, replicates = _exact(budget, seed), max(20, budget.replicates // 2)
    for data, eta, name in (
        ("shared", 1.0, "same-samples"),
        ("split", 1.0, "own-samples"),
        ("label_skew", 1.0, "own-classes"),
        ("shared", 10.0, "same-samples-large-step"),
    ):
        one = trained.run(data, seed, replicates, eta)
        heading = Heading(CLAIM, f"runs-{name}", PAPER, _EFFECT, "consensus", _MEAN)
        cases.append(RunsCase(heading, (one,), (), sharpest, (one,), device, read=read_tops))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: gradient_smoothing}

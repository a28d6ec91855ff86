"""The optimization bounds of D-SGD with multiple gossip steps against exact moments of quadratics on real graphs.

f_k(x) = (h/2)(x - x_k)^2 with independent gradient noise: mean and covariance over the nodes are linear recursions, run
for many problems at once.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import bounds
from bounds.topology import MixingMatrix, topology

Array = NDArray[np.float64]
GRAPHS = [topology(*graph) for graph in (("ring", 5), ("ring", 8), ("torus", 9), ("complete", 4), ("exponential", 8), ("ring", 2))]
FORMS = ("atc", "cta", "consensus")
T_MAX, BATCH = 30, 20


@dataclass(frozen=True)
class Problems:
    """A batch of quadratics on one graph; every array has one entry a problem, ``centres`` one row."""

    mixing: MixingMatrix
    form: str
    Q: int
    T: Array
    eta: Array
    h: Array
    beta: Array
    sigma2: Array
    b: Array
    start: Array
    centres: Array

    def bound_values(self, i: int) -> dict[str, float | int]:
        zeta2 = float(self.h[i] ** 2 * np.var(self.centres[i]))
        sizes = {"T": int(self.T[i]), "m": self.mixing.nodes, "gap": self.mixing.gap, "Q": self.Q, "b": int(self.b[i])}
        return sizes | {"eta": float(self.eta[i]), "beta": float(self.beta[i]), "sigma2": float(self.sigma2[i]), "zeta2": zeta2}


@dataclass(frozen=True)
class Moments:
    """Means and covariances over the nodes of X_0, X_1, ..., and of the sums of all X before them."""

    x: list[tuple[Array, Array]]
    sums: list[tuple[Array, Array]]


def problems(seed: int, low: float, form: str, count: int, step: float) -> Iterator[Problems]:
    """Problems with h between ``low`` beta and beta, and eta up to ``step``/beta within what the form allows."""
    rng = np.random.default_rng(seed)
    for _ in range(count // BATCH):
        mixing, Q = GRAPHS[rng.integers(len(GRAPHS))], int(rng.integers(1, 4))
        x = (1 - mixing.gap) ** Q
        beta = np.exp(rng.uniform(-3, 2, BATCH))
        most = min(step, (1 - x) if form == "consensus" else (1 / x - 1) if x > 1e-12 else step)
        yield Problems(
            mixing,
            form,
            Q,
            T=rng.integers(1, T_MAX + 1, BATCH).astype(float),
            eta=most * rng.uniform(0.02, 0.98, BATCH) / beta,
            h=beta * rng.uniform(low, 1, BATCH),
            beta=beta,
            sigma2=rng.choice([0.0, 0.1, 1.0, 10.0], BATCH),
            b=rng.integers(1, 4, BATCH).astype(float),
            start=rng.normal(size=BATCH) * rng.choice([0.1, 1.0, 5.0], BATCH),
            centres=rng.normal(size=(BATCH, mixing.nodes)) * rng.choice([0.0, 0.3, 2.0], (BATCH, 1)),
        )


def moments(p: Problems) -> Moments:
    """Exact moments; the state is (X, sum of earlier X)."""
    m, power, one = p.mixing.nodes, p.mixing.power(p.Q), np.eye(p.mixing.nodes)
    mean = np.zeros((BATCH, 2 * m))
    mean[:, :m] = p.start[:, None]
    covariance = np.zeros((BATCH, 2 * m, 2 * m))
    x, sums = [], []
    for _ in range(T_MAX + 1):
        x.append((mean[:, :m], covariance[:, :m, :m]))
        sums.append((mean[:, m:], covariance[:, m:, m:]))
        eta = p.eta[:, None, None]
        shrink, fresh = 1 - eta * p.h[:, None, None], {"atc": power, "cta": one, "consensus": one}[p.form]
        step = power - eta * p.h[:, None, None] * one if p.form == "consensus" else shrink * power
        A = np.zeros((BATCH, 2 * m, 2 * m))
        A[:, :m, :m], A[:, m:, :m], A[:, m:, m:] = step, one, one
        mean = np.einsum("pij,pj->pi", A, mean)
        mean[:, :m] += eta[:, :, 0] * p.h[:, None] * (p.centres @ fresh.T)
        covariance = A @ covariance @ A.transpose(0, 2, 1)
        covariance[:, :m, :m] += eta**2 * (p.sigma2 / p.b)[:, None, None] * (fresh @ fresh.T)
    return Moments(x, sums)


def excess(p: Problems, i: int, mean: Array, covariance: Array, readout: str) -> float:
    """E f(readout) - min f for one problem, at a readout of the state with these moments."""
    if readout == "gradient_point" and p.form == "cta":
        power = p.mixing.power(p.Q)
        mean, covariance = power @ mean, power @ covariance @ power.T
    best = p.centres[i].mean()
    if readout == "network_mean":
        return float(p.h[i] / 2 * ((mean.mean() - best) ** 2 + covariance.mean()))
    return float(p.h[i] / 2 * (np.mean((mean - best) ** 2) + np.trace(covariance) / p.mixing.nodes))


@pytest.mark.parametrize("form", FORMS)
def test_stationarity_dominates_exact_gradient_norms(form: str) -> None:
    """Curvatures of both signs; the loss at the start above that at the end stands for D0, which is all that the proof uses."""
    bound, closest = bounds.get("mgs_stationarity"), 0.0
    for p in problems(1, -1, form, 400, 1):
        run = moments(p)
        for i in range(BATCH):
            T = int(p.T[i])
            squares = [p.h[i] ** 2 * ((x[i].mean() - p.centres[i].mean()) ** 2 + v[i].mean()) for x, v in run.x[:T]]
            first, last = (excess(p, i, run.x[t][0][i], run.x[t][1][i], "network_mean") for t in (0, T))
            values = p.bound_values(i) | {"D0": max(first - last, 0.0)}
            assert not bound.assess(values, form)
            value = bound.evaluate(update_form=form, **values)
            assert np.mean(squares) <= value * (1 + 1e-9) + 1e-300
            closest = max(closest, float(np.mean(squares)) / value if value else 1)
    assert closest > 0.5


@pytest.mark.parametrize("form", FORMS)
def test_pl_dominates_exact_excess_losses(form: str) -> None:
    bound, rng, closest = bounds.get("mgs_pl"), np.random.default_rng(5), 0.0
    for p in problems(2, 0.02, form, 400, 1):
        run = moments(p)
        for i in range(BATCH):
            D0 = excess(p, i, run.x[0][0][i], run.x[0][1][i], "network_mean")
            values = p.bound_values(i) | {"D0": D0, "mu": float(p.h[i] * rng.uniform(0.5, 1))}
            assert not bound.assess(values, form)
            for readout in ("network_mean", "node_average", "gradient_point"):
                exact = excess(p, i, run.x[int(p.T[i])][0][i], run.x[int(p.T[i])][1][i], readout)
                value = bound.evaluate(update_form=form, readout=readout, **values)
                assert exact <= value * (1 + 1e-9) + 1e-13
                closest = max(closest, exact / value if value else 1)
    assert closest > 0.5


@pytest.mark.parametrize("form", FORMS)
def test_convex_dominates_exact_losses_of_averaged_iterates(form: str) -> None:
    bound, closest = bounds.get("mgs_convex"), 0.0
    for p in problems(3, 0.0, form, 400, 0.25):
        run = moments(p)
        for i in range(BATCH):
            T = int(p.T[i])
            mean, covariance = run.sums[T][0][i] / T, run.sums[T][1][i] / T**2
            values = p.bound_values(i) | {"r0": abs(float(p.start[i] - p.centres[i].mean()))}
            assert not bound.assess(values, form)
            for readout in ("network_mean", "node_average", "gradient_point"):
                exact = excess(p, i, mean, covariance, readout)
                value = bound.evaluate(update_form=form, readout=readout, **values)
                assert exact <= value * (1 + 1e-9) + 1e-13
                closest = max(closest, exact / value if value else 1)
    assert closest > 0.2


@pytest.mark.parametrize("form", FORMS)
def test_readouts_off_the_mean_pay_for_the_exact_spread(form: str) -> None:
    """The node average costs beta/2 times a bound on the consensus distance more, here for curvatures of both signs."""
    bound, closest = bounds.get("mgs_pl"), 0.0
    for p in problems(4, -1, form, 400, 1):
        run, power = moments(p), p.mixing.power(p.Q)
        for i in range(BATCH):
            mean, covariance = (moment[i] for moment in run.x[int(p.T[i])])
            values = p.bound_values(i) | {"D0": 0, "mu": float(p.beta[i])}
            at_mean = bound.evaluate(update_form=form, **values)
            for readout in ("node_average", "gradient_point"):
                if readout == "gradient_point" and form == "cta":
                    mean, covariance = power @ mean, power @ covariance @ power.T
                spread = np.var(mean) + np.trace(covariance) / p.mixing.nodes - covariance.mean()
                paid = bound.evaluate(update_form=form, readout=readout, **values) - at_mean
                # Along the mean a negative curvature grows without end, and the spread is what is left when it is taken off.
                rounding = 1e-13 * (1 + at_mean + p.beta[i] * (np.max(mean**2) + np.max(covariance)))
                assert p.beta[i] / 2 * spread <= paid * (1 + 1e-9) + rounding
                closest = max(closest, float(p.beta[i] / 2 * spread) / paid if paid > 1e-6 else 0)
    assert closest > 0.8


def test_values_by_hand() -> None:
    """Each sum written out with the fixed point of the consensus distance found by iteration."""
    eta, m, beta, sigma2, zeta2, gap, Q, b, T, mu = 0.05, 6, 2.0, 1.5, 0.7, 0.4, 2, 3, 50, 0.3
    x, noise = (1 - gap) ** Q, eta**2 * sigma2 / b * (1 - 1 / m)
    values = dict(eta=eta, T=T, m=m, beta=beta, sigma2=sigma2, zeta2=zeta2, gap=gap, Q=Q, b=b)
    for form in FORMS:
        spreads = {"smooth": 0.0, "convex": 0.0, "outer": 0.0}
        for _ in range(2000):
            for name, stretch in (("smooth", 1 + eta * beta), ("convex", 1.0), ("outer", 1 + eta * beta)):
                S = math.sqrt(spreads[name])
                if form == "consensus":
                    spreads[name] = ((x + eta * beta) * S + eta * math.sqrt(zeta2)) ** 2 + noise
                elif name == "outer" and form == "cta":
                    spreads[name] = (x * stretch * S + eta * math.sqrt(zeta2)) ** 2 + noise
                else:
                    spreads[name] = x**2 * ((stretch * S + eta * math.sqrt(zeta2)) ** 2 + noise)
        variance, left = eta * sigma2 / (b * m), (1 - eta * mu) ** T
        stationarity = 2 * 1.1 / (eta * T) + beta * variance + beta**2 * spreads["smooth"]
        pl = left * 1.1 + (1 - left) / mu * (beta**2 * spreads["smooth"] / 2 + beta * variance / 2)
        convex = 1.2**2 / (eta * T) + variance + 1.5 * beta * spreads["convex"]
        assert bounds.get("mgs_stationarity").evaluate(update_form=form, D0=1.1, **values) == pytest.approx(stationarity, rel=1e-9)
        pl_bound = bounds.get("mgs_pl")
        assert pl_bound.evaluate(update_form=form, D0=1.1, mu=mu, **values) == pytest.approx(pl, rel=1e-9)
        node = pl_bound.evaluate(update_form=form, readout="node_average", D0=1.1, mu=mu, **values)
        assert node == pytest.approx(pl + beta / 2 * spreads["outer"], rel=1e-9)
        assert bounds.get("mgs_convex").evaluate(update_form=form, r0=1.2, **values) == pytest.approx(convex, rel=1e-9)


def test_graph_vanishes_for_atc_and_leaves_a_floor_for_the_consensus_form() -> None:
    """At gap = 1 ATC and CTA have the bound of mini-batch SGD with m samples a step; the consensus form has more."""
    values = dict(eta=0.1, T=100, beta=1, D0=1, zeta2=1, Q=1)
    bound = bounds.get("mgs_stationarity")
    alone = bound.evaluate(m=1, b=8, sigma2=1, gap=1, **(values | {"zeta2": 0}))
    for form in ("atc", "cta"):
        assert bound.evaluate(update_form=form, m=8, sigma2=1, gap=1, **values) == alone
    assert bound.evaluate(update_form="consensus", m=8, sigma2=1, gap=1, **values) > alone * 1.01

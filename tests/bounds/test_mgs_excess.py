"""The excess-risk bounds of D-SGD with multiple gossip steps against enumerated runs, and part by part against recursions.

The enumerated losses are l(w; z) = (h/2)(w - z)^2 with samples and start in [-1, 1]: with eta h <= 1 no model ever leaves
that interval without any projection, so there L = 2 h and M = 2 h.
"""

import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

import bounds
from bounds.topology import topology

Array = NDArray[np.float64]
CONVEX, PL = bounds.get("mgs_excess_convex"), bounds.get("mgs_excess_pl")
GRAPHS = [topology(*graph) for graph in (("ring", 5), ("ring", 8), ("torus", 9), ("complete", 4), ("exponential", 8), ("ring", 2))]
READOUTS = ("network_mean", "node_average", "gradient_point")
POINTS, T_TINY = 1000, 3
#: Which of its two atoms each of two nodes has as its two samples, and which sample each node draws in each step.
DATASETS = np.array(list(product((0, 1), repeat=4))).reshape(16, 2, 2)
DRAWS = np.array(list(product((0, 1), repeat=2 * T_TINY))).reshape(-1, T_TINY, 2)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def enumerated(atoms: Array, start: float, keep: float, steps: Array, h: float) -> list[Array]:
    """X_0, ..., X_T of two nodes under ATC, of shape (training sets, sequences of draws, nodes)."""
    w = np.full((16, len(DRAWS), 2), start)
    path = [w]
    for t, eta in enumerate(steps):
        drawn = np.stack([DATASETS[:, node][:, DRAWS[:, t, node]] for node in (0, 1)], axis=-1)
        w = w - eta * h * (w - atoms[np.arange(2), drawn])
        w = keep * w + (1 - keep) * w[..., ::-1]
        path.append(w)
    return path


def constants(atoms: Array, h: float) -> dict[str, float]:
    """What holds for every training set: the largest variance within a node, and the largest heterogeneity."""
    far = max(abs(first - second) for first in atoms[0] for second in atoms[1])
    return {
        "L": 2 * h,
        "beta": h,
        "m": 2,
        "n": 2,
        "sigma2": h**2 * float(np.ptp(atoms, axis=1).max()) ** 2 / 4,
        "zeta2": (h * far) ** 2 / 4,
    }


def excess(model: Array, atoms: Array, h: float, readout: str) -> float:
    """The exact E R - min R, where R is the mean over nodes and atoms."""
    model = model.mean(axis=2) if readout == "network_mean" else model
    return float(h / 2 * np.mean((model - atoms.mean()) ** 2))


def test_dominate_enumerated_excess_risks() -> None:
    rng, closest = np.random.default_rng(1), 0.0
    for _ in range(POINTS):
        atoms, start, h = rng.uniform(-1, 1, (2, 2)), float(rng.uniform(-1, 1)), log_uniform(rng, 0.1, 10)
        gap, Q = float(rng.uniform(0.3, 1)), int(rng.integers(1, 4))
        keep, best = (1 + (1 - gap) ** Q) / 2, np.array([np.mean(atoms[np.arange(2)[:, None], which]) for which in DATASETS])
        shared = constants(atoms, h) | {"gap": gap, "Q": Q, "T": T_TINY}
        eta = float(rng.uniform(0.02, 0.25)) / h
        path = enumerated(atoms, start, keep, np.full(T_TINY, eta), h)
        values = shared | {"eta": eta, "r0": math.sqrt(np.mean((start - best) ** 2))}
        for readout in READOUTS:
            exact, value = excess(np.mean(path[:-1], axis=0), atoms, h, readout), CONVEX.evaluate(readout=readout, **values)
            assert exact <= value * (1 + 1e-9)
            closest = max(closest, exact / value)
        tau = float(rng.uniform(1, 20))
        c = (1 + tau) / h * float(rng.uniform(1.01 / (1 + tau), 1))
        values = shared | {"c": c, "tau": tau, "M": 2 * h, "mu": h, "D0": float(h / 2 * np.max((start - best) ** 2))}
        if PL.assess(values):
            continue
        path = enumerated(atoms, start, keep, c / (tau + np.arange(1, T_TINY + 1)), h)
        for readout in READOUTS:
            assert excess(path[-1], atoms, h, readout) <= PL.evaluate(readout=readout, **values) * (1 + 1e-9)
    assert closest > 0.1


def test_convex_parts_add_up() -> None:
    """The twin distances of the averaged iterates come from the graph, the rest is the training loss of mgs_convex."""
    rng, training = np.random.default_rng(2), bounds.get("mgs_convex")
    for _ in range(POINTS):
        mixing, Q, T, n = GRAPHS[rng.integers(len(GRAPHS))], int(rng.integers(1, 4)), int(rng.integers(1, 20)), int(rng.integers(1, 50))
        L, beta, b = log_uniform(rng, 0.1, 10), log_uniform(rng, 0.1, 10), int(rng.integers(1, n + 1))
        eta, m, power = float(rng.uniform(0.01, 0.25)) / beta, mixing.nodes, mixing.power(Q)
        distance, total = np.zeros((m, m)), np.zeros((m, m))
        for _ in range(T):
            total += distance
            distance = power @ (distance + 2 * eta * L / n * np.eye(m))
        network = {"eta": eta, "T": T, "m": m, "beta": beta, "gap": mixing.gap, "Q": Q, "b": b}
        network |= {"sigma2": log_uniform(rng, 0.01, 10), "zeta2": log_uniform(rng, 0.01, 10), "r0": log_uniform(rng, 0.1, 10)}
        parts = L * total.mean() / T + training.evaluate(**network)
        assert CONVEX.evaluate(L=L, n=n, **network) == pytest.approx(parts, rel=1e-9)
        assert not CONVEX.assess(network | {"L": L, "n": n})


def test_convex_bound_at_the_best_step() -> None:
    """At gap = 1 the best step gives 2 r0 sqrt(L^2/(m n) + sigma^2/(m T)), up to T - 1 in place of T."""
    L, T, m, n, sigma2, r0 = 1.0, 10_000, 8, 100, 1.0, 0.3
    eta = r0 / math.sqrt(T * (L**2 * T / (m * n) + sigma2 / m))
    values = dict(L=L, eta=eta, T=T, m=m, n=n, beta=1, sigma2=sigma2, zeta2=1, r0=r0, gap=1, Q=1)
    assert not CONVEX.assess(values)
    assert CONVEX.evaluate(**values) == pytest.approx(2 * r0 * math.sqrt(L**2 / (m * n) + sigma2 / (m * T)), rel=1e-4)


@pytest.mark.slow
def test_pl_parts_dominate_exact_moments_on_graphs() -> None:
    """Quadratics with decaying steps: exact mean and covariance over the nodes, beside the least generalization error by brute force."""
    rng, closest = np.random.default_rng(3), 0.0
    tested = 0
    while tested < POINTS:
        mixing, Q, T, n = GRAPHS[rng.integers(len(GRAPHS))], int(rng.integers(1, 6)), int(log_uniform(rng, 1, 25)), int(rng.integers(4, 50))
        h, L, M, tau = log_uniform(rng, 0.1, 10), log_uniform(rng, 0.001, 0.1), log_uniform(rng, 0.001, 1), float(rng.uniform(0, 30))
        beta, mu = h * float(rng.uniform(1, 1.5)), h * float(min(1, rng.uniform(0.7, 1.2)))
        c = log_uniform(rng, 1.001 / mu, max((1 + tau) / beta, 1.002 / mu))
        m, power, sigma2, b = mixing.nodes, mixing.power(Q), float(rng.choice([0, log_uniform(rng, 0.001, 1)])), int(rng.integers(1, 4))
        centres, start = rng.normal(size=m) * rng.choice([0.0, 0.1, 1.0]), float(rng.normal())
        values = {"L": L, "c": c, "tau": tau, "T": T, "m": m, "n": n, "beta": beta, "M": M, "mu": mu, "sigma2": sigma2, "b": b}
        values |= {"zeta2": h**2 * float(np.var(centres)), "D0": h / 2 * (start - centres.mean()) ** 2, "gap": mixing.gap, "Q": Q}
        if PL.assess(values):
            continue
        tested += 1
        mean, covariance = np.full(m, start), np.zeros((m, m))
        for t in range(1, T + 1):
            eta = c / (t + tau)
            mean = power @ ((1 - eta * h) * mean + eta * h * centres)
            covariance = power @ ((1 - eta * h) ** 2 * covariance + eta**2 * sigma2 / b * np.eye(m)) @ power.T
        rates = 1 + beta * c / (np.arange(1, T + 1) + tau)
        grown = np.append(np.cumprod(rates[::-1])[::-1], 1.0)
        gen = float(np.min(M * b * np.arange(T + 1) / n + 2 * L**2 / (beta * m * n) * (grown - 1)))
        off = mean - centres.mean()
        mean_loss = h / 2 * (off.mean() ** 2 + covariance.mean())
        node_loss = h / 2 * (np.mean(off**2) + np.trace(covariance) / m)
        value = PL.evaluate(**values)
        assert gen + mean_loss <= value * (1 + 1e-9)
        assert gen + node_loss <= PL.evaluate(readout="node_average", **values) * (1 + 1e-9)
        closest = max(closest, (gen + mean_loss) / value)
    assert closest > 0.95


@pytest.mark.slow
def test_spread_under_decaying_steps() -> None:
    """The node average costs beta/2 (B c/(T+1+tau))^2 more; exact spreads for curvatures of both signs."""
    rng, closest, tested = np.random.default_rng(4), 0.0, 0
    while tested < POINTS:
        mixing, Q, T, tau = GRAPHS[rng.integers(len(GRAPHS))], int(rng.integers(1, 5)), int(rng.integers(1, 25)), float(rng.uniform(0, 20))
        beta, m, power = log_uniform(rng, 0.1, 10), mixing.nodes, mixing.power(Q)
        c, h = (1 + tau) / beta * float(rng.uniform(1.01 / (1 + tau), 1)), beta * float(rng.choice([-1, rng.uniform(-1, 1)]))
        sigma2, centres = float(rng.choice([0.0, 1.0])), rng.normal(size=m)
        values = {"L": 1e-3, "c": c, "tau": tau, "T": T, "m": m, "n": 100, "beta": beta, "M": 1e-3, "mu": beta, "sigma2": sigma2}
        values |= {"zeta2": h**2 * float(np.var(centres)), "D0": 0, "gap": mixing.gap, "Q": Q}
        if PL.assess(values):
            continue
        tested += 1
        mean, covariance = np.zeros(m), np.zeros((m, m))
        for t in range(1, T + 1):
            eta = c / (t + tau)
            mean = power @ ((1 - eta * h) * mean + eta * h * centres)
            covariance = power @ ((1 - eta * h) ** 2 * covariance + eta**2 * sigma2 * np.eye(m)) @ power.T
        spread = np.var(mean) + np.trace(covariance) / m - covariance.mean()
        at_mean = PL.evaluate(**values)
        paid = PL.evaluate(readout="node_average", **values) - at_mean
        rounding = 1e-13 * (1 + at_mean + beta * (np.max(mean**2) + np.max(covariance)))
        assert beta / 2 * spread <= paid * (1 + 1e-9) + rounding
        closest = max(closest, float(beta / 2 * spread) / paid if paid > 1e-6 else 0)
    assert closest > 0.2


def test_pl_value_by_hand() -> None:
    """The fixed point of the divided consensus distance by iteration, the generalization error by brute force."""
    L, c, tau, T, m, n, beta, M, mu, sigma2, zeta2, D0, gap, Q, b = 0.5, 3.0, 6.0, 40, 5, 30, 1.2, 0.8, 0.6, 1.1, 0.4, 0.01, 0.5, 2, 2
    x, eta_1 = (1 - gap) ** Q, c / (1 + tau)
    B2 = 0.0
    for _ in range(5000):
        B2 = (x * (2 + tau) / (1 + tau)) ** 2 * (((1 + eta_1 * beta) * math.sqrt(B2) + math.sqrt(zeta2)) ** 2 + sigma2 / b * (1 - 1 / m))
    V = max((1 + tau) * D0, beta * c**2 / 2 * (sigma2 / (b * m) + eta_1 * beta * B2) / (mu * c - 1))
    gen = min(
        M * b * t0 / n + 2 * L**2 / (beta * m * n) * (math.prod(1 + beta * c / (t + tau) for t in range(t0 + 1, T + 1)) - 1)
        for t0 in range(T + 1)
    )
    values = dict(L=L, c=c, tau=tau, T=T, m=m, n=n, beta=beta, M=M, mu=mu, sigma2=sigma2, zeta2=zeta2, D0=D0, gap=gap, Q=Q, b=b)
    assert not PL.assess(values)
    assert PL.evaluate(**values) == pytest.approx(gen + V / (T + 1 + tau), rel=1e-9)
    apart = beta / 2 * B2 * (c / (T + 1 + tau)) ** 2
    assert PL.evaluate(readout="node_average", **values) == pytest.approx(gen + V / (T + 1 + tau) + apart, rel=1e-9)

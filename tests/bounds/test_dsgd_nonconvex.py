"""On-average stability for smooth non-convex losses: expected twin distances from every start t0, over real mixing matrices."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import bounds
from bounds.topology import topology

GRAPHS = [("ring", 5), ("torus", 9), ("star", 6), ("complete", 4), ("exponential", 8), ("path", 3), ("ring", 2)]
CASES = list(product(GRAPHS, (1, 3)))
SIZE = 1000 // len(CASES) + 1
STEPS = 25


def points(seed: int, nodes: int, steps: int = STEPS, size: int = SIZE) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = {name: 10 ** rng.uniform(-1.5, 0.7, size) for name in ("L", "c", "beta", "M")}
    values |= {"m": np.full(size, nodes), "n": rng.integers(1, 1000, size), "T": rng.integers(1, steps + 1, size)}
    return values | {"b": rng.integers(1, np.minimum(values["n"], 9) + 1)}


def mean_distances(form: str, power: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
    """Node mean of E[delta_k; the replaced sample not drawn in steps 1..t0] by problem and t0, averaged over its node."""
    m, starts = len(power), np.arange(STEPS + 1)
    L, c, beta, tau, n, T = (values[name][:, None, None, None] for name in ("L", "c", "beta", "tau", "n", "T"))
    d = np.zeros((SIZE, STEPS + 1, m, m))
    for t in range(1, STEPS + 1):
        rate = c / (t + tau)
        jump = 2 * rate * L / n * np.eye(m)
        if form == "atc":
            new = power @ ((1 + beta * rate) * d + jump)
        elif form == "cta":
            new = (1 + beta * rate) * (power @ d) + jump
        else:
            new = power @ d + beta * rate * d + jump
        d = np.where((t > starts[:, None, None]) & (t <= T), new, d)
    return d.mean((2, 3))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_closed_forms_on_every_graph(form: str) -> None:
    for seed, (graph, Q) in enumerate(CASES):
        mixing, rng = topology(*graph), np.random.default_rng(seed)
        values = points(seed, mixing.nodes) | {"tau": rng.choice([0.0, 0.5, 10.0], SIZE)}
        d = mean_distances(form, mixing.power(Q), values)
        t0 = rng.integers(0, values["T"] + 1)
        known = {name: value for name, value in values.items() if name != "M"}
        stability = bounds.get("l1_stability_nonconvex").evaluate(update_form=form, t0=t0, **known)
        assert d[np.arange(SIZE), t0] == pytest.approx(stability, rel=1e-9, abs=1e-300)
        burn_in = values["M"][:, None] * values["b"][:, None] * np.arange(STEPS + 1) / values["n"][:, None]
        every = np.where(np.arange(STEPS + 1) <= values["T"][:, None], burn_in + values["L"][:, None] * d, np.inf)
        error = bounds.get("dsgd_nonconvex").evaluate(update_form=form, **values)
        assert every.min(1) == pytest.approx(error, rel=1e-9)
        relaxed = bounds.get("dsgd_nonconvex_relaxed").evaluate(update_form=form, **{k: v for k, v in values.items() if k != "tau"})
        # Steps c/(t + tau) are no larger, so the relaxed form, which knows no tau, covers them.
        assert np.all(every.min(1) <= relaxed * (1 + 1e-9))


def test_burn_in_is_at_least_the_chance_of_a_draw() -> None:
    """Batches of b with replacement: 1 - (1 - 1/n)^(b t0) <= b t0/n, which is what the bound charges."""
    rng = np.random.default_rng(0)
    n, b, t0 = rng.integers(1, 100, 1000), rng.integers(1, 20, 1000), rng.integers(0, 100, 1000)
    assert np.all(1 - (1 - 1 / n) ** (b * t0) <= b * t0 / n + 1e-12)


def test_relaxed_form_is_the_least_over_real_starts() -> None:
    values = points(99, 1, 10**5, 1000)
    values["m"] = np.random.default_rng(3).integers(1, 500, 1000)
    relaxed = bounds.get("dsgd_nonconvex_relaxed").evaluate(**values)
    for p in range(1000):
        L, c, beta, M, m, n, T, b = (float(values[name][p]) for name in ("L", "c", "beta", "M", "m", "n", "T", "b"))
        found = minimize_scalar(
            lambda log, burn=M * b / n, grown=2 * L**2 / (beta * m * n), T=T, q=beta * c: (
                burn * np.exp(log) + grown * np.exp(q * (np.log(T) - log))
            ),
            bracket=(0, 1),
            tol=1e-9,
        )
        assert relaxed[p] == pytest.approx(found.fun, rel=1e-9)


def test_rate_in_the_nodes() -> None:
    """T^(bc/(bc+1))/(n m^(1/(bc+1))): at beta c = 1/2 eight times the nodes divide the relaxed form by four, and 1/(m n) where t0 = 0 is best."""
    values = {"L": 1, "c": 1, "beta": 0.5, "M": 1, "T": 10**6, "n": 1000}
    few, many = (bounds.get("dsgd_nonconvex_relaxed").evaluate(m=m, **values) for m in (4, 32))
    assert few / many == pytest.approx(4, rel=1e-12)
    values = {"L": 1, "c": 1, "beta": 0.5, "M": 1, "T": 1000, "n": 1000}
    few, many = (m * bounds.get("dsgd_nonconvex").evaluate(m=m, **values) for m in (100, 800))
    assert few == pytest.approx(many, rel=1e-12)

"""Bounds on centralized SGD: every pattern of hits, every draw of a tiny problem, and the paper's relaxation minimised again."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import bounds

POINTS, SLACK = 1000, 1 + 1e-9


def expected_distance(factor: np.ndarray, jump: np.ndarray, chance: np.ndarray, T: np.ndarray) -> np.ndarray:
    """E abs(d_T) over all patterns of hits for d <- factor d + jump [hit]."""
    total = np.zeros_like(factor)
    for length in np.unique(T):
        here = length == T
        hits = np.array(list(product((0, 1), repeat=int(length))))
        kept = factor[here, None] ** np.arange(length - 1, -1, -1)
        weight = chance[here, None] ** hits.sum(1) * (1 - chance[here, None]) ** (length - hits.sum(1))
        total[here] = (weight * np.abs(jump[here, None] * (kept @ hits.T))).sum(1)
    return total


def drawn(seed: int) -> tuple[np.random.Generator, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    values = {"L": 10 ** rng.uniform(-1, 1, POINTS), "N": rng.integers(1, 40, POINTS), "T": rng.integers(1, 9, POINTS)}
    values["b"] = rng.integers(1, values["N"] + 1)
    return rng, values | {"beta": 10 ** rng.uniform(-2, 2, POINTS)}


def test_convex_is_attained_by_linear_losses_and_dominates_quadratic_ones() -> None:
    rng, values = drawn(0)
    eta = rng.uniform(0.01, 1, POINTS) * 2 / values["beta"]
    bound = bounds.get("hardt2016_convex").evaluate(eta=eta, **values)
    jump, chance = 2 * eta * values["L"] / values["b"], values["b"] / values["N"]
    assert values["L"] * expected_distance(np.ones(POINTS), jump, chance, values["T"]) == pytest.approx(bound, rel=1e-9)
    for share in (rng.uniform(0, 1, POINTS), np.ones(POINTS)):
        curved = expected_distance(1 - eta * share * values["beta"], jump, chance, values["T"])
        assert np.all(values["L"] * curved <= bound * SLACK)


def test_strongly_convex_is_attained_and_dominates() -> None:
    rng, values = drawn(1)
    mu = values["beta"] * rng.uniform(0.001, 1, POINTS)
    eta = rng.uniform(0.01, 1, POINTS) * np.minimum(2 / (values["beta"] + mu), 1 / mu)
    bound = bounds.get("hardt2016_strongly_convex").evaluate(eta=eta, mu=mu, **values)
    jump, chance = 2 * eta * values["L"] / values["b"], values["b"] / values["N"]
    assert values["L"] * expected_distance(1 - eta * mu, jump, chance, values["T"]) == pytest.approx(bound, rel=1e-9)
    for curvature in (mu + rng.uniform(0, 1, POINTS) * (values["beta"] - mu), values["beta"]):
        curved = expected_distance(1 - eta * curvature, jump, chance, values["T"])
        assert np.all(values["L"] * curved <= bound * SLACK)


def least_of_every_start(values: dict[str, np.ndarray]) -> np.ndarray:
    """d <- (1 + q/t) d + 2 c L/(N t) from every start t0, step by step; then the least of M b t0/N + L d."""
    L, c, N, M, b = (values[name][:, None] for name in ("L", "c", "N", "M", "b"))
    T, most = values["T"][:, None], int(values["T"].max())
    q, starts = values["beta"][:, None] * c * (1 - 1 / N), np.arange(most + 1)
    d = np.zeros((len(T), most + 1))
    for t in range(1, most + 1):
        d = np.where((t > starts) & (t <= T), (1 + q / t) * d + 2 * c * L / (N * t), d)
    return np.where(starts <= T, M * b * starts / N + L * d, np.inf).min(1)


def nonconvex(seed: int, steps: int) -> dict[str, np.ndarray]:
    rng, values = drawn(seed)
    N = np.round(10 ** rng.uniform(np.log10(2), 4, POINTS)).astype(int)
    T = np.round(10 ** rng.uniform(0, np.log10(steps), POINTS)).astype(int)
    wide = {name: 10 ** rng.uniform(-2, 1, POINTS) for name in ("c", "beta", "M", "L")}
    return values | wide | {"N": N, "T": T, "b": rng.integers(1, np.minimum(N, 8) + 1)}


def test_nonconvex_is_the_least_over_every_start() -> None:
    values = nonconvex(2, 100)
    assert bounds.get("hardt2016_nonconvex").evaluate(**values) == pytest.approx(least_of_every_start(values), rel=1e-9)


def test_relaxed_form_is_the_least_over_real_starts() -> None:
    values = nonconvex(3, 10**5)
    relaxed = bounds.get("hardt2016_nonconvex_relaxed").evaluate(**values)
    for p in range(POINTS):
        L, c, N, T, M, b, beta = (float(values[name][p]) for name in ("L", "c", "N", "T", "M", "b", "beta"))
        grown = 2 * L**2 / (beta * (N - 1))
        found = minimize_scalar(
            lambda log, burn=M * b / (N - 1), grown=grown, T=T, q=beta * c: burn * math.exp(log) + grown * (T / math.exp(log)) ** q,
            bracket=(0, 1),
            tol=1e-9,
        )
        assert relaxed[p] == pytest.approx(found.fun, rel=1e-9)


def test_relaxed_form_is_never_below_the_best_integer_start() -> None:
    """Wherever t0* lies, also where the relaxed form's assumption 1 <= t0* <= T fails."""
    values = nonconvex(4, 100)
    relaxed = bounds.get("hardt2016_nonconvex_relaxed").evaluate(**values)
    assert np.all(least_of_every_start(values) <= relaxed * SLACK)
    start = relaxed * (values["N"] - 1) / (1 + 1 / (values["beta"] * values["c"])) / (values["M"] * values["b"])
    assert min(np.mean(start < 1), np.mean(start > values["T"]), np.mean((start >= 1) & (start <= values["T"]))) > 0.03


@pytest.mark.parametrize("size", [100, 300])
def test_product_interpolated_between_integers_stays_below_the_power(size: int) -> None:
    """The step of the proof that pays for rounding t0*."""
    rng = np.random.default_rng(5)
    for q in 10 ** rng.uniform(-3, 1.5, 200):
        product_from = np.concatenate([np.cumprod(1 + q / np.arange(size, 0, -1.0))[::-1], [1.0]])
        s = size * rng.uniform(0.001, 1, 200)
        assert np.all(np.interp(s, np.arange(size + 1), product_from) <= (size / s) ** q * (1 + 1e-11))


@pytest.mark.parametrize("b", [1, 2])
def test_nonconvex_dominates_every_draw_of_a_tiny_problem(b: int) -> None:
    """M (1 + sin(a w z + o))/2 with three samples of a population of two, batches of one or two of them, and four steps c/t."""
    rng, N, T = np.random.default_rng(6 + b), 3, 4
    M, a, o = (rng.uniform(low, high, (POINTS, 1, 1)) for low, high in ((0.2, 3), (0.5, 4), (-3, 3)))
    c, z = 10 ** rng.uniform(-2, 1, (POINTS, 1, 1)), rng.uniform(-1, 1, (POINTS, 2))
    data = np.array(list(product((0, 1), repeat=N)))
    draws = np.array(list(product(range(N), repeat=T)))
    w = np.zeros((POINTS, len(data), len(draws)))
    for t in range(T):
        # One index drawn is a batch of one, or what a batch of two leaves out.
        batch = [draws[:, t]] if b == 1 else [(draws[:, t] + shift) % N for shift in (1, 2)]
        slopes = [M * a * z[:, data[:, i]] * np.cos(a * w * z[:, data[:, i]] + o) / 2 for i in batch]
        w = w - c / (t + 1) * sum(slopes) / b

    def loss(sample: np.ndarray) -> np.ndarray:
        return (M * (1 + np.sin(a * w * sample + o)) / 2).mean((1, 2))

    risk = sum(loss(z[:, k, None, None]) for k in (0, 1)) / 2
    train = sum(loss(z[:, data[:, i], None]) for i in range(N)) / N
    steep = np.abs(z).max(1) * a[:, 0, 0]
    values = {"L": M[:, 0, 0] * steep / 2, "beta": M[:, 0, 0] * steep**2 / 2, "M": M[:, 0, 0], "c": c[:, 0, 0], "T": T, "N": N, "b": b}
    for name in ("hardt2016_nonconvex", "hardt2016_nonconvex_relaxed"):
        bound = bounds.get(name).evaluate(**values)
        assert np.all(np.abs(risk - train) <= bound * SLACK)
        assert np.max((risk - train) / bound) > 0.04


def test_numbers_where_the_relaxed_form_diverges() -> None:
    """As beta falls to 0; the text of the paper's Theorem 3.12 evaluated by hand."""
    for beta, relaxed, exact in ((0.01, 2.17, 0.145), (0.001, 20.3, 0.141)):
        values = {"L": 1, "c": 1, "T": 1000, "N": 100, "M": 1, "beta": beta}
        assert bounds.get("hardt2016_nonconvex_relaxed").evaluate(**values) == pytest.approx(relaxed, rel=3e-3)
        assert 0.98 * exact <= bounds.get("hardt2016_nonconvex").evaluate(**values) <= exact

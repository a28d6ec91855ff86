"""Consensus distance against the exact moments of quadratic losses over real mixing matrices, and the recursion against itself."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

import bounds
from bounds.topology import topology

GRAPHS = [("ring", 5), ("ring", 8), ("torus", 9), ("star", 6), ("complete", 4), ("exponential", 8), ("path", 3), ("ring", 2)]
CASES = list(product(GRAPHS, (1, 2, 5)))
SIZE = 1000 // len(CASES) + 1
STEPS, SLACK = 40, 1 + 1e-9
#: A complete graph has eigenvalues of 0 that rounding makes 1e-16.
ROUNDING = 1e-12
FORMS = ("atc", "cta", "consensus")
Points = dict[str, np.ndarray]


def cases() -> Iterator[tuple[np.random.Generator, np.ndarray, Points, np.ndarray]]:
    """Constants and local slopes for every graph and number of gossip steps; more than 1,000 in all."""
    for seed, (graph, Q) in enumerate(CASES):
        rng, mixing = np.random.default_rng(seed), topology(*graph)
        slopes = rng.normal(size=(SIZE, mixing.nodes)) * rng.choice([0.0, 1.0, 10.0], (SIZE, 1))
        slopes -= slopes.mean(1, keepdims=True)
        points = {"m": np.full(SIZE, mixing.nodes), "Q": np.full(SIZE, Q), "gap": np.full(SIZE, mixing.gap)}
        points |= {"T": rng.integers(1, STEPS + 1, SIZE), "b": rng.integers(1, 9, SIZE), "beta": 10 ** rng.uniform(-1, 1, SIZE)}
        points |= {"sigma2": rng.choice([0.0, 1.0, 5.0], SIZE), "zeta2": np.mean(slopes**2, axis=1)}
        yield rng, mixing.power(Q), points, slopes


def spread(form: str, power: np.ndarray, eta: np.ndarray, curvature: np.ndarray, slopes: np.ndarray, points: Points) -> np.ndarray:
    """(1/m) sum_k E (x_k - xbar)^2 for f_k(x) = (h/2) x^2 + c_k x with independent gradient noise of variance sigma2/b."""
    m = len(power)
    project, eye = np.eye(m) - 1 / m, np.eye(m)
    mean, covariance = np.zeros((SIZE, m)), np.zeros((SIZE, m, m))
    shrink = eta * curvature
    if form == "consensus":
        step, drive = power - shrink[:, None, None] * eye, eye
    else:
        step, drive = (1 - shrink)[:, None, None] * power, power if form == "atc" else eye
    # The noise of the mean is left out from the start: it would grow far above the deviations and drown them in rounding.
    noise = (eta**2 * points["sigma2"] / points["b"])[:, None, None] * (drive @ project @ drive.T)
    for t in range(1, STEPS + 1):
        live = t <= points["T"]
        moved = (step @ mean[:, :, None])[:, :, 0] - eta[:, None] * (slopes @ drive.T)
        mean = np.where(live[:, None], moved, mean)
        covariance = np.where(live[:, None, None], step @ covariance @ step.transpose(0, 2, 1) + noise, covariance)
    return (np.sum((mean @ project) ** 2, axis=1) + np.trace(project @ covariance @ project, axis1=1, axis2=2)) / m


def dominated(form: str, exact: np.ndarray, eta: np.ndarray, points: Points, **flags: np.ndarray | int) -> float:
    """Assert domination after T steps and, where the recursion contracts, for every number of steps; the largest ratio met."""
    bound = bounds.get(f"consensus_distance_{form}")
    after = bound.evaluate(eta=eta, **points, **flags)
    assert np.all(exact <= after * SLACK + ROUNDING)
    steady = {name: value for name, value in points.items() if name != "T"} | {"eta": eta} | flags
    for p in range(SIZE):
        point = {name: value if np.isscalar(value) else value[p].item() for name, value in steady.items()}
        if not bound.assess(point):
            assert exact[p] <= bound.evaluate(**point) * SLACK + ROUNDING
    return float(np.max(exact[after > 1e-9] / after[after > 1e-9], initial=0))


@pytest.mark.parametrize("form", FORMS)
def test_smooth_losses_of_either_curvature(form: str) -> None:
    ratios = []
    for rng, power, points, slopes in cases():
        eta = 10 ** rng.uniform(-3, 0, SIZE) / points["beta"]
        for curvature in (-points["beta"], rng.uniform(-1, 1, SIZE) * points["beta"], points["beta"]):
            exact = spread(form, power, eta, curvature, slopes, points)
            ratios.append(dominated(form, exact, eta, points))
    assert max(ratios) > 0.95


@pytest.mark.parametrize("form", ["atc", "cta"])
def test_convex_losses_up_to_the_largest_step(form: str) -> None:
    ratios = []
    for rng, power, points, slopes in cases():
        eta = rng.choice([1.0, 0.3, 0.01], SIZE) * 2 / points["beta"]
        for share in (0.0, rng.uniform(0, 1, SIZE), 1.0):
            exact = spread(form, power, eta, share * points["beta"], slopes, points)
            ratios.append(dominated(form, exact, eta, points, convex=1))
    assert max(ratios) > 0.95


@pytest.mark.parametrize("form", ["atc", "cta"])
def test_strongly_convex_losses_up_to_the_largest_step(form: str) -> None:
    ratios = []
    for rng, power, points, slopes in cases():
        mu = rng.uniform(0.01, 1, SIZE) * points["beta"]
        eta = rng.choice([1.0, 0.3, 0.01], SIZE) * 2 / (points["beta"] + mu)
        for curvature in (mu, (mu + points["beta"]) / 2, points["beta"]):
            exact = spread(form, power, eta, curvature, slopes, points)
            ratios.append(dominated(form, exact, eta, points, convex=1, mu=mu))
    assert max(ratios) > 0.95


@pytest.mark.parametrize("form", FORMS)
def test_closed_forms_of_the_worst_case_recursion(form: str) -> None:
    """S <- sqrt((r S + z)^2 + s^2) unrolled: dominated after T steps, met by the fixed point in the limit, equal without noise."""
    rng = np.random.default_rng(1)
    bound = bounds.get(f"consensus_distance_{form}")
    size, compared = 1400, 0
    gap, Q, m, T = rng.uniform(0.001, 1, size), rng.integers(1, 8, size), rng.integers(1, 50, size), rng.integers(1, 200, size)
    beta, sigma2, zeta2, b = (*10 ** rng.uniform(-1, 1, (3, size)), rng.integers(1, 9, size))
    eta = 10 ** rng.uniform(-3, -0.3, size) / beta
    x = (1 - gap) ** Q
    r = x + eta * beta if form == "consensus" else x * (1 + eta * beta)
    fresh = x if form == "atc" else np.ones(size)
    z, noise = fresh * eta * np.sqrt(zeta2), fresh**2 * eta**2 * sigma2 / b * (1 - 1 / m)
    values = {"eta": eta, "sigma2": sigma2, "zeta2": zeta2, "m": m, "gap": gap, "Q": Q, "beta": beta, "b": b}
    S, pure = np.zeros(size), np.zeros(size)
    for t in range(1, 200):
        S = np.where(t <= T, np.sqrt((r * S + z) ** 2 + noise), S)
        pure = np.where(t <= T, r * pure + z, pure)
    assert np.all(bound.evaluate(T=T, **values) * SLACK >= S**2)
    assert pure**2 == pytest.approx(bound.evaluate(T=T, **(values | {"sigma2": 0})), rel=1e-9)
    for p in np.flatnonzero(r < 1):
        point = {name: value[p].item() for name, value in values.items()}
        limit = bound.evaluate(**point)
        assert S[p] ** 2 <= limit * SLACK
        assert (r[p] * np.sqrt(limit) + z[p]) ** 2 + noise[p] == pytest.approx(limit, rel=1e-9)
        compared += 1
    assert compared >= 700


@pytest.mark.parametrize("form", FORMS)
def test_simple_form_is_never_below(form: str) -> None:
    """S* <= z/(1-r) + s/sqrt(1-r^2), and at many gossip steps ATC's spread vanishes while the other two keep a floor."""
    rng = np.random.default_rng(2)
    bound, size = bounds.get(f"consensus_distance_{form}"), 1000
    gap, Q, m, beta = rng.uniform(0.2, 1, size), rng.integers(1, 4, size), rng.integers(1, 99, size), 10 ** rng.uniform(-1, 1, size)
    eta = rng.uniform(0.001, 0.19, size) / beta
    x = (1 - gap) ** Q
    r = x + eta * beta if form == "consensus" else x * (1 + eta * beta)
    fresh = x if form == "atc" else np.ones(size)
    simple = fresh * eta * np.sqrt(2) / (1 - r) + fresh * eta * np.sqrt(3 * (1 - 1 / m) / (1 - r**2))
    values = {"eta": eta, "sigma2": 3, "zeta2": 2, "m": m, "beta": beta}
    assert np.all(bound.evaluate(gap=gap, Q=Q, **values) <= simple**2 * SLACK)
    floor = bound.evaluate(gap=0.5, Q=100, **values)
    assert np.all(floor < 1e-55) if form == "atc" else np.all(floor >= eta**2 * 2)

"""Each formula derived once more: from vector recursions over real mixing matrices, in plain numpy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bounds
from bounds.topology import topology

GRAPHS = st.sampled_from([("ring", 5), ("ring", 8), ("torus", 9), ("complete", 4), ("exponential", 8), ("ring", 2)])


@settings(max_examples=40, deadline=None)
@given(graph=GRAPHS, Q=st.integers(1, 4), T=st.integers(1, 60), eta=st.floats(0.01, 2), n=st.integers(1, 50))
def test_expected_twin_distances_unrolled_over_the_graph(graph: tuple[str, int], Q: int, T: int, eta: float, n: int) -> None:
    """d <- W^Q (d + jump e_j): its node mean is the on-average bound, its largest entry at most the worst-node bound."""
    mixing, L = topology(*graph), 1.3
    m, power = mixing.nodes, mixing.power(Q)
    mean, worst = [], []
    for form in ("atc", "consensus"):
        d = np.zeros((m, m))
        for _ in range(T):
            jump = 2 * eta * L / n * np.eye(m)
            d = power @ (d + jump) if form == "atc" else power @ d + jump
        mean.append(d.mean())
        worst.append(d.max())
    stable = bounds.get("l1_stability_convex").evaluate(L=L, eta=eta, T=T, m=m, n=n)
    assert mean == pytest.approx([stable, stable], rel=1e-9)
    assert bounds.get("dsgd_convex").evaluate(L=L, eta=eta, T=T, m=m, n=n) == pytest.approx(L * stable, rel=1e-12)
    single = bounds.get("dsgd_worst_node_convex").evaluate(L=L, eta=eta, T=T, m=m, n=n, gap=mixing.gap, Q=Q)
    assert L * worst[0] <= single * (1 + 1e-9)
    assert single >= L * stable * (1 - 1e-12)


def test_worst_node_bound_is_attained_on_two_nodes() -> None:
    """With m = 2 the deviation has one eigenvalue, so the bound on the entry of node j is an equality."""
    W = np.array([[0.7, 0.3], [0.3, 0.7]])
    d = np.zeros(2)
    for _ in range(25):
        d = W @ (d + 2 * 0.1 * 1.5 / 10 * np.array([1.0, 0.0]))
    value = bounds.get("dsgd_worst_node_convex").evaluate(L=1.5, eta=0.1, T=25, m=2, n=10, gap=0.6, Q=1)
    assert 1.5 * d.max() == pytest.approx(value, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(graph=GRAPHS, Q=st.integers(1, 3), T=st.integers(1, 80), eta=st.floats(0.01, 0.4), curvature=st.floats(0, 1), b=st.integers(1, 4))
def test_consensus_distance_dominates_exact_quadratic_moments(
    graph: tuple[str, int], Q: int, T: int, eta: float, curvature: float, b: int
) -> None:
    """f_k(x) = (h/2) x^2 + c_k x with independent noise: mean and covariance of the deviations are exact linear recursions."""
    mixing, sigma2 = topology(*graph), 0.7
    m, power = mixing.nodes, mixing.power(Q)
    project = np.eye(m) - 1 / m
    slopes = project @ np.sin(np.arange(m) * 2.4)
    zeta2 = float(np.mean(slopes**2))
    for form in ("atc", "consensus"):
        mean, covariance = np.zeros(m), np.zeros((m, m))
        step = power * (1 - eta * curvature) if form == "atc" else power - eta * curvature * np.eye(m)
        drive = power if form == "atc" else np.eye(m)
        for _ in range(T):
            mean = step @ mean - eta * drive @ slopes
            covariance = step @ covariance @ step.T + eta**2 * sigma2 / b * drive @ drive.T
        exact = (np.sum((project @ mean) ** 2) + np.trace(project @ covariance)) / m
        beta = max(curvature, 1e-3)
        values = dict(eta=eta, sigma2=sigma2, zeta2=zeta2, m=m, gap=mixing.gap, Q=Q, beta=beta, b=b)
        bound = bounds.get(f"consensus_distance_{form}")
        # A graph of equal nodes has a spectrum of 0 behind the first eigenvalue; rounding makes it 1e-16, hence the absolute slack.
        assert exact <= bound.evaluate(T=T, **values) * (1 + 1e-9) + 1e-12
        if form == "atc":
            assert exact <= bound.evaluate(T=T, convex=1, **values) * (1 + 1e-9) + 1e-12
        if not bound.assess(values):
            assert exact <= bound.evaluate(**values) * (1 + 1e-9) + 1e-12


def test_consensus_distance_is_attained_by_pure_heterogeneity_on_two_nodes() -> None:
    """Linear losses, no noise, m = 2: S <- x (S + eta zeta) is an equality, so the transient form is exact."""
    eta, gap, T = 0.3, 0.4, 12
    spread, W = np.zeros(2), np.array([[1 - gap / 2, gap / 2], [gap / 2, 1 - gap / 2]])
    for _ in range(T):
        spread = W @ (spread - eta * np.array([1.0, -1.0]))
    value = bounds.get("consensus_distance_atc").evaluate(eta=eta, sigma2=0, zeta2=1, m=2, gap=gap, Q=1, beta=1, convex=1, T=T)
    assert np.mean(spread**2) == pytest.approx(value, rel=1e-12)


def test_fixed_point_is_a_fixed_point() -> None:
    values = dict(eta=0.05, sigma2=1.0, zeta2=0.5, m=16, gap=0.3, Q=2, beta=1.0)
    for form in ("atc", "consensus"):
        s2 = bounds.get(f"consensus_distance_{form}").evaluate(**values)
        x = 0.7**2
        r, z, noise = (x * 1.05, x * 0.05 * math.sqrt(0.5), x * 0.05) if form == "atc" else (x + 0.05, 0.05 * math.sqrt(0.5), 0.05)
        assert (r * math.sqrt(s2) + z) ** 2 + noise**2 * (1 - 1 / 16) == pytest.approx(s2, rel=1e-12)


def test_centralized_bound_is_attained_by_a_linear_loss() -> None:
    """All index sequences of a tiny problem enumerated: the expected twin distance is exactly the bound over L."""
    from itertools import product

    N, T, eta, L = 3, 4, 0.2, 1.0
    distances = [2 * eta * L * sum(index == 0 for index in sequence) for sequence in product(range(N), repeat=T)]
    assert L * np.mean(distances) == pytest.approx(bounds.get("hardt2016_convex").evaluate(L=L, eta=eta, T=T, N=N), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    graph=GRAPHS,
    Q=st.integers(1, 3),
    T=st.integers(1, 40),
    t0=st.integers(0, 40),
    c=st.floats(0.01, 3),
    beta=st.floats(0.01, 3),
    tau=st.floats(0, 10),
    n=st.integers(2, 30),
)
def test_nonconvex_twin_distances_unrolled_over_the_graph(
    graph: tuple[str, int], Q: int, T: int, t0: int, c: float, beta: float, tau: float, n: int
) -> None:
    """d <- W^Q ((1 + beta eta_t) d + jump) or W^Q d + beta eta_t d + jump from step t0 + 1 on: the node mean is the bound for both."""
    mixing, L, t0 = topology(*graph), 1.3, min(t0, T)
    m, power, means = mixing.nodes, mixing.power(Q), []
    for form in ("atc", "consensus"):
        d = np.zeros((m, m))
        for t in range(t0 + 1, T + 1):
            eta = c / (t + tau)
            jump = 2 * eta * L / n * np.eye(m)
            d = power @ ((1 + beta * eta) * d + jump) if form == "atc" else power @ d + beta * eta * d + jump
        means.append(d.mean())
    stable = bounds.get("l1_stability_nonconvex").evaluate(L=L, c=c, t0=t0, beta=beta, T=T, m=m, n=n, tau=tau)
    assert means == pytest.approx([stable, stable], rel=1e-9, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(T=st.integers(1, 60), c=st.floats(0.01, 3), beta=st.floats(0.01, 3), M=st.floats(0.1, 5), m=st.integers(1, 40), n=st.integers(2, 50))
def test_nonconvex_bounds_are_the_least_over_every_integer_start(T: int, c: float, beta: float, M: float, m: int, n: int) -> None:
    """Brute force over t0 with plain products instead of gamma functions, bisection and balls."""
    L = 0.8

    def brute(samples: int, share: float, rate: float, burn_in: float) -> float:
        values = []
        for t0 in range(T + 1):
            grown = math.prod(1 + rate / t for t in range(t0 + 1, T + 1))
            values.append(burn_in * M * t0 + 2 * L**2 / (beta * samples * share) * (grown - 1))
        return min(values)

    decentralized = bounds.get("dsgd_nonconvex").evaluate(L=L, c=c, T=T, m=m, n=n, beta=beta, M=M)
    assert decentralized == pytest.approx(brute(n, m, beta * c, 1 / n), rel=1e-9)
    centralized = bounds.get("hardt2016_nonconvex").evaluate(L=L, c=c, T=T, N=n, beta=beta, M=M)
    assert centralized == pytest.approx(brute(n - 1, 1, beta * c * (1 - 1 / n), 1 / n), rel=1e-9)


def test_nonconvex_bound_at_small_smoothness() -> None:
    """Where the paper's relaxed form gives 2.17 and 20.3, the exact one stays near its limit for beta = 0."""
    for beta, relaxed, exact in ((0.01, 2.17, 0.145), (0.001, 20.3, 0.141)):
        paper = (1 + 1 / beta) / 99 * 2 ** (1 / (beta + 1)) * 1000 ** (beta / (beta + 1))
        assert paper == pytest.approx(relaxed, rel=5e-3)
        value = bounds.get("hardt2016_nonconvex").evaluate(L=1, c=1, T=1000, N=100, M=1, beta=beta)
        assert 0.98 * exact <= value <= exact


@settings(max_examples=30, deadline=None)
@given(graph=GRAPHS, Q=st.integers(1, 3), T=st.integers(1, 60), ratio=st.floats(0.01, 1), mu=st.floats(0.01, 2), n=st.integers(1, 50))
def test_strongly_convex_twin_distances_unrolled_over_the_graph(
    graph: tuple[str, int], Q: int, T: int, ratio: float, mu: float, n: int
) -> None:
    mixing, L, beta = topology(*graph), 1.3, 2.0
    m, power, means = mixing.nodes, mixing.power(Q), []
    eta = 2 * ratio * mixing.w_min(Q) / (beta + mu)
    for form in ("atc", "consensus"):
        d = np.zeros((m, m))
        for _ in range(T):
            jump = 2 * eta * L / n * np.eye(m)
            d = power @ ((1 - eta * mu) * d + jump) if form == "atc" else power @ d - eta * mu * d + jump
        means.append(d.mean())
    stable = bounds.get("l1_stability_strongly_convex").evaluate(L=L, eta=eta, mu=mu, T=T, m=m, n=n)
    assert means == pytest.approx([stable, stable], rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(graph=GRAPHS, Q=st.integers(1, 3), T=st.integers(1, 60), eta=st.floats(0.01, 0.5), curvature=st.floats(0, 1))
def test_cta_consensus_distance_dominates_exact_quadratic_moments(
    graph: tuple[str, int], Q: int, T: int, eta: float, curvature: float
) -> None:
    """Y = W^Q X; X <- Y - eta (h Y + c + noise): exact mean and covariance recursions of the deviations."""
    mixing, sigma2 = topology(*graph), 0.7
    m, power = mixing.nodes, mixing.power(Q)
    project = np.eye(m) - 1 / m
    slopes = project @ np.cos(np.arange(m) * 1.7)
    mean, covariance, step = np.zeros(m), np.zeros((m, m)), (1 - eta * curvature) * power
    for _ in range(T):
        mean = step @ mean - eta * slopes
        covariance = step @ covariance @ step.T + eta**2 * sigma2 * np.eye(m)
    exact = (np.sum((project @ mean) ** 2) + np.trace(project @ covariance)) / m
    values = {
        "eta": eta,
        "sigma2": sigma2,
        "zeta2": float(np.mean(slopes**2)),
        "m": m,
        "gap": mixing.gap,
        "Q": Q,
        "beta": max(curvature, 1e-3),
    }
    bound = bounds.get("consensus_distance_cta")
    assert exact <= bound.evaluate(T=T, convex=1, **values) * (1 + 1e-9) + 1e-12
    assert exact <= bound.evaluate(T=T, **values) * (1 + 1e-9) + 1e-12
    if T == 1 and mixing.nodes > 1:
        assert exact == pytest.approx(bound.evaluate(T=1, convex=1, **values), rel=1e-9)

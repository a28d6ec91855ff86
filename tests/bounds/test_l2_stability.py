"""Squared l2 stability of D-SGD (ATC): an exact moment recursion over real graphs, and one enumeration of every draw."""

from itertools import product

import numpy as np
import pytest

import bounds
from bounds.topology import topology

GRAPHS = [
    ("ring", 5),
    ("ring", 8),
    ("torus", 9),
    ("torus", 16),
    ("complete", 4),
    ("exponential", 8),
    ("star", 5),
    ("hypercube", 8),
    ("path", 2),
]
PAIR = np.array([[0.1, 0.9], [0.9, 0.1]])


def moments(power: np.ndarray, jump: float, n: int, T: int, b: int, with_replacement: bool = True) -> float:
    """(1/m^2) sum_kj E d_k^2 for d <- W^Q (d + jump h e_j), h the share of the replaced sample in the batch of the step."""
    m = len(power)
    mean, square = np.zeros((m, m)), np.zeros((m, m, m))
    first, second = 1 / n, (1 / n + (b - 1) / n**2 if with_replacement else 1 / n) / b
    for _ in range(T):
        for j in range(m):
            hit = jump * np.eye(m)[j]
            cross = first * (np.outer(mean[j], hit) + np.outer(hit, mean[j])) + second * np.outer(hit, hit)
            square[j] = power @ (square[j] + cross) @ power.T
            mean[j] = power @ (mean[j] + first * hit)
    return float(np.trace(square, axis1=1, axis2=2).sum() / m**2)


@pytest.mark.slow
def test_is_attained_by_linear_losses_with_antithetic_twins() -> None:
    rng = np.random.default_rng(0)
    mixings = [topology(*graph) for graph in GRAPHS]
    for _ in range(1000):
        mixing = mixings[rng.integers(len(mixings))]
        Q, T, n = int(rng.integers(1, 5)), int(rng.integers(1, 13)), int(rng.integers(1, 30))
        b = int(rng.integers(1, n + 1))
        L, eta = 10 ** rng.uniform(-1, 1, 2)
        values = {"L": L, "eta": eta, "T": T, "n": n, "Q": Q, "b": b}
        exact = moments(mixing.power(Q), 2 * L * eta, n, T, b)
        bound = bounds.get("l2_stability_atc").evaluate(spectrum=mixing.spectrum, **values)
        assert bound == pytest.approx(exact, rel=1e-9)
        assert moments(mixing.power(Q), 2 * L * eta, n, T, b, with_replacement=False) <= bound * (1 + 1e-9)
        by_gap = bounds.get("l2_stability_atc_gap").evaluate(m=mixing.nodes, gap=mixing.gap, **values)
        assert exact <= by_gap * (1 + 1e-9)
        if mixing.name == "complete":
            assert exact == pytest.approx(by_gap, rel=1e-9)


def test_moments_are_those_of_every_draw() -> None:
    """Two nodes, two samples, batches of two with replacement, three steps: the 64 sequences at the node with the replaced sample."""
    W, jump = np.array([[0.7, 0.3], [0.3, 0.7]]), 0.4
    squares = []
    for sequence in product(product((0, 1), repeat=2), repeat=3):
        d = np.zeros(2)
        for batch in sequence:
            d = W @ (d + jump * np.array([batch.count(0) / 2, 0.0]))
        squares.append(np.mean(d**2))
    exact = bounds.get("l2_stability_atc").evaluate(L=0.2, eta=1, T=3, n=2, b=2, Q=1, spectrum=[1, 0.4])
    assert np.mean(squares) == pytest.approx(moments(W, jump, 2, 3, 2), rel=1e-12)
    assert np.mean(squares) == pytest.approx(exact, rel=1e-12)


def test_dominates_quadratic_losses() -> None:
    """(h/2) w^2 + z w with h <= beta and the largest admissible step: signed distances contract by 1 - eta h before they mix."""
    rng = np.random.default_rng(1)
    mixing = topology("ring", 5)
    power, m = mixing.power(1), 5
    for _ in range(1000):
        beta, n, T = 10 ** rng.uniform(-1, 1), int(rng.integers(1, 10)), int(rng.integers(1, 10))
        eta, factor, jump, first = 2 / beta, 1 - 2 * rng.uniform(0, 1), 4 / beta, 1 / n
        mean, square = np.zeros(m), np.zeros((m, m))
        hit = np.eye(m)[0] * jump
        for _ in range(T):
            cross = first * factor * (np.outer(mean, hit) + np.outer(hit, mean)) + first * np.outer(hit, hit)
            square = power @ (factor**2 * square + cross) @ power.T
            mean = power @ (factor * mean + first * hit)
        bound = bounds.get("l2_stability_atc").evaluate(L=1, eta=eta, T=T, n=n, Q=1, spectrum=mixing.spectrum, beta=beta)
        assert np.trace(square) / m <= bound * (1 + 1e-9)


def test_published_closed_form_is_never_below() -> None:
    """1/n in place of 1/n - 1/n^2."""
    rng = np.random.default_rng(2)
    size = 1000
    m, n, T, Q = (rng.integers(low, high, size) for low, high in ((1, 200), (1, 1000), (1, 1000), (1, 20)))
    L, eta, gap = 10 ** rng.uniform(-1, 1, size), 10 ** rng.uniform(-2, 0, size), 10 ** rng.uniform(-2, -0.01, size)
    x = (1 - gap) ** Q
    first = T**2 + (m - 1) * (x * (1 - x**T) / (1 - x)) ** 2
    second = T + (m - 1) * x**2 * (1 - x ** (2 * T)) / (1 - x**2)
    loose = 4 * L**2 * eta**2 / m**2 * (first / n**2 + second / n)
    value = bounds.get("l2_stability_atc_gap").evaluate(L=L, eta=eta, T=T, m=m, n=n, Q=Q, gap=gap)
    assert value == pytest.approx(loose - 4 * L**2 * eta**2 / m**2 * second / n**2, rel=1e-9)
    assert np.all(value <= loose * (1 + 1e-12))


def test_more_gossip_may_hurt_where_an_eigenvalue_is_negative() -> None:
    values = {"L": 1.0, "eta": 0.1, "T": 30, "n": 2, "spectrum": [1, -0.8]}
    once, twice = (bounds.get("l2_stability_atc").evaluate(Q=Q, **values) for Q in (1, 2))
    assert twice > once
    assert [once, twice] == pytest.approx([moments(np.linalg.matrix_power(PAIR, Q), 0.2, 2, 30, 1) for Q in (1, 2)], rel=1e-9)

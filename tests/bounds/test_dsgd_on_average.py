"""The closed form of the squared on-average stability against its recursion, whatever the order of the training losses met."""

import math

import numpy as np
import pytest

import bounds


def test_dominates_every_order_of_the_training_losses() -> None:
    rng = np.random.default_rng(0)
    bound = bounds.get("dsgd_on_average_convex")
    looseness = []
    for _ in range(1000):
        T, m, n = int(rng.integers(1, 60)), int(rng.integers(1, 20)), int(rng.integers(1, 100))
        beta, R_S = 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-2, 1)
        eta = rng.uniform(0.01, 1) * 2 / beta
        losses = rng.exponential(size=T) * (rng.uniform(size=T) < rng.choice([0.1, 1]))
        losses = rng.choice([losses, np.eye(T)[0] * T]) if losses.any() else np.eye(T)[0] * T
        D = 0.0
        for loss in losses:
            D = (1 + 1 / T) * D + 8 * beta * (1 + T / n) * eta**2 * loss / (m * n)
        values = {"beta": beta, "eta": eta, "T": T, "m": m, "n": n, "F": float(losses.mean()), "R_S": R_S}
        gam = 10 ** rng.uniform(-2, 2)
        assert beta / 2 * D + math.sqrt(2 * beta * R_S * D) <= bound.evaluate(**values) * (1 + 1e-9)
        assert beta / gam * R_S + (beta + gam) / 2 * D <= bound.evaluate(gam=gam, **values) * (1 + 1e-9)
        looseness.append(bound.evaluate(**(values | {"R_S": 0})) / (beta / 2 * D))
    assert min(looseness) < 1.05
    assert max(looseness) <= math.e * (1 + 1e-9)


def test_one_node_is_centralized_and_many_help() -> None:
    values = {"beta": 0.7, "eta": 0.2, "T": 30, "n": 12, "F": 0.3, "R_S": 0.1}
    D = 8 * math.e * (1 + 30 / 12) * 0.7 / 12 * 30 * 0.04 * 0.3
    bound = bounds.get("dsgd_on_average_convex")
    assert bound.evaluate(m=1, **values) == pytest.approx(0.35 * D + math.sqrt(1.4 * 0.1 * D), rel=1e-12)
    assert bound.evaluate(m=8, **(values | {"R_S": 0})) == pytest.approx(0.35 * D / 8, rel=1e-12)

"""Generalization from squared stability, against least squares where all three expectations are polynomials in the data."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import bounds

POINTS, SLACK = 1000, 1 + 1e-9


def test_dominates_the_generalization_error_of_every_linear_estimator() -> None:
    """l(w; z) = (h/2) (w - z)^2 and A(S) = w0 + sum_i p_i z_i with z of mean 0 and variance v: SGD with its draws fixed is of this kind."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(POINTS):
        n, h, v = int(rng.integers(1, 20)), 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-1, 1)
        w0 = rng.choice([0.0, rng.normal()])
        p = rng.choice([rng.normal(), 1.0]) * rng.choice([rng.uniform(size=n), np.ones(n)]) / n
        error = h * v * p.mean()
        square = 2 * v * np.mean(p**2)
        train = h / 2 * (w0**2 + v * np.sum(p**2) - 2 * v * p.mean() + v)
        bound = bounds.get("lei2020_on_average")
        best = bound.evaluate(beta=h, R_S=train, D=square)
        assert error <= best * SLACK
        assert error <= bound.evaluate(beta=h, R_S=train, D=square, gam=10 ** rng.uniform(-2, 2)) * SLACK
        ratios.append(error / best)
    assert max(ratios) > 0.6


def test_left_out_parameter_is_the_minimiser() -> None:
    rng = np.random.default_rng(1)
    bound = bounds.get("lei2020_on_average")
    for beta, R_S, D in 10 ** rng.uniform(-2, 2, (POINTS, 3)):
        found = minimize_scalar(
            lambda log, beta=beta, R_S=R_S, D=D: beta / np.exp(log) * R_S + (beta + np.exp(log)) / 2 * D, bracket=(-1, 1), tol=1e-9
        )
        assert bound.evaluate(beta=beta, R_S=R_S, D=D) == pytest.approx(found.fun, rel=1e-9)
        assert bound.evaluate(beta=beta, R_S=R_S, D=D, gam=3) == pytest.approx(beta * R_S / 3 + (beta + 3) / 2 * D, rel=1e-12)


def test_limits_at_zero() -> None:
    bound = bounds.get("lei2020_on_average")
    assert bound.evaluate(beta=2, R_S=0, D=3) == pytest.approx(3, rel=1e-12)
    assert bound.evaluate(beta=2, R_S=3, D=0) == 0

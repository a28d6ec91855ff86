"""Smoothing and residual of average-direction SAM against quadrature and exact gradients, and Kramers' exit time against its integral."""

import math

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

import bounds

Matrix = NDArray[np.float64]
POINTS = 1000
NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)


def normal_mean(heights: Matrix, points: Matrix, sigma: float) -> float:
    """Integral of ``heights`` times the normal density at ``points``, a grid so fine and wide that nothing is lost."""
    density = np.exp(-((points / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))
    return float(np.trapezoid(heights * density, points))


def test_smoothing_is_attained_by_a_huber_loss() -> None:
    """The second derivative is beta on [-alpha/beta, alpha/beta]: Gauss-Legendre over that interval, or over 9 deviations."""
    rng, bound = np.random.default_rng(1), bounds.get("smoothing_lipschitz")
    for alpha, beta, sigma in 10 ** rng.uniform(-1.5, 1.5, (POINTS, 3)):
        end = min(alpha / beta, 9 * sigma) / sigma
        places = end * NODES
        exact = beta * end * float(WEIGHTS @ np.exp(-(places**2) / 2)) / math.sqrt(2 * math.pi)
        value = bound.evaluate(alpha=alpha, beta=beta, xi_min=sigma**2)
        assert value == pytest.approx(exact, rel=1e-9)
        assert value <= min(beta, math.sqrt(2 / math.pi) * alpha / sigma) * (1 + 1e-12)


def test_smoothing_at_known_values() -> None:
    bound = bounds.get("smoothing_lipschitz")
    assert bound.evaluate(alpha=1, beta=1e4, xi_min=1) == pytest.approx(0.79788, rel=1e-5)
    assert bound.evaluate(alpha=1, beta=7, xi_min=0) == pytest.approx(7, rel=1e-12)
    for alpha, beta, sigma in ((1.0, 2.0, 0.3), (0.2, 5.0, 1.1), (3.0, 1.0, 2.0)):
        exact = mpmath.quad(lambda t, s=sigma: mpmath.npdf(t, 0, s), [-alpha / beta, 0, alpha / beta]) * beta
        assert bound.evaluate(alpha=alpha, beta=beta, xi_min=sigma**2) == pytest.approx(float(exact), rel=1e-13)


def test_smoothing_dominates_other_losses_in_several_dimensions() -> None:
    """alpha^2/beta log cosh(beta u.w/alpha) is alpha-Lipschitz and beta-smooth: along u its smoothed curvature is a plain integral."""
    rng, bound = np.random.default_rng(2), bounds.get("smoothing_lipschitz")
    for alpha, beta in 10 ** rng.uniform(-1, 1, (POINTS, 2)):
        root, u = rng.normal(size=(3, 3)), rng.normal(size=3)
        covariance = root @ root.T + 1e-3 * np.eye(3)
        u /= np.linalg.norm(u)
        sigma = math.sqrt(u @ covariance @ u)
        points = np.linspace(-10 * sigma, 10 * sigma, 2001)
        smoothed = normal_mean(beta * np.cosh(np.minimum(beta * np.abs(points) / alpha, 300)) ** -2, points, sigma)
        least = np.linalg.eigvalsh(covariance)[0]
        assert smoothed <= bound.evaluate(alpha=alpha, beta=beta, xi_min=least) * (1 + 1e-9)


def test_residual_dominates_what_taylor_leaves() -> None:
    """L = sum_a c_a sin(a.w): the exact mean gradient minus that at the mean with the gradient of Tr(H Xi)/2."""
    rng, bound = np.random.default_rng(3), bounds.get("sam_residual")
    for scale in 10 ** rng.uniform(-2, 0.5, POINTS):
        m, waves = int(rng.integers(2, 9)), rng.normal(size=(4, 3))
        size, center = rng.normal(size=4), rng.normal(size=3)
        delta = rng.normal(size=(m, 3)) * scale
        delta -= delta.mean(axis=0)
        phases = waves @ center
        means = ((size * np.cos((center + delta) @ waves.T)) @ waves).mean(axis=0)
        second = np.mean((delta @ waves.T) ** 2, axis=0)
        penalized = (size * np.cos(phases) * (1 - second / 2)) @ waves
        M4 = float(np.abs(size) @ np.sum(waves**2, axis=1) ** 2)
        rho3 = float(np.mean(np.linalg.norm(delta, axis=1) ** 3))
        # Rounding of the means, where the residual itself is as small.
        assert 0.1 * np.linalg.norm(means - penalized) <= bound.evaluate(eta=0.1, M4=M4, rho3=rho3) * (1 + 1e-9) + 1e-15


def test_residual_is_attained_by_a_quartic_and_one_far_node() -> None:
    """L = w^4/24 has M4 = 1; one node at m - 1 and the others at -1 leave (1/6)(mean of delta^3), nearly the mean of |delta|^3."""
    m, center = 200, 0.7
    delta = np.array([m - 1.0] + [-1.0] * (m - 1))
    left = np.mean((center + delta) ** 3) / 6 - center**3 / 6 - center * np.mean(delta**2) / 2
    value = bounds.get("sam_residual").evaluate(eta=1, M4=1, rho3=float(np.mean(np.abs(delta) ** 3)))
    assert left <= value * (1 + 1e-12)
    assert left == pytest.approx(value, rel=1e-4)


def passage_time(well: float, top: float, barrier: float, temperature: float) -> float:
    """Mean first passage time over eta of dx = -U' dt + sqrt(2 temperature) dB from a parabolic well to far behind a parabolic top.

    Once continuously joined: U = well x^2/2 up to ``joint``, barrier - top (x - peak)^2/2 behind it.
    """
    peak = math.sqrt(2 * barrier * (well + top) / (well * top))
    joint = top * peak / (well + top)
    x = np.linspace(-10 * math.sqrt(temperature / well), peak + 10 * math.sqrt(temperature / top), 12001)
    U = np.where(x < joint, well * x**2 / 2, barrier - top * (x - peak) ** 2 / 2)
    density = np.exp(-U / temperature)
    inside = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (x[1] - x[0])
    outward = np.where(x >= 0, np.exp(U / temperature) * inside, 0.0)
    return float(np.trapezoid(outward, x)) / temperature


def test_exit_time_is_the_passage_time_over_a_high_barrier() -> None:
    """All corrections to Kramers' formula are below exp(-25) where both pieces of the potential are parabolas."""
    rng, bound = np.random.default_rng(4), bounds.get("exit_time_centralized")
    for _ in range(POINTS):
        values = {"eta": rng.uniform(0.001, 0.1), "b": int(rng.integers(1, 20)), "m": int(rng.integers(1, 20)), "r": rng.uniform(0.1, 5)}
        # A step adds noise of variance 2 eta temperature.
        temperature = values["eta"] * values["r"] / (values["m"] * values["b"]) / 2
        barrier, well = temperature * rng.uniform(90, 200), rng.uniform(0.1, 3)
        top = well * rng.uniform(0.6, 1.6)
        exact = passage_time(well, top, barrier, temperature) / values["eta"]
        assert bound.evaluate(**values, barrier=barrier, curvatures=[well, top]) == pytest.approx(exact, rel=1e-9)


def test_exit_time_of_the_double_well() -> None:
    """(w^2-1)^2/4 at temperature 1/20: 32970 by the formula, some 9 % more when simulated."""
    value = bounds.get("exit_time_centralized").evaluate(eta=0.02, b=1, m=8, r=40, barrier=0.25, curvatures=[2, 1])
    assert value == pytest.approx(32970, rel=1e-4)

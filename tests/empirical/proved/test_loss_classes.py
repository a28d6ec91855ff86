"""What the proved constants say of the loss: strong convexity, what a penalty or more hidden units change, values by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from empirical.problems.network import SmoothNetwork, network_curvature
from empirical.problems.sigmoid import SigmoidLinear
from empirical.problems.softmax_l2 import SoftmaxL2


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-3, 0.3, 3.0, 30.0]), step=st.sampled_from([1e-4, 0.1, 5.0]))
def test_strong_convexity(case: Any, seed: int, size: float, step: float) -> None:
    chosen, rng = case("softmax-l2-digits"), np.random.default_rng(seed)
    u = torch.from_numpy(size * rng.normal(size=(1, chosen.problem.width)))
    v = u + torch.from_numpy(step * rng.normal(size=u.shape))
    index = torch.tensor([[seed % chosen.problem.size]])
    gu, gv = chosen.problem.gradients(u, index), chosen.problem.gradients(v, index)
    mu, apart = chosen.problem.loss_class().mu.value, float((u - v).square().sum())
    assert float(((gu - gv) * (u - v)).sum()) >= mu * apart * (1 - 1e-9) - 1e-12
    above = chosen.problem.losses(v, index) - chosen.problem.losses(u, index) - (gu * (v - u)).sum()
    assert float(above) >= mu / 2 * apart * (1 - 1e-9) - 1e-10


def test_strong_convexity_is_attained_where_all_classes_move_alike(case: Any) -> None:
    chosen = case("softmax-l2-digits")
    u = torch.from_numpy(np.random.default_rng(0).normal(size=(1, chosen.problem.width)))
    v = u + torch.from_numpy(np.random.default_rng(1).normal(size=64)).repeat(10)[None]
    index = torch.tensor([[5]])
    ratio = (chosen.problem.gradients(v, index) - chosen.problem.gradients(u, index)).norm() / (v - u).norm()
    assert float(ratio) == pytest.approx(chosen.problem.loss_class().mu.value, rel=1e-10)
    assert chosen.problem.loss_class().mu.value == 0.1


def test_without_a_radius_the_penalised_loss_has_no_lipschitz_constant(case: Any) -> None:
    loss = case("softmax-l2-digits").problem.loss_class()
    assert loss.L is loss.M is loss.diameter is None
    assert loss.convex
    assert not case("sigmoid-digits").problem.loss_class().convex
    assert not case("network-digits").problem.loss_class().convex


def test_the_penalty_changes_no_variance(case: Any) -> None:
    training = np.random.default_rng(2).integers(1797, size=(2, 3, 4))
    bare, penalised = (case(name).problem.loss_class(2.0, training) for name in ("softmax-digits", "softmax-l2-digits"))
    assert (bare.sigma2, bare.zeta2) == (penalised.sigma2, penalised.zeta2)


def _curvature(outputs: np.ndarray) -> float:
    """Norm of the Hessian of sigma(sum_r tanh(u_r)/sqrt k) by u, from outputs u (k,)."""
    k, tanh = len(outputs), np.tanh(outputs)
    p = 1 / (1 + np.exp(-tanh.sum() / math.sqrt(k)))
    first, second = (1 - tanh**2) / math.sqrt(k), -2 * tanh * (1 - tanh**2) / math.sqrt(k)
    dense = p * (1 - p) * (1 - 2 * p) * np.outer(first, first) + np.diag(p * (1 - p) * second)
    return float(np.abs(np.linalg.eigvalsh(dense)).max())


@pytest.mark.parametrize(("hidden", "factor"), [(1, 1.001), (2, 1.004), (4, 1.009), (8, 1.013), (32, 1.01)])
def test_network_curvature_is_nearly_the_best_possible(hidden: int, factor: float) -> None:
    rng = np.random.default_rng(hidden)
    starts = [rng.normal(size=hidden) * 0.3, np.full(hidden, 0.3), rng.normal(size=hidden)]
    found = max(-minimize(lambda u: -_curvature(u), start).fun for start in starts)
    assert found <= network_curvature(hidden) <= found * factor


def test_network_curvature_falls_to_the_linear_classifier() -> None:
    widths = [network_curvature(k) for k in (1, 2, 4, 8, 64, 10**4, 10**8)]
    assert widths == sorted(widths, reverse=True)
    assert 1 / (6 * math.sqrt(3)) < widths[-1] < 1.001 / (6 * math.sqrt(3))


def test_constants_scale_with_the_longest_sample() -> None:
    features, signs, classes = np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([1, -1]), np.array([0, 1])
    linear = SigmoidLinear("s", features, signs).loss_class(2.0)
    assert linear.L.value == pytest.approx(1.25)  # type: ignore[union-attr]
    assert linear.beta.value == pytest.approx(25 / (6 * math.sqrt(3)))  # type: ignore[union-attr]
    assert linear.M.value == pytest.approx(1 / (1 + math.exp(-10)))  # type: ignore[union-attr]
    assert SigmoidLinear("s", features, signs).loss_class().M.value == 1  # type: ignore[union-attr]
    penalised = SoftmaxL2("s", features, classes, mu=0.5).loss_class(2.0)
    assert penalised.L.value == pytest.approx(5 * math.sqrt(2) + 1)  # type: ignore[union-attr]
    assert penalised.beta.value == pytest.approx(13)  # type: ignore[union-attr]
    assert penalised.M.value == pytest.approx(math.log1p(math.exp(10 * math.sqrt(2))) + 1)  # type: ignore[union-attr]
    network = SmoothNetwork("s", features, signs, hidden=8).loss_class(100.0)
    assert network.M.value == pytest.approx(1 / (1 + math.exp(-math.sqrt(8))))  # type: ignore[union-attr]


@pytest.mark.parametrize("radius", [0.003, 0.1])
def test_supremum_of_one_unit_on_a_small_ball(radius: float) -> None:
    """One unit has offset 0, so its output tanh(<w, x>) is nearly rho |x| at the edge of a small ball."""
    network = SmoothNetwork("s", np.array([[1.0, 0.0]]), np.array([1]), hidden=1)
    weights = torch.zeros(1, network.width, dtype=torch.float64)
    weights[0, 0] = -radius
    found, proved = float(network.losses(weights)), network.loss_class(radius).M.value  # type: ignore[union-attr]
    assert found <= proved
    assert math.log(proved / (1 - proved)) == pytest.approx(radius, rel=1e-9)

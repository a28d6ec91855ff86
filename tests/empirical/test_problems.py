"""Problems: gradients against finite differences, proved constants against random and adversarial weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import DomainError, UnknownNameError
from empirical.problems import PROBLEMS, problem
from empirical.problems.base import ALIGNMENT, Problem
from empirical.problems.digits import digits
from empirical.problems.linear import LinearLoss
from empirical.problems.softmax import SoftmaxRegression

NAMES = sorted(PROBLEMS)
PROVED = sorted(set(NAMES) - {"mlp-digits", "cnn-digits"})
"""The problems with proved constants."""


def _weights(described: Problem, seed: int, scale: float = 1.0, count: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, described.width)) * scale)


def test_unknown_problem() -> None:
    with pytest.raises(UnknownNameError, match="unknown problem 'lineer'; did you mean 'linear'"):
        problem("lineer")


@pytest.mark.parametrize("name", NAMES)
def test_models_start_on_aligned_lines(name: str) -> None:
    assert problem(name).width % ALIGNMENT == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("b", [1, 3])
def test_gradients_are_finite_differences(name: str, b: int) -> None:
    described = problem(name)
    rng = np.random.default_rng(5)
    weights = _weights(described, 1, 2.0)
    indices = torch.from_numpy(rng.integers(described.size, size=(1, b)))
    gradient = described.gradients(weights, indices)[0]
    for _ in range(6):
        direction = torch.from_numpy(rng.normal(size=(1, described.width)))
        ahead = described.losses(weights + 1e-6 * direction, indices).mean()
        behind = described.losses(weights - 1e-6 * direction, indices).mean()
        assert float((ahead - behind) / 2e-6) == pytest.approx(float(gradient @ direction[0]), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("b", [1, 2, 5])
def test_gradients_match_the_plain_formula(plain: Any, b: int) -> None:
    described = problem("softmax-digits")
    weights = _weights(described, 3, 1.0, count=4)
    indices = np.random.default_rng(0).integers(described.size, size=(4, b))
    gradients = described.gradients(weights, torch.from_numpy(indices)).numpy()
    for model, points, gradient in zip(weights.numpy(), indices, gradients, strict=True):
        expected = np.mean([plain[2](described, model.reshape(described.weight_shape), point) for point in points], axis=0)
        np.testing.assert_allclose(gradient.reshape(described.weight_shape), expected, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_population_losses_are_losses_at_every_index(name: str) -> None:
    described = problem(name)
    weights = _weights(described, 2, 1.0, count=2)
    everyone = torch.arange(described.size).expand(2, -1)
    torch.testing.assert_close(described.losses(weights), described.losses(weights, everyone), rtol=1e-13, atol=1e-13)


def test_digits_population() -> None:
    features, labels = digits()
    assert features.shape == (1797, 64)
    assert np.linalg.norm(features, axis=1).max() == pytest.approx(1, abs=1e-7)
    assert np.array_equal(features, features.astype(np.float32))
    assert set(labels.tolist()) == set(range(10))
    largest = max(math.sqrt(math.fsum(float(v) ** 2 for v in row)) for row in features)
    assert problem("softmax-digits").loss_class().L.value >= math.sqrt(2) * largest  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-3, 0.3, 3.0, 30.0]), step=st.sampled_from([1e-4, 0.1, 5.0]))
def test_softmax_lipschitz_smooth_convex(seed: int, size: float, step: float) -> None:
    described = problem("softmax-digits")
    loss = described.loss_class()
    u = _weights(described, seed, size)
    v = u + _weights(described, seed + 1, step)
    index = torch.tensor([[seed % described.size]])
    gu, gv = described.gradients(u, index)[0], described.gradients(v, index)[0]
    distance = float((u - v).norm())
    assert loss.L is not None
    assert loss.beta is not None
    assert float(gu.norm()) <= loss.L.value
    assert abs(float(described.losses(u, index) - described.losses(v, index))) <= loss.L.value * distance + 1e-12
    assert float((gu - gv).norm()) <= loss.beta.value * distance + 1e-13
    assert float((gu - gv) @ (u - v)[0]) >= -1e-13


def _worst_softmax(tiny: SoftmaxRegression) -> tuple[torch.Tensor, torch.Tensor]:
    """The most curved point of the tiny problem: two classes, the longest sample, equal scores."""
    longest = int(tiny.norms.argmax())
    direction = np.zeros(tiny.weight_shape)
    direction[0], direction[1] = tiny.features[longest], -tiny.features[longest]
    return torch.from_numpy(direction.reshape(1, -1)), torch.tensor([[longest]])


def test_two_class_constants_are_attained(tiny: SoftmaxRegression) -> None:
    loss = tiny.loss_class()
    direction, index = _worst_softmax(tiny)
    gentle = 1e-4 * direction
    change = float((tiny.gradients(gentle, index) - tiny.gradients(-gentle, index)).norm() / (2 * gentle).norm())
    wrong = direction if int(tiny.labels[index]) == 1 else -direction
    steepest = float(tiny.gradients(1e4 * wrong, index).norm())
    assert loss.beta is not None
    assert loss.L is not None
    assert loss.beta.value * (1 - 1e-6) <= change <= loss.beta.value
    assert loss.L.value * (1 - 1e-9) <= steepest <= loss.L.value


@pytest.mark.parametrize("radius", [0.01, 0.3, 1.0, 3.0, 10.0, 1000.0])
def test_supremum_on_the_ball(radius: float) -> None:
    described = problem("softmax-digits")
    assert isinstance(described, SoftmaxRegression)
    supremum = described.loss_class(radius).M
    assert supremum is not None
    point = int(described.norms.argmax())
    weights = _weights(described, 0, 1.0)
    weights *= radius / weights.norm()
    worst = 0.0
    for _ in range(60):  # projected gradient ascent on the loss of the longest sample
        index = torch.tensor([[point]])
        worst = max(worst, float(described.losses(weights).max()), float(described.losses(weights, index)))
        weights = weights + radius * described.gradients(weights, index)
        weights *= radius / weights.norm()
    assert worst <= supremum.value
    spread = math.sqrt(2) * radius * float(described.norms.max())
    assert supremum.value <= (spread + math.log(9 + math.exp(-spread))) * (1 + 1e-9)
    assert worst >= 0.6 * supremum.value


def test_no_ball_no_supremum() -> None:
    loss = problem("softmax-digits").loss_class()
    assert loss.M is None
    assert loss.diameter is None
    assert problem("softmax-digits").loss_class(3.0).diameter.value == pytest.approx(6)  # type: ignore[union-attr]


def _true_variances(described: Problem, weights: torch.Tensor, training: np.ndarray) -> tuple[float, float]:
    """Exact sigma2 and zeta2 of one training set (m, n) at one model, by listing every per-sample gradient."""
    gradients = np.array([[described.gradients(weights, torch.tensor([[int(z)]]))[0].numpy() for z in node] for node in training])
    means = gradients.mean(axis=1)
    sigma2 = ((gradients - means[:, None]) ** 2).sum(axis=2).mean()
    return float(sigma2), float(((means - means.mean(axis=0)) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("name", PROVED)
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_variance_constants_hold(name: str, scale: float) -> None:
    described = problem(name)
    training = np.random.default_rng(7).integers(described.size, size=(3, 4, 5))
    weights = _weights(described, 9, scale)
    true = [_true_variances(described, weights, replicate) for replicate in training]
    for loss in (described.loss_class(None, training), described.loss_class()):
        assert loss.sigma2 is not None
        assert loss.zeta2 is not None
        assert max(sigma2 for sigma2, _ in true) <= loss.sigma2.value
        assert max(zeta2 for _, zeta2 in true) <= loss.zeta2.value
    if name == "linear":
        exact = described.loss_class(None, training)
        assert exact.zeta2.value == pytest.approx(max(zeta2 for _, zeta2 in true), rel=1e-12)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", PROVED)
def test_equal_node_data_have_no_heterogeneity(name: str) -> None:
    described = problem(name)
    row = np.random.default_rng(1).integers(described.size, size=(2, 1, 6))
    same = np.concatenate([row, row[:, :, ::-1]], axis=1)
    assert described.loss_class(None, same).zeta2.value < 1e-30  # type: ignore[union-attr]
    one_differs = same.copy()
    one_differs[1, 0, 0] = (one_differs[1, 0, 0] + 1) % described.size
    assert described.loss_class(None, one_differs).zeta2.value > 0  # type: ignore[union-attr]


def test_every_constant_is_certified_with_a_source() -> None:
    for name in PROVED:
        assert problem(name).loss_class(2.0).constants()
        for constant in problem(name).loss_class(2.0).constants().values():
            assert constant.tag == "certified"
            assert constant.source


def test_linear_population_is_symmetric() -> None:
    described = LinearLoss(dimension=3, scale=2.0)
    everyone = np.arange(described.size)
    assert np.array_equal(described.features[described.antithetic(everyone)], -described.features)
    assert np.array_equal(np.linalg.norm(described.features, axis=1), np.full(6, 2.0))
    assert float(described.losses(_weights(described, 0)).sum()) == pytest.approx(0, abs=1e-14)


def test_softmax_has_no_antithetic_samples() -> None:
    with pytest.raises(DomainError, match="no antithetic samples"):
        problem("softmax-digits").antithetic(np.array([0]))

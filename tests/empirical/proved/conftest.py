"""Problems beside references that share none of their code: one loss of one sample, written for torch.func."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from empirical.problems import problem
from empirical.problems.digits import digits
from empirical.problems.network import SmoothNetwork
from empirical.problems.scores import ScoreModel
from empirical.problems.sigmoid import SigmoidLinear
from empirical.problems.softmax import SoftmaxRegression
from empirical.problems.softmax_l2 import SoftmaxL2

MU = 0.1


def _softmax(weights: Tensor, x: Tensor, target: Tensor) -> Tensor:
    return -(torch.log_softmax(weights @ x, 0) * target).sum()


def _softmax_l2(weights: Tensor, x: Tensor, target: Tensor) -> Tensor:
    return _softmax(weights, x, target) + MU / 2 * (weights * weights).sum()


def _sigmoid(weights: Tensor, x: Tensor, target: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(target * (weights[0] @ x)))


def _network(weights: Tensor, x: Tensor, target: Tensor) -> Tensor:
    k = weights.shape[0]
    outputs = [(-1) ** r * torch.tanh(weights[r] @ x - 1 + (2 * r + 1) / k) for r in range(k)]
    return 1 / (1 + torch.exp(target * sum(outputs) / math.sqrt(k)))


Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """A problem, its reference loss of (weights, x, target), and the targets: one-hot rows, or signs."""

    problem: ScoreModel
    loss: Loss
    targets: Tensor

    def data(self, points: Tensor) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.problem.features)[points], self.targets[points]

    def shaped(self, weights: Tensor) -> Tensor:
        return weights.view(-1, *self.problem.weight_shape)

    def losses(self, weights: Tensor, points: Tensor) -> Tensor:
        """Reference losses (B,) of ``weights`` (B, P) at one sample each."""
        return vmap(self.loss)(self.shaped(weights), *self.data(points))

    def gradients(self, weights: Tensor, points: Tensor) -> Tensor:
        """Reference gradients (B, P) of ``weights`` (B, P) at one sample each, by automatic differentiation."""
        return vmap(grad(self.loss))(self.shaped(weights), *self.data(points)).flatten(1)


def _one_hot(labels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.eye(labels.max() + 1)[labels])


def _digits_case(name: str) -> Case:
    labels = digits()[1]
    signs = torch.from_numpy(np.where(labels % 2 == 0, 1.0, -1.0))
    targets = _one_hot(labels) if name.startswith("softmax") else signs
    loss = {"softmax-digits": _softmax, "softmax-l2-digits": _softmax_l2, "sigmoid-digits": _sigmoid, "network-digits": _network}[name]
    described = problem(name)
    assert isinstance(described, ScoreModel)
    return Case(described, loss, targets)


def _small_case(name: str) -> Case:
    features = np.random.default_rng(11).normal(size=(6, 3))
    classes, signs = np.array([0, 1, 2, 0, 1, 2]), np.array([1, -1, -1, 1, 1, -1])
    if name.startswith("softmax"):
        built = SoftmaxL2(name, features, classes, mu=MU) if "l2" in name else SoftmaxRegression(name, features, classes)
        return Case(built, _softmax_l2 if "l2" in name else _softmax, _one_hot(classes))
    if name == "sigmoid-small":
        return Case(SigmoidLinear(name, features, signs), _sigmoid, torch.from_numpy(signs.astype(float)))
    return Case(SmoothNetwork(name, features, signs, hidden=3), _network, torch.from_numpy(signs.astype(float)))


@pytest.fixture(scope="session")
def case() -> Callable[[str], Case]:
    """case("softmax-l2-digits") or case("softmax-l2-small"): a registered problem, or one on six points in space."""
    return lambda name: _digits_case(name) if name.endswith("digits") else _small_case(name)

"""Losses, gradients, their norms and Hessian products against automatic differentiation of a plain formula, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.func import grad, jacrev

from bounds.errors import DomainError
from empirical.problems.network import SmoothNetwork
from empirical.problems.sigmoid import SigmoidLinear
from empirical.problems.softmax_l2 import SoftmaxL2

KINDS = ["softmax", "softmax-l2", "sigmoid", "network"]
NAMES = [f"{kind}-{data}" for kind in KINDS for data in ("digits", "small")]


def _draw(case: Any, seed: int, count: int, b: int, scale: float = 1.5) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(count, case.problem.width)) * scale
    return torch.from_numpy(weights), torch.from_numpy(rng.integers(case.problem.size, size=(count, b)))


@pytest.mark.parametrize("name", NAMES)
def test_losses(case: Any, name: str) -> None:
    chosen = case(name)
    weights, indices = _draw(chosen, 0, 5, 4)
    expected = torch.stack([chosen.losses(weights, column) for column in indices.unbind(1)], 1)
    torch.testing.assert_close(chosen.problem.losses(weights, indices), expected, rtol=1e-12, atol=1e-14)
    everyone = torch.arange(chosen.problem.size)
    expected = torch.stack([chosen.losses(row.expand(len(everyone), -1), everyone) for row in weights])
    torch.testing.assert_close(chosen.problem.losses(weights), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("b", [1, 2, 5])
def test_gradients(case: Any, name: str, b: int) -> None:
    chosen = case(name)
    weights, indices = _draw(chosen, b, 7, b)
    expected = torch.stack([chosen.gradients(weights, column) for column in indices.unbind(1)]).mean(0)
    torch.testing.assert_close(chosen.problem.gradients(weights, indices), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("b", [1, 3])
def test_a_step_in_place_is_the_step(case: Any, name: str, b: int) -> None:
    chosen = case(name)
    weights, indices = _draw(chosen, 20, 6, b)
    stepped = weights - 0.7 * chosen.problem.gradients(weights, indices)
    chosen.problem.add_gradient_(weights, weights, indices, -0.7)
    torch.testing.assert_close(weights, stepped, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_norms(case: Any, name: str) -> None:
    chosen = case(name)
    weights, indices = _draw(chosen, 3, 5, 4)
    norms = [torch.linalg.vector_norm(chosen.gradients(weights, column), dim=1) for column in indices.unbind(1)]
    torch.testing.assert_close(chosen.problem.gradient_norms(weights, indices), torch.stack(norms, 1), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [0.0, 0.4, 2.0])
def test_hessian_products_and_extreme_eigenvalues(case: Any, kind: str, scale: float) -> None:
    chosen = case(f"{kind}-small")
    weights, _ = _draw(chosen, 4, 1, 1, scale)
    constants = chosen.problem.loss_class().constants()
    low = constants["mu"].value if "mu" in constants else 0.0 if kind == "softmax" else -constants["beta"].value
    for point in range(chosen.problem.size):
        x, target = (part[0] for part in chosen.data(torch.tensor([point])))
        dense = jacrev(grad(chosen.loss))(chosen.shaped(weights)[0], x, target).reshape(chosen.problem.width, -1)
        direction = torch.from_numpy(np.random.default_rng(point).normal(size=(1, chosen.problem.width)))
        ahead, behind = (chosen.problem.gradients(weights + step * direction, torch.tensor([[point]])) for step in (1e-5, -1e-5))
        torch.testing.assert_close((ahead - behind)[0] / 2e-5, dense @ direction[0], rtol=1e-7, atol=1e-9)
        eigenvalues = torch.linalg.eigvalsh(dense)
        assert low - 1e-14 <= float(eigenvalues[0])
        assert float(eigenvalues[-1]) <= constants["beta"].value


def test_hidden_units_part_from_a_zero_start(case: Any) -> None:
    chosen = case("network-digits")
    gradient = chosen.problem.gradients(torch.zeros(1, chosen.problem.width, dtype=torch.float64), torch.tensor([[3]]))
    rows = chosen.shaped(gradient)[0]
    assert len({tuple(row.tolist()) for row in rows}) == len(rows)


@pytest.mark.parametrize("mu", [0.0, -1.0, float("nan"), float("inf")])
def test_penalty_must_be_positive(mu: float) -> None:
    with pytest.raises(DomainError, match="strength of the penalty is a finite number > 0"):
        SoftmaxL2("s", np.eye(2), np.array([0, 1]), mu=mu)


def test_labels_must_be_signs() -> None:
    with pytest.raises(DomainError, match=r"got labels 0, 1; the sigmoid loss takes labels -1 and \+1"):
        SigmoidLinear("s", np.eye(2), np.array([0, 1]))
    with pytest.raises(DomainError, match="got hidden=0"):
        SmoothNetwork("s", np.eye(2), np.array([-1, 1]), hidden=0)

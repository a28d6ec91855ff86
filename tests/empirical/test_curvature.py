"""Hessian-vector products, eigenvalues and traces against dense Hessians built another way."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from bounds.errors import DomainError, LengthError
from empirical.curvature import (
    Objective,
    descend,
    gradient,
    hessian_spread,
    hessian_trace,
    hessian_vector,
    module_objective,
    module_weights,
    problem_objective,
    top_eigenvalue,
)
from empirical.problems.network import SmoothNetwork
from empirical.problems.quadratic import QuadraticLoss
from empirical.problems.sigmoid import SigmoidLinear
from empirical.problems.softmax import SoftmaxRegression
from empirical.problems.softmax_l2 import SoftmaxL2

RNG = np.random.default_rng(0)
X = RNG.standard_normal((7, 3))
CLASSES = np.array([0, 1, 2, 1, 0, 2, 1])
SIGNS = np.array([1, -1, 1, 1, -1, -1, 1])
PICKED = np.array([0, 3, 3, 5])
PROBLEMS = {
    "softmax": SoftmaxRegression("softmax", X, CLASSES),
    "softmax-l2": SoftmaxL2("softmax-l2", X, CLASSES, mu=0.3),
    "sigmoid": SigmoidLinear("sigmoid", X, SIGNS),
    "network": SmoothNetwork("network", X, SIGNS, hidden=3),
}


def plain_softmax(w: Tensor, x: Tensor, y: int) -> Tensor:
    scores = w @ x
    return torch.log(torch.exp(scores).sum()) - scores[y]


def plain_sigmoid(w: Tensor, x: Tensor, y: float) -> Tensor:
    return 1 / (1 + torch.exp(y * (w @ x)[0]))


def plain_network(w: Tensor, x: Tensor, y: float) -> Tensor:
    hidden = len(w)
    units = [(1 if r % 2 == 0 else -1) * torch.tanh(w[r] @ x + (2 * r + 1 - hidden) / hidden) for r in range(hidden)]
    return 1 / (1 + torch.exp(y * sum(units) / math.sqrt(hidden)))


def dense(name: str, weights: Tensor, picked: np.ndarray | None) -> Tensor:
    """The Hessian from the loss's definition, sample by sample, by torch.autograd (not torch.func)."""
    problem = PROBLEMS[name]
    plain: Callable[..., Tensor] = {"sigmoid": plain_sigmoid, "network": plain_network}.get(name, plain_softmax)
    labels = CLASSES if name.startswith("softmax") else SIGNS
    penalty = 0.3 if name == "softmax-l2" else 0.0

    def mean(flat: Tensor) -> Tensor:
        w = flat.view(problem.weight_shape)
        samples = range(7) if picked is None else picked
        losses = [plain(w, torch.from_numpy(problem.features[i]), labels[i]) for i in samples]
        return sum(losses) / len(losses) + penalty / 2 * (flat**2).sum()

    return torch.autograd.functional.hessian(mean, weights)


def points(width: int, count: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(width).standard_normal((count, width)))


@pytest.mark.parametrize("picked", [None, PICKED], ids=["population", "samples"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_products_of_the_engines_problems(name: str, picked: np.ndarray | None) -> None:
    objective = problem_objective(PROBLEMS[name], picked)
    w, v = points(objective.width, 3), points(objective.width, 6)[3:]
    exact = torch.stack([dense(name, point, picked) @ vector for point, vector in zip(w, v, strict=True)])
    torch.testing.assert_close(hessian_vector(objective, w, v), exact, rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize("smallest", [False, True])
@pytest.mark.parametrize("name", PROBLEMS)
def test_extreme_eigenvalues(name: str, smallest: bool) -> None:
    objective = problem_objective(PROBLEMS[name])
    w = points(objective.width)[0]
    spectrum = torch.linalg.eigvalsh(dense(name, w, None))
    found = top_eigenvalue(objective, w, tolerance=1e-10, smallest=smallest)
    assert found.value == pytest.approx(float(spectrum[0 if smallest else -1]), rel=1e-8, abs=1e-10)
    assert found.residual <= 1e-8 * float(spectrum.abs().max())


def test_the_residual_encloses_an_eigenvalue_however_early_lanczos_stops() -> None:
    objective = problem_objective(PROBLEMS["network"])
    w = points(objective.width)[0]
    spectrum = torch.linalg.eigvalsh(dense("network", w, None))
    for steps in range(1, 8):
        found = top_eigenvalue(objective, w, tolerance=0, steps=steps)
        assert found.products == steps + 1
        assert float((spectrum - found.value).abs().min()) <= found.residual + 1e-12
        assert found.value <= float(spectrum[-1]) + 1e-12
    assert top_eigenvalue(objective, w, tolerance=0, steps=1).residual > 1e-3


def test_a_multiple_of_the_identity_ends_lanczos_at_once() -> None:
    objective = problem_objective(QuadraticLoss(curvature=2.5))
    found = top_eigenvalue(objective, np.zeros(objective.width))
    assert found.products == 2
    assert found.value == pytest.approx(2.5, rel=1e-14)


@pytest.mark.parametrize("name", ["softmax", "network"])
def test_hutchinson_and_its_standard_error(name: str) -> None:
    objective = problem_objective(PROBLEMS[name])
    w = points(objective.width)[0]
    hessian = dense(name, w, None)
    found = hessian_trace(objective, w, probes=2000, seed=1)
    assert abs(found.mean - float(hessian.trace())) <= 5 * found.standard_error
    variance = 2 * float((hessian - hessian.diag().diag()).square().sum())
    # The relative error of a sample standard deviation of 2000 is about 1.6 % for Gaussians, some more for heavier tails.
    assert found.standard_error == pytest.approx(math.sqrt(variance / 2000), rel=0.1)


def test_the_standard_error_is_that_of_the_sample() -> None:
    objective = problem_objective(PROBLEMS["softmax"])
    w = points(objective.width)[0]
    halves = [hessian_trace(objective, w, probes=2, seed=0), hessian_trace(objective, w, probes=3, seed=0)]
    # Two probes a, b have mean (a+b)/2 and, with 1/(k-1), standard error |a-b|/2; the third follows from the second mean.
    a, b = halves[0].mean + halves[0].standard_error, halves[0].mean - halves[0].standard_error
    third = 3 * halves[1].mean - 2 * halves[0].mean
    assert halves[1].standard_error == pytest.approx(float(np.std([a, b, third], ddof=1)) / math.sqrt(3), rel=1e-9)


def test_probes_are_keyed() -> None:
    objective, w = problem_objective(PROBLEMS["network"]), points(48)[0]
    base = hessian_trace(objective, w, 4, seed=0)
    assert base == hessian_trace(objective, w, 4, seed=0)
    assert base.mean != hessian_trace(objective, w, 4, seed=1).mean
    assert base.mean != hessian_trace(objective, w, 4, seed=0, replicate=1).mean


@pytest.mark.parametrize("name", ["softmax", "network"])
def test_spread_against_the_dense_product(name: str) -> None:
    objective = problem_objective(PROBLEMS[name])
    models = points(objective.width, 5)
    centred = (models - models.mean(0)).numpy()
    xi = centred.T @ centred / 5
    at_mean = dense(name, models.mean(0), None).numpy()
    assert hessian_spread(objective, models) == pytest.approx(float(np.trace(at_mean @ xi)), rel=1e-8)
    elsewhere = dense(name, models[0], None).numpy()
    assert hessian_spread(objective, models, point=models[0]) == pytest.approx(float(np.trace(elsewhere @ xi)), rel=1e-8)


def test_half_the_spread_is_the_loss_above_the_mean_model_on_a_quadratic() -> None:
    objective = problem_objective(QuadraticLoss(curvature=1.7))
    models = points(objective.width, 6)
    excess = objective.values(models).mean() - objective.values(models.mean(0, keepdim=True))[0]
    assert hessian_spread(objective, models) / 2 == pytest.approx(float(excess), rel=1e-10)


def test_half_the_spread_is_the_loss_above_the_mean_model_to_third_order() -> None:
    """Taylor (arXiv 2306.02913): what remains falls like the cube of the spread, so relative to the spread linearly."""
    objective, models = problem_objective(PROBLEMS["network"]), points(48, 6)
    mean = models.mean(0, keepdim=True)
    errors = []
    for scale in (1e-1, 1e-2):
        near = mean + scale * (models - mean)
        excess = float(objective.values(near).mean() - objective.values(mean)[0])
        errors.append(abs(excess / (hessian_spread(objective, near) / 2) - 1))
    assert errors[0] < 0.2
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.3)


@given(st.integers(0, 10**6), st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=25)
def test_products_are_linear_and_symmetric(seed: int, a: float, b: float) -> None:
    objective = problem_objective(PROBLEMS["network"])
    w, u, v = torch.from_numpy(np.random.default_rng(seed).standard_normal((3, objective.width)))
    hu, hv = hessian_vector(objective, w, u)[0], hessian_vector(objective, w, v)[0]
    torch.testing.assert_close(hessian_vector(objective, w, a * u + b * v)[0], a * hu + b * hv, rtol=1e-10, atol=1e-12)
    assert float(v @ hu) == pytest.approx(float(u @ hv), rel=1e-10, abs=1e-13)


def test_rows_do_not_depend_on_their_company() -> None:
    objective = problem_objective(PROBLEMS["network"])
    w, v = points(objective.width, 40), points(objective.width, 80)[40:]
    together = hessian_vector(objective, w, v)
    assert all(torch.equal(together[i], hessian_vector(objective, w[i], v[i])[0]) for i in (0, 17, 39))


def test_models_from_inference_mode_are_welcome() -> None:
    objective = problem_objective(PROBLEMS["softmax"])
    with torch.inference_mode():
        w = torch.ones(objective.width, dtype=torch.float64)
        inside = gradient(objective, w)
    assert torch.equal(gradient(objective, w), inside)


def test_descend_finds_a_minimum() -> None:
    objective = problem_objective(PROBLEMS["softmax-l2"])
    point, norm = descend(objective, np.zeros(objective.width))
    assert norm < 1e-7
    assert top_eigenvalue(objective, point, smallest=True).value >= 0.3 - 1e-9


class _Net(nn.Module):
    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 3)
        self.norm = nn.BatchNorm1d(4) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.second(torch.tanh(self.norm(self.first(x))))
        return hidden


def _module(norm: bool = False) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    net = _Net(norm)
    if norm:
        net.norm.running_mean.uniform_(-1, 1)
        net.norm.running_var.uniform_(0.5, 2)
    return net.eval(), torch.from_numpy(X).float(), torch.from_numpy(CLASSES)


def _module_hessian(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Entry by entry from gradients of gradients on the module itself."""
    net = net.double()
    parameters = list(net.parameters())
    slopes = torch.autograd.grad(nn.functional.cross_entropy(net(x.double()), y), parameters, create_graph=True)
    flat = torch.cat([slope.reshape(-1) for slope in slopes])
    rows = [torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True) for entry in flat]
    return torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in rows])


@pytest.mark.parametrize("norm", [False, True], ids=["mlp", "batch norm, eval"])
def test_any_module(norm: bool) -> None:
    net, x, y = _module(norm)
    objective = module_objective(net, nn.functional.cross_entropy, x, y)
    w = module_weights(net)
    assert next(net.parameters()).dtype == torch.float32
    exact = _module_hessian(net, x, y)
    v = points(objective.width, 20)
    torch.testing.assert_close(hessian_vector(objective, w, v), v @ exact, rtol=1e-8, atol=1e-12)
    assert top_eigenvalue(objective, w).value == pytest.approx(float(torch.linalg.eigvalsh(exact)[-1]), rel=1e-8)
    found = hessian_trace(objective, w, probes=500)
    assert abs(found.mean - float(exact.trace())) <= 5 * found.standard_error


def test_training_mode_is_refused_in_one_line() -> None:
    net, x, y = _module(norm=True)
    with pytest.raises(
        DomainError, match=r"^layer 'norm' is batch normalisation by the batch's own statistics.*call module.eval\(\)[^\n]*$"
    ):
        module_objective(net.train(), nn.functional.cross_entropy, x, y)
    with pytest.raises(DomainError, match="dropout in training mode"):
        module_objective(nn.Sequential(nn.Linear(3, 3), nn.Dropout()), nn.functional.cross_entropy, x, y)
    unkept = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, track_running_stats=False)).eval()
    with pytest.raises(DomainError, match="layer '1' is batch normalisation"):
        module_objective(unkept, nn.functional.cross_entropy, x, y)
    with pytest.raises(DomainError, match="must be a scalar"):
        module_objective(net.eval(), nn.CrossEntropyLoss(reduction="none"), x, y)
    with pytest.raises(DomainError, match="no parameters"):
        module_objective(nn.Identity(), nn.functional.cross_entropy, x, y)


def test_what_does_not_fit_is_refused() -> None:
    objective = Objective(lambda w: (w**2).sum(-1), 3, torch.device("cpu"))
    with pytest.raises(DomainError, match="got 4 weights for a loss of 3"):
        objective.rows(np.zeros(4))
    with pytest.raises(DomainError, match="not finite"):
        objective.rows([np.nan, 0, 0])
    with pytest.raises(LengthError, match="got 2 points and 3 vectors"):
        hessian_vector(objective, np.zeros((2, 3)), np.zeros((3, 3)))
    for call in (top_eigenvalue, hessian_trace):
        with pytest.raises(DomainError, match="got 2 points"):
            call(objective, np.zeros((2, 3)))
    with pytest.raises(DomainError, match="probes=1"):
        hessian_trace(objective, np.zeros(3), probes=1)
    with pytest.raises(DomainError, match="steps=0"):
        top_eigenvalue(objective, np.zeros(3), steps=0)
    with pytest.raises(DomainError, match="sample indices; give at least one, each from 0 to 6"):
        problem_objective(PROBLEMS["softmax"], np.array([7]))
    endless = Objective(lambda w: torch.exp(w * 1e3).sum(-1), 3, torch.device("cpu"))
    with pytest.raises(DomainError, match="Hessian is not finite"):
        top_eigenvalue(endless, np.ones(3))


def test_arrays_that_cannot_be_written_are_welcome() -> None:
    given = np.zeros(9)
    given.flags.writeable = False
    assert Objective(lambda w: (w**2).sum(-1), 3, torch.device("cpu")).rows(given).shape == (3, 3)

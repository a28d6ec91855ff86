"""Constants of users' models: proved ones against problems we know, estimates against closed forms and dense Hessians."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bounds.errors import DomainError, InputFileError
from empirical.constants import NodeData, estimate_constants, load_arrays, recognise
from empirical.constants.estimate import _largest, _moments, _searched
from empirical.problems.softmax import SoftmaxRegression


def data(samples: int = 24, width: int = 5, classes: int = 3, nodes: int = 4) -> NodeData:
    rng = np.random.default_rng(0)
    node = np.arange(samples) * nodes // samples
    return NodeData(rng.standard_normal((samples, width)), rng.integers(0, classes, samples), node)


def test_softmax_regression_is_recognised_and_agrees_with_the_engines_problem() -> None:
    given = data()
    found = recognise(nn.Linear(5, 3, bias=False), "cross_entropy", given, 2.0)
    problem = SoftmaxRegression("test", given.features, given.targets.astype(np.int64))
    ours = problem.loss_class(2.0, np.arange(24).reshape(1, 4, 6))
    assert found is not None
    for name in ("L", "beta", "sigma2", "zeta2"):
        assert getattr(found, name).value == pytest.approx(getattr(ours, name).value, rel=1e-12)
        assert getattr(found, name).tag == "certified"
    assert found.M.value >= ours.M.value * (1 - 1e-12)


def test_a_bias_is_one_more_feature() -> None:
    given = data()
    wide = NodeData(np.hstack([given.features, np.ones((24, 1))]), given.targets, given.node)
    biased = recognise(nn.Sequential(nn.Flatten(), nn.Linear(5, 3)), "cross_entropy", given, 1.0)
    plain = recognise(nn.Linear(6, 3, bias=False), "cross_entropy", wide, 1.0)
    assert biased is not None
    assert biased.constants() == plain.constants()


class _Squared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) ** 2


@pytest.mark.parametrize(
    "model", [_Squared(), nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), nn.Sequential(nn.Linear(5, 3), nn.ReLU())]
)
def test_nothing_else_is_called_proved(model: nn.Module) -> None:
    assert recognise(model, "cross_entropy", data(), 1.0) is None


def test_only_cross_entropy_with_classes_is_proved() -> None:
    assert recognise(nn.Linear(5, 3), "mse", data(), 1.0) is None
    given = data()
    assert recognise(nn.Linear(5, 3), "cross_entropy", NodeData(given.features, given.features[:, 0], given.node), 1.0) is None


def test_estimates_stay_below_the_proved_constants_and_come_near() -> None:
    torch.manual_seed(0)
    model, given = nn.Linear(5, 3, bias=False), data()
    proved = recognise(model, "cross_entropy", given, 3.0)
    assert proved is not None
    found = estimate_constants(model, "cross_entropy", given, 3.0, groups=3, points=3, samples=24)
    for name, estimate in found.items():
        assert estimate.constant.tag == "estimated"
        assert estimate.standard_error >= 0
        assert estimate.constant.value <= getattr(proved, name).value
    assert found["L"].constant.value >= 0.8 * proved.L.value


@pytest.mark.parametrize(("loss", "low"), [("binary_cross_entropy_with_logits", 0), ("sigmoid", -1)])
def test_binary_linear_models_are_proved_and_the_proof_survives_a_search(loss: str, low: int) -> None:
    torch.manual_seed(0)
    given = data()
    labels = np.where(given.features[:, :1] > 0, 1, low)
    given = NodeData(given.features, labels, given.node)
    model = nn.Linear(5, 1)
    proved = recognise(model, loss, given, 3.0)
    assert proved is not None
    assert proved.convex == (loss != "sigmoid")
    found = estimate_constants(model, loss, given, 3.0, groups=3, points=3, samples=24)
    for name, estimate in found.items():
        assert estimate.constant.value <= getattr(proved, name).value
    reach = np.sqrt((given.features**2).sum(1).max() + 1)
    steepest, curvature, _ = _largest(_searched(model, loss, given), torch.zeros(6, dtype=torch.float64), torch.arange(24))
    assert steepest == pytest.approx(reach * (0.5 if low == 0 else 0.25), rel=1e-9)
    assert low == -1 or curvature == pytest.approx(proved.beta.value, rel=1e-3)
    assert recognise(nn.Linear(5, 1), loss, NodeData(given.features, given.features[:, :1] * 9, given.node), 3.0) is None


def test_a_sigmoid_loss_is_bounded_without_a_radius() -> None:
    given = data()
    given = NodeData(given.features, np.where(given.features[:, :1] > 0, 1, -1), given.node)
    assert recognise(nn.Linear(5, 1), "sigmoid", given, None).M.value == pytest.approx(1.0)
    assert recognise(nn.Linear(5, 3), "cross_entropy", data(), None).M is None


def test_curvature_of_a_least_squares_loss_is_exact() -> None:
    """l = (w x - y)^2 has the Hessian 2 x x^T whatever w is."""
    given = data()
    given = NodeData(given.features, given.features[:, :1] * 2, given.node)
    found = estimate_constants(nn.Linear(5, 1, bias=False), "mse", given, 1.0, groups=2, points=1, samples=24)
    exact = 2 * (given.features**2).sum(1).max()
    assert found["beta"].constant.value == pytest.approx(exact, rel=1e-9)


def test_curvature_against_a_dense_hessian_and_moments_against_plain_sums() -> None:
    torch.manual_seed(1)
    model, given = nn.Sequential(nn.Linear(5, 2), nn.Tanh(), nn.Linear(2, 3)), data(samples=8)
    searched = _searched(model, "cross_entropy", given)
    picks = torch.arange(8)
    steepest, curvature, _ = _largest(searched, searched.start, picks)
    hessians = [
        torch.autograd.functional.hessian(lambda w, i=i: searched.value(w, searched.x[i], searched.y[i]), searched.start) for i in range(8)
    ]
    norms = [float(torch.linalg.matrix_norm(h, 2)) for h in hessians]
    assert 0.9 * max(norms) <= curvature <= max(norms) * (1 + 1e-9)
    gradients = np.array([torch.func.grad(searched.value)(searched.start, searched.x[i], searched.y[i]).numpy() for i in range(8)])
    assert steepest == pytest.approx(np.linalg.norm(gradients, axis=1).max(), rel=1e-9)
    means = np.array([gradients[given.node == k].mean(0) for k in range(4)])
    variance, heterogeneity = _moments(searched, searched.start, picks)
    assert variance == pytest.approx(np.mean([((gradients[given.node == k] - means[k]) ** 2).sum(1).mean() for k in range(4)]), rel=1e-9)
    assert heterogeneity == pytest.approx(((means - means.mean(0)) ** 2).sum(1).mean(), rel=1e-9)


def test_the_same_seed_gives_the_same_estimate() -> None:
    torch.manual_seed(0)
    model, given = nn.Linear(5, 3), data()
    first, again = (estimate_constants(model, "cross_entropy", given, 1.0, seed=5, groups=2, points=1, samples=8) for _ in range(2))
    assert first == again


def test_batch_normalisation_and_one_group_are_refused() -> None:
    with pytest.raises(DomainError, match="batch normalisation"):
        estimate_constants(nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3)), "cross_entropy", data(), 1.0)
    with pytest.raises(DomainError, match="at least 2"):
        estimate_constants(nn.Linear(5, 3), "cross_entropy", data(), 1.0, groups=1)


def test_arrays(tmp_path: Path) -> None:
    x, y = np.ones((6, 2)), np.zeros(6, dtype=int)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    assert load_arrays(tmp_path / "a.npz", 3).node.tolist() == [0, 0, 1, 1, 2, 2]
    np.savez(tmp_path / "b.npz", x=x, y=y, node=[0, 1, 0, 1, 0, 1])
    assert load_arrays(tmp_path / "b.npz", None).nodes == 2
    bad = {
        "c": ({"x": x}, InputFileError, "no array 'y'"),
        "d": ({"x": x, "y": y[:3]}, DomainError, "one row per sample"),
        "e": ({"x": x * np.nan, "y": y}, DomainError, "row 0 of x"),
        "f": ({"x": x, "y": y, "node": [0, 2, 0, 2, 0, 2]}, DomainError, "no node empty"),
    }
    for name, (arrays, error, words) in bad.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(error, match=words):
            load_arrays(tmp_path / f"{name}.npz", None)
    with pytest.raises(DomainError, match="nodes=7"):
        load_arrays(tmp_path / "a.npz", 7)
    with pytest.raises(InputFileError, match="cannot read"):
        load_arrays(tmp_path / "missing.npz", 1)
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(InputFileError, match=r"cannot read .* as \.npz"):
        load_arrays(tmp_path / "text.npz", 1)

"""The quadratic problem: proved constants, and excess risk against exact second moments of every update form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.topology import MixingMatrix
from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.measuring import measure, trajectory
from empirical.problems.base import ALIGNMENT
from empirical.problems.quadratic import QuadraticLoss

EXCESS, SPREAD = Quantity.EXCESS_RISK, Quantity.CONSENSUS_DISTANCE
NODES, MEAN, POINT, WORST = Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT, Readout.WORST_NODE
UNEVEN = MixingMatrix(np.array([[0.2, 0.4, 0.4], [0.4, 0.6, 0.0], [0.4, 0.0, 0.6]]))
SHAPES = [{}, {"dimension": 3, "curvature": 0.4, "scale": 2.0, "offset": -1.5}, {"dimension": 20, "offset": 0.0}]


def _run(**changes: Any) -> Run:
    base = {"problem": "quadratic", "update_form": "atc", "m": 5, "n": 3, "T": 8, "eta": 0.3, "replicates": 1500}
    return Run(**(base | changes))


def _risk(described: QuadraticLoss, w: np.ndarray) -> float:
    """Population risk by enumeration, one point after the other."""
    return math.fsum(described.curvature / 2 * float(((w - z) ** 2).sum()) for z in described.features) / described.size


@pytest.mark.parametrize("shape", SHAPES)
def test_least_risk_and_its_place(shape: dict[str, Any]) -> None:
    described = QuadraticLoss(**shape)
    least = described.features.mean(axis=0)
    assert described.minimum_risk == pytest.approx(_risk(described, least), rel=1e-14)
    for direction in np.random.default_rng(0).normal(size=(5, described.width)):
        assert _risk(described, least + 1e-3 * direction) > described.minimum_risk


@pytest.mark.parametrize("shape", SHAPES)
def test_population_moments(shape: dict[str, Any]) -> None:
    described = QuadraticLoss(**shape)
    d = described.size // 2
    assert described.width % ALIGNMENT == 0
    assert not described.features[:, d:].any()
    points = described.features[:, :d]
    np.testing.assert_allclose(points.mean(axis=0), shape.get("offset", 0.5), atol=1e-14)
    np.testing.assert_allclose(np.cov(points.T, bias=True), shape.get("scale", 1.0) ** 2 * np.eye(d), atol=1e-13)


@pytest.mark.parametrize("b", [1, 3])
def test_losses_and_gradients(b: int) -> None:
    described = QuadraticLoss(**SHAPES[1])
    rng = np.random.default_rng(2)
    weights, indices = rng.normal(size=(4, described.width)), rng.integers(described.size, size=(4, b))
    found = described.losses(torch.from_numpy(weights), torch.from_numpy(indices)).numpy()
    away = weights[:, None] - described.features[indices]
    np.testing.assert_allclose(found, 0.2 * (away**2).sum(axis=2), rtol=1e-14)
    everyone = torch.arange(described.size).expand(4, -1)
    assert torch.equal(described.losses(torch.from_numpy(weights)), described.losses(torch.from_numpy(weights), everyone))
    gradients = described.gradients(torch.from_numpy(weights), torch.from_numpy(indices)).numpy()
    np.testing.assert_allclose(gradients, 0.4 * away.mean(axis=1), rtol=1e-13, atol=1e-15)
    same = torch.from_numpy(weights.copy())
    described.add_gradient_(same, same, torch.from_numpy(indices), -0.7)
    np.testing.assert_allclose(same.numpy(), weights - 0.7 * gradients, rtol=1e-13, atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), radius=st.sampled_from([0.1, 1.0, 30.0]), shape=st.sampled_from(SHAPES))
def test_constants_hold_on_the_ball(seed: int, radius: float, shape: dict[str, Any]) -> None:
    described = QuadraticLoss(**shape)
    constants = {name: constant.value for name, constant in described.loss_class(radius).constants().items()}
    weights = np.random.default_rng(seed).normal(size=described.width)
    weights *= radius / np.linalg.norm(weights)
    away = np.linalg.norm(weights - described.features, axis=1)
    assert described.curvature * away.max() <= constants["L"]
    assert described.curvature / 2 * (away**2).max() <= constants["M"]
    assert constants["beta"] == constants["mu"] >= described.curvature


def test_lipschitz_constant_and_supremum_are_attained() -> None:
    described = QuadraticLoss()
    farthest = described.features[np.linalg.norm(described.features, axis=1).argmax()]
    w = -2.0 * farthest / np.linalg.norm(farthest)
    loss = described.loss_class(2.0)
    assert loss.L is not None
    assert loss.M is not None
    assert np.linalg.norm(w - farthest) == pytest.approx(loss.L.value, rel=1e-12)
    assert ((w - farthest) ** 2).sum() / 2 == pytest.approx(loss.M.value, rel=1e-12)
    assert (described.loss_class().L, described.loss_class().M, described.loss_class().diameter) == (None, None, None)


@pytest.mark.parametrize("shape", SHAPES)
def test_variances_are_exact_and_bounded(shape: dict[str, Any]) -> None:
    described = QuadraticLoss(**shape)
    training = np.random.default_rng(1).integers(described.size, size=(3, 4, 5))
    gradients = described.curvature * (0.3 - described.features[training])
    means = gradients.mean(axis=2, keepdims=True)
    sigma2 = ((gradients - means) ** 2).sum(axis=3).mean(axis=(1, 2)).max()
    zeta2 = ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=3).mean(axis=(1, 2)).max()
    drawn, any_set = described.loss_class(None, training), described.loss_class()
    assert drawn.sigma2.value == pytest.approx(sigma2, rel=1e-10)  # type: ignore[union-attr]
    assert drawn.zeta2.value == pytest.approx(zeta2, rel=1e-10)  # type: ignore[union-attr]
    # Antipodes in equal numbers have the largest variance; nodes that hold opposite points the largest heterogeneity.
    opposite = np.array([[[0, 1], [0, 1]]]), np.array([[[0, 0], [1, 1]]])
    assert described.loss_class(None, opposite[0]).sigma2.value == pytest.approx(any_set.sigma2.value, rel=1e-10)  # type: ignore[union-attr]
    assert described.loss_class(None, opposite[1]).zeta2.value == pytest.approx(any_set.zeta2.value, rel=1e-10)  # type: ignore[union-attr]
    assert sigma2 <= any_set.sigma2.value  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.usefixtures("quadratic")
def test_excess_risk_is_its_definition(form: str) -> None:
    run = _run(update_form=form, replicates=3, radius=1.2)
    models, described = trajectory(run, device="cpu")[:, 0], QuadraticLoss()
    assert described.minimum_risk is not None
    points = np.einsum("kj,rjp->rkp", run.mixing().power(run.Q), models) if form == "cta" else models
    wanted = {NODES: models, POINT: points, MEAN: models.mean(axis=1, keepdims=True), WORST: models}
    for readout, read in wanted.items():
        excess = np.array([[_risk(described, w) - described.minimum_risk for w in row] for row in read])
        found = measure(run, [(EXCESS, readout)], device="cpu")[0].values
        np.testing.assert_allclose(found, excess if readout is WORST else excess.mean(axis=1), rtol=0, atol=1e-13)


def _moments(run: Run) -> np.ndarray:
    """Exact S = E V V^T of V = X - 1 o^T, (m, m), by a recursion on S and C = E V Z^T, Z the centred node means of the data.

    A step is V <- B V + a D N with a = h eta_t and N the centred batch means: E[N | data] = Z, E Z Z^T = (v/n) I and
    E N N^T = v (1/n + (1 - 1/n)/b) I, v the trace of the population's covariance.
    """
    points, eye = QuadraticLoss().features, np.eye(run.m)
    v = float(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    A = np.linalg.matrix_power(run.mixing().matrix, run.Q)
    S, C = float((points.mean(axis=0) ** 2).sum()) * np.ones((run.m, run.m)), np.zeros((run.m, run.m))
    for t in range(1, run.T + 1):
        a = run.eta if run.eta is not None else run.c / (t + run.tau)  # type: ignore[operator]
        B = A - a * eye if run.update_form == "consensus" else (1 - a) * A
        D = A if run.update_form == "atc" else eye
        cross = a * B @ C @ D.T
        S = B @ S @ B.T + cross + cross.T + a**2 * v * (1 / run.n + (1 - 1 / run.n) / run.b) * D @ D.T
        C = B @ C + a * v / run.n * D
    return S


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"Q": 2, "b": 3}, {"topology": UNEVEN, "m": 3}, {"eta": None, "c": 1.5, "tau": 2.0, "T": 12}],
    ids=["ring", "Q2b3", "uneven", "decaying"],
)
@pytest.mark.usefixtures("quadratic")
def test_measures_against_exact_moments(form: Any, changes: dict[str, Any]) -> None:
    run = _run(update_form=form, **changes)
    S, P = _moments(run), np.eye(run.m) - 1 / run.m
    A = np.linalg.matrix_power(run.mixing().matrix, run.Q) if form == "cta" else np.eye(run.m)
    exact = {
        (EXCESS, NODES): np.trace(S) / run.m / 2,
        (EXCESS, POINT): np.trace(A @ S @ A.T) / run.m / 2,
        (EXCESS, MEAN): S.mean() / 2,
        (EXCESS, WORST): np.diag(S) / 2,
        (SPREAD, NODES): np.trace(P @ S) / run.m,
        (SPREAD, POINT): np.trace(P @ A @ S @ A.T) / run.m,
    }
    for measured in measure(run, list(exact), device="cpu"):
        truth = exact[measured.quantity, measured.readout]
        error = measured.values.std(axis=0, ddof=1) / math.sqrt(run.replicates)
        assert (abs(measured.values.mean(axis=0) - truth) <= 4 * error).all()
        assert (error < 0.05 * truth).all()
    assert form != "cta" or exact[SPREAD, POINT] < 0.7 * exact[SPREAD, NODES]

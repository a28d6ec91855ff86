"""The points of a readout, and curvature averaged over them, against dense Hessians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import DomainError, UnknownNameError
from bounds.topology import topology
from bounds.vocabulary import Readout
from empirical.configuration import Run
from empirical.curvature import Viewpoint, curvature, hessian_trace, problem_objective
from empirical.measuring import trajectory
from empirical.problems.network import SmoothNetwork
from empirical.simulation import Points

RING = topology("ring", 5)
X = np.random.default_rng(0).standard_normal((9, 3))
NETWORK = SmoothNetwork("network", X, np.where(np.arange(9) % 2, 1, -1), hidden=3)
MODELS = torch.from_numpy(np.random.default_rng(1).standard_normal((5, 48)))


@pytest.mark.parametrize("Q", [1, 3])
@pytest.mark.parametrize("name", ["ring", "complete", "star"])
def test_points(name: str, Q: int) -> None:
    matrix = topology(name, 5)
    mixed = torch.tensor(np.linalg.matrix_power(matrix.matrix, Q)) @ MODELS
    torch.testing.assert_close(Viewpoint("network_mean").points(MODELS), MODELS.mean(0, keepdim=True), rtol=0, atol=1e-15)
    assert torch.equal(Viewpoint("node_average").points(MODELS), MODELS)
    assert torch.equal(Viewpoint("node_average", node=3).points(MODELS), MODELS[3:4])
    for form in ("centralized", "atc", "consensus"):
        assert torch.equal(Viewpoint("gradient_point", form).points(MODELS), MODELS)
    for node in (None, 2):
        found = Viewpoint("gradient_point", "cta", matrix, Q, node).points(MODELS)
        torch.testing.assert_close(found, mixed if node is None else mixed[2:3], rtol=0, atol=1e-14)


def test_points_of_many_networks_at_once() -> None:
    stacked = torch.stack([MODELS, MODELS.flip(0), 2 * MODELS])
    for view in (Viewpoint("network_mean"), Viewpoint("gradient_point", "cta", RING, 2)):
        torch.testing.assert_close(view.points(stacked), torch.stack([view.points(models) for models in stacked]), rtol=0, atol=1e-15)


def test_gradient_points_of_cta_are_the_engines() -> None:
    run = Run(problem="softmax-digits", update_form="cta", m=5, n=4, T=6, eta=1.0, Q=2, replicates=1)
    models = torch.from_numpy(trajectory(run, device="cpu")[0, -1].reshape(5, -1))
    theirs = Points(run, torch.device("cpu"))(models[None, None], 6, range(1))[0, 0]
    ours = Viewpoint("gradient_point", run.update_form, run.mixing(), run.Q).points(models)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-15)
    assert (ours - models).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"readout": "worst_node"}, "which no single run has"),
        ({"readout": "network_mean", "node": 0}, "which has no nodes"),
        ({"readout": "gradient_point"}, "without update_form"),
        ({"readout": "gradient_point", "update_form": "cta"}, "without mixing"),
    ],
)
def test_a_viewpoint_that_says_too_little_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DomainError, match=message):
        Viewpoint(**changes)


def test_a_viewpoint_of_another_network_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        Viewpoint("network")
    with pytest.raises(DomainError, match=r"numbered 0\.\.4"):
        Viewpoint("node_average", node=5).points(MODELS)
    with pytest.raises(DomainError, match="mixing matrix of 5 nodes for 4 models"):
        Viewpoint("gradient_point", "cta", RING).points(MODELS[:4])


def _dense(point: torch.Tensor) -> torch.Tensor:
    def mean(weights: torch.Tensor) -> torch.Tensor:
        return NETWORK.losses(weights.unsqueeze(0)).mean()

    return torch.autograd.functional.hessian(mean, point.clone())


@pytest.mark.parametrize(
    "view",
    [
        Viewpoint("network_mean"),
        Viewpoint("node_average"),
        Viewpoint("node_average", node=2),
        Viewpoint("gradient_point", "cta", RING, 2),
        Viewpoint("gradient_point", "cta", RING, 2, node=1),
        Viewpoint("gradient_point", "consensus"),
    ],
)
def test_curvature_at_every_readout(view: Viewpoint) -> None:
    mixes = view.readout is Readout.GRADIENT_POINT and view.mixing is not None
    everyone = torch.tensor(np.linalg.matrix_power(RING.matrix, 2)) @ MODELS if mixes else MODELS
    chosen = everyone.mean(0, keepdim=True) if view.readout is Readout.NETWORK_MEAN else everyone
    chosen = chosen if view.node is None else chosen[view.node : view.node + 1]
    hessians = torch.stack([_dense(point) for point in chosen])
    centred = everyone - everyone.mean(0)
    found = curvature(problem_objective(NETWORK), MODELS, view, probes=100, tolerance=1e-10)
    assert (found.readout, found.points) == (view.readout, len(chosen))
    assert found.top == pytest.approx(float(torch.linalg.eigvalsh(hessians)[:, -1].mean()), rel=1e-8)
    assert found.edge(0.5) == found.top / 2
    assert found.top_residual <= 1e-8 * found.top
    assert abs(found.trace.mean - float(hessians.diagonal(dim1=1, dim2=2).sum(1).mean())) <= 5 * found.trace.standard_error
    spread = float(((centred @ _dense(everyone.mean(0))) * centred).sum(1).mean())
    assert found.spread == pytest.approx(spread, rel=1e-8)


def test_the_standard_error_of_an_average_has_independent_parts() -> None:
    objective = problem_objective(NETWORK)
    found = curvature(objective, MODELS, Viewpoint("node_average"), probes=10, seed=4)
    parts = [hessian_trace(objective, MODELS[k], 10, seed=4, replicate=k) for k in range(5)]
    assert found.trace.mean == pytest.approx(sum(part.mean for part in parts) / 5, rel=1e-12)
    assert found.trace.standard_error == pytest.approx(math.sqrt(sum(part.standard_error**2 for part in parts)) / 5, rel=1e-12)
    assert found.trace.count == 50


def test_one_model_has_no_spread() -> None:
    assert curvature(problem_objective(NETWORK), MODELS[:1], Viewpoint("network_mean"), probes=2).spread == 0

"""Equal work: every form meets the same samples, full batches are gradient descent, and the trained minimum is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bounds.errors import DomainError
from empirical.curvature import gradient, problem_objective, top_eigenvalue
from empirical.equal_work import Work, Workshop
from empirical.models import perceptron
from empirical.problems.penalised import Penalised
from empirical.problems.registry import problem
from empirical.viewpoint import network_mean

WORK = Work("network-digits", "random", 4, 8, 3, 5, range(2, 4), 1e-3)


def test_a_ridge_adds_its_gradient_also_in_place() -> None:
    for name in ("network-digits", "mlp-digits"):
        ridged = Penalised(problem(name), 0.3)
        rng = np.random.default_rng(0)
        weights = torch.from_numpy(np.stack([ridged.drawn(rng), ridged.drawn(rng)]))
        samples = torch.from_numpy(rng.integers(ridged.size, size=(2, 5)))
        leaf = weights.clone().requires_grad_()
        ridged.losses(leaf, samples).mean(1).sum().backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is not None
        torch.testing.assert_close(ridged.gradients(weights, samples), leaf.grad, rtol=1e-9, atol=1e-12)
        moved = weights.clone()
        ridged.add_gradient_(moved, moved, samples, -0.1)
        torch.testing.assert_close(moved, weights - 0.1 * leaf.grad, rtol=1e-9, atol=1e-12)
    with pytest.raises(DomainError, match="finite number > 0"):
        Penalised(problem("network-digits"), 0.0)


def test_hits_are_the_classes_that_the_models_name() -> None:
    mlp, rng = problem("mlp-digits"), np.random.default_rng(1)
    assert mlp.labels is not None
    weights = torch.from_numpy(np.stack([mlp.drawn(rng), mlp.drawn(rng)]))
    module = perceptron(mlp.widths, mlp.activation).double()  # type: ignore[attr-defined]
    x = torch.from_numpy(mlp.features[:, : mlp.widths[0]])  # type: ignore[attr-defined]
    parameters = mlp.to_module(weights)  # type: ignore[attr-defined]
    for row in range(2):
        named = {name: value[row] for name, value in parameters.items()}
        scores = torch.func.functional_call(module, named, (x,))
        assert (mlp.hits(weights)[row].numpy() == (scores.argmax(1).detach().numpy() == mlp.labels)).all()
    network = problem("network-digits")
    row = torch.from_numpy(network.drawn(rng))[None]
    units = np.tanh(network.features @ row.view(network.weight_shape).numpy().T + network.offsets)  # type: ignore[attr-defined]
    assert network.labels is not None
    assert (network.hits(row)[0].numpy() == ((units @ network.outer > 0) == (network.labels == 1))).all()  # type: ignore[attr-defined]
    with pytest.raises(DomainError, match="names no classes"):
        problem("quadratic").hits(torch.zeros(1, 16, dtype=torch.float64))


def test_full_batches_are_gradient_descent_on_the_training_risk() -> None:
    shop = Workshop(WORK)
    found = shop.train("centralized", 8, 2.0)
    for r, rows in enumerate(shop.training):
        risk, at = problem_objective(shop.ridged, rows), torch.from_numpy(shop.starts[r])[None]
        for _ in range(WORK.epochs):
            at = at - 2.0 * gradient(risk, at)
        torch.testing.assert_close(found[r], at, rtol=1e-10, atol=1e-12)


def test_every_epoch_reads_every_sample_once_and_all_batch_sizes_in_one_order() -> None:
    shop = Workshop(WORK)
    one, four = shop._batches(1, 1, 4), shop._batches(1, 4, 4)
    assert one.shape == (8, 8, 1)
    read = one[..., 0].view(8, 2, 4).permute(1, 2, 0)
    assert (read.sort(-1)[0].numpy() == np.sort(shop.training, axis=-1)).all()
    assert (four.permute(1, 0, 2).reshape(8, 8) == one[..., 0].T).all()
    assert (shop._batches(2, 1, 4) != one).any()
    pooled = shop._batches(1, 4, 1)
    assert (pooled[0, 0] == four[0, :4].reshape(-1)).all()


def test_cta_has_the_network_mean_of_atc_and_the_complete_graph_that_of_centralized() -> None:
    shop = Workshop(WORK)
    atc, cta = (network_mean(shop.train(form, 2, 1.0)) for form in ("atc", "cta"))
    torch.testing.assert_close(atc, cta, rtol=0, atol=1e-13)
    assert (atc - network_mean(shop.train("consensus", 2, 1.0))).abs().max() > 1e-6
    whole = Workshop(Work("network-digits", "random", 4, 8, 3, 5, range(2, 4), 1e-3, topology="complete"))
    torch.testing.assert_close(whole.train("atc", 2, 1.0)[:, :1], whole.train("centralized", 2, 1.0), rtol=0, atol=1e-12)


def test_the_trained_minimum_is_a_minimum_and_blocks_share_their_replicates() -> None:
    shop = Workshop(Work("network-digits", "minimum", 4, 8, 1, 5, range(2, 4), 1e-2, tolerance=1e-6))
    for rows, at in zip(shop.training, shop.starts, strict=True):
        risk = problem_objective(shop.ridged, rows)
        assert float(gradient(risk, at).abs().max()) <= 1e-6
        assert top_eigenvalue(risk, at, 1e-4, smallest=True).value > 0
    alone = Workshop(Work("network-digits", "random", 4, 8, 3, 5, range(3, 4), 1e-3))
    torch.testing.assert_close(alone.train("atc", 4, 1.0), Workshop(WORK).train("atc", 4, 1.0)[1:], rtol=0, atol=1e-14)


def test_work_that_cannot_be_done_is_refused() -> None:
    with pytest.raises(DomainError, match="divides n"):
        Workshop(WORK).train("atc", 3, 1.0)
    with pytest.raises(DomainError, match="at least 1"):
        Work("network-digits", "random", 4, 8, 0, 5, range(2), 1e-3)
    with pytest.raises(DomainError, match="diverged"):
        Workshop(Work("network-digits", "random", 4, 8, 40, 5, range(1), 1.0)).train("centralized", 1, 1e9)

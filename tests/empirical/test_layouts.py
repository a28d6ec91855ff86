"""Hand-batched products, vmap and the plain loop against each other, and each against numbers built another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import empirical.problems.module as module_problems
from bounds.errors import DomainError
from empirical.layouts import LAYOUTS, choose, convolution_work
from empirical.models import perceptron, resnet20, seeded, small_cnn
from empirical.models.losses import squared_error
from empirical.problems.logistic import LogisticRegression
from empirical.problems.module import ModuleProblem
from empirical.problems.perceptron import Perceptron

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(30, 13))
LABELS = np.arange(30) % 3


def _weights(start: np.ndarray, count: int) -> Tensor:
    """``count`` models around the start; the padding stays 0, as in a run."""
    noise = torch.from_numpy(np.random.default_rng(1).normal(size=(count, len(start))))
    base = torch.from_numpy(start)
    return base + 0.3 * noise * (base != 0)


def _pair(hidden: tuple[int, ...], activation: str, layout: Any) -> tuple[Perceptron, ModuleProblem]:
    by_hand = Perceptron("hand", FEATURES, LABELS, hidden, activation)
    module = seeded(lambda: perceptron((13, *hidden, 3), activation))
    return by_hand, ModuleProblem("module", module, FEATURES, LABELS, layout=layout)


@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (5,), (16, 7)])
@pytest.mark.parametrize("b", [1, 4])
def test_three_layouts_agree(layout: Any, activation: str, hidden: tuple[int, ...], b: int) -> None:
    by_hand, generic = _pair(hidden, activation, layout)
    weights = _weights(by_hand.start, 6)
    copies = generic.blocks.flat(by_hand.to_module(weights))
    indices = torch.from_numpy(RNG.integers(0, 30, size=(6, b)))
    gradients = by_hand.gradients(weights, indices)
    theirs = by_hand.from_module(generic.blocks.views(generic.gradients(copies, indices)))
    torch.testing.assert_close(gradients, theirs, rtol=0, atol=1e-12)
    assert gradients.abs().max() > 1e-2
    for chosen in (indices, None):
        torch.testing.assert_close(by_hand.losses(weights, chosen), generic.losses(copies, chosen), rtol=0, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradient_is_the_derivative_of_the_losses(activation: str) -> None:
    """The batch gradient against autograd through ``losses``, which shares no line of the backward pass."""
    problem = Perceptron("hand", FEATURES, LABELS, (6, 5), activation)
    weights = _weights(problem.start, 3).requires_grad_()
    indices = torch.from_numpy(RNG.integers(0, 30, size=(3, 4)))
    (expected,) = torch.autograd.grad(problem.losses(weights, indices).mean(1).sum(), weights)
    torch.testing.assert_close(problem.gradients(weights.detach(), indices), expected, rtol=0, atol=1e-13)


def test_the_step_may_be_taken_in_place() -> None:
    problem = Perceptron("hand", FEATURES, LABELS, (6, 5))
    weights, indices = _weights(problem.start, 3), torch.from_numpy(RNG.integers(0, 30, size=(3, 4)))
    expected = weights - 0.7 * problem.gradients(weights, indices)
    problem.add_gradient_(weights, weights, indices, -0.7)
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-14)


def test_padding_stays_zero() -> None:
    problem = Perceptron("hand", FEATURES, LABELS, (5,))
    weights = torch.from_numpy(problem.start)[None].repeat(2, 1)
    used = torch.from_numpy(problem.start) != 0
    for _ in range(5):
        problem.add_gradient_(weights, weights, torch.from_numpy(RNG.integers(0, 30, size=(2, 3))), -1.0)
    assert (weights[:, ~used] == 0).all()
    assert used.sum() == 13 * 5 + 5 + 5 * 3 + 3


def test_parameters_travel_both_ways() -> None:
    by_hand, _ = _pair((5,), "tanh", "loop")
    weights = _weights(by_hand.start, 4)
    assert torch.equal(by_hand.from_module(by_hand.to_module(weights)), weights)


@pytest.mark.parametrize(
    ("build", "shape"), [(lambda: small_cnn(1, 8, 3), (1, 8, 8)), (lambda: resnet20(3, 3), (3, 8, 8))], ids=["cnn", "resnet20"]
)
def test_layouts_of_convolutions_agree(build: Any, shape: tuple[int, ...]) -> None:
    features = RNG.normal(size=(6, *shape))
    looped, vmapped = (ModuleProblem("net", seeded(build), features, np.arange(6) % 3, layout=layout) for layout in ("loop", "vmap"))  # type: ignore[arg-type]
    weights, indices = _weights(looped.start, 2), torch.tensor([[0, 1], [4, 4]])
    ours, theirs = looped.gradients(weights, indices), vmapped.gradients(weights, indices)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert ours.abs().max() > 1e-2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_model_is_torch_itself(layout: Any) -> None:
    """Against a plain module, its own optimizer and its own backward pass."""
    features, labels = RNG.normal(size=(9, 1, 8, 8)), np.arange(9) % 3
    module = seeded(lambda: small_cnn(1, 8, 3)).double()
    problem = ModuleProblem("net", module, features, labels, layout=layout)
    weights, optimizer = torch.from_numpy(problem.start)[None].clone(), torch.optim.SGD(module.parameters(), lr=0.2)
    for batch in ([0, 5], [7, 2], [3, 3]):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(torch.from_numpy(features[batch])), torch.from_numpy(labels[batch])).backward()
        optimizer.step()
        problem.add_gradient_(weights, weights, torch.tensor([batch]), -0.2)
    expected = problem.blocks.flat({name: value.detach()[None] for name, value in module.named_parameters()})
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-12)


def test_a_squared_error_with_vector_targets() -> None:
    targets = RNG.normal(size=(30, 2))
    problem = ModuleProblem("regression", seeded(lambda: nn.Linear(13, 2)), FEATURES, targets, squared_error)
    weights, indices = _weights(problem.start, 2), torch.tensor([[3], [8]])
    for row, index, gradient in zip(weights, (3, 8), problem.gradients(weights, indices), strict=True):
        views = {name: view[0].numpy() for name, view in problem.blocks.views(row[None]).items()}
        residual = views["weight"] @ FEATURES[index] + views["bias"] - targets[index]
        found = problem.blocks.views(gradient[None])
        np.testing.assert_allclose(found["weight"][0], np.outer(residual, FEATURES[index]), atol=1e-13)
        np.testing.assert_allclose(found["bias"][0], residual, atol=1e-13)
        np.testing.assert_allclose(problem.losses(row[None], torch.tensor([[index]]))[0, 0], residual @ residual / 2, atol=1e-13)


def test_losses_are_read_in_pieces_without_changing_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand, generic = _pair((5,), "tanh", "loop")
    weights = _weights(by_hand.start, 2)
    copies = generic.blocks.flat(by_hand.to_module(weights))
    whole = by_hand.losses(weights), generic.losses(copies)
    monkeypatch.setattr("empirical.problems.perceptron._PIECE", 1)
    monkeypatch.setattr("empirical.problems.module._PIECE", 64)
    for before, now in zip(whole, (by_hand.losses(weights), generic.losses(copies)), strict=True):
        torch.testing.assert_close(before, now, rtol=0, atol=1e-13)


def test_the_work_of_convolutions() -> None:
    """Two FLOP a multiply-add: outputs times the weights of one filter."""
    assert convolution_work(small_cnn(), torch.zeros(1, 1, 28, 28)) == 2 * (14 * 14 * 8 * 9 + 7 * 7 * 16 * 72)
    assert convolution_work(perceptron((3, 2)), torch.zeros(1, 3)) == 0


def test_the_choice_of_a_layout() -> None:
    large, small = (convolution_work(net, torch.zeros(1, *shape)) for net, shape in ((resnet20(), (3, 32, 32)), (small_cnn(), (1, 28, 28))))
    assert choose(large, CPU) == "loop"
    assert choose(small, CPU) == choose(0, CPU) == choose(large, torch.device("cuda")) == "vmap"
    assert choose(small, CPU, strided=True) == choose(large, CPU, strided=True) == "phases"
    assert choose(small, torch.device("cuda"), strided=True) == "vmap"


def test_the_chosen_layout_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem left to choose gives the bits of the layout that was chosen."""
    features, labels = np.random.default_rng(3).normal(size=(6, 1, 8, 8)), np.arange(6) % 3
    for name in LAYOUTS:
        monkeypatch.setattr("empirical.problems.module.choose", lambda *_, name=name: name)
        for other in set(LAYOUTS) - {name}:
            monkeypatch.setitem(LAYOUTS, other, lambda *_: pytest.fail("another layout was used"))
        problem = ModuleProblem("net", seeded(lambda: small_cnn(1, 8, 3)), features, labels)
        assert problem.gradients(_weights(problem.start, 2), torch.tensor([[0], [1]])).abs().max() > 0
        monkeypatch.undo()


@pytest.mark.parametrize("b", [1, 3, 16])
@pytest.mark.parametrize("scale", [0.1, 30.0])
def test_logistic_regression_is_torchs_and_the_modules(b: int, scale: float) -> None:
    """Against autograd through torch's own loss, and against the same model as a module."""
    signs = np.where(LABELS == 0, -1, 1)
    problem = LogisticRegression("logistic", FEATURES, signs)
    weights = torch.zeros(4, problem.width, dtype=torch.float64)
    weights[:, :13] = torch.from_numpy(RNG.normal(size=(4, 13)) * scale)
    indices = torch.from_numpy(RNG.integers(0, 30, size=(4, b)))
    leaf = weights[:, :13].clone().requires_grad_()
    scores = (torch.from_numpy(FEATURES)[indices] * leaf[:, None]).sum(-1)
    targets = torch.from_numpy((signs[indices] > 0).astype(float))
    values = nn.functional.binary_cross_entropy_with_logits(scores, targets, reduction="none")
    (expected,) = torch.autograd.grad(values.mean(1).sum(), leaf)
    torch.testing.assert_close(problem.losses(weights, indices), values.detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(problem.gradients(weights, indices)[:, :13], expected, rtol=0, atol=1e-14)
    module = ModuleProblem("logistic", nn.Linear(13, 1, bias=False), FEATURES, (signs + 1.0)[:, None] / 2, _logistic)
    torch.testing.assert_close(module.gradients(weights[:, : module.width], indices)[:, :13], expected, rtol=0, atol=1e-14)


def _logistic(outputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(1)


def small(classes: int = 3) -> ModuleProblem:
    module = seeded(
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, 2, padding=1), nn.GroupNorm(2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, classes))
    )
    return ModuleProblem("small", module, RNG.normal(size=(12, 1, 4, 4)), np.arange(12) % classes)


def test_a_modules_hits_are_the_classes_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small()
    weights = torch.from_numpy(RNG.normal(size=(2, problem.width)))
    found = problem.hits(weights, torch.arange(12).expand(2, -1))
    for row, given in enumerate(weights):
        named = {key: view[0] for key, view in problem.blocks.views(given[None]).items()}
        outputs = torch.func.functional_call(problem.module, named, (torch.from_numpy(problem.features[:, :16]).view(12, 1, 4, 4),))
        assert found[row].tolist() == [int(torch.argmax(scores)) == k % 3 for k, scores in enumerate(outputs)]
    monkeypatch.setattr(module_problems, "_PIECE", 1)
    assert torch.equal(problem.hits(weights), found)


def test_a_module_draws_its_start_as_torch_does() -> None:
    problem, rng = small(), np.random.default_rng(3)
    seed = int(np.random.default_rng(3).integers(2**31))
    expected = seeded(lambda: [nn.Conv2d(1, 2, 3, 2, padding=1), nn.Linear(8, 3)], seed)  # type: ignore[type-var]
    fresh = problem.blocks.views(torch.from_numpy(problem.drawn(rng))[None])
    assert torch.equal(fresh["0.weight"][0], expected[0].weight.double())
    assert torch.equal(fresh["4.bias"][0], expected[1].bias.double())
    assert torch.equal(fresh["1.weight"][0], torch.ones(2, dtype=torch.float64))
    assert (problem.drawn(rng) != problem.drawn(rng)).any()


def test_a_layer_that_cannot_draw_its_start_is_named() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.by = nn.Parameter(torch.ones(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.by * x

    problem = ModuleProblem("scaled", nn.Sequential(nn.Linear(13, 2), Scale()), FEATURES, np.arange(30) % 2)
    with pytest.raises(DomainError, match=r"layer '1' \(Scale\) has parameters and no reset_parameters"):
        problem.drawn(np.random.default_rng(0))

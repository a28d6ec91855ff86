"""Trainable models in whole runs: against plain loops of modules, to the last bit where that is promised, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bounds.errors import DomainError, UnknownNameError
from bounds.vocabulary import Quantity, Readout
from empirical import Run, measure, trajectory
from empirical.models import perceptron, resnet20, seeded, small_cnn
from empirical.problems import problem, register
from empirical.problems.logistic import LogisticRegression
from empirical.problems.module import ModuleProblem
from empirical.problems.perceptron import Perceptron
from empirical.problems.registry import PROBLEMS
from empirical.samples import batches, draw_samples
from empirical.simulation import simulate
from empirical.store import run_key

CPU = torch.device("cpu")
RNG = np.random.default_rng(3)
GAP = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)


def _run(**changes: Any) -> Run:
    base = {"problem": "mlp-digits", "update_form": "atc", "m": 5, "n": 4, "T": 6, "eta": 0.5, "b": 2, "replicates": 2, "seed": 1}
    return Run(**(base | changes))


def _plain(run: Run, module: nn.Module, features: torch.Tensor, labels: torch.Tensor, replicate: int) -> list[nn.Module]:
    """One module and one optimizer per node, gossip by stacking parameters: the way published code runs D-SGD."""
    training = draw_samples(run, problem(run.problem)).training[replicate]
    models = [copy.deepcopy(module).double() for _ in range(run.m)]
    power = torch.from_numpy(np.linalg.matrix_power(run.mixing().matrix, run.Q))
    places = np.concatenate([block[:, 0] for block in batches(run, range(replicate, replicate + 1), run.T)])

    def gossip() -> None:
        with torch.no_grad():
            for stack in zip(*(model.parameters() for model in models), strict=True):
                mixed = torch.einsum("kj,j...->k...", power, torch.stack([one.detach() for one in stack]))
                for one, value in zip(stack, mixed, strict=True):
                    one.copy_(value)

    for drawn in places:
        if run.update_form == "cta":
            gossip()
        for node, model in enumerate(models):
            chosen = training[node, drawn[node]]
            optimizer = torch.optim.SGD(model.parameters(), lr=float(run.eta or 0))
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(features[chosen]), labels[chosen]).backward()
            optimizer.step()
        if run.update_form == "atc":
            gossip()
    return models


@pytest.mark.parametrize("form", ["atc", "cta"])
@pytest.mark.parametrize("name", ["mlp-digits", "cnn-digits"])
def test_runs_equal_a_loop_of_modules_and_optimizers(name: str, form: str) -> None:
    run, described = _run(problem=name, update_form=form, Q=2), problem(name)
    features = torch.from_numpy(described.features[:, :64].copy())
    is_mlp = isinstance(described, Perceptron)
    module = seeded(lambda: perceptron((64, 32, 10)) if is_mlp else small_cnn(side=8))
    inputs = features if is_mlp else features.view(-1, 1, 8, 8)
    expected = _plain(run, module, inputs, torch.from_numpy(described.labels), 1)
    flat = torch.from_numpy(trajectory(run, device="cpu")[1, -1])
    views = described.to_module(flat) if is_mlp else described.blocks.views(flat)
    for node, model in enumerate(expected):
        for key, value in model.named_parameters():
            torch.testing.assert_close(views[key][node], value.detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("layout", ["phases", "vmap", "loop", "by hand", "logistic"])
@pytest.mark.parametrize(("m", "b"), [(3, 1), (7, 3), (16, 4)])
def test_null_pairs_differ_by_exactly_zero(layout: Any, m: int, b: int, precision: Any) -> None:
    features, labels = RNG.normal(size=(20, 1, 8, 8)), np.arange(20) % 3
    if layout == "by hand":
        described: Any = Perceptron("null", features.reshape(20, -1), labels, (17, 5), "relu")
    elif layout == "logistic":
        described = LogisticRegression("null", features.reshape(20, -1), np.where(labels == 0, -1, 1))
        described.start = np.zeros(described.width)
    else:
        described = ModuleProblem("null", seeded(lambda: small_cnn(1, 8, 3)), features, labels, layout=layout)
    run = _run(problem="linear", m=m, b=b, n=40, T=3, replicates=2, precision=precision)
    lanes = np.repeat(RNG.integers(0, 20, size=(2, 1, m, 40)), 6, axis=1)
    for replicate, block in ((r, next(iter(batches(run, range(r, r + 1), 3)))) for r in range(2)):
        place = next(j for j in range(40) if not (block[:, 0, 0] == j).any())
        lanes[replicate, 1::2, 0, place] = (lanes[replicate, 1::2, 0, place] + 1) % 20
    begin = torch.from_numpy(described.start)
    for state in simulate(run, described, lanes, range(2), CPU, late=False):
        assert (state - begin.to(state.dtype)).abs().max() > 1e-3
        assert torch.equal(state, state[:, :1].expand_as(state))


@pytest.mark.parametrize("name", ["mlp-digits", "cnn-digits"])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_chunks_and_reruns_give_the_same_bits(name: str, precision: Any) -> None:
    run = _run(problem=name, twins=2, T=3, replicates=3, precision=precision)
    reference = measure(run, [GAP, L1], device="cpu")
    assert (reference[1].values > 0).any()
    for chunk in (None, 1, 2):
        for ours, theirs in zip(measure(run, [GAP, L1], device="cpu", chunk=chunk), reference, strict=True):
            assert np.array_equal(ours.values, theirs.values)


def test_training_lowers_the_risk() -> None:
    run = _run(T=150, n=100, b=8, m=4, eta=1.0, replicates=1, checkpoints=(1, 150))
    described = problem("mlp-digits")
    first, last = (described.losses(torch.from_numpy(models)).mean() for models in trajectory(run, device="cpu")[0])
    assert last < first / 2


def test_sizes_are_those_that_the_docstrings_state() -> None:
    assert sum(parameter.numel() for parameter in small_cnn().parameters()) == 9_146
    assert sum(parameter.numel() for parameter in resnet20().parameters()) == 272_474
    assert small_cnn()(torch.zeros(2, 1, 28, 28)).shape == resnet20()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_group_norm_keeps_samples_apart() -> None:
    net, x = seeded(lambda: small_cnn(1, 8, 3)).double(), torch.from_numpy(RNG.normal(size=(4, 1, 8, 8)))
    torch.testing.assert_close(net(x)[2:3], net(x[2:3]), rtol=0, atol=1e-14)


def test_seeded_models_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, other = (seeded(lambda: perceptron((3, 2)), seed) for seed in (0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert not torch.equal(one[0].weight, other[0].weight)
    assert torch.equal(seeded(lambda: perceptron((3, 2)))[0].weight, one[0].weight)


class _Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.layer(x)


def _frozen() -> nn.Module:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight.requires_grad_(False)
    return net


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), "BatchNorm1d.*GroupNorm"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).eval(), "BatchNorm1d.*GroupNorm"),
        (nn.Sequential(nn.Linear(2, 2), nn.InstanceNorm1d(2, track_running_stats=True)), "InstanceNorm1d"),
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), "dropout"),
        (_Counter(), "buffer 'calls'"),
        (_frozen(), "1.weight"),
        (nn.Flatten(), "no parameters"),
        (nn.Linear(3, 2), "do not fit"),
    ],
    ids=["batch norm", "batch norm in eval mode", "instance norm", "dropout", "counter", "frozen", "no parameters", "shapes"],
)
def test_modules_that_would_be_trained_wrongly_are_refused(module: nn.Module, said: str) -> None:
    with pytest.raises(DomainError, match=said) as error:
        ModuleProblem("net", module, np.ones((4, 2)), np.array([0, 1, 0, 1]))
    assert "\n" not in str(error.value)


def test_what_is_no_mean_over_samples_is_refused() -> None:
    with pytest.raises(DomainError, match="reduction='none'"):
        ModuleProblem("net", nn.Linear(2, 2), np.ones((4, 2)), np.array([0, 1, 0, 1]), nn.functional.cross_entropy)
    with pytest.raises(DomainError, match="features of shape"):
        ModuleProblem("net", nn.Linear(2, 2), np.ones((4, 2)), np.zeros(3, dtype=int))
    with pytest.raises(UnknownNameError, match="layout"):
        ModuleProblem("net", nn.Linear(2, 2), np.ones((4, 2)), np.zeros(4, dtype=int), layout="batched")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"hidden": (0,)}, DomainError),
        ({"activation": "sigmoid"}, UnknownNameError),
        ({"labels": np.array([0, -1])}, DomainError),
        ({"labels": np.array([0])}, DomainError),
    ],
)
def test_perceptrons_that_are_none(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Perceptron("mlp", **({"features": np.ones((2, 3)), "labels": np.array([0, 1])} | arguments))


def test_a_module_of_ones_own_is_named_by_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.problems.registry.PROBLEMS", dict(PROBLEMS))
    features, labels = RNG.normal(size=(9, 4)), np.arange(9) % 2

    def made(seed: int = 0, shift: float = 0.0, layout: Any = "auto") -> ModuleProblem:
        return ModuleProblem("mine", seeded(lambda: perceptron((4, 3, 2)), seed), features + shift, labels, layout=layout)

    names = [register(one) for one in (made(), made(1), made(shift=1.0), made(layout="loop"))]
    assert register(made()) == names[0]
    assert len({run_key(_run(problem=name), [GAP]) for name in names}) == 4
    values = [measure(_run(problem=name), [GAP], device="cpu")[0].values for name in names]
    np.testing.assert_allclose(values[0], values[3], atol=1e-12)
    assert abs(values[0] - values[1]).max() > 1e-4


def test_a_module_is_asked_for_one_network_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps a twin where its base stands in every kernel, and chunks from moving it."""
    described = problem("cnn-digits")
    asked: list[int] = []
    real = ModuleProblem.add_gradient_

    def spy(self: ModuleProblem, target: torch.Tensor, weights: torch.Tensor, indices: torch.Tensor, scale: float) -> None:
        asked.append(len(weights))
        real(self, target, weights, indices, scale)

    monkeypatch.setattr(ModuleProblem, "add_gradient_", spy)
    run = _run(problem="cnn-digits", T=2)
    lanes = np.zeros((2, 3, run.m, run.n), dtype=np.int64)
    list(simulate(run, described, lanes, range(2), CPU, late=False))
    assert asked == [run.m] * (2 * 3 * run.T)

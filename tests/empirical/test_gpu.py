"""The GPU benchmark runs anywhere in a tiny size; where there is a GPU, its numbers are the CPU's within a tolerance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import gpu
from benchmarks.workloads import CNN, LOGISTIC, MLP, RESNET, TINY_MLP, Workload, loop
from empirical import Run, measure, trajectory

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
NAMES = ["softmax-digits", "logistic-digits", "sigmoid-digits", "network-digits", "mlp-digits", "cnn-digits", "quadratic"]
# Sums in another order: a few units in the last place per step, grown by the step count of the run below.
TOLERANCE = {"float64": 1e-11, "float32": 1e-4}


def test_flops_are_those_counted_by_hand() -> None:
    """Two FLOP a multiply-add; forward, by the weights, and by the inputs of all layers but the first."""
    assert gpu.flop_per_node_step(MLP) == 2 * 16 * (2 * 784 * 64 + 3 * 64 * 10)
    first, second, last = 14 * 14 * 8 * 9, 7 * 7 * 16 * 72, 784 * 10
    assert gpu.flop_per_node_step(CNN) == 2 * 16 * (2 * first + 3 * second + 3 * last)


@pytest.mark.parametrize("workload", [LOGISTIC, TINY_MLP, MLP, CNN], ids=lambda one: one.name)
def test_both_sides_of_a_benchmark_train_the_same_model(workload: Workload) -> None:
    """As many weights in the module as in the problem (two scores of softmax stand for one of logistic regression)."""
    problem, module = workload.problem(*workload.data()), workload.module()
    used = sum(parameter.numel() for parameter in module.parameters())
    if workload is not LOGISTIC:
        assert int((problem.start != 0).sum()) + sum(int((p == 0).sum()) for p in module.parameters()) == used
    loop(workload, 1)()


def test_the_benchmark_runs_on_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "RESNET", TINY_MLP)
    shares = gpu.main(["--device", "cpu", "--tiny", "--out", str(tmp_path / "gpu.json")])
    assert [one.name for one in shares] == [MLP.name, CNN.name, TINY_MLP.name]
    assert all(one.node_steps_per_second > 0 and one.of_matrix_ceiling > 0 and one.of_memory_ceiling > 0 for one in shares)
    assert len(json.loads((tmp_path / "gpu.json").read_text())) == 4


@on_cuda
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changes", [{}, {"update_form": "cta", "Q": 2}, {"graphs": "relabelled"}, {"radius": 0.9}], ids=str)
def test_cuda_gives_the_numbers_of_the_cpu(name: str, precision: Any, changes: dict[str, Any]) -> None:
    base = {"problem": name, "update_form": "atc", "m": 8, "n": 6, "T": 10, "eta": 0.5, "b": 2, "replicates": 3, "seed": 0}
    run = Run(**(base | {"precision": precision} | changes))
    ours, theirs = (trajectory(run, device=device) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[precision])


@on_cuda
@pytest.mark.parametrize("name", NAMES)
def test_never_drawn_twins_differ_by_exactly_zero_on_cuda(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.simulation.forks_late", lambda *_: False)  # forked late they would be equal by construction
    run = Run(problem=name, update_form="atc", m=4, n=50, T=1, eta=0.5, replicates=4, twins=30)  # type: ignore[arg-type]
    values = measure(run, [("l1_stability", "node_average")], device="cuda")  # type: ignore[list-item]
    again = measure(run, [("l1_stability", "node_average")], device="cuda", chunk=1)  # type: ignore[list-item]
    theirs = measure(run, [("l1_stability", "node_average")], device="cpu")  # type: ignore[list-item]
    assert np.array_equal(values[0].values, again[0].values)
    assert np.array_equal(values[0].values == 0, theirs[0].values == 0)


@on_cuda
def test_resnet_trains_on_cuda() -> None:
    assert gpu.share(RESNET, torch.device("cuda"), gpu.ceilings(torch.device("cuda"), 256, 10), 1, 1).node_steps_per_second > 0

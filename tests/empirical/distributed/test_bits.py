"""A distributed run and the simulation in the ordered way agree to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.topology import topology
from empirical import Run, trajectory
from empirical.distributed import NodeGossip
from empirical.distributed.local import run_locally
from empirical.gossip import Gossip
from empirical.mixing import ordered_mixer

CPU = torch.device("cpu")
NAMES = ["ring", "path", "star", "complete", "exponential", "erdos_renyi", "exponential_directed", "lazy_ring"]
VARYING = [{"graphs": "fixed"}, {"graphs": "relabelled"}, {"graphs": "one_peer", "topology": "exponential_directed"}]


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 4, "n": 6, "T": 3, "eta": 0.7, "b": 3, "replicates": 1}
    return Run(**(base | changes))


def _plain(matrices: list[np.ndarray], models: np.ndarray) -> np.ndarray:
    """The definition: each product rounded to the models' precision, added in ascending order of the neighbours, Q times."""
    for matrix in matrices:
        mixed = np.empty_like(models)
        for k, row in enumerate(matrix):
            neighbours = [j for j in range(len(row)) if row[j] != 0]
            total = models[neighbours[0]] * models.dtype.type(row[neighbours[0]])
            for j in neighbours[1:]:
                total = total + models[j] * models.dtype.type(row[j])
            mixed[k] = total
        models = mixed
    return models


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("Q", [1, 3])
@pytest.mark.parametrize("name", ["ring", "complete", "star", "exponential_directed"])
@pytest.mark.parametrize("width", [16, 33])
def test_the_ordered_sum_is_its_definition(name: str, Q: int, precision: str, width: int) -> None:
    models = np.random.default_rng(Q).normal(size=(2, 7, width)).astype(precision)
    matrices = [topology(name, 7).matrix] * Q
    out = torch.empty((2, 7, width), dtype=getattr(torch, precision))
    ordered_mixer(matrices)(torch.from_numpy(models), out)
    for network, mixed in zip(models, out.numpy(), strict=True):
        assert np.array_equal(mixed, _plain(matrices, network))
        exact = np.linalg.matrix_power(matrices[0], Q) @ network.astype(np.float64)
        assert np.abs(mixed - exact).max() < 20 * np.finfo(precision).eps


class _Hall:
    """All nodes of a gossip in one process: what is sent is put down first and picked up afterwards."""

    def __init__(self) -> None:
        self.sent: dict[tuple[int, int], list[torch.Tensor]] = {}

    def at(self, node: int) -> Any:
        hall = self

        class Desk:
            def exchange(self, outgoing: Any, incoming: Any) -> None:
                for peer, tensor in incoming:
                    tensor.copy_(hall.sent[(peer, node)].pop(0))

        return Desk()


@settings(max_examples=25)
@given(
    name=st.sampled_from(NAMES),
    varying=st.sampled_from(VARYING),
    m=st.integers(2, 9),
    Q=st.integers(1, 3),
    event=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_what_nodes_send_is_what_their_neighbours_wait_for(name: str, varying: Any, m: int, Q: int, event: int, seed: int) -> None:
    run = _run(**({"topology": name, "m": m, "Q": Q, "seed": seed, "replicates": 2} | varying))
    models = torch.randn((2, m, 16), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    mix = Gossip(run, CPU, 16, ordered=True).at(event, range(2), np.arange(2))
    assert mix is not None
    expected = torch.empty_like(models)
    mix(models, expected)
    hall, routes = _Hall(), {}
    nodes = [NodeGossip(run, k, hall.at(k)) for k in range(m)]
    routes = [node.routes(event) for node in nodes]
    for number in range(Q):
        for k, those in enumerate(routes):
            for one in those[number]:
                for peer in one.receivers:
                    hall.sent.setdefault((k, peer), []).append(models[one.rows, k : k + 1].clone())
        after = torch.empty_like(models)
        for k, node in enumerate(nodes):
            after[:, k : k + 1] = node._step(models[:, k : k + 1], routes[k][number], torch.empty_like(models[:, :1]))
        models = after
        assert not any(hall.sent.values())
    assert torch.equal(models, expected)


FEW: list[dict[str, Any]] = [
    *[{"update_form": form, "Q": Q} for form in ("atc", "cta", "consensus") for Q in (1, 3)],
    {"problem": "mlp-digits", "topology": "complete", "update_form": "consensus", "Q": 3, "precision": "float32", "checkpoints": (1, 3)},
    {"graphs": "relabelled", "topology": "star", "gossip_every": 2, "replicates": 3, "T": 4, "radius": 0.2},
]
MORE: list[dict[str, Any]] = [
    {"problem": "mlp-digits", "checkpoints": (1, 3), "radius": 3.0},
    {"problem": "network-digits", "topology": "exponential_directed", "Q": 2, "update_form": "cta"},
    {"graphs": "one_peer", "topology": "exponential_directed", "Q": 3, "c": 0.5, "eta": None},
    {"problem": "cnn-digits", "b": 2, "T": 3},
    {"problem": "logistic-digits", "b": 1, "precision": "float32", "replicates": 2, "split": "label_skew"},
]


def _equal(runs: list[Run]) -> None:
    for run, found in zip(runs, run_locally(runs, timeout=120), strict=True):
        expected = trajectory(run, device="cpu", ordered=True)
        assert np.array_equal(found.models.reshape(expected.shape), expected), run
        assert np.abs(expected).max() > 1e-3


def test_four_processes_give_the_bits_of_the_simulation() -> None:
    _equal([_run(**case) for case in FEW])


@pytest.mark.slow
def test_other_graphs_and_problems_have_the_bits_of_the_simulation_too() -> None:
    _equal([_run(**case) for case in MORE])


@pytest.mark.parametrize("name", ["ring", "complete", "star"])
@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_the_usual_simulation_differs_by_rounding_only(name: str, form: str) -> None:
    for precision in ("float64", "float32"):
        run = _run(problem="mlp-digits", topology=name, update_form=form, m=7, Q=3, precision=precision)
        ordered, usual = (trajectory(run, device="cpu", ordered=flag) for flag in (True, False))
        assert 0 < np.abs(ordered - usual).max() < 8 * np.finfo(precision).eps * np.abs(usual).max()


def test_ordered_trajectories_do_not_depend_on_chunks() -> None:
    for changes in ({}, {"problem": "cnn-digits", "T": 2}, {"graphs": "relabelled"}):
        run = _run(replicates=3, **changes)
        assert np.array_equal(trajectory(run, "cpu", 1, ordered=True), trajectory(run, "cpu", 3, ordered=True))

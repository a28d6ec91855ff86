"""Coupling and reproducibility to the last bit: null twins, chunks, reruns, and what else is measured."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch

from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.measuring import measure, trajectory
from empirical.path_norms import gradient_norms
from empirical.problems import PROBLEMS, problem
from empirical.problems.softmax import SoftmaxRegression
from empirical.samples import draw_samples
from empirical.simulation import simulate
from empirical.streams import stream

GAP = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
GAP_MEAN = (Quantity.GENERALIZATION_ERROR, Readout.NETWORK_MEAN)
GAP_NODES = (Quantity.GENERALIZATION_ERROR, Readout.WORST_NODE)
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
L1_MEAN = (Quantity.L1_STABILITY, Readout.NETWORK_MEAN)
L2 = (Quantity.L2_STABILITY, Readout.NODE_AVERAGE)
SPREAD = (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE)
POINTS = [(q, Readout.GRADIENT_POINT) for q in (Quantity.GENERALIZATION_ERROR, Quantity.L1_STABILITY, Quantity.CONSENSUS_DISTANCE)]
ALL = [GAP, GAP_MEAN, GAP_NODES, L1, L1_MEAN, L2, SPREAD, *POINTS]


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 5, "n": 6, "T": 6, "eta": 2.0, "replicates": 5, "twins": 3}
    return Run(**(base | changes))


def _never_drawn(run: Run, replicate: int) -> tuple[int, int]:
    """A (node, sample) that the first T batches of a replicate leave alone, found from the raw stream."""
    drawn = stream(run.seed, "batch", replicate).integers(0, run.n, (run.T, run.m, run.b), np.uint16)
    pairs = [(i, j) for i in range(run.m) for j in range(run.n) if not (drawn[:, i] == j).any()]
    return pairs[replicate % len(pairs)]


def _null_lanes(run: Run, copies: int) -> np.ndarray:
    """Training sets (R, 1 + copies, m, n): even lanes equal the base, odd ones replace a sample that is never drawn."""
    size = problem(run.problem).size
    lanes = np.repeat(draw_samples(run, problem(run.problem)).training[:, None], 1 + copies, axis=1)
    for replicate in range(run.replicates):
        node, place = _never_drawn(run, replicate)
        lanes[replicate, 1::2, node, place] = (lanes[replicate, 1::2, node, place] + 1) % size
    return lanes


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.parametrize("Q", [1, 3])
@pytest.mark.parametrize("b", [1, 4])
@pytest.mark.parametrize("m", [3, 16, 25])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_null_pairs_differ_by_exactly_zero(form: Any, Q: int, b: int, m: int, precision: Any) -> None:
    run = _run(update_form=form, Q=Q, b=b, m=m, n=30, T=5, replicates=3, radius=0.9, precision=precision)
    for state in simulate(run, problem(run.problem), _null_lanes(run, 5), range(3), torch.device("cpu"), late=False):
        assert state.abs().max() > 0.1
        assert torch.equal(state, state[:, :1].expand_as(state))


@pytest.mark.parametrize("m", [5, 7, 25])
def test_null_pairs_of_the_linear_loss_and_a_dense_matrix(m: int) -> None:
    run = _run(problem="linear", topology="complete", m=m, n=20, T=9, replicates=3)
    for state in simulate(run, problem("linear"), _null_lanes(run, 6), range(3), torch.device("cpu"), late=False):
        assert torch.equal(state, state[:, :1].expand_as(state))


@pytest.mark.parametrize(("features", "classes", "b", "m"), [(2, 2, 3, 7), (33, 5, 3, 7), (33, 1, 1, 25), (13, 3, 2, 25)])
def test_null_pairs_of_a_problem_with_odd_shapes(monkeypatch: pytest.MonkeyPatch, features: int, classes: int, b: int, m: int) -> None:
    rng = np.random.default_rng(features)
    odd = SoftmaxRegression("odd", rng.normal(size=(9, features)), np.arange(9) % classes)
    monkeypatch.setitem(PROBLEMS, "odd", lambda: odd)
    run = _run(problem="odd", topology="complete", m=m, n=20 * b, T=9, b=b, replicates=3)
    for state in simulate(run, odd, _null_lanes(run, 6), range(3), torch.device("cpu"), late=False):
        assert torch.equal(state, state[:, :1].expand_as(state))


def test_a_twin_differs_once_its_sample_is_drawn() -> None:
    run = _run(n=1, T=1, replicates=1, twins=5)
    assert (measure(run, [L1], device="cpu")[0].values > 0).all()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"update_form": "consensus", "b": 4, "radius": 0.8},
        {"problem": "linear"},
        {"topology": "complete", "Q": 2},
        {"m": 16, "precision": "float32"},
        {"update_form": "cta", "eta": None, "c": 5.0, "t0": 2},
        {"split": "dirichlet", "dirichlet_alpha": 0.3, "precision": "float32", "update_form": "cta"},
        {"split": "label_skew"},
    ],
    ids=["atc", "consensus", "linear", "complete", "float32", "cta", "dirichlet", "label skew"],
)
def test_chunks_and_reruns_give_the_same_bits(changes: dict[str, Any]) -> None:
    run = _run(checkpoints=(2, 6), **changes)
    reference = measure(run, ALL, device="cpu")
    for chunk in (1, 2, 3, 5, None):
        for ours, theirs in zip(measure(run, ALL, device="cpu", chunk=chunk), reference, strict=True):
            assert np.array_equal(ours.values, theirs.values)


def test_twins_in_several_parts_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    run = _run(twins=11, replicates=3, t0=2)
    whole = measure(run, ALL, device="cpu")
    monkeypatch.setattr(sys.modules["empirical.parts"], "_WORKING_SET", {"cpu": 4 * 5 * 640 * 8})
    monkeypatch.setattr(sys.modules["empirical.parts"], "_TWINS_AT_ONCE", 1)
    for ours, theirs in zip(measure(run, ALL, device="cpu"), whole, strict=True):
        assert np.array_equal(ours.values, theirs.values)


def test_values_do_not_depend_on_the_other_requests_or_on_twins() -> None:
    together = {(m.quantity, m.readout): m.values for m in measure(_run(), ALL, device="cpu")}
    for request in ALL:
        assert np.array_equal(measure(_run(), [request], device="cpu")[0].values, together[request])
    for request in (GAP, SPREAD):
        assert np.array_equal(measure(_run(twins=0), [request], device="cpu")[0].values, together[request])


def test_chunked_trajectories_give_the_same_bits() -> None:
    run = _run(checkpoints=(1, 6))
    assert np.array_equal(trajectory(run, device="cpu", chunk=2), trajectory(run, device="cpu"))


@pytest.mark.parametrize("changes", [{}, {"m": 1}, {"update_form": "cta", "n": 7}, {"problem": "linear"}, {"update_form": "centralized"}])
def test_chunked_gradient_norms_give_the_same_bits(changes: dict[str, Any]) -> None:
    run = _run(checkpoints=(1, 6), **changes)
    whole = gradient_norms(run, device="cpu")
    for chunk in (1, 2, 4):
        assert np.array_equal(gradient_norms(run, device="cpu", chunk=chunk), whole)


def test_more_replicates_begin_like_fewer() -> None:
    few, many = (measure(_run(replicates=r), [GAP], device="cpu")[0].values for r in (3, 7))
    assert np.array_equal(few, many[:3])


def test_results_do_not_depend_on_the_threads_of_the_caller() -> None:
    before = torch.get_num_threads()
    one = measure(_run(), ALL, device="cpu")
    torch.set_num_threads(2)
    two = measure(_run(), ALL, device="cpu")
    torch.set_num_threads(before)
    assert all(np.array_equal(a.values, b.values) for a, b in zip(one, two, strict=True))

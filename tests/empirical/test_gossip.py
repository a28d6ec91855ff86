"""Graphs that change, local steps and sums over neighbours against plain numpy loops and dense products."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bounds
from bounds.errors import DomainError, UnknownNameError
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout
from empirical import Run, gradient_norms, measure, trajectory
from empirical import mixing as mixings
from empirical.experiment import read_experiment
from empirical.gossip import one_peer, relabelling
from empirical.mixing import is_sparse, mixer
from empirical.problems import problem
from empirical.simulation import simulate
from empirical.store import run_key

CPU = torch.device("cpu")
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
ALL = [(Quantity.GENERALIZATION_ERROR, Readout.GRADIENT_POINT), L1, (Quantity.CONSENSUS_DISTANCE, Readout.GRADIENT_POINT)]
VARYING: dict[str, dict[str, Any]] = {
    "relabelled": {"graphs": "relabelled"},
    "relabelled Q3": {"graphs": "relabelled", "Q": 3, "topology": "star"},
    "one peer": {"graphs": "one_peer", "topology": "exponential_directed"},
    "one peer Q2": {"graphs": "one_peer", "topology": "exponential_directed", "Q": 2, "m": 5},
    "local": {"gossip_every": 3},
    "local relabelled": {"gossip_every": 2, "graphs": "relabelled", "topology": "exponential_directed"},
    "local one peer": {"gossip_every": 2, "graphs": "one_peer", "topology": "exponential_directed", "Q": 2},
}
each_kind = pytest.mark.parametrize("changes", VARYING.values(), ids=VARYING)


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 8, "n": 4, "T": 7, "eta": 1.5, "replicates": 2, "seed": 0}
    return Run(**(base | changes))


def _matrix(run: Run, step: int, replicate: int) -> np.ndarray:
    """W of one step, gossip step by gossip step and entry by entry."""
    m = run.m
    if step % run.gossip_every:
        return np.eye(m)
    event, total = step // run.gossip_every, np.eye(m)
    W = topology(str(run.topology), m).matrix
    for number in range(run.Q):
        one = W.copy()
        if run.graphs == "relabelled":
            part = relabelling(run, event, replicate)
            one = np.array([[W[part[k], part[j]] for j in range(m)] for k in range(m)])
        if run.graphs == "one_peer":
            hop = 2 ** (((event - 1) * run.Q + number) % int(np.ceil(np.log2(m))))
            one = np.array([[0.5 * (j == k) + 0.5 * (j == (k + hop) % m) for j in range(m)] for k in range(m)])
        total = one @ total
    return total


def _expected(run: Run, replicate: int, plain: Any) -> np.ndarray:
    draws, _, gradient = plain
    described = problem(run.problem)
    training, places = draws(run, replicate, described.size)
    models = np.zeros((run.m, *described.weight_shape))
    for step, drawn in enumerate(places, start=1):
        W = _matrix(run, step, replicate)
        local = step % run.gossip_every != 0
        points = np.einsum("kj,j...->k...", W, models) if run.update_form == "cta" else models
        batches = [[int(training[k, place]) for place in drawn[k]] for k in range(run.m)]
        moves = [run.eta * np.mean([gradient(described, points[k], z) for z in batches[k]], axis=0) for k in range(run.m)]
        base = np.einsum("kj,j...->k...", W, models) if run.update_form in ("cta", "consensus") else models
        models = base - np.array(moves)
        if run.update_form == "atc" and not local:
            models = np.einsum("kj,j...->k...", W, models)
    return models


@each_kind
@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_equals_a_plain_loop(plain: Any, changes: dict[str, Any], form: str) -> None:
    run = _run(update_form=form, **changes)
    found = trajectory(run, device="cpu")[:, -1]
    for replicate in range(2):
        np.testing.assert_allclose(found[replicate], _expected(run, replicate, plain), rtol=0, atol=1e-12)
    fixed = trajectory(replace(run, graphs="fixed", gossip_every=1), device="cpu")[:, -1]
    assert abs(found - fixed).max() > 1e-3


@each_kind
def test_gradient_points_are_those_of_the_next_step(plain: Any, changes: dict[str, Any]) -> None:
    """CTA at Y: the consensus distance read there is that of W_{T+1} X_T."""
    for T in (5, 6):
        run = _run(update_form="cta", T=T, replicates=1, **changes)
        models = trajectory(run, device="cpu")[0, -1].reshape(run.m, -1)
        points = _matrix(run, T + 1, 0) @ models
        expected = ((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()
        found = measure(run, [(Quantity.CONSENSUS_DISTANCE, Readout.GRADIENT_POINT)], device="cpu")[0].values
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@each_kind
def test_gradient_norms_are_met_at_the_points_of_the_step(plain: Any, changes: dict[str, Any]) -> None:
    run = _run(update_form="cta", T=3, replicates=1, **changes)
    described, training = problem(run.problem), plain[0](run, 0, problem(run.problem).size)[0]
    norms = []
    for step in (1, 2, 3):
        models = np.zeros((run.m, *described.weight_shape)) if step == 1 else trajectory(replace(run, T=step - 1), device="cpu")[0, -1]
        points = np.einsum("kj,j...->k...", _matrix(run, step, 0), models)
        norms.append(np.mean([np.linalg.norm(plain[2](described, points[k], int(z))) for k in range(run.m) for z in training[k]]))
    np.testing.assert_allclose(gradient_norms(run, device="cpu")[0, 0], np.mean(norms), rtol=1e-12)


@each_kind
@pytest.mark.parametrize("form", ["atc", "cta"])
def test_chunks_and_twins_change_no_bit(changes: dict[str, Any], form: str) -> None:
    run = _run(update_form=form, checkpoints=(2, 7), twins=3, replicates=5, **changes)
    reference = measure(run, ALL, device="cpu")
    for chunk in (1, 2):
        for ours, theirs in zip(measure(run, ALL, device="cpu", chunk=chunk), reference, strict=True):
            assert np.array_equal(ours.values, theirs.values)
    assert np.array_equal(measure(replace(run, twins=0), ALL[:1], device="cpu")[0].values, reference[0].values)


@each_kind
def test_a_pair_without_a_difference_stays_one(changes: dict[str, Any]) -> None:
    run = _run(**changes)
    lanes = np.repeat(np.random.default_rng(0).integers(0, 1797, size=(2, 1, run.m, 4)), 4, axis=1)
    for state in simulate(run, problem(run.problem), lanes, range(2), CPU, late=False):
        assert torch.equal(state, state[:, :1].expand_as(state))


@each_kind
def test_a_longer_run_begins_like_a_shorter_one(changes: dict[str, Any]) -> None:
    short, long = _run(T=4, **changes), _run(T=7, checkpoints=(4, 7), **changes)
    assert np.array_equal(trajectory(short, device="cpu")[:, 0], trajectory(long, device="cpu")[:, 0])


def test_never_gossiping_is_m_runs_alone() -> None:
    apart = trajectory(_run(gossip_every=8), device="cpu")
    alone = trajectory(_run(gossip_every=8, topology="complete", Q=4), device="cpu")
    assert np.array_equal(apart, alone)
    assert np.array_equal(trajectory(_run(gossip_every=8, update_form="cta"), device="cpu"), apart)


@pytest.mark.parametrize("m", [2, 4, 8, 32])
def test_one_peer_graphs_average_exactly_after_log2_m(m: int) -> None:
    rounds = m.bit_length() - 1
    for first in range(2 * rounds):
        np.testing.assert_array_equal(one_peer(m, first, rounds), np.full((m, m), 1 / m))
        if rounds > 1:
            assert abs(one_peer(m, first, rounds - 1) - 1 / m).max() > 0.01


@settings(deadline=None, derandomize=True, max_examples=60)
@given(m=st.integers(1, 20), first=st.integers(0, 9), count=st.integers(1, 6))
def test_one_peer_products_are_doubly_stochastic(m: int, first: int, count: int) -> None:
    product = one_peer(m, first, count)
    np.testing.assert_allclose(product.sum(axis=0), 1)
    np.testing.assert_allclose(product.sum(axis=1), 1)
    np.testing.assert_allclose(product, one_peer(m, first + count - 1, 1) @ one_peer(m, first, count - 1), atol=1e-15)


def test_relabellings_are_uniform_independent_permutations() -> None:
    run = _run(m=4)
    drawn = np.array([relabelling(run, event, replicate) for event in range(1, 601) for replicate in range(2)])
    assert (np.sort(drawn, axis=1) == np.arange(4)).all()
    counts = np.array([np.bincount(column, minlength=4) for column in drawn.T])
    assert (abs(counts - 300) < 75).all()  # five standard deviations of a binomial(1200, 1/4)
    assert not (relabelling(_run(m=20), 1, 0) == relabelling(_run(m=20), 1, 1)).all()
    assert not (relabelling(_run(m=20), 1, 0) == relabelling(_run(m=20), 2, 0)).all()
    assert not (relabelling(_run(m=20), 1, 0) == relabelling(_run(m=20, seed=1), 1, 0)).all()


@each_kind
def test_no_theorem_about_one_matrix_applies(changes: dict[str, Any]) -> None:
    run = _run(twins=1, eta=0.1, **changes)
    setting, fixed = (measure(one, [L1], device="cpu")[0].setting for one in (run, replace(run, graphs="fixed", gossip_every=1)))
    assert any("one mixing matrix" in reason for reason in bounds.get("l1_stability_convex").supports(setting))
    assert not any("one mixing matrix" in reason for reason in bounds.get("l1_stability_convex").supports(fixed))
    with pytest.raises(DomainError, match="changes from step to step"):
        run.mixing()


def test_the_key_tells_them_apart() -> None:
    runs = [_run(**changes) for changes in VARYING.values()] + [_run(), _run(topology="exponential_directed")]
    assert len({run_key(run, [L1]) for run in runs}) == len(runs)


def test_an_experiment_file_may_ask_for_them(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        '[run]\nproblem = "linear"\nupdate_form = "atc"\nm = 4\nn = 2\nT = 3\neta = 0.1\nreplicates = 1\n'
        'topology = "exponential_directed"\n[sweep]\ngraphs = ["fixed", "relabelled", "one_peer"]\ngossip_every = [1, 2]\n'
        '[measure]\nquantities = [["consensus_distance", "node_average"]]\n'
    )
    runs = [one.run for one in read_experiment(file).configurations]
    assert [(run.graphs, run.gossip_every) for run in runs] == list(product(("fixed", "relabelled", "one_peer"), (1, 2)))
    assert len({run_key(run, [ALL[2]]) for run in runs}) == 6


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"graphs": "one_peer"}, DomainError),
        ({"graphs": "random"}, UnknownNameError),
        ({"gossip_every": 0}, DomainError),
        ({"gossip_every": 2, "update_form": "centralized"}, DomainError),
        ({"graphs": "relabelled", "update_form": "centralized"}, DomainError),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        _run(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "m"), [("ring", 5), ("torus", 32), ("star", 7), ("hypercube", 64), ("exponential_directed", 9)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_sums_over_neighbours_are_the_product(monkeypatch: pytest.MonkeyPatch, name: str, m: int, dtype: torch.dtype) -> None:
    matrix = topology(name, m).power(2 if m < 10 else 1)
    models = torch.from_numpy(np.random.default_rng(0).normal(size=(3, m, 48))).to(dtype)
    monkeypatch.setattr(mixings, "is_sparse", lambda *_: True)
    out, again = torch.full_like(models, torch.nan), torch.empty_like(models)
    mix = mixer(matrix, CPU, dtype)
    mix(models, out)
    mix(models, again)
    expected = np.einsum("kj,bjp->bkp", matrix, models.double().numpy())
    np.testing.assert_allclose(out.double().numpy(), expected, atol=1e-14 if dtype is torch.float64 else 1e-6)
    assert torch.equal(out, again)
    mix(models[1:2], again[:1])
    assert torch.equal(again[0], out[1])


def test_when_sums_over_neighbours_are_chosen() -> None:
    assert is_sparse(topology("torus", 64).matrix, 1 << 18)
    assert not is_sparse(topology("torus", 64).matrix, 1 << 12)
    assert not is_sparse(topology("complete", 64).matrix, 1 << 18)
    assert not is_sparse(topology("torus", 16).matrix, 1 << 18)

"""Twins that fork when their sample is first drawn: the same bits as twins that are trained from the start, for less work."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.forking import Forks, forks_late
from empirical.measuring import measure
from empirical.models import seeded
from empirical.problems import problem
from empirical.problems.base import Problem
from empirical.problems.linear import LinearLoss
from empirical.problems.module import ModuleProblem
from empirical.samples import Samples, draw_samples
from empirical.simulation import simulate
from empirical.streams import stream

CPU = torch.device("cpu")
STABILITIES = [(q, Readout.NODE_AVERAGE) for q in (Quantity.L1_STABILITY, Quantity.L2_STABILITY)]
POINTS = [(Quantity.L1_STABILITY, Readout.GRADIENT_POINT), (Quantity.GENERALIZATION_ERROR, Readout.GRADIENT_POINT)]


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 5, "n": 6, "T": 9, "eta": 1.5, "replicates": 2, "twins": 7}
    return Run(**(base | {"checkpoints": (1, 4, 9)} | changes))


def _states(run: Run, described: Problem, late: bool, **options: Any) -> list[Tensor]:
    lanes = draw_samples(run, described).lanes(slice(None), slice(None), run.strata)
    with torch.inference_mode():
        return [state.clone() for state in simulate(run, described, lanes, range(run.replicates), CPU, late=late, **options)]


def _assert_same(run: Run, described: Problem) -> None:
    late, early = _states(run, described, True), _states(run, described, False)
    assert len(late) == len(run.read_at)
    assert all(map(torch.equal, late, early))


def _first_draws(run: Run, samples: Samples) -> np.ndarray:
    """(R, K): the first step 1, 2, ... whose batch holds each twin's place, T + 1 for none, from the raw stream."""
    groups, size = run.strata
    first = np.full(samples.positions.shape, run.T + 1)
    for replicate, twin in np.ndindex(first.shape):
        drawn = stream(run.seed, "batch", replicate).integers(0, size, (run.T, groups, run.b), np.uint16)
        group, place = divmod(int(samples.positions[replicate, twin]), size)
        hits = [step for step in range(1, run.T + 1) if place in drawn[step - 1, group]]
        first[replicate, twin] = min(hits, default=run.T + 1)
    return first


@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"radius": 0.7, "b": 2},
        {"eta": None, "c": 3.0, "tau": 0.5, "radius": 0.7},
        {"topology": "complete", "Q": 2, "m": 25, "n": 20, "b": 4, "replicates": 1},
        {"precision": "float32", "m": 16, "b": 3},
        {"m": 1, "n": 20, "replicates": 1},
        {"replicates": 1, "twins": 30, "T": 30, "checkpoints": ()},
        {"problem": "linear"},
        {"problem": "mlp-digits", "eta": 0.1},
        {"problem": "quadratic", "eta": 0.1, "topology": "complete"},
    ],
    ids=["plain", "ball", "decaying", "dense", "float32", "alone", "every twin", "linear", "mlp", "quadratic"],
)
def test_the_same_bits_late_and_early(form: str, changes: dict[str, Any]) -> None:
    run = _run(update_form=form, **changes)
    _assert_same(run, problem(run.problem))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.parametrize(
    "changes",
    [{"graphs": "relabelled"}, {"graphs": "one_peer", "topology": "exponential_directed"}, {"gossip_every": 3, "graphs": "relabelled"}],
    ids=["relabelled", "one peer", "local steps"],
)
def test_the_same_bits_on_changing_graphs(form: str, changes: dict[str, Any]) -> None:
    run = _run(update_form=form, replicates=3, **changes)
    _assert_same(run, problem(run.problem))


def test_the_same_bits_of_pooled_batches_and_of_a_module() -> None:
    _assert_same(_run(update_form="centralized", sampling="stratified", b=2), problem("softmax-digits"))
    rng = np.random.default_rng(0)
    module = seeded(lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)))
    described = ModuleProblem("small", module, rng.normal(size=(40, 6)), np.arange(40) % 3)
    assert described.by_network
    _assert_same(_run(b=2), described)


@pytest.mark.parametrize("block", [1, 3 * 2 * 5, 1 << 20])
def test_the_same_bits_however_draws_are_blocked(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("empirical.samples._BLOCK", block)
    run = _run()
    _assert_same(run, problem(run.problem))


@pytest.mark.parametrize("changes", [{}, {"t0": 3}, {"update_form": "cta", "graphs": "relabelled"}, {"split": "label_skew"}])
def test_measurements_have_the_same_bits_in_any_chunks(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    run, found = _run(replicates=4, twins=11, **changes), []
    for late, chunk in itertools.product((False, True), (None, 1, 3)):
        monkeypatch.setattr("empirical.simulation.forks_late", lambda *_, late=late: late)
        found.append([one.values for one in measure(run, [*STABILITIES, *POINTS], device="cpu", chunk=chunk)])
    for values in found[1:]:
        assert all(np.array_equal(*pair) for pair in zip(values, found[0], strict=True))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
def test_a_twin_is_its_base_run_exactly_until_its_sample_is_drawn(form: str) -> None:
    run = _run(update_form=form, twins=30, checkpoints=tuple(range(1, 10)))
    described = problem(run.problem)
    samples = draw_samples(run, described)
    first = _first_draws(run, samples)
    changed = samples.replacements != np.take_along_axis(samples.training.reshape(2, -1), samples.positions, axis=1)
    assert (first > 9).any()
    assert changed.all()
    for step, state in enumerate(_states(run, described, True), start=1):
        apart = (state[:, 1:] - state[:, :1]).abs().amax(dim=(2, 3)).numpy()
        assert (apart[first > step] == 0).all()
        assert (apart[first <= step] > 0).all()


@pytest.mark.parametrize("changes", [{}, {"b": 3}, {"update_form": "centralized"}, {"T": 60, "checkpoints": ()}])
def test_a_step_trains_the_base_runs_and_the_twins_that_have_left_them(changes: dict[str, Any]) -> None:
    run = _run(problem="linear", twins=20, **changes)
    rows: list[int] = []

    class Counting(LinearLoss):
        def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
            rows.append(len(weights))
            super().add_gradient_(target, weights, indices, scale)

    described = Counting()
    first = _first_draws(run, draw_samples(run, described))
    _states(run, described, True)
    assert rows == [run.models * (2 + int((first <= step).sum())) for step in range(1, run.T + 1)]
    rows.clear()
    _states(run, described, False)
    assert rows == [run.models * 2 * 21] * run.T


def test_a_lane_whose_samples_are_those_of_the_base_run_never_forks() -> None:
    training = np.array([[[[0, 1], [2, 3]], [[0, 1], [2, 3]], [[0, 1], [7, 8]]]])
    forks = Forks(training, CPU, late=True)
    assert forks.plan(np.array([0, 1, 0, 0, 0, 1]).reshape(3, 1, 2, 1)) == [2, 2, 2]
    assert forks.order.tolist() == [0, 2]
    assert forks.plan(np.ones((4, 1, 2, 1), dtype=np.int64)) == [2] * 4


def test_starts_that_differ_between_lanes_are_kept() -> None:
    run, described = _run(T=1, checkpoints=()), problem("softmax-digits")
    start = torch.rand(2, 8, 5, described.width, dtype=torch.float64)
    asked, plain = (_states(run, described, late, start=start, steps=[0, 1]) for late in (True, False))
    assert torch.equal(asked[0], start)
    assert torch.equal(asked[1], plain[1])


def test_forking_late_is_chosen_where_it_saves_more_than_readings_cost() -> None:
    assert forks_late(steps=20, readings=20, b=1, size=32)
    assert forks_late(steps=1000, readings=1, b=1, size=32)
    assert not forks_late(steps=320, readings=320, b=1, size=32)
    assert not forks_late(steps=1000, readings=10, b=32, size=32)

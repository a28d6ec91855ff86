"""Stability on the event that the replaced sample is not drawn by its node in the first t0 steps, against exact expectations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from bounds.topology import MixingMatrix
from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.measuring import measure
from empirical.problems import problem
from empirical.problems.softmax import SoftmaxRegression
from empirical.samples import draw_samples
from empirical.streams import stream

L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
L1_MEAN = (Quantity.L1_STABILITY, Readout.NETWORK_MEAN)
L2 = (Quantity.L2_STABILITY, Readout.NODE_AVERAGE)
PAIR = MixingMatrix(np.array([[0.8, 0.2], [0.2, 0.8]]))


def _assert_mean(values: np.ndarray, exact: float) -> None:
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - exact) <= 4 * error
    assert error < 0.05 * exact


@pytest.mark.slow
@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_against_enumeration(tiny: SoftmaxRegression, plain: Any, form: Any) -> None:
    schedule: dict[str, Any] = {"eta": None, "c": 1.5, "tau": 0.5}
    run = Run(problem="tiny", update_form=form, m=2, n=2, T=2, topology=PAIR, replicates=6000, twins=2, t0=1, **schedule)
    sequences = [np.array(draws).reshape(2, 2, 1) for draws in itertools.product(range(2), repeat=4)]
    sets = [np.array(points).reshape(2, 2) for points in itertools.product(range(tiny.size), repeat=4)]
    models = {t.tobytes(): [plain[1](run, tiny, t, draws) for draws in sequences] for t in sets}
    lengths = []
    for training, place, point in itertools.product(sets, range(4), range(tiny.size)):
        twin = training.copy()
        twin.reshape(-1)[place] = point
        for draws, ours, theirs in zip(sequences, models[training.tobytes()], models[twin.tobytes()], strict=True):
            spared = draws[0, place // 2, 0] != place % 2
            apart = np.linalg.norm(ours - theirs, axis=(1, 2))
            lengths.append(spared * np.array([apart.mean(), np.linalg.norm((ours - theirs).mean(axis=0)), (apart**2).mean()]))
    for measured, exact in zip(measure(run, [L1, L1_MEAN, L2], device="cpu"), np.mean(lengths, axis=0), strict=True):
        _assert_mean(measured.values, float(exact))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"b": 2},
        {"update_form": "cta", "Q": 2},
        {"update_form": "centralized", "m": 2, "n": 4},
        {"update_form": "centralized", "sampling": "stratified"},
    ],
    ids=["atc", "b2", "cta", "centralized", "stratified"],
)
def test_linear_loss_in_closed_form(changes: dict[str, Any]) -> None:
    """Hits are independent of each other: E = (1 - 1/n)^(b t0) * 2 eta (T - t0) / (m n), n being the pooled n if pooled."""
    base: dict[str, Any] = {"problem": "linear", "update_form": "atc", "m": 3, "n": 5, "T": 12, "eta": 0.3, "replicates": 1500, "twins": 4}
    run = Run(**(base | {"t0": 4, "checkpoints": (2, 4, 12)} | changes))
    group = run.strata[1]
    for request in (L1, L1_MEAN):
        early, at_t0, late = measure(run, [request], device="cpu")
        # Before t0 a twin either is spared, and equals the base run, or counts as 0.
        assert not early.values.any()
        assert not at_t0.values.any()
        _assert_mean(late.values, (1 - 1 / group) ** (run.b * 4) * 2 * run.eta * 8 / (run.m * run.n))


@pytest.mark.parametrize("form", ["atc", "centralized"])
def test_spared_twins_are_those_of_the_raw_draws(form: Any) -> None:
    run = Run(problem="linear", update_form=form, m=3, n=4, T=9, eta=0.1, b=2, replicates=4, twins=12, t0=3)
    samples = draw_samples(run, problem("linear"))
    groups, size = (1, 12) if form == "centralized" else (3, 4)
    for replicate in range(4):
        drawn = stream(0, "batch", replicate).integers(0, size, (3, groups, 2), np.uint16)
        for place, spared in zip(samples.positions[replicate], samples.spared(run)[replicate], strict=True):
            assert spared == all(place % size not in step[place // size] for step in drawn)
    assert 0 < samples.spared(run).mean() < 1


def test_t0_zero_is_no_condition_and_t0_changes_no_model() -> None:
    base: dict[str, Any] = {"problem": "softmax-digits", "update_form": "atc", "m": 3, "n": 3, "T": 5, "eta": 1.0}
    plain, conditioned = (Run(**base, replicates=4, twins=9, t0=t0) for t0 in (0, 2))
    gap = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
    free, some = (measure(run, [L1, gap], device="cpu") for run in (plain, conditioned))
    assert np.array_equal(free[1].values, some[1].values)
    assert (some[0].values < free[0].values).all()
    assert (some[0].values > 0).any()

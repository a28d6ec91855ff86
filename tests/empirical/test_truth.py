"""Measured means against exact expectations: enumeration, closed forms, and a moment recursion."""

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

GAP = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
GAP_MEAN = (Quantity.GENERALIZATION_ERROR, Readout.NETWORK_MEAN)
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
L1_MEAN = (Quantity.L1_STABILITY, Readout.NETWORK_MEAN)
L2 = (Quantity.L2_STABILITY, Readout.NODE_AVERAGE)
SPREAD = (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE)
PAIR = MixingMatrix(np.array([[0.8, 0.2], [0.2, 0.8]]))


def assert_mean(values: np.ndarray, exact: float) -> None:
    """The replicates' mean is within 4 standard errors of the exact expectation, and the test has power to see 20 %."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - exact) <= 4 * error
    assert error < 0.05 * abs(exact)


def _tiny_losses(tiny: SoftmaxRegression, weights: np.ndarray) -> np.ndarray:
    scores = tiny.features @ weights.T
    return np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(tiny.size), tiny.labels]


def _sequences(run: Run) -> list[np.ndarray]:
    """Every sequence of batch draws (T, m, b)."""
    return [np.array(draws).reshape(run.T, run.m, run.b) for draws in itertools.product(range(run.n), repeat=run.T * run.m * run.b)]


def _training_sets(run: Run, size: int) -> list[np.ndarray]:
    return [np.array(points).reshape(run.m, run.n) for points in itertools.product(range(size), repeat=run.m * run.n)]


@pytest.mark.parametrize("form", ["atc", "consensus"])
@pytest.mark.parametrize(("T", "n"), [(1, 2), (2, 2)])
def test_generalization_error_against_enumeration(tiny: SoftmaxRegression, plain: Any, form: Any, T: int, n: int) -> None:
    run = Run(problem="tiny", update_form=form, m=2, n=n, T=T, eta=1.0, topology=PAIR, replicates=6000)
    node_gaps, mean_gaps = [], []
    for training, draws in itertools.product(_training_sets(run, tiny.size), _sequences(run)):
        models = plain[1](run, tiny, training, draws)
        for models_read, into in ((models, node_gaps), (models.mean(axis=0, keepdims=True), mean_gaps)):
            losses = np.array([_tiny_losses(tiny, model) for model in models_read])
            into.append((losses.mean(axis=1) - losses[:, training.reshape(-1)].mean(axis=1)).mean())
    for measured, exact in zip(measure(run, [GAP, GAP_MEAN], device="cpu"), (node_gaps, mean_gaps), strict=True):
        assert_mean(measured.values, float(np.mean(exact)))


@pytest.mark.parametrize("form", ["atc", "consensus"])
def test_stability_against_enumeration(tiny: SoftmaxRegression, plain: Any, form: Any) -> None:
    run = Run(problem="tiny", update_form=form, m=2, n=2, T=2, eta=1.0, topology=PAIR, replicates=4000, twins=2)
    lengths: list[tuple[float, float, float]] = []
    sequences = _sequences(run)
    models = {t.tobytes(): [plain[1](run, tiny, t, draws) for draws in sequences] for t in _training_sets(run, tiny.size)}
    for training in _training_sets(run, tiny.size):
        for place, point in itertools.product(range(4), range(tiny.size)):
            twin = training.copy()
            twin.reshape(-1)[place] = point
            for ours, theirs in zip(models[training.tobytes()], models[twin.tobytes()], strict=True):
                apart = np.linalg.norm(ours - theirs, axis=(1, 2))
                lengths.append((apart.mean(), float(np.linalg.norm((ours - theirs).mean(axis=0))), (apart**2).mean()))
    for measured, exact in zip(measure(run, [L1, L1_MEAN, L2], device="cpu"), np.mean(lengths, axis=0), strict=True):
        assert_mean(measured.values, float(exact))


@pytest.mark.parametrize(
    "changes", [{}, {"update_form": "consensus", "Q": 2}, {"b": 3}, {"update_form": "centralized"}, {"m": 1, "twins": 2}]
)
def test_linear_stability_attains_the_bound(changes: dict[str, Any]) -> None:
    base: dict[str, Any] = {"problem": "linear", "update_form": "atc", "m": 5, "n": 4, "T": 12, "eta": 0.3, "replicates": 1500, "twins": 4}
    run = Run(**(base | changes | {"checkpoints": (3, 12)}))
    for measured in measure(run, [L1, L1_MEAN], device="cpu"):
        assert_mean(measured.values, 2 * run.eta * measured.setting.T / (run.m * run.n))


def test_all_twins_of_one_replicate_add_up_exactly() -> None:
    """With every sample replaced once, each of the T m draws is felt by one twin: no sampling error is left."""
    run = Run(problem="linear", update_form="atc", m=4, n=5, T=9, eta=0.3, replicates=3, twins=20)
    values = measure(run, [L1], device="cpu")[0].values
    np.testing.assert_allclose(values, 2 * 0.3 * 9 / 20, rtol=1e-12)


def test_linear_generalization_error_in_closed_form() -> None:
    run = Run(problem="linear", update_form="atc", m=3, n=4, T=10, eta=0.2, b=2, replicates=3000)
    assert_mean(measure(run, [GAP], device="cpu")[0].values, run.eta * run.T / (run.m * run.n))


def _linear_moments(run: Run) -> float:
    """Exact E (1/m) sum_k norm(x_k - xbar)^2 by a recursion on S = E X X^T and C = E X Z^T, Z the node means of the data.

    Samples have norm 1 and mean 0, so E Z Z^T = I/n and a batch mean has second moment 1/n + (1 - 1/n)/b.
    """
    A, eye = np.linalg.matrix_power(run.mixing().matrix, run.Q), np.eye(run.m)
    S, C = np.zeros((run.m, run.m)), np.zeros((run.m, run.m))
    batch = 1 / run.n + (1 - 1 / run.n) / run.b
    for _ in range(run.T):
        if run.update_form.value == "atc":
            S = A @ (S - run.eta * (C + C.T) + run.eta**2 * batch * eye) @ A.T
            C = A @ (C - run.eta * eye / run.n)
        else:
            S = A @ S @ A.T - run.eta * (A @ C + C.T @ A.T) + run.eta**2 * batch * eye
            C = A @ C - run.eta * eye / run.n
    P = eye - 1 / run.m
    return float(np.trace(P @ S @ P) / run.m)


@pytest.mark.parametrize("form", ["atc", "consensus"])
@pytest.mark.parametrize("changes", [{}, {"Q": 2, "b": 3}, {"topology": "torus", "m": 4, "n": 2}], ids=["ring", "Q2b3", "torus"])
def test_linear_consensus_distance_against_moments(form: Any, changes: dict[str, Any]) -> None:
    base: dict[str, Any] = {"problem": "linear", "update_form": form, "m": 6, "n": 3, "T": 15, "eta": 0.4, "replicates": 1500}
    run = Run(**(base | changes))
    assert_mean(measure(run, [SPREAD], device="cpu")[0].values, _linear_moments(run))


def test_twin_positions_and_replacements_are_uniform() -> None:
    run = Run(problem="softmax-digits", update_form="atc", m=3, n=4, T=1, eta=0.1, replicates=2000, twins=5)
    samples = draw_samples(run, problem("softmax-digits"))
    assert all(len(set(row)) == 5 for row in samples.positions.tolist())
    counts = np.bincount(samples.positions.reshape(-1), minlength=12)
    assert ((counts - 10000 / 12) ** 2 / (10000 / 12)).sum() < 31  # chi-square, 11 degrees of freedom, below 0.1 %
    assert abs(samples.replacements.mean() - 898) < 4 * 1797 / np.sqrt(12 * 10000)
    assert abs(samples.training.mean() - 898) < 4 * 1797 / np.sqrt(12 * 24000)

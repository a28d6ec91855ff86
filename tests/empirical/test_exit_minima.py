"""Runs that start from given models, and when they leave a minimum, against a plain loop and a chain solved exactly."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import DomainError, LengthError, UnknownNameError
from empirical.configuration import Run
from empirical.curvature import problem_objective, top_eigenvalue
from empirical.exits import minimum_exits, training_minima
from empirical.problems.quadratic import QuadraticLoss
from empirical.problems.registry import PROBLEMS, problem
from empirical.problems.softmax import SoftmaxRegression
from empirical.samples import draw_samples
from empirical.simulation import simulate

CPU = torch.device("cpu")


def make(**changes: Any) -> Run:
    base = {"problem": "softmax-l2-digits", "update_form": "atc", "m": 4, "n": 5, "T": 60, "eta": 0.8, "replicates": 3, "seed": 1}
    return Run(**(base | changes))


def every_state(run: Run, start: torch.Tensor | None, steps: range) -> np.ndarray:
    """(steps, r, m, P) models of the base run."""
    described = problem(run.problem)
    samples = draw_samples(run, described)
    lanes = samples.lanes(slice(None), slice(0, 0), run.strata)
    states = simulate(run, described, lanes, range(run.replicates), CPU, None, steps, start)
    return np.stack([state[:, 0].double().numpy().copy() for state in states])


def test_a_run_that_starts_where_another_stood_follows_it() -> None:
    """A fixed batch (n = 1, no choice of samples) makes the steps a map: starting from its image is being one step later."""
    run = make(n=1, T=8)
    path = every_state(run, None, range(9))
    start = torch.from_numpy(path[3])[:, None]
    again = every_state(run, start, range(6))
    np.testing.assert_array_equal(again, path[3:])
    np.testing.assert_array_equal(every_state(run, torch.zeros(1), range(9)), path)


@pytest.mark.parametrize("form", ["centralized", "atc", "cta", "consensus"])
def test_a_start_is_every_models(form: str) -> None:
    run = make(update_form=form)
    start = torch.arange(3 * 640, dtype=torch.float64).view(3, 1, 1, 640)
    first = every_state(run, start, range(1))[0]
    assert first.shape == (3, run.models, 640)
    np.testing.assert_array_equal(first, np.broadcast_to(start[:, 0].numpy(), first.shape))


def test_training_minima_are_minima_of_each_training_set() -> None:
    run = make()
    points, norms = solved()
    assert points.shape == (3, 640)
    assert norms.max() < 1e-5
    samples = draw_samples(run, problem(run.problem))
    for point, training in zip(points, samples.training, strict=True):
        objective = problem_objective(problem(run.problem), training)
        assert top_eigenvalue(objective, point, tolerance=1e-4, smallest=True).value > 0
    assert not np.allclose(points[0], points[1])


@cache
def solved() -> tuple[np.ndarray, np.ndarray]:
    """Minima and gradient norms of ``make()``; they do not depend on the update form."""
    return training_minima(make())


def minima() -> np.ndarray:
    return solved()[0]


def _softmax_loss(described: SoftmaxRegression, weights: np.ndarray, samples: np.ndarray) -> float:
    scores = described.features[samples] @ weights.reshape(described.weight_shape).T
    top = scores.max(1, keepdims=True)
    logs = np.log(np.exp(scores - top).sum(1)) + top[:, 0]
    return float(np.mean(logs - scores[np.arange(len(samples)), described.labels[samples]])) + 0.05 * float((weights**2).sum())


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize(
    ("form", "readout", "node"),
    [
        ("atc", "network_mean", None),
        ("atc", "node_average", None),
        ("cta", "gradient_point", None),
        ("cta", "gradient_point", 2),
        ("consensus", "node_average", 1),
        ("centralized", "network_mean", None),
    ],
)
@pytest.mark.parametrize("measure", ["training_loss", "distance"])
def test_exits_against_the_models_themselves(form: str, readout: str, node: int | None, measure: str, every: int) -> None:
    run = make(update_form=form)
    described = problem(run.problem)
    training = draw_samples(run, described).training.reshape(3, -1)
    starts = minima()
    path = every_state(run, torch.from_numpy(starts)[:, None, None], range(1, run.T + 1))
    seen = path.mean(2, keepdims=True) if readout == "network_mean" else path
    seen = np.einsum("kj,trjp->trkp", run.mixing().matrix, seen) if readout == "gradient_point" else seen
    seen = seen if node is None else seen[:, :, node : node + 1]
    if measure == "distance":
        values = np.linalg.norm(seen - starts[:, None], axis=-1).mean(-1)
    else:
        losses = [[[_softmax_loss(described, w, training[r]) for w in seen[t, r]] for r in range(3)] for t in range(run.T)]
        values = np.array(losses).mean(-1) - [_softmax_loss(described, w, samples) for w, samples in zip(starts, training, strict=True)]
    looked = values[every - 1 :: every]
    # Between the replicates' largest values, so that some leave and some do not; halfway, so that no rounding decides.
    peaks = np.sort(looked.max(0))
    threshold = float(peaks[0] + peaks[1]) / 2
    found = minimum_exits(run, starts, threshold, measure, readout, node, every, device="cpu")
    for r in range(3):
        out = np.flatnonzero(looked[:, r] >= threshold)
        assert found.observed[r] == bool(len(out))
        assert found.times[r] == (every * (out[0] + 1) if len(out) else run.T // every * every)
    assert 0 < found.exits < 3


def test_the_mean_of_a_quadratic_leaves_at_a_solvable_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One coordinate, z = +-1, one node, training set {+1, -1}: an autoregression with two-point noise, survival by enumeration."""
    monkeypatch.setitem(PROBLEMS, "quadratic", lambda: QuadraticLoss(dimension=1, offset=0.0))
    run = make(problem="quadratic", update_form="centralized", m=1, n=2, T=14, eta=0.3, replicates=2000, seed=0)
    training = draw_samples(run, problem("quadratic")).training
    mixed = training[:, 0, 0] != training[:, 0, 1]
    found = minimum_exits(run, np.zeros(16), 0.5, "distance", device="cpu")
    survivors = {0.0: 1.0}
    survival = []
    for _ in range(run.T):
        following: dict[float, float] = {}
        for x, chance in survivors.items():
            for z in (-1.0, 1.0):
                moved = x - 0.3 * (x - z)
                if abs(moved) < 0.5:
                    following[moved] = following.get(moved, 0.0) + chance / 2
        survivors = following
        survival.append(sum(survivors.values()))
    assert 0.02 < survival[-1] < 0.5
    times = np.where(found.observed, found.times, run.T + 1)[mixed]
    for step, chance in enumerate(survival, start=1):
        assert abs((times > step).mean() - chance) < 4.5 * np.sqrt(chance * (1 - chance) / len(times)) + 1e-12


def test_exits_do_not_depend_on_their_company() -> None:
    whole = minimum_exits(make(), minima(), 0.5, "distance", device="cpu")
    fewer = minimum_exits(make(replicates=2), minima()[:2], 0.5, "distance", device="cpu")
    assert np.array_equal(whole.times[:2], fewer.times)
    assert whole.exits > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"threshold": 0.0}, DomainError, "threshold=0.0"),
        ({"every": 61}, DomainError, "every 1 to T=60"),
        ({"measure": "loss"}, UnknownNameError, "training_loss"),
        ({"start": np.zeros(3)}, LengthError, "give 640, or 3 times 640"),
        ({"run": make(radius=0.5), "start": np.ones(640)}, DomainError, "outside the projection ball"),
        ({"readout": "worst_node"}, DomainError, "no single run"),
        (
            {"run": make(problem="quadratic", eta=3.0, T=4000), "start": np.zeros(16), "threshold": 1e300, "every": 3000},
            DomainError,
            "diverged",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        minimum_exits(**({"run": make(), "start": np.zeros(640), "threshold": 1.0, "device": "cpu"} | arguments))

"""Constants at the models that a run met: against softmax regression by hand, and never above what is proved."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.constants import constants_met
from empirical.problems.registry import problem

M, N = 3, 4


def by_hand(features: np.ndarray, labels: np.ndarray, nodes: np.ndarray, training: np.ndarray) -> dict[str, float]:
    """The same four numbers at one point, straight from the formulas of softmax regression."""

    def probabilities(weights: np.ndarray, place: int) -> np.ndarray:
        scores = np.exp(weights @ features[place])
        return np.asarray(scores / scores.sum())

    def slope(weights: np.ndarray, place: int) -> np.ndarray:
        return np.outer(probabilities(weights, place) - np.eye(len(weights))[labels[place]], features[place])

    own = np.array([[slope(nodes[k], z) for z in training[k]] for k in range(M)])
    shared = np.array([[slope(nodes.mean(0), z) for z in training[k]] for k in range(M)])
    means = shared.mean(1)
    steepest = max(training.reshape(-1), key=lambda z: np.linalg.norm(slope(nodes.mean(0), z)))
    p = probabilities(nodes.mean(0), steepest)
    return {
        "L": np.sqrt((own**2).sum((2, 3))).max(),
        "sigma2": float(((own - own.mean(1, keepdims=True)) ** 2).sum((2, 3)).mean()),
        "zeta2": float(((means - means.mean(0)) ** 2).sum((1, 2)).mean()),
        "beta": float(np.linalg.eigvalsh(np.diag(p) - np.outer(p, p))[-1] * (features[steepest] ** 2).sum()),
    }


def test_they_are_the_largest_values_and_estimates_of_what_is_proved() -> None:
    described, rng = problem("softmax-digits"), np.random.default_rng(0)
    models, training = 2 * rng.standard_normal((2, M, *described.weight_shape)), rng.integers(0, described.size, (M, N))
    found = constants_met(described, models.reshape(2, M, -1), training, steepest=1)
    assert described.labels is not None
    expected = [by_hand(described.features, described.labels, nodes, training) for nodes in models[:, :, :10]]
    proved = described.loss_class(None, training[None]).constants()
    for name, one in found.items():
        assert one.value == pytest.approx(max(point[name] for point in expected), rel=1e-3 if name == "beta" else 1e-9), name
        assert one.tag == "estimated"
        assert one.value <= proved[name].value

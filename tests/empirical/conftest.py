"""Shared fixtures: a plain per-node numpy loop, written without the package's tensor code, and a tiny problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.problems.base import Problem
from empirical.problems.quadratic import QuadraticLoss
from empirical.problems.registry import PROBLEMS, problem
from empirical.problems.softmax import SoftmaxRegression
from empirical.streams import stream

TINY_FEATURES = np.array([[0.6, -0.8], [-0.5, 0.1], [0.3, 0.9]])
TINY_LABELS = np.array([0, 1, 1])


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> SoftmaxRegression:
    """Softmax regression on three points in the plane, registered as "tiny" for one test."""
    monkeypatch.setitem(PROBLEMS, "tiny", lambda: SoftmaxRegression("tiny", TINY_FEATURES, TINY_LABELS))
    return SoftmaxRegression("tiny", TINY_FEATURES, TINY_LABELS)


@pytest.fixture
def quadratic(monkeypatch: pytest.MonkeyPatch) -> QuadraticLoss:
    """The quadratic problem, registered for one test whether or not the registry has it."""
    monkeypatch.setitem(PROBLEMS, "quadratic", QuadraticLoss)
    return QuadraticLoss()


def plain_gradient(described: Problem, weights: np.ndarray, point: int) -> np.ndarray:
    """Gradient of one loss at one sample, straight from its definition."""
    x = described.features[point]
    if isinstance(described, QuadraticLoss):
        return described.curvature * (weights - x)
    if not isinstance(described, SoftmaxRegression):
        return x
    scores = np.exp(weights @ x - np.max(weights @ x))
    residual = scores / scores.sum()
    residual[described.labels[point]] -= 1
    return np.outer(residual, x)


def _projected(weights: np.ndarray, radius: float | None) -> np.ndarray:
    norm = np.linalg.norm(weights)
    return weights if radius is None or norm <= radius else weights * (radius / norm)


def _mixed(power: np.ndarray, models: list[np.ndarray]) -> list[np.ndarray]:
    return [sum(power[k, j] * models[j] for j in range(len(models))) for k in range(len(models))]


def plain_draws(run: Run, replicate: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The training set (m, n) of population indices and the drawn places (T, groups, b) of one replicate."""
    rows = 1 if run.data == "shared" else run.m
    training = np.floor(stream(run.seed, "training", replicate).random((rows, run.n)) * size).astype(int)
    pooled = run.update_form is UpdateForm.CENTRALIZED and run.sampling == "with_replacement"
    groups, count = (1, run.m * run.n) if pooled else (run.m, run.n)
    places = stream(run.seed, "batch", replicate).integers(0, count, (run.T, groups, run.b), np.uint16)
    return np.broadcast_to(training, (run.m, run.n)), places


def plain_steps(run: Run, described: Problem, training: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Models (models, *weight_shape) after the last step: nodes one by one, samples one by one."""
    centralized = run.update_form is UpdateForm.CENTRALIZED
    groups = [training.reshape(-1)] if places.shape[1] == 1 else list(training)
    power = np.eye(1) if centralized else np.linalg.matrix_power(run.mixing().matrix, run.Q)
    models = [np.zeros(described.weight_shape) for _ in range(len(power))]
    for step, drawn in enumerate(places, start=1):
        eta = run.eta if run.eta is not None else run.c / (step + run.tau)
        if run.update_form is UpdateForm.CTA:
            models = _mixed(power, models)
        batches = [[int(group[place]) for place in row] for group, row in zip(groups, drawn, strict=True)]
        if centralized:
            batches = [[point for batch in batches for point in batch]]
        steps = [eta * sum(plain_gradient(described, w, z) for z in batch) / len(batch) for w, batch in zip(models, batches, strict=True)]
        if run.update_form is UpdateForm.CONSENSUS:
            models = _mixed(power, models)
        models = [_projected(w - g, run.radius) for w, g in zip(models, steps, strict=True)]
        if run.update_form in (UpdateForm.ATC, UpdateForm.CENTRALIZED):
            models = _mixed(power, models)
    return np.array(models)


@pytest.fixture
def plain_models() -> Callable[[Run, int], np.ndarray]:
    """plain_models(run, replicate): the reference models after T steps of the named replicate."""

    def models(run: Run, replicate: int) -> np.ndarray:
        described = problem(run.problem)
        return plain_steps(run, described, *plain_draws(run, replicate, described.size))

    return models


@pytest.fixture
def plain() -> Any:
    """The reference's pieces: (draws, steps, gradient)."""
    return plain_draws, plain_steps, plain_gradient

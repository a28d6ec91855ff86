"""Certified minima of training losses: closed form on a quadratic, scipy on penalised softmax regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from bounds.errors import DomainError
from empirical.minimisers import minima
from empirical.problems import problem

RNG = np.random.default_rng(3)


def test_the_quadratic_has_its_mean_as_minimiser() -> None:
    described, indices = problem("quadratic"), RNG.integers(0, 8, (3, 7))
    found, points = minima(described, indices), described.features[indices]
    centre = points.mean(axis=1)
    least = ((points - centre[:, None]) ** 2).sum(axis=2).mean(axis=1) / 2
    np.testing.assert_allclose(found.least, least, atol=1e-11)
    np.testing.assert_allclose(found.distance, np.linalg.norm(centre, axis=1), atol=1e-8)
    np.testing.assert_allclose(found.above, (centre**2).sum(axis=1) / 2, atol=1e-11)


def test_softmax_agrees_with_another_minimiser_and_errs_to_the_safe_side() -> None:
    described, indices = problem("softmax-l2-digits"), RNG.integers(0, 1797, (2, 12))
    found = minima(described, indices)
    for row, least, distance, above in zip(indices, found.least, found.distance, found.above, strict=True):
        places = torch.from_numpy(row)[None]

        def value(flat: np.ndarray, places: torch.Tensor = places) -> tuple[float, np.ndarray]:
            weights = torch.from_numpy(flat)[None]
            return float(described.losses(weights, places).mean()), described.gradients(weights, places)[0].numpy()

        other = minimize(value, np.zeros(described.width), jac=True, method="L-BFGS-B", options={"gtol": 1e-10, "ftol": 1e-16})
        # From below, yet no further than the certificate says.
        assert other.fun - 1e-9 < least <= other.fun
        assert np.linalg.norm(other.x) - 1e-6 < distance < np.linalg.norm(other.x) + 1e-4
        assert above == pytest.approx(np.log(10) - other.fun, abs=1e-9)


def test_the_certificate_covers_a_point_that_is_no_minimiser(monkeypatch: pytest.MonkeyPatch) -> None:
    described, indices = problem("softmax-l2-digits"), RNG.integers(0, 1797, (2, 12))
    true = minima(described, indices)
    monkeypatch.setattr("empirical.minimisers._SMALLEST_GRADIENT", 0.05)
    rough = minima(described, indices)
    assert (np.linalg.norm(rough.points - true.points, axis=1) > 1e-3).all()
    assert (rough.least <= true.least + 1e-11).all()
    assert (rough.distance >= true.distance - 1e-7).all()
    assert (rough.above >= true.above - 1e-11).all()


def test_a_loss_without_a_minimum_is_refused() -> None:
    with pytest.raises(DomainError, match="no certificate"):
        minima(problem("softmax-digits"), np.zeros((1, 3), dtype=np.int64))

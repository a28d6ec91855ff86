"""Steady states: fixed points, limits of the recursion, and the full second-moment system where noise depends on the point."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import DomainError
from bounds.setting import Schedule
from bounds.topology import topology
from empirical.oracles import Method, Moments, Quadratic, SampledGradients, evolve, evolve_twins, least_squares, steady_state, steady_twins

FORMS = ("centralized", "atc", "cta", "consensus")
TWISTED = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.1, 0.5]])


def method_of(form: Any, eta: float = 0.1, **changes: Any) -> Method:
    return Method(**({"update_form": form, "mixing": TWISTED, "schedule": Schedule(eta)} | changes))


def quadratic(seed: int, m: int = 3, d: int = 2) -> Quadratic:
    rng = np.random.default_rng(seed)
    shapes, roots = rng.normal(size=(2, m, d, d))
    return Quadratic(shapes @ shapes.transpose(0, 2, 1) + 0.3 * np.eye(d), rng.normal(size=(m, d)), roots @ roots.transpose(0, 2, 1))


def regression(seed: int, m: int = 3, n: int = 3, d: int = 2) -> SampledGradients:
    rng = np.random.default_rng(seed)
    return least_squares(rng.normal(size=(m, n, d)), rng.normal(size=(m, n)))


def assert_equal(found: Moments, exact: Moments, rtol: float) -> None:
    np.testing.assert_allclose(found.mean, exact.mean, rtol=0, atol=rtol * np.abs(exact.mean).max())
    np.testing.assert_allclose(found.covariance, exact.covariance, rtol=0, atol=rtol * np.abs(exact.covariance).max())


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), form=st.sampled_from(FORMS), eta=st.floats(1e-3, 0.05), Q=st.integers(1, 3), sampled=st.booleans())
def test_one_more_step_changes_nothing(seed: int, form: str, eta: float, Q: int, sampled: bool) -> None:
    gradients = regression(seed, n=4) if sampled else quadratic(seed)
    method = method_of(form, eta, Q=Q, b=2)
    state = steady_state(method, gradients)
    assert_equal(next(evolve(method, gradients, [1], state.models)).models, state.models, 1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gradients", [quadratic(0), regression(0)], ids=["quadratic", "regression"])
def test_every_start_ends_there(form: str, gradients: Any) -> None:
    method = method_of(form, 0.15)
    state = next(evolve(method, gradients, [1500], [5.0, -3.0]))
    assert_equal(state.models, steady_state(method, gradients).models, 1e-11)


@pytest.mark.parametrize("form", FORMS)
def test_twins_end_apart(form: str) -> None:
    """Twins with the same draws settle at a distance of their own, reached from every start."""
    method, ours, other = method_of(form, 0.15, b=2), regression(0), regression(7)
    settled = steady_twins(method, ours, other, 1, 2)
    late = next(evolve_twins(method, ours, other, 1, 2, [1500], [4.0, 1.0]))
    assert_equal(late.pairs.models, settled.pairs.models, 1e-11)
    assert_equal(settled.base.models, steady_state(method, ours).models, 1e-12)
    assert_equal(settled.twin.models, steady_state(method, ours.replaced(1, 2, other)).models, 1e-12)
    # Independent draws would end as far apart as the two variances and the means say: shared ones end closer.
    ends = [end.models.squares() for end in (settled.base, settled.twin)]
    product = (settled.base.models.mean * settled.twin.models.mean).sum(axis=1)
    assert 0 < settled.l2_stability("node_average") < 0.8 * float(np.mean(ends[0] + ends[1] - 2 * product))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_full_second_moment_system(form: str) -> None:
    """E X X^T of sampled gradients solves (I - E[F kron F]) vec S = ..., the mean over every joint draw of all nodes."""
    samples, A, eta, m, d = regression(5, m=2, n=2), np.array([[0.7, 0.3], [0.3, 0.7]]), 0.2, 2, 2
    gossip, size = np.kron(A, np.eye(d)), m * d
    doubled, crossed, driven, drift, pull = (
        np.zeros(shape) for shape in ((size**2,) * 2, (size**2, size), (size**2, 1), (size, size), size)
    )
    for draw in itertools.product(range(2), repeat=m):
        H = np.zeros((size, size))
        for k, i in enumerate(draw):
            H[k * d : (k + 1) * d, k * d : (k + 1) * d] = samples.hessians[k, i]
        g = np.concatenate([samples.pulls[k, i] for k, i in enumerate(draw)])
        eye = np.eye(size)
        F = {"atc": gossip @ (eye - eta * H), "cta": (eye - eta * H) @ gossip, "consensus": gossip - eta * H}[form]
        u = eta * (gossip @ g if form == "atc" else g)
        doubled += np.kron(F, F) / 4
        crossed += (np.kron(F, u[:, None]) + np.kron(u[:, None], F)) / 4
        driven += np.kron(u[:, None], u[:, None]) / 4
        drift += F / 4
        pull += u / 4
    mean = np.linalg.solve(np.eye(size) - drift, pull)
    second = np.linalg.solve(np.eye(size**2) - doubled, crossed @ mean + driven[:, 0]).reshape(size, size)
    found = steady_state(Method(update_form=form, mixing=A, schedule=Schedule(eta)), samples).models  # type: ignore[arg-type]
    np.testing.assert_allclose(found.mean.reshape(-1), mean, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.covariance.reshape(size, size), second - np.outer(mean, mean), rtol=0, atol=1e-12)


def test_the_mean_may_converge_where_the_second_moment_does_not() -> None:
    """One weight, features 0 and 2: the mean contracts while eta < 1, the square while E(1 - eta z^2)^2 < 1, that is eta < 1/2."""
    without_residual, with_residual = (least_squares([[[0.0], [2.0], [2.0], [0.0]]], [[0.3, 1.0, y, 0.3]]) for y in (1.0, 0.8))
    assert steady_state(method_of("centralized", 0.49), with_residual).models.covariance.item() > 0.1
    assert steady_state(method_of("centralized", 0.49), without_residual).models.covariance.item() == 0
    for samples in (with_residual, without_residual):
        with pytest.raises(DomainError, match="second moments do not converge"):
            steady_state(method_of("centralized", 0.51), samples)
    with pytest.raises(DomainError, match="spectral radius"):
        steady_state(method_of("centralized", 1.01), with_residual)


def test_pure_label_noise_by_hand() -> None:
    """z = 1 always, y = +-1: V = (1 - eta)^2 V + eta^2."""
    noisy = steady_state(method_of("centralized", 0.3), least_squares([[[1.0], [1.0]]], [[1.0, -1.0]]))
    assert noisy.models.covariance.item() == pytest.approx(0.09 / (1 - 0.49), rel=1e-14)


def test_two_hundred_coordinates() -> None:
    m, d = 40, 5
    W, problem = topology("ring", m), quadratic(1, m, d)
    eta = 0.5 / np.linalg.eigvalsh(problem.curvature).max()
    for form in ("atc", "consensus"):
        method = method_of(form, eta * (1 + W.spectrum[-1]), mixing=W)
        state = steady_state(method, problem)
        assert_equal(next(evolve(method, problem, [2], state.models)).models, state.models, 1e-12)


def test_mistakes_are_named() -> None:
    with pytest.raises(DomainError, match="decaying step"):
        steady_state(method_of("atc", schedule=Schedule(c=1.0)), quadratic(0))
    flat = Quadratic(np.diag([1.0, 0.0]), np.zeros((3, 2)), np.eye(2))
    with pytest.raises(DomainError, match="spectral radius 1 of"):
        steady_state(method_of("atc"), flat)

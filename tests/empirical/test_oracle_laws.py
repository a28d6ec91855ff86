"""Laws that exact moments must obey for every input, and the catalogue's upper bounds against them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bounds
from bounds.setting import Schedule
from bounds.topology import MixingMatrix, topology
from empirical.oracles import Gradients, Method, Moments, Quadratic, SampledGradients, evolve, evolve_twins, least_squares

DECENTRALIZED = ("atc", "cta", "consensus")
AVERAGED = ("node_average", "network_mean", "gradient_point")
SCHEDULES = (Schedule(0.2), Schedule(c=0.5, tau=1.0))


def mixing(seed: int, m: int) -> np.ndarray:
    """A doubly stochastic matrix without further structure: a mixture of permutations."""
    rng = np.random.default_rng(seed)
    return np.asarray(sum(w * np.eye(m)[rng.permutation(m)] for w in rng.dirichlet(np.ones(4))))


def regression(seed: int, m: int, n: int = 3, d: int = 2) -> SampledGradients:
    rng = np.random.default_rng(seed)
    return least_squares(rng.normal(size=(m, n, d)), rng.normal(size=(m, n)))


def quadratic(seed: int, m: int, common: bool = False, d: int = 2) -> Quadratic:
    rng = np.random.default_rng(seed)
    shapes, roots = rng.normal(size=(2, m, d, d))
    hessians = shapes @ shapes.transpose(0, 2, 1)
    return Quadratic(hessians[0] if common else hessians, rng.normal(size=(m, d)), roots @ roots.transpose(0, 2, 1))


def after(form: Any, gradients: Gradients, T: int, **more: Any) -> Any:
    return next(evolve(Method(**({"update_form": form, "schedule": SCHEDULES[0]} | more)), gradients, [T]))


def assert_equal(found: Moments, exact: Moments) -> None:
    np.testing.assert_allclose(found.mean, exact.mean, rtol=0, atol=1e-12 * (1 + np.abs(exact.mean).max()))
    np.testing.assert_allclose(found.covariance, exact.covariance, rtol=0, atol=1e-12 * (1 + np.abs(exact.covariance).max()))


POINTS = {"seed": st.integers(0, 10**6), "m": st.integers(1, 5), "T": st.integers(0, 6), "Q": st.integers(1, 3), "b": st.integers(1, 3)}


@settings(max_examples=40)
@given(**POINTS, schedule=st.sampled_from(SCHEDULES), sampled=st.booleans())
def test_the_gradient_points_of_cta_are_the_models_of_atc(
    seed: int, m: int, T: int, Q: int, b: int, schedule: Schedule, sampled: bool
) -> None:
    gradients = regression(seed, m) if sampled else quadratic(seed, m)
    cta, atc = (after(form, gradients, T, mixing=mixing(seed, m), Q=Q, b=b, schedule=schedule) for form in ("cta", "atc"))
    assert_equal(cta.at("gradient_point"), atc.models)
    assert_equal(cta.at("network_mean"), atc.at("network_mean"))


@settings(max_examples=40)
@given(**POINTS, form=st.sampled_from(DECENTRALIZED), schedule=st.sampled_from(SCHEDULES))
def test_with_one_hessian_the_network_mean_is_centralized(seed: int, m: int, T: int, Q: int, b: int, form: str, schedule: Schedule) -> None:
    problem = quadratic(seed, m, common=True)
    state = after(form, problem, T, mixing=mixing(seed, m), Q=Q, b=b, schedule=schedule)
    assert_equal(state.at("network_mean"), after("centralized", problem, T, b=b, schedule=schedule).models)


@settings(max_examples=25)
@given(**POINTS, schedule=st.sampled_from(SCHEDULES))
def test_full_averaging_is_centralized(seed: int, m: int, T: int, Q: int, b: int, schedule: Schedule) -> None:
    samples, everyone = regression(seed, m), np.full((m, m), 1 / m)
    atc = after("atc", samples, T, mixing=everyone, Q=Q, b=b, schedule=schedule)
    alone = after("centralized", samples, T, b=b, schedule=schedule)
    assert_equal(atc.models, alone.models.combine(np.ones((m, 1))))
    assert atc.consensus_distance("node_average") <= 1e-25 * (1 + atc.squared_norm("node_average"))


@settings(max_examples=25)
@given(**POINTS, form=st.sampled_from(DECENTRALIZED))
def test_names_of_nodes_do_not_matter(seed: int, m: int, T: int, Q: int, b: int, form: str) -> None:
    samples, W, order = regression(seed, m), mixing(seed, m), np.random.default_rng(seed).permutation(m)
    plain = after(form, samples, T, mixing=W, Q=Q, b=b)
    renamed = SampledGradients(samples.hessians[order], samples.pulls[order])
    assert_equal(after(form, renamed, T, mixing=W[np.ix_(order, order)], Q=Q, b=b).models, plain.models.combine(np.eye(m)[order]))


@settings(max_examples=25)
@given(**POINTS, form=st.sampled_from(DECENTRALIZED))
def test_covariances_are_positive_and_fall_with_the_batch(seed: int, m: int, T: int, Q: int, b: int, form: str) -> None:
    problem = quadratic(seed, m)
    one, many = (after(form, problem, T, mixing=mixing(seed, m), Q=Q, b=size).models for size in (1, b))
    flat = one.covariance.reshape(2 * m, 2 * m)
    assert np.linalg.eigvalsh((flat + flat.T) / 2).min() >= -1e-12 * (1 + np.abs(flat).max())
    assert_equal(many, Moments(one.mean, one.covariance / b))


@pytest.mark.parametrize("form", DECENTRALIZED)
def test_small_differences_keep_their_digits(form: str) -> None:
    """Targets moved by e move the twin by e times a constant, down to squares of 1e-24 beside models of size 1."""
    z, y = np.random.default_rng(3).normal(size=(3, 4, 2)), np.random.default_rng(4).normal(size=(3, 4))
    method = Method(update_form=form, mixing=mixing(1, 3), schedule=Schedule(0.2))  # type: ignore[arg-type]
    found = []
    for e in (1.0, 2.0**-40):
        state = next(evolve_twins(method, least_squares(z, np.zeros_like(y)), least_squares(z, e * np.ones_like(y)), 1, 2, [6]))
        found.append(state.l2_stability("node_average") / e**2)
    assert found[1] == pytest.approx(found[0], rel=1e-13)
    # On top of models that are not small, only the difference of the two targets as floats rounds.
    state = next(evolve_twins(method, least_squares(z, y), least_squares(z, y + 2.0**-40), 1, 2, [6]))
    assert state.l2_stability("node_average") * 2.0**80 == pytest.approx(found[0], rel=1e-2)
    assert state.base.squared_norm("node_average") > 0.01


@pytest.mark.parametrize("form", ["centralized", *DECENTRALIZED])
@pytest.mark.parametrize("readout", AVERAGED)
def test_generalization_error_is_what_a_replaced_sample_changes(form: str, readout: str) -> None:
    """E[R - R_S] = (1/(m n)) sum_ij E[l(A(S^(ij)); Z_ij) - l(A(S); Z_ij)], over all training sets and all copies of their samples."""
    z, y = np.array([[1.0, 0.5], [-0.4, 0.8]]), np.array([1.0, -0.7])
    everything = least_squares(z[None], y[None]).objective()
    method = Method(update_form=form, mixing=[[0.7, 0.3], [0.3, 0.7]], schedule=Schedule(0.4))  # type: ignore[arg-type]
    gaps, changes = [], []
    for drawn in itertools.product(range(2), repeat=4):
        training = np.array(drawn).reshape(2, 2)
        ours = least_squares(z[training], y[training])
        gaps.append(next(evolve(method, ours, [3])).risk(everything - ours.objective(), readout))
        for point, node, place in itertools.product(range(2), range(2), range(2)):
            copies = np.full((2, 2), point)
            state = next(evolve_twins(method, ours, least_squares(z[copies], y[copies]), node, place, [3]))
            lost = ours.loss(node, place)
            changes.append(state.twin.risk(lost, readout) - state.base.risk(lost, readout))
    assert np.mean(gaps) == pytest.approx(np.mean(changes), rel=1e-12)
    assert np.mean(gaps) > 0.01


@pytest.mark.parametrize("readout", AVERAGED)
def test_generalization_bound_by_the_training_loss_met_on_the_way(readout: str) -> None:
    """Least squares is convex, smooth and never negative but not Lipschitz: the on-average bound of ATC is the one that applies."""
    bound, tightness = bounds.get("dsgd_on_average_convex"), []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        z, y, T, eta = rng.normal(size=(2, 2)), rng.normal(size=2), int(rng.integers(1, 8)), rng.uniform(0.05, 1)
        beta = float((z**2).sum(axis=1).max())
        method = Method(update_form="atc", mixing=[[0.7, 0.3], [0.3, 0.7]], schedule=Schedule(eta / beta))  # type: ignore[arg-type]
        everything, gaps, trained, met = least_squares(z[None], y[None]).objective(), [], [], []
        for drawn in itertools.product(range(2), repeat=4):
            training = np.array(drawn).reshape(2, 2)
            ours = least_squares(z[training], y[training])
            *path, end = evolve(method, ours, range(T + 1))
            gaps.append(end.risk(everything - ours.objective(), readout))
            trained.append(end.risk(ours.objective(), readout))
            losses = [ours.loss(j, i) for j in range(2) for i in range(2)]
            met.append(np.mean([state.models.risks(loss)[k // 2] for state in path for k, loss in enumerate(losses)]))
        known = {"beta": beta, "eta": eta / beta, "T": T, "m": 2, "n": 2, "F": float(np.mean(met)), "R_S": float(np.mean(trained))}
        tightness.append(np.mean(gaps) / bound.evaluate(**known))
    assert max(tightness) <= 1
    assert max(tightness) > 0.03


@pytest.mark.parametrize("form", DECENTRALIZED)
@pytest.mark.parametrize("readout", ["node_average", "gradient_point"])
def test_consensus_distance_bounds(form: str, readout: str) -> None:
    """Quadratics with one Hessian: sigma2, zeta2, beta and mu are exact, and the spread stays below its bound at every step."""
    tightness = []
    for seed in range(20):
        m, T, Q = 3 + seed % 4, 1 + seed % 6, 1 + seed % 3
        W, problem = topology("ring", m) if seed % 2 else MixingMatrix(np.full((m, m), 0.5 / m) + 0.5 * np.eye(m)), quadratic(seed, m, True)
        curvatures = np.linalg.eigvalsh(problem.curvature[0])
        eta = 0.4 * min(1, W.gap) / curvatures[-1]
        state = after(form, problem, T, mixing=W, Q=Q, b=2, schedule=Schedule(eta))
        apart = problem.pull - problem.pull.mean(axis=0)
        known = {"eta": eta, "m": m, "gap": W.gap, "Q": Q, "b": 2, "T": T, "beta": curvatures[-1], "zeta2": (apart**2).sum() / m}
        known |= {"sigma2": np.trace(problem.covariance, axis1=1, axis2=2).mean()} | ({} if form == "consensus" else {"mu": curvatures[0]})
        bound = bounds.get(f"consensus_distance_{form}")
        if readout == "gradient_point" and form == "cta":
            # The bound at the points W^Q X of CTA is that of ATC.
            bound = bounds.get("consensus_distance_atc")
        value = bound.evaluate(**{name: float(fact) for name, fact in known.items()})
        tightness.append(state.consensus_distance(readout) / value)
    assert max(tightness) <= 1 + 1e-12
    assert max(tightness) > 0.5

"""The oracles against 100,000 simulated runs, in plain numpy, within simultaneous 99.9 % bands over all compared numbers."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from bounds.setting import Schedule
from empirical.oracles import Method, Quadratic, evolve, evolve_twins, least_squares

REPLICATES = 100_000
FORMS = ("centralized", "atc", "cta", "consensus")
STEPS = (1, 3, 6)
#: Numbers that this file compares: two schedules of three readings of four forms, and the twins.
COMPARED = 2 * 3 * (9 + 3 * 16) + 6 + 3 * 9
#: Doubly stochastic, not symmetric; every node has its own Hessian, minimiser and noise.
W = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.5, 0.1, 0.3], [0.2, 0.1, 0.6, 0.1], [0.3, 0.1, 0.1, 0.5]])
GOSSIP = W @ W
CONSTANT, DECAYING = Schedule(0.12), Schedule(c=0.5, tau=2.0)
Found = list[tuple[float, np.ndarray]]


def slow(*values: Any) -> Any:
    """Parameters of a test that takes about a second."""
    return pytest.param(*values, marks=pytest.mark.slow)


QUADRATICS = [("cta", CONSTANT)]
QUADRATICS += [slow(form, schedule) for schedule in (CONSTANT, DECAYING) for form in FORMS if (form, schedule) not in QUADRATICS]


def assert_in_bands(found: Found, compared: int) -> None:
    """Each of ``compared`` exact values lies in the band around the mean of its replicates; the bands are those of the whole file."""
    assert len(found) == compared
    width = NormalDist().inv_cdf(1 - 0.001 / (2 * COMPARED))
    for exact, values in found:
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - exact) <= width * error
        # Power: a relative error of 5 % of a square would be seen.
        assert values.min() < 0 or width * error <= 0.05 * exact


def step(form: str, X: np.ndarray, gradient: Any, eta: float) -> np.ndarray:
    """One step on runs X (R, nodes, d); ``gradient`` maps points (R, 4, d) to gradients."""
    if form == "centralized":
        return X - eta * gradient(np.repeat(X, 4, axis=1)).mean(axis=1, keepdims=True)
    if form == "atc":
        return GOSSIP @ (X - eta * gradient(X))
    if form == "cta":
        return GOSSIP @ X - eta * gradient(GOSSIP @ X)
    return GOSSIP @ X - eta * gradient(X)


def energy(hessian: np.ndarray, away: np.ndarray) -> np.ndarray:
    """(R, nodes): half of away^T hessian away."""
    return np.einsum("rka,rka->rk", away @ hessian, away) / 2


def quadratic() -> tuple[Quadratic, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    shapes, roots = rng.normal(size=(2, 4, 2, 2))
    hessians, minimisers = shapes @ shapes.transpose(0, 2, 1) + 0.2 * np.eye(2), 2 * rng.normal(size=(4, 2))
    return Quadratic(hessians, minimisers, roots @ roots.transpose(0, 2, 1)), hessians, minimisers, roots


def read(state: Any, X: np.ndarray, points: np.ndarray, objective: Any) -> Found:
    """Exact readings, each beside its value in every run."""
    best = np.linalg.solve(objective.hessian, objective.pull)
    nodes, centre = energy(objective.hessian, X - best), X.mean(axis=1)
    each = state.models.excesses(objective)
    found: Found = [(exact, nodes[:, k]) for k, exact in enumerate(each)]
    assert state.excess_risk(objective, "worst_node") == each.max()
    found += [(state.excess_risk(objective, "node_average"), nodes.mean(axis=1))]
    found += [(state.excess_risk(objective, "network_mean"), energy(objective.hessian, centre[:, None] - best)[:, 0])]
    found += [(state.excess_risk(objective, "gradient_point"), energy(objective.hessian, points - best).mean(axis=1))]
    mean = state.at("network_mean")
    found += [(mean.mean[0, a], centre[:, a]) for a in range(2)]
    around = centre - mean.mean[0]
    found += [(mean.covariance[0, a, 0, b], around[:, a] * around[:, b]) for a, b in ((0, 0), (0, 1), (1, 1))]
    if X.shape[1] == 1:
        return found
    for readout, models in (("node_average", X), ("gradient_point", points)):
        apart = models - models.mean(axis=1, keepdims=True)
        found += [(state.consensus_distance(readout), (apart**2).sum(axis=2).mean(axis=1))]
        found += [(state.weighted_spread(objective.hessian, readout), 2 * energy(objective.hessian, apart).mean(axis=1))]
    return found


@pytest.mark.parametrize(("form", "schedule"), QUADRATICS)
def test_heterogeneous_quadratics(form: Any, schedule: Schedule) -> None:
    problem, hessians, minimisers, roots = quadratic()
    rng, b, found = np.random.default_rng([len(form), 1]), 2, []
    method = Method(update_form=form, mixing=W, schedule=schedule, Q=2, b=b)
    X = np.zeros((REPLICATES, 1 if form == "centralized" else 4, 2))
    states = dict(zip(STEPS, evolve(method, problem, STEPS), strict=True))
    for t in range(1, STEPS[-1] + 1):
        noise = np.einsum("kab,rkb->rka", roots, rng.normal(size=(REPLICATES, 4, b, 2)).mean(axis=2))
        X = step(form, X, lambda points, noise=noise: np.einsum("kab,rkb->rka", hessians, points - minimisers) + noise, schedule.step(t))
        if t in states:
            points = {"cta": GOSSIP, "centralized": np.ones((4, 1))}.get(form, np.eye(4)) @ X
            found += read(states[t], X, points, problem.objective())
    assert_in_bands(found, len(STEPS) * (9 if form == "centralized" else 16))


@pytest.mark.parametrize("form", [slow("centralized"), slow("atc"), slow("cta"), "consensus"])
def test_twins_of_least_squares(form: Any) -> None:
    rng, b, n, eta = np.random.default_rng([len(form), 2]), 2, 3, 0.2
    (z, w), (y, v) = rng.normal(size=(2, 4, n, 2)), rng.normal(size=(2, 4, n))
    ours, other = least_squares(z, y), least_squares(w, v)
    features, targets = np.stack([z, z]), np.stack([y, y])
    features[1, 1, 2], targets[1, 1, 2] = w[1, 2], v[1, 2]
    runs = np.zeros((2, REPLICATES, 1 if form == "centralized" else 4, 2))
    for _ in range(STEPS[-1]):
        drawn, nodes = rng.integers(n, size=(REPLICATES, 4, b)), np.arange(4)[:, None]
        for run in (0, 1):
            Z, Y = features[run][nodes, drawn], targets[run][nodes, drawn]
            runs[run] = step(form, runs[run], lambda p, Z=Z, Y=Y: ((np.einsum("rkia,rka->rki", Z, p) - Y)[..., None] * Z).mean(axis=2), eta)
    method = Method(update_form=form, mixing=W, schedule=Schedule(eta), Q=2, b=b)
    state = next(evolve_twins(method, ours, other, 1, 2, [STEPS[-1]]))
    apart = runs[1] - runs[0]
    points = GOSSIP @ apart if form == "cta" else apart
    found: Found = [(state.l2_stability("node_average"), (apart**2).sum(axis=2).mean(axis=1))]
    found += [(state.l2_stability("network_mean"), (apart.mean(axis=1) ** 2).sum(axis=1))]
    found += [(state.l2_stability("gradient_point"), (points**2).sum(axis=2).mean(axis=1))]
    found += [(exact, (apart[:, k] ** 2).sum(axis=1)) for k, exact in enumerate(state.difference.models.squares())]
    lost = ours.loss(1, 2)
    for run, one in ((0, state.base), (1, state.twin)):
        losses = ((runs[run] @ z[1, 2] - y[1, 2]) ** 2).mean(axis=1) / 2
        found += [(one.risk(lost, "node_average"), losses)]
    assert_in_bands(found, 3 + apart.shape[1] + 2)

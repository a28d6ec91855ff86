"""The moment recursions against every index sequence of tiny runs, by plain numpy steps and by the training engine itself."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import DomainError, LengthError
from bounds.setting import Schedule
from bounds.topology import MixingMatrix
from empirical import simulation
from empirical.configuration import Run
from empirical.oracles import (
    Method,
    Moments,
    Quadratic,
    SampledGradients,
    State,
    engine_step,
    evolve,
    evolve_twins,
    least_squares,
    outcomes,
)
from empirical.oracles import l2_stability as on_average
from empirical.oracles.enumeration import draws
from empirical.problems import problem
from empirical.problems.linear import LinearLoss
from empirical.problems.quadratic import QuadraticLoss

FORMS = ("centralized", "atc", "cta", "consensus")
READOUTS = ("node_average", "network_mean", "gradient_point", "worst_node")
PAIR = np.array([[0.8, 0.2], [0.2, 0.8]])
#: Doubly stochastic, but neither symmetric nor with equal rows.
THREE = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.1, 0.5]])
CONSTANT, DECAYING = Schedule(0.3), Schedule(c=0.9, tau=1.0)
CASES: dict[str, dict[str, Any]] = {
    "four_steps": {"W": PAIR, "n": 2, "T": 4, "schedule": CONSTANT},
    "decaying": {"W": PAIR, "n": 2, "T": 4, "schedule": DECAYING, "Q": 2},
    "three_nodes": {"W": THREE, "n": 2, "T": 3, "schedule": CONSTANT},
    "batches": {"W": PAIR, "n": 3, "T": 2, "schedule": DECAYING, "b": 2},
}


def regression(seed: int, m: int, n: int, d: int = 2) -> SampledGradients:
    rng = np.random.default_rng(seed)
    return least_squares(rng.normal(size=(m, n, d)), rng.normal(size=(m, n)))


def method_of(form: Any, case: dict[str, Any]) -> Method:
    return Method(update_form=form, mixing=case["W"], schedule=case["schedule"], Q=case.get("Q", 1), b=case.get("b", 1))


def plain_step(form: str, case: dict[str, Any], samples: SampledGradients) -> Any:
    """One step of the definition: X <- W^Q (X - eta G(X)) and its siblings, for runs X (S, nodes, d)."""
    A = np.linalg.matrix_power(case["W"], case.get("Q", 1))

    def gradients(points: np.ndarray, places: np.ndarray) -> np.ndarray:
        drawn = [
            np.einsum("sab,sb->sa", samples.hessians[k][places[:, k, i]], points[:, k]) - samples.pulls[k][places[:, k, i]]
            for k in range(points.shape[1])
            for i in range(places.shape[2])
        ]
        return np.stack(drawn, 1).reshape(*points.shape[:2], places.shape[2], -1).mean(2)

    def step(X: np.ndarray, places: np.ndarray, t: int) -> np.ndarray:
        eta = case["schedule"].step(t)
        if form == "centralized":
            return X - eta * gradients(np.repeat(X, places.shape[1], axis=1), places).mean(1, keepdims=True)
        if form == "atc":
            return A @ (X - eta * gradients(X, places))
        if form == "cta":
            return A @ X - eta * gradients(A @ X, places)
        return A @ X - eta * gradients(X, places)

    return step


def assert_same_moments(found: Moments, outcomes_: np.ndarray) -> None:
    """Mean and covariance of all models against those of equally likely outcomes (S, s, d)."""
    np.testing.assert_allclose(found.mean, outcomes_.mean(axis=0), rtol=0, atol=1e-12)
    flat = outcomes_.reshape(len(outcomes_), -1) - outcomes_.reshape(len(outcomes_), -1).mean(axis=0)
    np.testing.assert_allclose(found.covariance.reshape(flat.shape[1], -1), flat.T @ flat / len(flat), rtol=0, atol=1e-12)


def risk(samples: SampledGradients, x: np.ndarray) -> np.ndarray:
    """Training risk at x (..., d), one sample after the other."""
    losses = [
        np.einsum("...a,ab,...b->...", x, samples.hessians[k, i], x) / 2 - x @ samples.pulls[k, i] + samples.constants[k, i]
        for k in range(samples.nodes)
        for i in range(samples.samples)
    ]
    return np.mean(losses, axis=0)


def assert_same_readouts(state: State, X: np.ndarray, points: np.ndarray, samples: SampledGradients) -> None:
    """Every readout of ``state`` against the outcomes X (S, nodes, d), whose gradient points are ``points``."""
    objective = samples.objective()
    least = risk(samples, np.linalg.solve(objective.hessian, objective.pull))
    read = {"node_average": X, "network_mean": X.mean(1, keepdims=True), "gradient_point": points, "worst_node": X}
    for readout, models in read.items():
        end = np.max if readout == "worst_node" else np.mean
        risks = risk(samples, models).mean(axis=0)
        assert state.risk(objective, readout) == pytest.approx(end(risks), rel=1e-12)
        assert state.excess_risk(objective, readout) == pytest.approx(end(risks - least), rel=1e-12)
        assert state.squared_norm(readout) == pytest.approx(end((models**2).sum(2).mean(0)), rel=1e-12)
    for readout in ("node_average", "gradient_point"):
        apart = read[readout] - read[readout].mean(1, keepdims=True)
        Xi = np.einsum("ska,skb->ab", apart, apart) / (apart.shape[0] * apart.shape[1])
        np.testing.assert_allclose(state.spread(readout), Xi, rtol=0, atol=1e-13)
        assert state.consensus_distance(readout) == pytest.approx(np.trace(Xi), rel=1e-12, abs=1e-15)
        assert state.weighted_spread(objective.hessian, readout) == pytest.approx(np.trace(objective.hessian @ Xi), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_recursion_of_sampled_gradients(form: str, case: dict[str, Any]) -> None:
    m, n, b, T = len(case["W"]), case["n"], case.get("b", 1), case["T"]
    samples = regression(1, m, n)
    start = np.random.default_rng(2).normal(size=(1 if form == "centralized" else m, 2))
    states = evolve(method_of(form, case), samples, range(T + 1), start)
    points_of = {"centralized": np.ones((m, 1)), "cta": np.linalg.matrix_power(case["W"], case.get("Q", 1))}.get(form, np.eye(m))
    for state, X in zip(states, outcomes(plain_step(form, case, samples), start, T, (m, n), b), strict=True):
        assert_same_moments(state.models, X)
        assert_same_readouts(state, X, points_of @ X, samples)


@pytest.mark.parametrize("form", FORMS)
def test_recursion_of_quadratics_with_constant_noise(form: Any) -> None:
    """Noise on the corners of an ellipse has its covariance exactly: two nodes, four corners each."""
    rng = np.random.default_rng(4)
    roots, shapes = rng.normal(size=(2, 2, 2)), rng.normal(size=(2, 2, 2))
    minimisers, hessians = rng.normal(size=(2, 2)), shapes @ shapes.transpose(0, 2, 1)
    corners = np.sqrt(2) * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    pulls = np.einsum("kab,kb->ka", hessians, minimisers)[:, None] + np.einsum("kab,ib->kia", roots, corners)
    samples = SampledGradients(np.repeat(hessians[:, None], 4, axis=1), pulls)
    quadratic = Quadratic(hessians, minimisers, roots @ roots.transpose(0, 2, 1))
    case = {"W": PAIR, "schedule": DECAYING}
    exact = list(outcomes(plain_step(form, case, samples), np.zeros((1 if form == "centralized" else 2, 2)), 3, (2, 4)))
    for state, X in zip(evolve(method_of(form, case), quadratic, range(4)), exact, strict=True):
        assert_same_moments(state.models, X)
    np.testing.assert_allclose(quadratic.objective().hessian, samples.objective().hessian, atol=1e-14)
    np.testing.assert_allclose(quadratic.objective().pull, samples.objective().pull, atol=1e-14)


def twins(form: str, case: dict[str, Any], ours: SampledGradients, theirs: SampledGradients) -> np.ndarray:
    """All outcomes (S, 2, nodes, d) of both runs, each by its own plain steps on the same draws."""
    m, n = ours.nodes, ours.samples
    start = np.zeros((1 if form == "centralized" else m, 2))
    pair = [list(outcomes(plain_step(form, case, samples), start, case["T"], (m, n), case.get("b", 1))) for samples in (ours, theirs)]
    return np.stack([pair[0][-1], pair[1][-1]], axis=1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_recursion_of_twins(form: str, case: dict[str, Any]) -> None:
    m, n, T = len(case["W"]), case["n"], case["T"]
    ours, other = regression(1, m, n), regression(9, m, n)
    node, place = m - 1, 1
    both = twins(form, case, ours, ours.replaced(node, place, other))
    state = next(evolve_twins(method_of(form, case), ours, other, node, place, [T]))
    for found, X in ((state.base, both[:, 0]), (state.twin, both[:, 1]), (state.difference, both[:, 1] - both[:, 0])):
        assert_same_moments(found.models, X)
    apart, A = both[:, 1] - both[:, 0], np.linalg.matrix_power(case["W"], case.get("Q", 1))
    squares = (apart**2).sum(2).mean(0)
    at_points = ((A @ apart) ** 2).sum(2).mean() if form == "cta" else squares.mean()
    exact = squares.mean(), (apart.mean(1) ** 2).sum(1).mean(), at_points, squares.max()
    assert [state.l2_stability(readout) for readout in READOUTS] == pytest.approx(exact, rel=1e-12)


def test_average_over_the_replaced_samples() -> None:
    ours, other, case = regression(1, 2, 2), regression(9, 2, 2), CASES["four_steps"]
    method = method_of("consensus", case)
    squares = []
    for node, place in itertools.product(range(2), range(2)):
        both = twins("consensus", case, ours, ours.replaced(node, place, other))
        squares.append(((both[:, 1] - both[:, 0]) ** 2).sum(2).mean(0))
    found = [on_average(method, ours, other, [4], readout)[0] for readout in ("node_average", "worst_node")]
    assert found == pytest.approx([np.mean(squares), np.mean(squares, axis=0).max()], rel=1e-12)


def test_a_twin_with_the_same_sample_stays_exactly_the_same() -> None:
    samples = regression(3, 2, 3)
    state = next(evolve_twins(method_of("atc", CASES["four_steps"]), samples, samples, 0, 0, [50], [1.0, 2.0]))
    assert state.l2_stability("worst_node") == 0
    np.testing.assert_array_equal(state.base.models.covariance, state.twin.models.covariance)


def engine_samples(described: Any, training: np.ndarray) -> SampledGradients:
    """The quadratic or linear problem on a training set (m, n), written out from its definition."""
    z = described.features[training]
    h = described.curvature if isinstance(described, QuadraticLoss) else 0.0
    return SampledGradients(np.broadcast_to(h * np.eye(z.shape[-1]), (*z.shape, z.shape[-1])), z * (h or -1.0))


ENGINE_CHANGES: list[dict[str, Any]] = [{"T": 4}, {"T": 3, "Q": 2, "eta": None, "c": 0.8, "tau": 1.0}, {"T": 2, "b": 2}]


def engine_run(name: str, form: str, **changes: Any) -> Run:
    base = {"problem": name, "update_form": form, "m": 2, "n": 2, "T": 3, "eta": 0.4, "topology": MixingMatrix(PAIR), "replicates": 1}
    return Run(**(base | ({"sampling": "stratified"} if form == "centralized" else {}) | changes))


def of_run(run: Run) -> Method:
    return Method(update_form=run.update_form, mixing=run.mixing(), schedule=run.schedule, Q=run.Q, b=run.b)


def every_batch(run: Run, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let the training loop draw every index sequence, one per replicate, in the order of the enumeration."""
    step = draws(*run.strata, run.b)
    sequences = np.array(list(itertools.product(range(len(step)), repeat=run.T)))
    monkeypatch.setattr(simulation, "batches", lambda *_: iter([step[sequences.T]]))
    return len(sequences)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("changes", ENGINE_CHANGES, ids=["constant", "decaying", "batches"])
@pytest.mark.parametrize("described", [QuadraticLoss(), LinearLoss()], ids=["quadratic", "linear"])
def test_training_loop_and_its_twin(described: Any, changes: dict[str, Any], form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's loop over all sequences: its mean models, covariances and twin distances are the recursion's."""
    run, training = engine_run(described.name, form, **changes), np.array([[0, 3], [2, 1]])
    other = training.copy()
    other[1, 0] = 3
    count = every_batch(run, monkeypatch)
    lanes = np.broadcast_to(np.stack([training, other]), (count, 2, 2, 2)).copy()
    models = next(simulation.simulate(run, described, lanes, range(count), torch.device("cpu"))).numpy()
    ours, theirs = engine_samples(described, training), engine_samples(described, other)
    state = next(evolve_twins(of_run(run), ours, theirs, 1, 0, [run.T]))
    assert_same_moments(state.base.models, models[:, 0])
    assert_same_moments(state.difference.models, models[:, 1] - models[:, 0])
    assert state.l2_stability("node_average") == pytest.approx(((models[:, 1] - models[:, 0]) ** 2).sum(2).mean(), rel=1e-12)
    assert state.l2_stability("node_average") > 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["tiny", "quadratic", "linear"])
@pytest.mark.parametrize("changes", [{"eta": None, "c": 0.8, "tau": 1.0}, {"radius": 0.3}], ids=["decaying", "projected"])
def test_engine_enumeration_against_plain_loops(name: str, form: str, changes: dict[str, Any], tiny: Any, plain: Any) -> None:
    """Each of the engine's outcomes, projection included, is that of a loop over nodes and samples; so also for softmax."""
    run = engine_run(name, form, T=2, **changes)
    described = tiny if name == "tiny" else problem(name)
    training = np.array([[0, 1], [2, 2]])
    *_, final = outcomes(engine_step(run, described, training[None]), np.zeros((1, run.models, described.width)), run.T, run.strata, run.b)
    sequences = itertools.product(itertools.product(range(2), repeat=2), repeat=run.T)
    slow = [plain[1](run, described, training, np.array(draw)[:, :, None]).reshape(run.models, -1) for draw in sequences]
    np.testing.assert_allclose(final[:, 0], slow, rtol=0, atol=1e-12)
    assert np.ptp(final, axis=0).max() > 0.01


def test_draws_are_all_different() -> None:
    drawn = draws(2, 3, 2)
    assert drawn.shape == (81, 2, 2)
    assert len({row.tobytes() for row in drawn}) == 81
    assert set(np.unique(drawn)) == {0, 1, 2}


def test_mistakes_are_named() -> None:
    samples, method = regression(0, 2, 2), method_of("atc", CASES["four_steps"])
    with pytest.raises(DomainError, match="index sequences"):
        outcomes(plain_step("atc", CASES["four_steps"], samples), np.zeros((2, 2)), 11, (2, 2))
    with pytest.raises(DomainError, match="strictly ascending"):
        evolve(method, samples, [2, 1])
    with pytest.raises(LengthError, match="mixing matrix of 2 nodes"):
        list(evolve(method, regression(0, 3, 2), [1]))
    with pytest.raises(LengthError, match="start of shape"):
        list(evolve(method, samples, [1], np.zeros(3)))
    with pytest.raises(DomainError, match="count from 0"):
        evolve_twins(method, samples, samples, 2, 0, [1])
    with pytest.raises(LengthError, match="replacements"):
        evolve_twins(method, samples, regression(0, 2, 3), 0, 0, [1])
    with pytest.raises(DomainError, match="without a mixing matrix"):
        Method(update_form="cta", schedule=CONSTANT)  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="takes an integer"):
        Method(update_form="centralized", schedule=CONSTANT, b=0)  # type: ignore[arg-type]
    with pytest.raises(LengthError, match="hessians of shape"):
        Quadratic(np.eye(3), np.zeros((2, 2)), np.eye(2))
    with pytest.raises(DomainError, match="not finite and symmetric"):
        Quadratic([[1.0, 1.0], [0.0, 1.0]], np.zeros((2, 2)), np.eye(2))
    with pytest.raises(DomainError, match="negative eigenvalue"):
        Quadratic(np.eye(2), np.zeros((2, 2)), -np.eye(2))
    with pytest.raises(LengthError, match="features of shape"):
        least_squares(np.zeros((2, 2, 2)), np.zeros((2, 3)))
    with pytest.raises(LengthError, match="one per sample"):
        SampledGradients(samples.hessians, samples.pulls, np.zeros(2))
    with pytest.raises(DomainError, match="without a minimum"):
        engine_samples(LinearLoss(), np.array([[0, 0]])).objective().minimiser()
    with pytest.raises(DomainError, match="models spread at"):
        next(evolve(method, samples, [1])).spread("network_mean")

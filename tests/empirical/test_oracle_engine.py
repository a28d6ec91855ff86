"""The training engine against the oracles: every measure of a quadratic or linear run, given its training sets, in 99.9 % bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import t as student

from bounds.errors import DomainError
from bounds.topology import MixingMatrix
from bounds.vocabulary import Quantity, Readout
from empirical import measuring, simulation
from empirical.configuration import Run
from empirical.measuring import measure
from empirical.oracles import SampledGradients, affine_gradients, engine_step, evolve, evolve_twins, method_of, outcomes
from empirical.oracles.enumeration import draws
from empirical.problems import problem
from empirical.problems.base import Problem
from empirical.samples import Samples, draw_samples
from empirical.simulation import simulate

FORMS = ("centralized", "atc", "cta", "consensus")
NODES, MEAN, POINT, WORST = Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT, Readout.WORST_NODE
EXCESS, GAP = Quantity.EXCESS_RISK, Quantity.GENERALIZATION_ERROR
SPREAD, L2 = Quantity.CONSENSUS_DISTANCE, Quantity.L2_STABILITY
PAIR = MixingMatrix([[0.8, 0.2], [0.2, 0.8]])
Request = tuple[Quantity, Readout]


def run_of(name: str, form: str, **changes: Any) -> Run:
    base = {"problem": name, "update_form": form, "m": 4, "n": 3, "T": 6, "eta": 0.35, "replicates": 80, "twins": 1}
    return Run(**(base | changes))


def population(described: Problem) -> np.ndarray:
    return np.arange(described.size)[None]


def requests_of(run: Run) -> list[Request]:
    """All that this run can be asked and that moments decide."""
    kinds = [GAP, EXCESS] if run.problem == "quadratic" else [GAP]
    wanted = [(kind, readout) for kind in kinds for readout in Readout if run.models > 1 or readout is not WORST]
    return wanted + [(kind, readout) for kind in (SPREAD, L2) for readout in (NODES, POINT) if run.models > 1 or kind is L2]


def drawn(everything: SampledGradients, indices: np.ndarray) -> SampledGradients:
    """The population's gradients at some of its points (groups, samples)."""
    return SampledGradients(everything.hessians[0][indices], everything.pulls[0][indices], everything.constants[0][indices])


def expected(run: Run, everything: SampledGradients, training: np.ndarray, place: int, new: int) -> dict[Request, Any]:
    """Exact expectations, over the batches alone, of all that can be asked: numbers, or (m,) arrays at the worst node."""
    other = training.reshape(-1).copy()
    other[place] = new
    ours, theirs = (drawn(everything, indices.reshape(run.strata)) for indices in (training, other))
    state = next(evolve_twins(method_of(run), ours, theirs, *np.divmod(place, run.strata[1]), [run.T]))
    risk, base, found = everything.objective(), state.base, {}
    for kind, readout in requests_of(run):
        if kind is L2:
            found[kind, readout] = state.l2_stability(readout)
        elif kind is SPREAD:
            found[kind, readout] = base.consensus_distance(readout)
        else:
            values = base.at(readout).excesses(risk) if kind is EXCESS else base.at(readout).risks(risk - ours.objective())
            found[kind, readout] = values if readout is WORST else values.mean()
    return found


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("quadratic", "centralized", {"b": 2}),
    ("quadratic", "centralized", {"sampling": "stratified", "eta": None, "c": 1.0, "tau": 1.0}),
    ("quadratic", "atc", {"Q": 2, "b": 2}),
    ("quadratic", "cta", {"eta": None, "c": 1.0, "tau": 1.0}),
    ("quadratic", "consensus", {"topology": "complete"}),
    ("linear", "consensus", {"Q": 2, "b": 2}),
]


@pytest.mark.parametrize(("name", "form", "changes"), CASES)
def test_every_measure_given_its_training_set(name: str, form: str, changes: dict[str, Any]) -> None:
    run, described, pieces = run_of(name, form, **changes), problem(name), []
    samples, everything = draw_samples(run, described), affine_gradients(described, population(described))
    twins = zip(samples.training, samples.positions[:, 0], samples.replacements[:, 0], strict=True)
    exact = [expected(run, everything, *one) for one in twins]
    for measured in measure(run, requests_of(run), device="cpu"):
        truth = np.array([values[measured.quantity, measured.readout] for values in exact])
        pieces += list(np.atleast_2d((measured.values - truth).T))
    width = student.isf(0.001 / (2 * len(pieces) * len(CASES)), run.replicates - 1)
    assert len(pieces) >= 5
    for away in pieces:
        # Some readings do not depend on the draws: there only rounding is left.
        assert abs(away.mean()) <= width * away.std(ddof=1) / np.sqrt(len(away)) + 1e-13


def enumerated(run: Run, described: Any, sequences: np.ndarray, twin: tuple[np.ndarray, int, int], patch: pytest.MonkeyPatch) -> None:
    """Let replicate r of ``run`` draw ``sequences[:, r]`` (T, R, m, b), all on one training set with one replaced sample."""
    training, place, new = twin
    columns = ([training], [[place]], [[new]], [np.full(described.size, 1 / described.size)])
    samples = Samples(*(np.repeat(column, run.replicates, axis=0) for column in columns))
    patch.setattr(measuring, "draw_samples", lambda *_: samples)
    patch.setattr(simulation, "batches", lambda _, replicates, steps: iter([sequences[:steps, list(replicates)]]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("changes", [{"T": 3}, {"T": 2, "b": 2, "eta": None, "c": 0.9, "Q": 2}], ids=["constant", "decaying"])
@pytest.mark.parametrize("name", ["quadratic", "linear"])
def test_every_measure_over_all_batches(name: str, form: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """One replicate per index sequence, all on one training set: the mean over replicates is the exact expectation."""
    changes = changes | {"m": 2, "n": 2, "topology": PAIR}
    changes |= {"sampling": "stratified"} if form == "centralized" else {}
    step, described = draws(2, 2, changes.get("b", 1)), problem(name)
    sequences = step[np.indices((len(step),) * changes["T"]).reshape(changes["T"], -1)]
    run = run_of(name, form, **changes, replicates=sequences.shape[1])
    training, place, new = np.array([[0, 2], [2, 1]]), 2, 3
    enumerated(run, described, sequences, (training, place, new), monkeypatch)
    exact = expected(run, affine_gradients(described, population(described)), training, place, new)
    for measured in measure(run, requests_of(run), device="cpu", chunk=50):
        truth = exact[measured.quantity, measured.readout]
        np.testing.assert_allclose(measured.values.mean(axis=0), truth, rtol=1e-12, atol=1e-14)
        assert np.max(np.abs(truth)) > 1e-3 or measured.readout is MEAN or (form == "centralized" and name == "linear")


@pytest.mark.parametrize("form", FORMS)
def test_softmax_over_all_batches(form: str, tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond affine gradients: each measure's mean over all sequences is that of the enumerated models, read in plain numpy."""
    sampling = {"sampling": "stratified"} if form == "centralized" else {}
    run = run_of("tiny", form, m=2, n=2, T=2, eta=1.0, topology=PAIR, replicates=16, **sampling)
    training, place, new, W = np.array([[0, 1], [2, 2]]), 1, 2, np.linalg.matrix_power(run.mixing().matrix, run.Q)
    twin = np.array([[0, 2], [2, 2]])
    step = draws(2, 2, 1)
    enumerated(run, tiny, step[np.indices((4, 4)).reshape(2, -1)], (training, place, new), monkeypatch)
    start = np.zeros((2, run.models, tiny.width))
    *_, pairs = outcomes(engine_step(run, tiny, np.stack([training, twin])), start, run.T, run.strata)

    def losses(models: np.ndarray) -> np.ndarray:
        scores = models.reshape(*models.shape[:-1], *tiny.weight_shape) @ tiny.features.T
        return np.log(np.exp(scores).sum(-2)) - scores[..., tiny.labels, np.arange(tiny.size)]

    def read(models: np.ndarray) -> dict[Quantity, float]:
        each, apart = losses(models[:, 0]), models[:, 1] - models[:, 0]
        gap = each.mean(-1) - each[..., training.reshape(-1)].mean(-1)
        spread = ((models[:, 0] - models[:, 0].mean(1, keepdims=True)) ** 2).sum(-1)
        lengths = np.linalg.norm(apart, axis=-1)
        return {GAP: gap.mean(), Quantity.L1_STABILITY: lengths.mean(), L2: (lengths**2).mean(), SPREAD: spread.mean()}

    at = {NODES: pairs, POINT: W @ pairs if form == "cta" else pairs}
    asked = [(kind, readout) for kind in (GAP, Quantity.L1_STABILITY, L2, SPREAD) for readout in at if run.models > 1 or kind is not SPREAD]
    for measured in measure(run, asked, device="cpu"):
        truth = read(at[measured.readout])[measured.quantity]
        assert measured.values.mean() == pytest.approx(truth, rel=1e-12)
        assert abs(truth) > 1e-3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["quadratic", "linear"])
def test_first_and_second_moments_of_the_models(name: str, form: str) -> None:
    """Many runs on one training set: all entries of the mean and the covariance of all models, and the twin's."""
    R, described = 3000, problem(name)
    run = run_of(name, form, m=3, T=4, replicates=R, twins=0, **({"sampling": "stratified"} if form == "centralized" else {}))
    rng = np.random.default_rng(0)
    training = rng.integers(described.size, size=(3, 3))
    other = training.copy()
    other[1, 2] = (training[1, 2] + 1) % described.size
    lanes = np.tile(np.stack([training, other]), (R, 1, 1, 1))
    models = next(simulate(run, described, lanes, range(R), torch.device("cpu"))).numpy()
    ours, theirs = (affine_gradients(described, indices) for indices in (training, other))
    state = next(evolve_twins(method_of(run), ours, theirs, 1, 2, [run.T]))
    d = ours.dimension
    assert not models[..., d:].any()
    found = []
    for exact, seen in ((state.base.models, models[:, 0]), (state.difference.models, models[:, 1] - models[:, 0])):
        flat, mean = seen[..., :d].reshape(R, -1), exact.mean.reshape(-1)
        products = (flat - mean)[:, :, None] * (flat - mean)[:, None, :]
        found.append((flat - mean).reshape(R, -1))
        found.append((products - exact.covariance.reshape(len(mean), -1)).reshape(R, -1))
    away = np.concatenate(found, axis=1)
    errors = away.std(axis=0, ddof=1) / np.sqrt(R)
    width = student.isf(0.001 / (2 * 8 * away.shape[1]), R - 1)
    assert (np.abs(away.mean(axis=0)) <= width * errors + 1e-13).all()
    assert (errors > 1e-6).any()


def test_probed_gradients_are_those_of_the_definition() -> None:
    indices = np.array([[0, 5], [3, 3]])
    quadratic, linear = problem("quadratic"), problem("linear")
    found = affine_gradients(quadratic, indices)
    z = quadratic.features[indices][..., :4]
    np.testing.assert_allclose(found.hessians, np.broadcast_to(np.eye(4), (2, 2, 4, 4)), atol=1e-14)
    np.testing.assert_allclose(found.pulls, z, atol=1e-14)
    np.testing.assert_allclose(found.constants, (z**2).sum(axis=-1) / 2, atol=1e-13)
    found = affine_gradients(linear, indices % 4)
    np.testing.assert_array_equal(found.hessians, np.zeros((2, 2, 2, 2)))
    np.testing.assert_array_equal(found.pulls, -linear.features[indices % 4][..., :2])
    everything = affine_gradients(quadratic, population(quadratic)).objective()
    assert everything.value(everything.minimiser()) == pytest.approx(quadratic.minimum_risk, rel=1e-13)


def test_only_affine_runs_become_methods(tiny: Problem) -> None:
    with pytest.raises(DomainError, match="not affine"):
        affine_gradients(tiny, np.array([[0, 1]]))
    with pytest.raises(DomainError, match="radius"):
        method_of(run_of("quadratic", "atc", radius=1.0))
    with pytest.raises(DomainError, match="t0"):
        method_of(run_of("quadratic", "atc", t0=2))
    run = run_of("quadratic", "consensus", Q=3, b=2)
    method = method_of(run)
    assert (method.update_form, method.Q, method.b, method.schedule) == ("consensus", 3, 2, run.schedule)
    states = list(evolve(method, affine_gradients(problem("quadratic"), np.zeros((4, 1), dtype=int)), [0, 1]))
    assert not states[0].models.mean.any()

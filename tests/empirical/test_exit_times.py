"""First-passage times of walkers against the exact solution of their transition kernel, and against a plain loop."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import bounds
from bounds.errors import DomainError, LengthError, UnknownNameError
from bounds.topology import MixingMatrix, topology
from empirical.exits import DoubleWell, Escape, QuadraticBasin, Walk, exit_times, kaplan_meier, mean_exit_time
from empirical.exits import times as module
from empirical.mixing import mixer
from empirical.streams import stream

FORMS = ("centralized", "atc", "cta", "consensus")


def escape(**changes: Any) -> Escape:
    base = {"potential": DoubleWell(), "update_form": "centralized", "m": 4, "eta": 0.1, "noise": 8.0, "horizon": 10**6, "replicates": 2000}
    return Escape(**(base | changes))


def well_slope(x: np.ndarray) -> np.ndarray:
    return x**3 - x


def passage(eta: float, variance: float) -> Walk:
    """The double well's centralized walk; nothing comes near -3."""
    return Walk(well_slope, eta, eta * math.sqrt(variance), -3.0, 0.0)


def within(mean: float, values: np.ndarray, sigmas: float = 4) -> bool:
    return abs(values.mean() - mean) <= sigmas * values.std(ddof=1) / math.sqrt(len(values))


@pytest.mark.parametrize(
    "changes",
    [
        {"b": 2, "noise": 16.0},
        {"m": 1, "update_form": "atc", "topology": MixingMatrix([[1.0]]), "noise": 2.0},
        {"potential": DoubleWell(others=(1.0, 2.0)), "noise": [[8.0, 3.0, 0.0], [3.0, 5.0, 1.0], [0.0, 1.0, 6.0]], "replicates": 1000},
    ],
    ids=["batch", "one node", "three dimensions"],
)
def test_the_double_well_of_one_walker(changes: dict[str, Any]) -> None:
    exact = passage(0.1, 2.0).mean_time(-1.0)
    found = exit_times(escape(**changes))
    assert found.observed.all()
    assert within(exact.mean, found.times)


def test_the_whole_distribution_and_not_only_its_mean() -> None:
    exact = passage(0.1, 2.0).survival(-1.0, 1000)
    curve = kaplan_meier(exit_times(escape(replicates=4000, horizon=600)))
    # The largest distance of an empirical survival curve of 4000 exceeds 1.95/sqrt(4000) once in a thousand times (Kolmogorov).
    assert max(abs(curve.at(t) - exact[t]) for t in range(1, 601)) < 1.95 / math.sqrt(4000)


@pytest.mark.parametrize("form", FORMS)
def test_the_mean_of_a_quadratic_basin_leaves_like_one_walker_in_every_form(form: str) -> None:
    """With one Hessian for all nodes the network mean is exactly mini-batch SGD, whatever the graph."""
    basin = QuadraticBasin(curvature=1.5)
    exact = Walk(lambda x: 1.5 * x, 0.1, 0.1 * math.sqrt(2.0), -0.45, 0.45).mean_time(0.0)
    lopsided = MixingMatrix(0.5 * np.eye(4)[[1, 2, 3, 0]] + 0.3 * np.eye(4) + 0.2 * np.eye(4)[[1, 0, 3, 2]])
    found = exit_times(escape(potential=basin, update_form=form, topology=lopsided, Q=2, level=0.45, replicates=3000, seed=1))
    assert within(exact.mean, found.times)


def _two_nodes(form: str, eta: float, variance: float, lam: float) -> float:
    """E T of the mean of two nodes in the double well, from the kernel in u = (x_1 + x_2)/2, v = (x_1 - x_2)/2.

    One step without noise is a map of (x_1, x_2); noise has standard deviation eta sqrt(variance/2) in u and, times ``lam`` for
    ATC, in v, independently.
    """
    su = eta * math.sqrt(variance / 2)
    sv = su * (lam if form == "atc" else 1.0)
    points, weights = np.polynomial.legendre.leggauss(4)

    def rule(low: float, high: float, std: float) -> tuple[np.ndarray, np.ndarray]:
        edges = np.linspace(low, high, math.ceil((high - low) / (1.2 * std)) + 1)
        half = np.diff(edges)[:, None] / 2
        return ((edges[:-1, None] + half) + half * points).ravel(), (half * weights).ravel()

    (u, wu), (v, wv) = rule(-1.9, 0.0, su), rule(-5.5 * sv, 5.5 * sv, sv)
    grid_u, grid_v = (axis.ravel() for axis in np.meshgrid(u, v, indexing="ij"))

    def step(mean: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = lam * half if form == "cta" else half
        one, two = well_slope(mean + at), well_slope(mean - at)
        pull_u, pull_v = (one + two) / 2, (one - two) / 2
        moved = lam * (half - eta * pull_v) if form == "atc" else lam * half - eta * pull_v
        return mean - eta * pull_u, moved

    def kernel(mean: np.ndarray, half: np.ndarray) -> np.ndarray:
        to_u, to_v = step(mean, half)
        ku = np.exp(-(((u - to_u[:, None]) / su) ** 2) / 2) / (su * math.sqrt(2 * math.pi)) * wu
        kv = np.exp(-(((v - to_v[:, None]) / sv) ** 2) / 2) / (sv * math.sqrt(2 * math.pi)) * wv
        return np.einsum("iu,iv->iuv", ku, kv).reshape(len(mean), -1)

    tau = np.linalg.solve(np.eye(len(grid_u)) - kernel(grid_u, grid_v), np.ones(len(grid_u)))
    return 1 + float(kernel(np.array([-1.0]), np.array([0.0]))[0] @ tau)


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_two_nodes_in_the_double_well(form: str) -> None:
    weights = MixingMatrix([[0.75, 0.25], [0.25, 0.75]])
    exact = _two_nodes(form, 0.15, 3.0, 0.5)
    found = exit_times(escape(update_form=form, m=2, topology=weights, eta=0.15, noise=3.0, replicates=4000))
    assert within(exact, found.times)


def test_the_forms_really_differ() -> None:
    exact = {form: _two_nodes(form, 0.15, 3.0, 0.5) for form in ("atc", "cta", "consensus")}
    one = passage(0.15, 1.5).mean_time(-1.0).mean
    assert exact["consensus"] < 0.9 * exact["atc"] < exact["cta"] < 1.2 * one


def test_the_exact_passage_against_powers_of_another_quadrature() -> None:
    """E T = sum_t P(T > t), with the trapezoid rule in place of Gauss points."""
    walk = passage(0.1, 2.0)
    nodes, width = np.linspace(-3.0, 0.0, 451, retstep=True)
    weights = np.full(451, width)
    weights[[0, -1]] /= 2
    kernel = np.exp(-(((nodes - (nodes - 0.1 * well_slope(nodes))[:, None]) / walk.std) ** 2) / 2) / (walk.std * math.sqrt(2 * math.pi))
    step, total, inside = kernel * weights, 0.0, np.ones(451)
    at = int(np.argmin(abs(nodes + 1)))
    assert nodes[at] == pytest.approx(-1)
    survival = []
    while inside.max() > 1e-10:
        survival.append(inside[at])
        inside = step @ inside
    total = math.fsum(survival)
    found = walk.mean_time(-1.0)
    # The trapezoid rule meets the jump of the kernel at 0 with an error of order width^2.
    assert found.mean == pytest.approx(total, rel=1e-3)
    assert found.error < 1e-6 * found.mean
    np.testing.assert_allclose(walk.survival(-1.0, 300), survival[:301], rtol=1e-3)


def test_the_exact_passage_in_closed_form() -> None:
    """Without a slope and with steps far longer than the interval, each step stays with probability nearly width/(std sqrt(2 pi))."""
    stay = math.erf(0.5 / (20 * math.sqrt(2)))
    found = Walk(np.zeros_like, 1.0, 20.0, -0.5, 0.5).mean_time(0.0)
    assert found.mean == pytest.approx(1 + stay / (1 - stay), rel=1e-4)
    # Two steps without drift: P(T > 1) = P(abs(Z) < a) exactly.
    short = Walk(np.zeros_like, 1.0, 1.0, -1.5, 1.5)
    assert short.survival(0.0, 1)[1] == pytest.approx(math.erf(1.5 / math.sqrt(2)), rel=1e-10)


def test_kramers_formula_is_where_the_exact_passage_tends() -> None:
    """The catalogue's leading order ends well behind the barrier; the top is passed in half of it, as steps and temperature fall."""
    well, ratios = DoubleWell(), []
    for eta, temperature in ((0.05, 0.05), (0.01, 0.03), (0.0025, 0.02)):
        noise = {"eta": eta, "m": 1, "b": 1, "r": 2 * temperature / eta}
        kramers = bounds.get("exit_time_centralized").evaluate(**noise, barrier=well.barrier, curvatures=list(well.curvatures))
        walk = Walk(well_slope, eta, math.sqrt(2 * eta * temperature), -1.9, 0.0)
        ratios.append(walk.mean_time(-1.0).mean / (kramers / 2))
    assert ratios == sorted(ratios, reverse=True)
    assert 1 < ratios[-1] < 1.07 < 1.23 < ratios[0] < 1.24


@pytest.mark.slow
def test_the_consensus_form_leaves_faster_by_its_fresh_spread_and_atc_on_a_complete_graph_does_not() -> None:
    common = {"m": 3, "eta": 0.05, "noise": 6.0, "topology": "complete"}
    found = {form: exit_times(escape(update_form=form, **common)) for form in ("centralized", "atc", "consensus")}
    exact = Walk(well_slope, 0.05, 0.05 * math.sqrt(2.0), -2.2, 0.0).mean_time(-1.0)
    assert within(exact.mean, found["centralized"].times)
    # Gossip that averages completely makes ATC mini-batch SGD, in law.
    assert within(exact.mean, found["atc"].times)
    predicted = bounds.get("exit_time_ratio").evaluate(eta=0.05, curvatures=[2, 1], spectrum=[1, 0, 0], Q=1, update_form="consensus")
    assert predicted == pytest.approx(0.7408, rel=1e-4)
    # Leading order: 0.77 is what the smoothed loss gives beyond it.
    assert mean_exit_time(found["consensus"]).mean / exact.mean == pytest.approx(0.77, abs=0.06)


def plain_walk(run: Escape, replicate: int) -> int:
    """One walk, node by node in numpy, with the noise that its stream holds; its exit step, or 0."""
    generator, nodes, d = stream(run.seed, "exit-noise", replicate), run.models, run.potential.dimension
    values, vectors = np.linalg.eigh(run.step_covariance())
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    power = np.eye(1) if run.mixing is None else np.linalg.matrix_power(run.mixing.matrix, run.Q)
    shift = np.zeros((nodes, d)) if run.heterogeneity is None or nodes == 1 else np.asarray(run.heterogeneity)

    def slope(x: np.ndarray) -> np.ndarray:
        return np.concatenate([[x[0] ** 3 - x[0]], np.array(run.potential.others) * x[1:]])

    x = np.zeros((nodes, d))
    x[:, 0] = -1
    for step in range(1, run.horizon + 1):
        at = power @ x if run.update_form == "cta" else x
        moves = np.array([run.eta * (slope(at[k]) + shift[k] + root @ generator.standard_normal(d)) for k in range(nodes)])
        x = {"atc": power @ (x - moves), "cta": at - moves, "consensus": power @ x - moves}.get(run.update_form, x - moves)
        seen = power @ x if run.update_form == "cta" and run.readout == "gradient_point" else x
        if (seen[:, 0].mean() if run.node is None else seen[run.node, 0]) >= run.exit_level:
            return step
    return 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "changes",
    [
        {"topology": "star", "Q": 2},
        {"readout": "node_average", "node": 0, "potential": DoubleWell(others=(0.5,)), "noise": [[16.0, 2.0], [2.0, 3.0]]},
        {"readout": "gradient_point", "node": 0, "level": 0.3, "heterogeneity": [[1.0], [-1.0], [2.0], [-2.0]]},
    ],
    ids=["mean", "node", "gradient point"],
)
def test_walks_equal_a_plain_loop(form: str, changes: dict[str, Any]) -> None:
    run = escape(update_form=form, replicates=6, horizon=150, noise=changes.get("noise", 16.0), seed=5, **_without(changes, "noise"))
    found = exit_times(run)
    assert [int(t) if seen else 0 for t, seen in zip(found.times, found.observed, strict=True)] == [plain_walk(run, k) for k in range(6)]
    assert found.observed.any()


def _without(changes: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in changes.items() if key != name}


@pytest.mark.parametrize(
    "potential",
    [DoubleWell(height=1.3, well=0.7, others=(0.5, 2.0)), QuadraticBasin(curvature=1.7, others=(0.5, 2.0))],
    ids=["well", "basin"],
)
@pytest.mark.parametrize("aliased", [False, True])
def test_gradients_are_those_of_the_potential(potential: Any, aliased: bool) -> None:
    weights, draws, before = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 4, 3 * 5)))
    x = weights.view(4, 3, 5).clone().requires_grad_()
    first = 1.3 / 4 * (x[:, 0] ** 2 - 0.49) ** 2 if isinstance(potential, DoubleWell) else 1.7 / 2 * x[:, 0] ** 2
    (slope,) = torch.autograd.grad((first + 0.25 * x[:, 1] ** 2 + x[:, 2] ** 2).sum(), x)
    target = weights if aliased else before
    expected = target - 0.3 * (slope.view(4, 15) + draws)
    potential.add_gradient_(target, weights, draws, -0.3)
    torch.testing.assert_close(target, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["ring", "complete", "star", "exponential"])
def test_gossip_by_column_sees_one_column_at_a_time(name: str) -> None:
    matrix = topology(name, 32).matrix
    mix = mixer(matrix, torch.device("cpu"), torch.float64, by_column=True)
    models = torch.from_numpy(np.random.default_rng(1).standard_normal((1, 32, 37)))
    whole, alone = torch.empty_like(models), torch.empty((1, 32, 1), dtype=torch.float64)
    mix(models, whole)
    np.testing.assert_allclose(whole[0].numpy(), matrix @ models[0].numpy(), rtol=0, atol=1e-14)
    for column in (0, 20, 36):
        mix(models[..., column : column + 1].contiguous(), alone)
        assert torch.equal(alone[0, :, 0], whole[0, :, column])


@pytest.mark.parametrize("topology_name", ["ring", "complete"])
def test_walks_do_not_depend_on_their_company(monkeypatch: pytest.MonkeyPatch, topology_name: str) -> None:
    run = {"update_form": "consensus", "m": 5, "topology": topology_name, "seed": 2}
    whole = exit_times(escape(replicates=40, horizon=500, **run))
    fewer = exit_times(escape(replicates=7, horizon=500, **run))
    assert np.array_equal(whole.times[:7], fewer.times)
    shorter = exit_times(escape(replicates=40, horizon=150, **run))
    assert np.array_equal(np.minimum(whole.times, 150), shorter.times)
    assert np.array_equal(shorter.observed, whole.observed & (whole.times <= 150))
    assert 0 < shorter.observed.sum() < 40
    monkeypatch.setattr(module, "_BLOCK", 7)
    monkeypatch.setattr(module, "_ENTRIES", 50)
    heard: list[float] = []
    assert np.array_equal(whole.times, exit_times(escape(replicates=40, horizon=500, **run), heard.append).times)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_everything_censored() -> None:
    found = exit_times(escape(noise=1e-6, horizon=50, replicates=3))
    assert not found.observed.any()
    assert (found.times == 50).all()


def test_a_walk_that_diverges_is_no_exit() -> None:
    with pytest.raises(DomainError, match="diverged"):
        exit_times(escape(eta=30.0, noise=[1e-3], horizon=40, replicates=1, level=1e300))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"potential": QuadraticBasin()}, DomainError, "name a finite level"),
        ({"level": -1.0}, DomainError, "where the walk starts"),
        ({"noise": [1.0, 2.0]}, DomainError, "it is a variance"),
        ({"potential": DoubleWell(others=(1.0,)), "noise": [[1.0, 2.0], [2.0, 1.0]]}, DomainError, "none below 0"),
        ({"heterogeneity": [[1.0]], "update_form": "atc"}, LengthError, r"\(m, d\) = \(4, 1\)"),
        ({"heterogeneity": [[1.0], [1.0], [0.0], [0.0]]}, DomainError, "sums to 0"),
        ({"node": 4, "readout": "node_average", "update_form": "atc"}, DomainError, r"numbered 0\.\.3"),
        ({"update_form": "atc", "topology": topology("ring", 5)}, DomainError, "mixing matrix of 5 nodes"),
        ({"horizon": 0}, DomainError, "horizon takes an integer >= 1"),
        ({"readout": "worst_node"}, DomainError, "no single run"),
        ({"update_form": "adapt"}, UnknownNameError, "update form"),
        ({"eta": 0.0}, DomainError, "eta"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        escape(**changes)


def test_potentials_and_walks_say_what_they_allow() -> None:
    for wrong in ({"height": 0.0}, {"well": math.inf}, {"others": (1.0, -1.0)}):
        with pytest.raises(DomainError, match="finite number > 0"):
            DoubleWell(**wrong)
    with pytest.raises(DomainError, match="std > 0"):
        Walk(well_slope, 0.1, 0.0, -3, 0)
    with pytest.raises(DomainError, match="take std at least"):
        Walk(well_slope, 0.1, 1e-3, -3, 0)
    with pytest.raises(DomainError, match="start inside"):
        passage(0.1, 2.0).mean_time(0.0)


def test_the_double_well_describes_itself() -> None:
    well = DoubleWell(height=1.3, well=0.7, others=(2.0,))
    x = torch.tensor([-0.7, 0.0], dtype=torch.float64, requires_grad=True)
    slope = well.slope(x)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert slope.tolist() == [pytest.approx(0, abs=1e-15), 0]
    assert curvature.tolist() == [pytest.approx(well.curvatures[0]), pytest.approx(-well.curvatures[1])]
    area = np.polynomial.legendre.leggauss(5)
    points = torch.from_numpy(-0.35 + 0.35 * area[0])
    assert float((well.slope(points) * torch.from_numpy(0.35 * area[1])).sum()) == pytest.approx(well.barrier)


def test_a_description_can_be_sent_to_another_process_after_use() -> None:
    run = escape(update_form="cta", readout="gradient_point", horizon=5, replicates=2)
    times = exit_times(run).times
    assert np.array_equal(exit_times(pickle.loads(pickle.dumps(run))).times, times)

"""On-average stability for convex and strongly convex losses: expected twin distances unrolled over real mixing matrices."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

import bounds
from bounds.topology import topology

GRAPHS = [("ring", 5), ("ring", 8), ("torus", 9), ("star", 6), ("complete", 4), ("exponential", 8), ("path", 3), ("ring", 2)]
CASES = list(product(GRAPHS, (1, 3)))
SIZE = 1000 // len(CASES) + 1
STEPS = 40
Points = dict[str, np.ndarray]


def cases() -> Iterator[tuple[np.random.Generator, np.ndarray, Points]]:
    """Random sizes and constants for every graph and number of gossip steps; more than 1,000 in all."""
    for seed, (graph, Q) in enumerate(CASES):
        rng, mixing = np.random.default_rng(seed), topology(*graph)
        m, size = mixing.nodes, (SIZE,)
        points = {"m": np.full(size, m), "Q": np.full(size, Q), "gap": np.full(size, mixing.gap), "w_min": np.full(size, mixing.w_min(Q))}
        points |= {"L": 10 ** rng.uniform(-1, 1, size), "n": rng.integers(1, 50, size), "T": rng.integers(1, STEPS + 1, size)}
        points |= {"b": rng.integers(1, points["n"] + 1), "beta": 10 ** rng.uniform(-1, 1, size), "share": rng.uniform(0.01, 1, size)}
        yield rng, mixing.power(Q), points


def distances(form: str, power: np.ndarray, contraction: np.ndarray, jump: np.ndarray, T: np.ndarray) -> np.ndarray:
    """E delta_k for every node k (rows) and every node j with the replaced sample (columns), which adds ``jump`` a step at j.

    It is exact for one-dimensional losses (mu/2) w^2 + z w with z' = -z, whose twins only ever move apart.
    """
    m = len(power)
    d = np.zeros((len(T), m, m))
    fresh = jump[:, None, None] * np.eye(m)
    keep = contraction[:, None, None]
    for t in range(1, STEPS + 1):
        if form == "atc":
            new = power @ (keep * d + fresh)
        elif form == "cta":
            new = keep * (power @ d) + fresh
        else:
            new = power @ d + (keep - 1) * d + fresh
        d = np.where((t <= T)[:, None, None], new, d)
    return d


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_convex_is_attained_on_every_graph(form: str) -> None:
    for _, power, points in cases():
        eta = 2 * points.pop("share") / points["beta"] * (points["w_min"] if form == "consensus" else 1)
        d = distances(form, power, np.ones(SIZE), 2 * eta * points["L"] / points["n"], points["T"])
        stability = bounds.get("l1_stability_convex").evaluate(update_form=form, eta=eta, **points)
        error = bounds.get("dsgd_convex").evaluate(update_form=form, eta=eta, **points)
        assert d.mean((1, 2)) == pytest.approx(stability, rel=1e-9)
        # Averaged over the replaced sample, every node has the same distance: why the worst node has this bound too.
        assert points["L"][:, None] * d.mean(2) == pytest.approx(np.repeat(error[:, None], len(power), axis=1), rel=1e-9)
        met = np.random.default_rng(0).uniform(0, 1, SIZE) * points["L"]
        shared = {name: points[name] for name in ("L", "T", "m", "n")}
        by_gradients = bounds.get("dsgd_convex_trajectory").evaluate(update_form=form, eta=eta, G=met, **shared)
        d = distances(form, power, np.ones(SIZE), 2 * eta * met / points["n"], points["T"])
        assert points["L"] * d.mean((1, 2)) == pytest.approx(by_gradients, rel=1e-9)
        assert np.all(by_gradients <= error * (1 + 1e-9))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_strongly_convex_is_attained_on_every_graph(form: str) -> None:
    for rng, power, points in cases():
        mu = points["beta"] * 10 ** rng.uniform(-3, 0, SIZE)
        room = points["w_min"] if form == "consensus" else 1
        eta = points.pop("share") * np.minimum(2 * room / (points["beta"] + mu), 1 / mu)
        d = distances(form, power, 1 - eta * mu, 2 * eta * points["L"] / points["n"], points["T"])
        stability = bounds.get("l1_stability_strongly_convex").evaluate(update_form=form, eta=eta, mu=mu, **points)
        error = bounds.get("dsgd_strongly_convex").evaluate(update_form=form, eta=eta, mu=mu, **points)
        assert d.mean((1, 2)) == pytest.approx(stability, rel=1e-9)
        assert points["L"][:, None] * d.mean(2) == pytest.approx(np.repeat(error[:, None], len(power), axis=1), rel=1e-9)


def test_condition_of_the_consensus_form_is_sharp() -> None:
    """One step of quadratic twins, W^Q - eta h I: beyond eta = 2 min_k (W^Q)_kk/beta the node mean of the distances can grow."""
    power = topology("ring", 5).power(1)
    for factor, grows in ((1.0, False), (1.2, True)):
        start = np.zeros(5)
        start[0] = 1.0
        eta_times_beta = factor * 2 * power[0, 0]
        after = np.abs(power @ start - eta_times_beta * np.eye(5)[0] * start)
        assert bool(after.sum() > 1 + 1e-12) is grows


@pytest.mark.parametrize(("form", "suffix"), [("atc", ""), ("consensus", "_consensus")])
def test_worst_node_dominates_on_every_graph(form: str, suffix: str) -> None:
    """Attained where W has two eigenvalues, 1 and lambda >= 0: by the node that holds the replaced sample."""
    bound = bounds.get(f"dsgd_worst_node_convex{suffix}")
    for _, power, points in cases():
        eta = 2 * points["share"] / points["beta"] * points["w_min"]
        values = {name: points[name] for name in bound.formula.parameters if name in points}
        single = bound.evaluate(eta=eta, **values)
        worst = points["L"] * distances(form, power, np.ones(SIZE), 2 * eta * points["L"] / points["n"], points["T"]).max((1, 2))
        assert np.all(worst <= single * (1 + 1e-9))
        if np.allclose(power, power[0, 1] + (power[0, 0] - power[0, 1]) * np.eye(len(power))):
            assert worst == pytest.approx(single, rel=1e-9)


@pytest.mark.parametrize(("form", "suffix"), [("atc", ""), ("consensus", "_consensus")])
def test_worst_node_is_attained_on_complete_graphs_with_self_weight(form: str, suffix: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(1000):
        m, n, T, Q = (int(rng.integers(low, high)) for low, high in ((1, 9), (1, 30), (1, STEPS + 1), (1, 5)))
        gap, eta, L = rng.uniform(0.001, 1), 10 ** rng.uniform(-2, 0), 10 ** rng.uniform(-1, 1)
        power = np.linalg.matrix_power(np.full((m, m), gap / m) + (1 - gap) * np.eye(m), Q)
        d = distances(form, power, np.ones(1), np.array([2 * eta * L / n]), np.array([T]))
        value = bounds.get(f"dsgd_worst_node_convex{suffix}").evaluate(L=L, eta=eta, T=T, m=m, n=n, gap=gap, Q=Q)
        assert L * d.max() == pytest.approx(value, rel=1e-9)

"""Hand-computed and published-order numbers of quadratic models: a curvature-noise counterexample, windows, batch sizes, one node."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest

from bounds.errors import DomainError
from bounds.setting import Schedule
from bounds.topology import MixingMatrix, topology
from empirical.oracles import Method, Quadratic, State, evolve, recursion, steady_state

NODES, MEAN, POINT, WORST = "node_average", "network_mean", "gradient_point", "worst_node"
RING = topology("ring", 8)


def scalar(h: Any, R: Any, pulls: Any) -> Quadratic:
    """One-dimensional nodes of curvatures ``h`` with gradients h x + pulls and noise variances ``R``."""
    h, R, pulls = (np.broadcast_to(np.asarray(x, dtype=float), np.shape(pulls)) for x in (h, R, pulls))
    return Quadratic(h[:, None, None], (-pulls / h)[:, None], R[:, None, None])


def settled(form: Any, problem: Quadratic, eta: float, W: Any = RING, b: int = 1, Q: int = 1) -> State:
    return steady_state(Method(update_form=form, mixing=W, schedule=Schedule(eta), b=b, Q=Q), problem)


def excess(form: Any, problem: Quadratic, eta: float, readout: str = NODES, **more: Any) -> float:
    return settled(form, problem, eta, **more).excess_risk(problem.objective(), readout)


def test_one_model_alone_by_hand() -> None:
    """x <- x - eta (h (x - a) + s): variance eta r/(h (2 - eta h)), excess half of eta r/(2 - eta h)."""
    problem = Quadratic([[2.0]], [[3.0]], [[0.5]])
    state = settled("centralized", problem, 0.3, b=4)
    assert state.models.mean[0, 0] == pytest.approx(3, rel=1e-14)
    assert state.excess_risk(problem.objective(), NODES) == pytest.approx(0.3 * 0.5 / 4 / (2 - 0.6) / 2, rel=1e-14)
    once = next(evolve(Method(update_form="centralized", schedule=Schedule(c=0.6, tau=1.0), b=4), problem, [1]))  # type: ignore[arg-type]
    assert once.models.mean[0, 0] == pytest.approx(0.3 * 6, rel=1e-14)
    assert once.models.covariance.item() == pytest.approx(0.09 * 0.5 / 4, rel=1e-14)


def test_curvature_and_noise_that_go_together_put_atc_below_centralized() -> None:
    pair = MixingMatrix([[0.7, 0.3], [0.3, 0.7]])
    problem = scalar([2, 0.02], [1, 0], [0, 0])
    found = {form: excess(form, problem, 0.1, W=pair) for form in ("centralized", "atc", "consensus", "cta")}
    assert found == pytest.approx({"centralized": 0.006582, "atc": 0.006444, "consensus": 0.007123, "cta": 0.007650}, abs=5e-7)
    means = [excess(form, problem, 0.1, MEAN, W=pair) for form in ("atc", "consensus")]
    assert means == pytest.approx([0.006214, 0.005739], abs=5e-7)


def test_batch_sizes_with_and_without_heterogeneity() -> None:
    alike, unlike = scalar(1, 1, np.zeros(8)), scalar(1, 1, np.repeat([0.1, -0.1], 4))
    ratios: dict[Any, list[float]] = {}
    for b, problem in [(1, alike), (4096, alike), (1, unlike), (16, unlike), (256, unlike), (4096, unlike)]:
        least = excess("centralized", problem, 0.02, b=b)
        ratios[b, problem is unlike] = [excess(form, problem, 0.02, b=b) / least for form in ("consensus", "atc")]
    assert ratios[1, False] == pytest.approx([1.420, 1.152], abs=5e-4)
    assert ratios[4096, False] == pytest.approx(ratios[1, False], rel=1e-12)
    assert ratios[1, True] == pytest.approx([1.479, 1.191], abs=5e-4)
    assert ratios[16, True] == pytest.approx([2.360, 1.779], abs=5e-4)
    assert ratios[256, True] == pytest.approx([16.4, 11.2], rel=5e-3)
    assert ratios[4096, True] == pytest.approx([242, 162], rel=5e-3)


@pytest.mark.parametrize(("n", "consensus", "atc"), [(1, 8.0, 2.667), (10, 2.26, 1.454), (100, 1.428, 1.155)])
def test_the_advantage_depends_on_the_window(n: int, consensus: float, atc: float) -> None:
    problem = scalar(1, 1, np.zeros(8))

    def window(form: Any) -> float:
        method = Method(update_form=form, mixing=RING, schedule=Schedule(0.02))
        return next(evolve(method, problem, [n])).excess_risk(problem.objective(), NODES)

    ratios = [window(form) / window("centralized") for form in ("consensus", "atc")]
    assert ratios == pytest.approx([consensus, atc], rel=2e-3)


def test_the_orders_of_two_forms_may_differ_at_one_node() -> None:
    problem = scalar(1, [0.01] + [1] * 7, np.zeros(8))
    consensus, atc = (settled(form, problem, 0.1) for form in ("consensus", "atc"))
    quiet = [state.models.excesses(problem.objective())[0] for state in (consensus, atc)]
    assert quiet == pytest.approx([0.00309, 0.00355], abs=5e-6)
    means = [state.excess_risk(problem.objective(), NODES) for state in (consensus, atc)]
    assert means == pytest.approx([0.00805, 0.00460], abs=5e-6)
    assert consensus.excess_risk(problem.objective(), WORST) == pytest.approx(consensus.models.excesses(problem.objective()).max(), rel=0)


def test_complete_graph() -> None:
    problem, complete = scalar(1, 1, np.zeros(8)), topology("complete", 8)
    assert excess("consensus", problem, 0.1, W=complete) == pytest.approx(0.007709, abs=5e-7)
    assert excess("atc", problem, 0.1, W=complete) == pytest.approx(excess("centralized", problem, 0.1), rel=1e-13)
    assert excess("centralized", problem, 0.1) == pytest.approx(0.003289, abs=5e-7)
    assert settled("atc", problem, 0.1, W=complete).consensus_distance(NODES) < 1e-30


@pytest.mark.parametrize(("weight", "edge"), [(1 / 3, 1 / 3), (0.45, 0.1)])
def test_steps_beyond_the_edge_have_no_steady_state(weight: float, edge: float) -> None:
    eye = np.eye(8)
    W = (1 - 2 * weight) * eye + weight * (np.roll(eye, 1, 0) + np.roll(eye, -1, 0))
    problem = scalar(2, 1, np.zeros(8))
    assert excess("consensus", problem, edge * 0.999, W=W) > 0
    with pytest.raises(DomainError, match="spectral radius"):
        excess("consensus", problem, edge * 1.001, W=W)
    assert excess("atc", problem, 0.999, W=W) > 0
    with pytest.raises(DomainError, match="spectral radius"):
        excess("atc", problem, 1.001, W=W)


def test_heterogeneous_curvature_moves_the_mean() -> None:
    """To leading order the network mean settles mu/(m hbar) sum_k h_k (X g)_k away, X = (I - W)^+ (consensus), W (I - W)^+ (ATC)."""
    rng = np.random.default_rng(3)
    h, g = rng.uniform(0.5, 2, 8), rng.normal(size=8)
    g -= g.mean()
    problem, W = scalar(h, 1, g), RING.matrix
    settles = np.linalg.pinv(np.eye(8) - W)
    for form, X in (("consensus", settles), ("atc", W @ settles), ("cta", W @ settles)):
        away = settled(form, problem, 1e-5).at(MEAN).mean[0, 0]
        assert away == pytest.approx(1e-5 * np.mean(h * (X @ g)) / h.mean(), rel=1e-3)


def test_leading_orders_of_unequal_curvatures_and_noises() -> None:
    """Second order in the step, nodes with h_k and R_k of their own: X = (I - W)^+ for the consensus form, W (I - W)^+ for ATC."""
    rng, eta = np.random.default_rng(0), 1e-5
    h, R, W, eye = rng.uniform(0.2, 2, 8), rng.uniform(0, 2, 8), RING.matrix, np.eye(8)
    found = {form: excess(form, scalar(h, R, np.zeros(8)), eta) for form in ("centralized", "consensus", "atc")}
    again = np.linalg.pinv(eye - W @ W)
    expected = {}
    for form, X, own in (("consensus", np.linalg.pinv(eye - W), again), ("atc", W @ np.linalg.pinv(eye - W), W @ W @ again)):
        shift = -2 / 8 * R @ X @ h + R.mean() / (8 * h.mean()) * h @ X @ h
        expected[form] = eta**2 / 32 * (shift + 2 * h.mean() * R @ np.diag(own))
        assert found[form] - found["centralized"] == pytest.approx(expected[form], rel=1e-3)
    graph_free = 14 * R.mean() * h.mean() - 2 * np.cov(R, h, bias=True)[0, 1] + R.mean() * h.var() / h.mean()
    assert found["consensus"] - found["atc"] == pytest.approx(eta**2 / 32 * graph_free, rel=1e-3)


def test_documented_examples() -> None:
    assert doctest.testmod(recursion).failed == 0


@pytest.mark.parametrize("weight", [0.2, 1 / 3, 0.4])
def test_small_steps_see_the_ring_by_one_sum_over_its_spectrum(weight: float) -> None:
    """D/ER_cen -> 2 eta S rho, S = sum 1/(1 - lambda^2) of the consensus form in closed form, m - 1 less for ATC."""
    m, eta, eye = 8, 1e-5, np.eye(8)
    W = (1 - 2 * weight) * eye + weight * (np.roll(eye, 1, 0) + np.roll(eye, -1, 0))
    root = np.sqrt(1 - 2 * weight)
    q = (root - (1 - weight)) / weight
    total = ((m**2 - 1) / (12 * weight) + m / (2 * root) * (1 + q**m) / (1 - q**m) - 0.5) / 2
    if weight == 1 / 3:
        assert total == pytest.approx(11.089286, abs=5e-7)
    problem = scalar(1, 1, np.zeros(m))
    central = excess("centralized", problem, eta)
    for form, known in (("consensus", total), ("atc", total - (m - 1))):
        assert (excess(form, problem, eta, W=W) / central - 1) / (2 * eta) == pytest.approx(known, rel=1e-3)

"""Excess risk, disagreement and step limits of quadratics against full-matrix recursions over real graphs, in plain numpy.

Nothing here knows of modes: the covariance of all nodes' models is summed by doubling, the mean solves a linear system.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bounds
from bounds.bound import Bound
from bounds.topology import topology

Matrix = NDArray[np.float64]
FORMS = ("consensus", "atc", "cta")
READOUTS = ("node_average", "network_mean", "gradient_point")
POINTS = 1000


@cache
def graphs() -> list[Matrix]:
    """Rings, a torus, a complete graph, a hypercube, and random symmetric mixing matrices, one of them of two nodes."""
    rng = np.random.default_rng(11)
    named = [topology(name, nodes) for name, nodes in (("ring", 5), ("ring", 8), ("torus", 9), ("complete", 4), ("hypercube", 8))]
    # The cycle among the permutations connects them.
    cycles = [[np.roll(np.arange(nodes), 1), rng.permutation(nodes), rng.permutation(nodes)] for nodes in (2, 6, 7)]
    permuted = [np.eye(len(cycle[0]))[cycle].mean(axis=0) for cycle in cycles]
    return [np.asarray(mixing.power(1)) for mixing in named] + [(P + P.T + 0.4 * np.eye(len(P))) / 2.4 for P in permuted]


def steps(form: str, W: Matrix, H: Matrix, eta: Matrix) -> tuple[Matrix, Matrix]:
    """The matrices F and G of X <- F X - eta G (gradient offset + noise), a pair per entry of ``eta`` (and of ``H``)."""
    m, d = len(W), H.shape[-1]
    gossip = np.kron(W, np.eye(d))
    pull = eta[:, None, None] * np.stack([np.kron(np.eye(m), hessian) for hessian in np.broadcast_to(H, (len(eta), d, d))])
    identity = np.eye(m * d)
    if form == "consensus":
        return gossip - pull, np.broadcast_to(identity, pull.shape)
    if form == "atc":
        return gossip @ (identity - pull), np.broadcast_to(gossip, pull.shape)
    return (identity - pull) @ gossip, np.broadcast_to(identity, pull.shape)


def steady_covariance(F: Matrix, driven: Matrix) -> Matrix:
    """The sum of F^k driven F^kT over all k."""
    total, power = np.array(driven), np.array(F)
    for _ in range(16):
        total = total + power @ total @ power.transpose(0, 2, 1)
        power = power @ power
    return total


def batches(rng: np.random.Generator) -> list[Matrix]:
    """A graph for each of the batches whose points together are :data:`POINTS`."""
    return [graphs()[k % len(graphs())] for k in rng.permutation(20)]


def spectrum_of(W: Matrix) -> tuple[list[float], Matrix]:
    """Eigenvalues, largest first, and the matching eigenvectors as columns."""
    values, vectors = np.linalg.eigh(W)
    return [1.0, *values[::-1][1:].tolist()], vectors[:, ::-1]


class Problem:
    """A batch of random local quadratic problems on one graph: Hessian, noise covariance, gradients at the minimum."""

    def __init__(self, rng: np.random.Generator, W: Matrix, points: int, heterogeneous: bool) -> None:
        self.m, self.d, self.Q, self.b = len(W), int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 9))
        self.W = np.linalg.matrix_power(W, self.Q)
        self.spectrum, self.vectors = spectrum_of(W)
        self.rho = rng.uniform(0.2, 2, (points, self.d))
        self.axes = np.linalg.qr(rng.normal(size=(points, self.d, self.d)))[0]
        self.H = self.axes @ (self.rho[:, :, None] * self.axes.transpose(0, 2, 1))
        root = rng.normal(size=(points, self.d, self.d))
        self.noise = root @ root.transpose(0, 2, 1)
        offset = rng.normal(size=(points, self.m, self.d)) * heterogeneous * 10 ** rng.uniform(-2, 1)
        self.offset = offset - offset.mean(axis=1, keepdims=True)
        edge = 1 + min(np.linalg.eigvalsh(self.W)[0], 0.999)
        self.eta = rng.uniform(0.02, 0.98, points) * edge / self.rho.max(axis=1)

    def arguments(self, point: int) -> dict[str, Any]:
        """The bound's parameters at one of the points."""
        axes = self.axes[point]
        values = {
            "eta": float(self.eta[point]),
            "b": self.b,
            "rho": self.rho[point].tolist(),
            "r": np.diag(axes.T @ self.noise[point] @ axes).tolist(),
            "spectrum": self.spectrum,
            "Q": self.Q,
        }
        if self.offset.any():
            values["heterogeneity"] = (self.vectors.T @ self.offset[point] @ axes).tolist()
        return values

    def excess_risks(self, form: str) -> dict[str, Matrix]:
        """Exact steady excess risk of every point, by readout."""
        F, G = steps(form, self.W, self.H, self.eta)
        noise = np.stack([np.kron(np.eye(self.m), covariance) for covariance in self.noise]) / self.b
        covariance = steady_covariance(F, self.eta[:, None, None] ** 2 * G @ noise @ G.transpose(0, 2, 1))
        offset = self.offset.reshape(len(self.eta), -1, 1)
        mean = np.linalg.solve(np.eye(F.shape[-1]) - F, -self.eta[:, None, None] * G @ offset)
        second = covariance + mean @ mean.transpose(0, 2, 1)
        average = np.kron(np.ones((1, self.m)) / self.m, np.eye(self.d))
        gossip = np.kron(self.W, np.eye(self.d)) if form == "cta" else np.eye(F.shape[-1])
        return {
            "node_average": self.risk(second),
            "network_mean": np.einsum("kab,kba->k", self.H, average @ second @ average.T) / 2,
            "gradient_point": self.risk(gossip @ second @ gossip.T),
        }

    def risk(self, second: Matrix) -> Matrix:
        """Mean over nodes of the loss above its minimum, from second moments of all nodes' models."""
        blocks = second.reshape(-1, self.m, self.d, self.m, self.d)
        return np.einsum("kab,kjbja->k", self.H, blocks) / (2 * self.m)


@cache
def problems(heterogeneous: bool) -> list[tuple[Problem, dict[str, dict[str, Matrix]]]]:
    rng = np.random.default_rng(5 + heterogeneous)
    drawn = [Problem(rng, W, POINTS // 20, heterogeneous) for W in batches(rng)]
    return [(problem, {form: problem.excess_risks(form) for form in FORMS}) for problem in drawn]


@pytest.mark.parametrize("form", FORMS)
def test_excess_risk_is_the_steady_state_of_the_whole_network(form: str) -> None:
    bound = bounds.get(f"excess_risk_{form}")
    for place, (problem, exact) in enumerate(problems(False)[:10] + problems(True)[10:]):
        for point in range(len(problem.eta)):
            readout = READOUTS[(place + point) % 3]
            arguments = problem.arguments(point)
            assert not bound.assess(arguments)
            value = bound.evaluate(**arguments, readout=readout)
            assert value == pytest.approx(exact[form][readout][point], rel=1e-9)


def test_centralized_excess_risk_is_the_steady_state_of_one_node_with_the_whole_batch() -> None:
    bound = bounds.get("excess_risk_centralized")
    for problem, exact in problems(True):
        step = np.eye(problem.d) - problem.eta[:, None, None] * problem.H
        driven = problem.eta[:, None, None] ** 2 * problem.noise / (problem.b * problem.m)
        alone = np.einsum("kab,kba->k", problem.H, steady_covariance(step, driven)) / 2
        values = [bound.evaluate(**problem.arguments(point)) for point in range(len(alone))]
        assert values == pytest.approx(alone, rel=1e-9)
        # The averaged model of every form is this one node.
        for form in FORMS:
            assert values == pytest.approx(exact[form]["network_mean"], rel=1e-9)


@pytest.mark.parametrize("form", ["atc", "cta"])
def test_excess_gap_is_the_difference_of_two_steady_states(form: str) -> None:
    bound = bounds.get(f"excess_gap_consensus_{form}")
    for problem, exact in problems(False):
        consensus, other = exact["consensus"]["node_average"], exact[form]["node_average"]
        values = [bound.evaluate(**problem.arguments(point)) for point in range(len(consensus))]
        # The subtraction here loses what the closed form keeps.
        assert np.all(np.abs(values - (consensus - other)) <= 1e-9 * np.abs(values) + 1e-12 * consensus)


def test_orders_of_the_excess_risks() -> None:
    """With one Hessian: consensus form >= ATC >= centralized, CTA >= ATC, and CTA equals ATC at the gradient points."""
    for problem, exact in problems(True) + problems(False):
        atc, slack = exact["atc"]["node_average"], 1 + 1e-9
        assert np.all(exact["consensus"]["node_average"] * slack >= atc)
        assert np.all(exact["cta"]["node_average"] * slack >= atc)
        assert np.all(atc * slack >= exact["atc"]["network_mean"])
        assert exact["cta"]["gradient_point"] == pytest.approx(atc, rel=1e-9)
        assert len(problem.eta)


def ring(**more: Any) -> dict[str, Any]:
    return {"eta": 0.02, "b": 1, "rho": 1, "r": 1, "spectrum": spectrum_of(graphs()[1])[0], "Q": 1} | more


def test_batch_size_divides_the_noise_and_not_the_heterogeneity() -> None:
    """A ring of eight, gradients at the minimum +0.1 on four neighbours and -0.1 on the others."""
    vectors = spectrum_of(graphs()[1])[1]
    split = (vectors.T @ np.array([0.1] * 4 + [-0.1] * 4)).tolist()
    table = {1: (1.479, 1.191), 16: (2.360, 1.779), 256: (16.4, 11.2), 4096: (242, 162)}
    for b, expected in table.items():
        alone = bounds.get("excess_risk_centralized").evaluate(**ring(b=b))
        for form, plain, ratio in zip(("consensus", "atc"), (1.420, 1.152), expected, strict=True):
            bound = bounds.get(f"excess_risk_{form}")
            assert bound.evaluate(**ring(b=b)) / alone == pytest.approx(plain, rel=5e-4)
            assert bound.evaluate(**ring(b=b, heterogeneity=split)) / alone == pytest.approx(ratio, rel=4e-3)


def test_complete_graph_keeps_one_fresh_gradient_in_the_consensus_form() -> None:
    complete = ring(eta=0.1, spectrum=[1.0] + [0.0] * 7)
    values = [bounds.get(f"excess_risk_{form}").evaluate(**complete) for form in ("consensus", "atc", "centralized")]
    assert values == pytest.approx([0.007709, 0.003289, 0.003289], rel=2e-4)


def test_gap_to_atc_has_one_leading_order_on_every_graph() -> None:
    for W in graphs():
        spectrum, m = spectrum_of(W)[0], len(W)
        gap = bounds.get("excess_gap_consensus_atc").evaluate(**ring(eta=1e-7, spectrum=spectrum, rho=[1, 2], r=[3, 1]))
        assert gap == pytest.approx(1e-14 * (m - 1) / (2 * m) * 5, rel=1e-5)


def test_gap_to_cta_changes_sign_where_it_should() -> None:
    eigenvalue = 0.5
    crossing = 2 * eigenvalue / (1 + eigenvalue)
    below, above = (
        bounds.get("excess_gap_consensus_cta").evaluate(**ring(eta=crossing + shift, spectrum=[1, eigenvalue])) for shift in (-1e-6, 1e-6)
    )
    assert below < 0 < above


def test_an_unbalanced_heterogeneity_is_not_at_the_minimum() -> None:
    bound = bounds.get("excess_risk_atc")
    assert not bound.assess(ring(heterogeneity=[0.0] + [1.0] * 7))
    assert not bound.assess(ring(heterogeneity=[1e-17] + [1.0] * 7))
    assert bound.assess(ring(heterogeneity=[1e-3] + [1.0] * 7))
    basin = {"eta": 0.02, "curvatures": [2, 1], "Q": 1, "spectrum": [1, 0.5], "r": 1}
    assert not bounds.get("exit_time_ratio").assess(basin | {"heterogeneity": [0, 1]})
    assert bounds.get("exit_time_ratio").assess(basin | {"heterogeneity": [1, 0]})


def radius(form: str, W: Matrix, H: Matrix, eta: Matrix) -> Matrix:
    F, _ = steps(form, W, H, eta)
    return np.abs(np.linalg.eigvals(F)).max(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["centralized", *FORMS])
def test_step_limit_is_where_the_spectral_radius_passes_one(form: str) -> None:
    rng, bound = np.random.default_rng(3), bounds.get(f"step_limit_{form}")
    for W in batches(rng):
        Q, points = int(rng.integers(1, 4)), POINTS // 20
        spectrum, power = spectrum_of(W)[0], np.linalg.matrix_power(W, Q)
        rho = rng.uniform(0.1, 3, (points, 2))
        H = rho[:, :, None] * np.eye(2)
        low, high = np.zeros(points), 3 / rho.max(axis=1)
        for _ in range(34):
            middle = (low + high) / 2
            stable = radius("atc" if form == "centralized" else form, np.eye(1) if form == "centralized" else power, H, middle) < 1
            low, high = np.where(stable, middle, low), np.where(stable, high, middle)
        values = [bound.evaluate(rho_max=float(top), spectrum=spectrum, Q=Q) for top in rho.max(axis=1)]
        assert values == pytest.approx(low, rel=1e-9)
        if form in ("consensus", "atc"):
            edge = bounds.get("edge_of_stability")
            tops = rho.max(axis=1).tolist()
            assert [edge.evaluate(curvature=top, spectrum=spectrum, Q=Q, update_form=form) for top in tops] == values


def test_edges_of_stability_on_eight_nodes() -> None:
    ring_of_eight = spectrum_of(graphs()[1])[0]
    lazy = [(1 + value) / 2 for value in ring_of_eight]
    edge = bounds.get("edge_of_stability")
    for spectrum, expected in ((ring_of_eight, 2 / 3), (lazy, 4 / 3), ([1.0] + [0.0] * 7, 1)):
        assert edge.evaluate(curvature=1, spectrum=spectrum, Q=1) == pytest.approx(expected, rel=1e-12)
        assert edge.evaluate(curvature=1, spectrum=spectrum, Q=1, update_form="atc") == 2


def deviations(form: str, W: Matrix, h: float, eta: float) -> tuple[Matrix, Matrix, Matrix]:
    """F and G for scalar models, and the projection onto deviations from the mean."""
    F, G = steps(form, W, np.array([[[h]]]), np.array([eta]))
    return F[0], G[0], np.eye(len(W)) - 1 / len(W)


def spread(form: str, W: Matrix, values: dict[str, Any], offset: Matrix, readout: str) -> float:
    """(1/m) sum E (x_k - xbar)^2 after T steps from 0, or in the end, by plain iteration of mean and covariance."""
    eta, h = values["eta"], values.get("curvature", 0.0)
    F, G, project = deviations(form, W, h, eta)
    driven = eta**2 * values["sigma2"] / values["b"] * project @ G @ G.T @ project
    if "T" in values:
        covariance, mean = np.zeros_like(F), np.zeros(len(W))
        for _ in range(values["T"]):
            covariance, mean = F @ covariance @ F.T + driven, F @ mean - eta * G @ offset
    else:
        covariance = steady_covariance((project @ F)[None], driven[None])[0]
        mean = np.linalg.solve(np.eye(len(W)) - project @ F, -eta * G @ offset)
    read = W if form == "cta" and readout == "gradient_point" else np.eye(len(W))
    return float(np.trace(read @ covariance @ read.T) + np.sum((read @ mean) ** 2)) / len(W)


@pytest.mark.parametrize("form", FORMS)
def test_disagreement_is_the_spread_of_the_whole_network(form: str) -> None:
    rng, bound = np.random.default_rng(8), bounds.get("disagreement_trace")
    for point in range(POINTS):
        W = graphs()[point % len(graphs())]
        spectrum, vectors = spectrum_of(W)
        Q, m, readout = int(rng.integers(1, 4)), len(W), READOUTS[2 * int(rng.integers(2))]
        power = np.linalg.matrix_power(W, Q)
        values: dict[str, Any] = {"b": int(rng.integers(1, 9)), "sigma2": rng.uniform(0, 2), "zeta2": rng.uniform(0, 2)}
        values["eta"] = float(rng.uniform(0.05, 0.95)) * (1 + float(np.linalg.eigvalsh(power)[0]))
        values |= {"curvature": float(rng.uniform(0, 1))} if rng.random() < 0.6 else {}
        values |= {"T": int(rng.integers(1, 40))} if rng.random() < 0.5 else {}
        signs = rng.choice([-1.0, 1.0], m - 1)
        offset = vectors[:, 1:] @ signs * np.sqrt(m * values["zeta2"] / (m - 1))
        value = bound.evaluate(**values, spectrum=spectrum, Q=Q, update_form=form, readout=readout)
        assert value == pytest.approx(spread(form, power, values, offset, readout), rel=1e-9)


def test_disagreement_of_a_ring_in_closed_form() -> None:
    rng, bound = np.random.default_rng(9), bounds.get("disagreement_trace_ring")
    for point in range(POINTS):
        m = 3 + point % 14
        W = sum(np.roll(np.eye(m), shift, axis=0) for shift in (-1, 0, 1)) / 3
        values = {"eta": rng.uniform(0.01, 1), "b": int(rng.integers(1, 9)), "sigma2": rng.uniform(0, 2), "zeta2": rng.uniform(0, 2)}
        vectors = spectrum_of(W)[1]
        offset = vectors[:, 1:] @ rng.choice([-1.0, 1.0], m - 1) * np.sqrt(m * values["zeta2"] / (m - 1))
        assert bound.evaluate(**values, m=m) == pytest.approx(spread("consensus", W, values, offset, "node_average"), rel=1e-9)


def test_published_sums_of_the_disagreement() -> None:
    """Sixteen nodes: noise 2.4096 and heterogeneity 56.74 on a ring, 15/16 and 1 on a complete graph."""
    ring_16, complete = bounds.get("disagreement_trace_ring"), bounds.get("disagreement_trace")
    whole = {"spectrum": [1.0] + [0.0] * 15, "update_form": "consensus"}
    for sigma2, zeta2, expected, other in ((1, 0, 2.4096, 0.9375), (0, 1, 56.74, 1)):
        assert ring_16.evaluate(eta=1, b=1, sigma2=sigma2, zeta2=zeta2, m=16) == pytest.approx(expected, rel=1e-4)
        assert complete.evaluate(eta=1, b=1, sigma2=sigma2, zeta2=zeta2, **whole) == pytest.approx(other, rel=1e-12)


def exit_ratio(form: str, W: Matrix, values: dict[str, Any], offset: Matrix) -> float:
    """exp(-Xi (H_a + H_b)/(2 T)), Xi the steady spread of the gradient points in a flat direction."""
    state = {"eta": values["eta"], "b": values["b"], "sigma2": values["r"]}
    xi = spread(form, W, state, offset, "gradient_point")
    return float(np.exp(-xi * sum(values["curvatures"]) / (values["eta"] * values["r"] / (values["b"] * len(W)))))


@pytest.mark.parametrize("form", FORMS)
def test_exit_time_ratio_is_the_smoothed_barrier(form: str) -> None:
    rng, bound = np.random.default_rng(10), bounds.get("exit_time_ratio")
    for point in range(POINTS):
        W = graphs()[point % len(graphs())]
        spectrum, vectors = spectrum_of(W)
        Q = int(rng.integers(1, 4))
        values = {"eta": rng.uniform(0.001, 0.05), "curvatures": rng.uniform(0.1, 2, 2).tolist(), "b": int(rng.integers(1, 9))}
        offset = rng.normal(size=len(W)) * 0.3 * (point % 2)
        offset -= offset.mean()
        reference = exit_ratio(form, np.linalg.matrix_power(W, Q), values | {"r": 1.5}, offset)
        extra = {"heterogeneity": (vectors.T @ offset).tolist(), "r": 1.5} if point % 2 else {}
        value = bound.evaluate(**values, **extra, spectrum=spectrum, Q=Q, update_form=form)
        assert value == pytest.approx(reference, rel=1e-9)


def test_exit_time_ratio_on_known_graphs() -> None:
    bound: Bound = bounds.get("exit_time_ratio")
    basin = {"eta": 0.02, "curvatures": [2, 1], "Q": 1, "spectrum": spectrum_of(graphs()[1])[0]}
    assert bound.evaluate(**basin, update_form="consensus") == pytest.approx(np.exp(-0.06 * 11.089286), rel=1e-7)
    assert bound.evaluate(**basin, update_form="atc") == pytest.approx(np.exp(-0.06 * 4.089286), rel=1e-7)
    assert bound.evaluate(**basin | {"spectrum": [1.0, 0.0, 0.0]}, update_form="atc") == 1


def test_every_reading_prints() -> None:
    bound = bounds.get("exit_time_ratio")
    for form in FORMS:
        assert r"\right)^{2}" in bound.latex(("heterogeneity", "r"), form)
    for form in ("excess_risk_cta", "excess_risk_consensus"):
        assert len({bounds.get(form).latex(("heterogeneity",), None, readout) for readout in READOUTS}) >= 2

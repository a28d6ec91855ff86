"""The catalogue's exact closed forms for quadratic and linear losses against the moment recursions, on random cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bounds
from bounds.errors import DomainError
from bounds.setting import Schedule
from bounds.topology import MixingMatrix, topology
from empirical.oracles import Method, Quadratic, SampledGradients, State, evolve, l2_stability, steady_state

FORMS = ("centralized", "atc", "cta", "consensus")
DECENTRALIZED = FORMS[1:]
READOUTS = ("node_average", "network_mean", "gradient_point")
CASES = 16


def graph(rng: np.random.Generator) -> MixingMatrix:
    """A named topology, or a random symmetric mixture of permutations with some weight on the own model."""
    if rng.random() < 0.4:
        return topology(*[("ring", 5), ("ring", 8), ("torus", 9), ("complete", 4), ("hypercube", 8)][rng.integers(5)])
    m = int(rng.integers(2, 7))
    P = (np.eye(m)[np.roll(np.arange(m), 1)] + np.eye(m)[rng.permutation(m)]) / 2
    return MixingMatrix((P + P.T) / 2 * 0.8 + 0.2 * np.eye(m))


class Case:
    """A random quadratic problem of nodes with one Hessian and one noise, in whose eigenbasis the closed forms speak."""

    def __init__(self, seed: int, dimension: int | None = None) -> None:
        rng = np.random.default_rng(seed)
        self.W, d = graph(rng), dimension or int(rng.integers(1, 4))
        m, self.Q, self.b = self.W.nodes, int(rng.integers(1, 4)), int(rng.integers(1, 9))
        self.rho, axes = rng.uniform(0.2, 2, d), np.linalg.qr(rng.normal(size=(d, d)))[0]
        self.hessian, root = axes * self.rho @ axes.T, rng.normal(size=(d, d))
        self.noise = root @ root.T
        offset = rng.normal(size=(m, d)) * (seed % 2) * 10 ** rng.uniform(-2, 1)
        self.offset = offset - offset.mean(axis=0)
        self.edge = (1 + min(np.linalg.eigvalsh(self.W.power(self.Q))[0], 0.999)) / self.rho.max()
        self.eta = float(rng.uniform(0.02, 0.95) * self.edge)
        values, vectors = np.linalg.eigh(self.W.matrix)
        spectrum = [1.0, *values[::-1][1:].tolist()]
        self.arguments: dict[str, Any] = {"eta": self.eta, "b": self.b, "rho": self.rho.tolist(), "spectrum": spectrum, "Q": self.Q}
        self.arguments |= {"r": np.diag(axes.T @ self.noise @ axes).tolist()}
        if self.offset.any():
            self.arguments["heterogeneity"] = (vectors[:, ::-1].T @ self.offset @ axes).tolist()
        minimisers = -np.linalg.solve(self.hessian, self.offset.T).T + rng.normal(size=d)
        self.problem = Quadratic(self.hessian, minimisers, self.noise)

    def method(self, form: Any, eta: float | None = None) -> Method:
        return Method(update_form=form, mixing=self.W, schedule=Schedule(eta or self.eta), Q=self.Q, b=self.b)

    def settled(self, form: str) -> State:
        return steady_state(self.method(form), self.problem)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("readout", READOUTS)
def test_excess_risk(form: str, readout: str) -> None:
    for seed in range(CASES):
        case = Case(seed)
        bound = bounds.get(f"excess_risk_{form}")
        assert not bound.assess(case.arguments)
        exact = case.settled(form).excess_risk(case.problem.objective(), readout)
        assert bound.evaluate(**case.arguments, readout=readout) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("form", ["atc", "cta"])
def test_excess_gap(form: str) -> None:
    for seed in range(0, 2 * CASES, 2):
        case = Case(seed)
        consensus, other = (case.settled(one).excess_risk(case.problem.objective(), "node_average") for one in ("consensus", form))
        value = bounds.get(f"excess_gap_consensus_{form}").evaluate(**case.arguments)
        # The subtraction here loses what the closed form keeps.
        assert value == pytest.approx(consensus - other, rel=1e-10, abs=1e-13 * consensus)
        assert abs(value) > 1e-9 * consensus


def spread_case(seed: int, W: MixingMatrix | None = None) -> tuple[Case, dict[str, Any]]:
    """A case in one dimension whose heterogeneity has one size along every deviation mode, and the closed form's arguments."""
    case = Case(seed, dimension=1)
    rng, W = np.random.default_rng(seed), W or case.W
    values, vectors = np.linalg.eigh(W.matrix)
    offset = vectors[:, :-1] @ rng.choice([-1.0, 1.0], W.nodes - 1) * rng.uniform(0.1, 2)
    h = float(case.rho[0])
    case.W, case.problem = W, Quadratic([[h]], (-offset / h)[:, None], case.noise)
    case.eta = float(rng.uniform(0.02, 0.95) * (1 + min(np.linalg.eigvalsh(W.power(case.Q))[0], 0.999)) / h)
    spectrum = [1.0, *values[::-1][1:].tolist()]
    known = {"eta": case.eta, "b": case.b, "sigma2": case.noise.item(), "zeta2": float(np.mean(offset**2)), "spectrum": spectrum}
    return case, known | {"Q": case.Q, "curvature": h}


@pytest.mark.parametrize("form", DECENTRALIZED)
@pytest.mark.parametrize("readout", ["node_average", "gradient_point"])
def test_disagreement(form: str, readout: str) -> None:
    bound = bounds.get("disagreement_trace")
    for seed in range(CASES):
        case, known = spread_case(seed)
        asked = known | {"update_form": form, "readout": readout}
        settled = steady_state(case.method(form), case.problem).consensus_distance(readout)
        assert bound.evaluate(**asked) == pytest.approx(settled, rel=1e-10, abs=1e-25)
        T = 1 + seed % 7
        early = next(evolve(case.method(form), case.problem, [T], [0.7])).consensus_distance(readout)
        assert bound.evaluate(**asked, T=T) == pytest.approx(early, rel=1e-10, abs=1e-25)


@pytest.mark.parametrize("form", DECENTRALIZED)
def test_disagreement_where_the_loss_is_flat(form: str) -> None:
    """Linear losses: the mean walks off, and the spread is still that of the closed form without curvature."""
    for seed in range(CASES):
        case, known = spread_case(seed)
        offset = case.problem.pull
        flat = SampledGradients(np.zeros((case.W.nodes, 2, 1, 1)), offset[:, None] + np.sqrt(known["sigma2"]) * np.array([[[1.0], [-1.0]]]))
        T = 1 + seed % 9
        found = next(evolve(case.method(form), flat, [T])).consensus_distance("node_average")
        known.pop("curvature")
        assert bounds.get("disagreement_trace").evaluate(**known, T=T, update_form=form) == pytest.approx(found, rel=1e-10, abs=1e-25)


@pytest.mark.parametrize("m", [3, 4, 7])
def test_disagreement_on_a_ring(m: int) -> None:
    case, known = spread_case(m, topology("ring", m))
    flat = SampledGradients(np.zeros((m, 2, 1, 1)), case.problem.pull[:, None] + np.sqrt(known["sigma2"]) * np.array([[[1.0], [-1.0]]]))
    method = Method(update_form="consensus", mixing=case.W, schedule=Schedule(case.eta), b=case.b)  # type: ignore[arg-type]
    # The gap of these rings is above 0.3, so what is left after 200 steps is below 1e-30.
    found = next(evolve(method, flat, [200])).consensus_distance("node_average")
    arguments = {name: known[name] for name in ("eta", "b", "sigma2", "zeta2")}
    assert bounds.get("disagreement_trace_ring").evaluate(**arguments, m=m) == pytest.approx(found, rel=1e-10)


def linear_twins(seed: int, W: MixingMatrix) -> tuple[float, dict[str, Any]]:
    """Squared stability (ATC) of linear losses of norm L with twins z' = -z, and the closed form's arguments."""
    rng = np.random.default_rng(seed)
    n, Q, b, T, L = (int(rng.integers(1, high)) for high in (5, 4, 4, 9, 4))
    z = rng.normal(size=(W.nodes, n, 2))
    z *= L / np.linalg.norm(z, axis=-1, keepdims=True)
    ours, theirs = (SampledGradients(np.zeros((W.nodes, n, 2, 2)), sign * z) for sign in (-1, 1))
    eta = float(rng.uniform(0.01, 1))
    method = Method(update_form="atc", mixing=W, schedule=Schedule(eta), Q=Q, b=b)  # type: ignore[arg-type]
    found = {readout: l2_stability(method, ours, theirs, [T], readout)[0] for readout in ("node_average", "gradient_point")}
    assert found["node_average"] == found["gradient_point"]
    return found["node_average"], {"L": L, "eta": eta, "T": T, "n": n, "Q": Q, "b": b}


def test_l2_stability_of_linear_losses() -> None:
    for seed in range(CASES):
        W = graph(np.random.default_rng(seed))
        exact, known = linear_twins(seed, W)
        spectrum = [1.0, *np.linalg.eigvalsh(W.matrix)[::-1][1:].tolist()]
        assert bounds.get("l2_stability_atc").evaluate(**known, spectrum=spectrum) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("gap", [0.05, 0.4, 1.0])
def test_l2_stability_by_the_gap_where_all_other_eigenvalues_are_one(gap: float) -> None:
    for seed in range(10):
        m = 2 + seed % 4
        W = MixingMatrix(gap / m * np.ones((m, m)) + (1 - gap) * np.eye(m))
        exact, known = linear_twins(seed, W)
        assert bounds.get("l2_stability_atc_gap").evaluate(**known, m=m, gap=gap) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_step_limits(form: str) -> None:
    bound = bounds.get(f"step_limit_{form}")
    for seed in range(CASES):
        case = Case(seed)
        known = {"rho_max": float(case.rho.max())} | ({k: case.arguments[k] for k in ("spectrum", "Q")} if form == "consensus" else {})
        limit = bound.evaluate(**known)
        steady_state(case.method(form, limit * (1 - 1e-10)), case.problem)
        with pytest.raises(DomainError, match="spectral radius"):
            steady_state(case.method(form, limit * (1 + 1e-10)), case.problem)


@pytest.mark.parametrize("form", ["atc", "consensus"])
def test_edge_of_stability(form: str) -> None:
    for seed in range(CASES):
        case = Case(seed, dimension=1)
        known = {"curvature": float(case.rho[0]), "update_form": form} | {k: case.arguments[k] for k in ("spectrum", "Q")}
        limit = bounds.get("edge_of_stability").evaluate(**known)
        steady_state(case.method(form, limit * (1 - 1e-10)), case.problem)
        with pytest.raises(DomainError, match="spectral radius"):
            steady_state(case.method(form, limit * (1 + 1e-10)), case.problem)

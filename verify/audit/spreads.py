"""Exact consensus distances: networks whose deviations from the mean all behave as the bound's worst case."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Schedule
from bounds.topology import topology
from bounds.vocabulary import UpdateForm, word
from empirical.oracles import Gradients, Method, evolve
from verify.audit.witness import Collector, Witness

Array = NDArray[np.float64]
_LONG = 24
_FORMS = ("atc", "cta", "consensus")


class Pulled(Gradients):
    """Gradients hessian x - pulls[k] at node k, with noise of one covariance everywhere.

    Args:
        hessian: (d, d). pulls: (m, d). noise: (d, d), per sample.
    """

    def __init__(self, hessian: Array, pulls: Array, noise: Array) -> None:
        m, d = pulls.shape
        self.curvature, self.pull = np.broadcast_to(hessian, (m, d, d)), pulls
        self.covariance = np.broadcast_to(noise, (m, d, d))

    def noise_at(self, points: Array) -> Array:
        return self.covariance

    def noise_around(self, covariance: Array) -> Array:
        return np.zeros_like(self.covariance)


def one_eigenvalue(m: int, gap: float) -> Array:
    """A mixing matrix whose eigenvalues but the first are all 1 - gap."""
    return np.asarray((1 - gap) * np.eye(m) + gap / m)


def balanced(m: int, zeta2: float) -> Array:
    """(m, 1): numbers of sum 0 and mean square ``zeta2``."""
    pulls = np.linspace(-1.0, 1.0, m) if m > 1 else np.zeros(1)
    return np.asarray(pulls * np.sqrt(zeta2 / max((pulls**2).mean(), 1e-300)))[:, None]


def _settings() -> Iterator[tuple[int, float, int, float, tuple[float, float], int, int | None]]:
    """m, gap, Q, eta, (sigma2, zeta2), b, T: numbers below and above 1, so that none can be left out unseen."""
    sources = ((1 / 32, 0.0), (32.0, 0.0), (0.0, 1 / 32), (0.0, 32.0))
    for (m, b), (gap, Q), eta, source, T in product(
        ((2, 3), (5, 1)), ((3 / 4, 1), (3 / 8, 3), (63 / 64, 1)), (1 / 64, 16.0), sources, (3, None)
    ):
        yield m, gap, Q, eta, source, b, T


def consensus_distances(form: str) -> list[Witness]:
    """consensus_distance_* is attained where noise or heterogeneity acts alone and every step stretches the deviations as much as it may."""
    found = Collector(f"consensus_distance_{form}", "deviations with one eigenvalue", "attained")
    for m, gap, Q, eta, (sigma2, zeta2), b, T in _settings():
        beta = 1 / (8 * eta)
        for flag, curvature in (("", -beta), *((("convex", 0.0), ("mu", beta)) if form != "consensus" else ())):
            gradients = Pulled(np.array([[curvature]]), balanced(m, zeta2), np.array([[sigma2]]))
            method = Method(update_form=word(UpdateForm, form), mixing=one_eigenvalue(m, gap), Q=Q, b=b, schedule=Schedule(eta=eta))
            (state,) = evolve(method, gradients, [T or _LONG])
            known = {"convex": 1 if flag else None, "mu": beta if flag == "mu" else None}
            truth = state.consensus_distance("node_average")
            found.add(form, "node_average", truth, eta=eta, sigma2=sigma2, zeta2=zeta2, m=m, gap=gap, Q=Q, beta=beta, b=b, T=T, **known)
    return [found.witness()]


def disagreements() -> list[Witness]:
    """disagreement_trace is the exact consensus distance of gradients that are linear, on rings."""
    found = Collector("disagreement_trace", "linear gradients on rings", "equals")
    for form, name, m, Q, eta, T, bend in product(_FORMS, ("ring", "lazy_ring"), (4, 5), (1, 2), (1 / 64, 8.0), (1, 3, None), (0, 0.25)):
        if name == "ring" and form == "consensus" and Q > 1:
            continue
        matrix, curvature = topology(name, m), bend / eta
        sigma2, zeta2, b = 3.0, 0.125, 2
        spectrum, vectors = modes(matrix.matrix)
        pulls = vectors[:, 1:].sum(axis=1, keepdims=True) * np.sqrt(m * zeta2 / (m - 1))
        gradients = Pulled(np.array([[curvature]]), pulls, np.array([[sigma2]]))
        (state,) = evolve(
            Method(update_form=word(UpdateForm, form), mixing=matrix, Q=Q, b=b, schedule=Schedule(eta=eta)), gradients, [T or 10 * _LONG]
        )
        for readout in ("node_average", "gradient_point"):
            truth = state.consensus_distance(readout)
            known = {"curvature": curvature or None, "T": T, "Q": Q}
            found.add(form, readout, truth, eta=eta, b=b, sigma2=sigma2, zeta2=zeta2, spectrum=spectrum, **known)
    return [found.witness()]


def ring_disagreements() -> list[Witness]:
    """disagreement_trace_ring likewise, on rings with weights of a third."""
    found = Collector("disagreement_trace_ring", "linear gradients on rings of thirds", "equals")
    for m, eta, (sigma2, zeta2, b) in product((3, 4, 7, 8), (1 / 64, 16.0), ((4.0, 1 / 16, 1), (1 / 16, 4.0, 3))):
        matrix = topology("ring", m)
        _, vectors = modes(matrix.matrix)
        pulls = vectors[:, 1:].sum(axis=1, keepdims=True) * np.sqrt(m * zeta2 / (m - 1))
        gradients = Pulled(np.zeros((1, 1)), pulls, np.array([[sigma2]]))
        (state,) = evolve(Method(update_form=UpdateForm.CONSENSUS, mixing=matrix, b=b, schedule=Schedule(eta=eta)), gradients, [15 * _LONG])
        found.add("consensus", "node_average", state.consensus_distance("node_average"), eta=eta, b=b, sigma2=sigma2, zeta2=zeta2, m=m)
    return [found.witness()]


def modes(matrix: Array) -> tuple[list[float], Array]:
    """Eigenvalues of a symmetric mixing matrix, largest first, and their eigenvectors in columns (the first one constant)."""
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = np.clip(values[::-1], -1.0, 1.0), vectors[:, ::-1].copy()
    values[0], vectors[:, 0] = 1.0, 1 / np.sqrt(len(matrix))
    return values.tolist(), vectors

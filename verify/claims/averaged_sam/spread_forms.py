"""The steady consensus distance of linear dynamics two ways: the catalogue's sums over eigenvalues, and linear equations for the moments.

Node gradients are h (w - w*) + g_k + noise with variance sigma2/b and sum_k g_k = 0, (1/m) sum norm(g_k)^2 = zeta2, the g_k of one size
along every eigenvector of W but the first. Tr Xi = eta^2 (sigma2/b phi + zeta2 psi) in the notation used here.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.topology import MixingMatrix

Array = NDArray[np.float64]


def trace(form: str, W: MixingMatrix, eta: float, b: int, sigma2: float, zeta2: float, h: float = 0.0) -> float:
    """Tr Xi from the catalogue's sums over the spectrum."""
    given: dict[str, Any] = {"eta": eta, "b": b, "sigma2": sigma2, "zeta2": zeta2, "spectrum": W.spectrum, "curvature": h}
    return float(bounds.get("disagreement_trace").evaluate(**given, update_form=form))


def phi_psi(form: str, W: MixingMatrix, x: float = 0.0) -> tuple[float, float]:
    """phi and psi at the curvature x = eta h, likewise."""
    return trace(form, W, 1.0, 1, 1.0, 0.0, x), trace(form, W, 1.0, 1, 0.0, 1.0, x)


def ring_phi_psi(m: int) -> tuple[float, float]:
    """phi and psi of the consensus form on a ring in flat directions, from the catalogue's closed forms."""
    bound = bounds.get("disagreement_trace_ring")
    return tuple(float(bound.evaluate(eta=1.0, b=1, sigma2=s, zeta2=1.0 - s, m=m)) for s in (1.0, 0.0))  # type: ignore[return-value]


def solved_phi_psi(form: str, W: MixingMatrix, x: float = 0.0) -> tuple[float, float]:
    """The same as the fixed point of the recursion of mean and covariance of the deviations, without any eigenvalue."""
    m = W.nodes
    apart = np.eye(m) - 1 / m
    keep, enter = (W.matrix - x * np.eye(m), np.eye(m)) if form == "consensus" else ((1 - x) * W.matrix, W.matrix)
    A, B = apart @ keep @ apart, apart @ enter @ apart
    covariance = np.linalg.solve(np.eye(m * m) - np.kron(A, A), (B @ B.T).reshape(-1)).reshape(m, m)
    means = np.linalg.solve(np.eye(m) - A, B)
    return float(np.trace(covariance)) / m, float(np.sum(means**2)) / (m - 1)


def shuffled_phi_psi(W: MixingMatrix) -> tuple[float, float]:
    """Closed forms for the consensus form on a symmetric graph relabelled afresh at every step, flat directions.

    With r the mean of the squared eigenvalues but the first and a their mean: phi = (m-1)/(m (1-r)), psi = (1+a)/((1-a)(1-r)).
    """
    rest = np.linalg.eigvalsh(W.matrix)[:-1]
    r, a, m = float(np.mean(rest**2)), float(np.mean(rest)), W.nodes
    return (m - 1) / (m * (1 - r)), (1 + a) / ((1 - a) * (1 - r))


def solved_shuffled_phi_psi(W: MixingMatrix) -> tuple[float, float]:
    """The same from all m! relabellings: the averaged recursion of mean and second moment of the deviations."""
    m = W.nodes
    apart = np.eye(m) - 1 / m
    graphs = [W.matrix[np.ix_(order, order)] - 1 / m for order in permutations(range(m))]
    once, twice = np.mean(graphs, axis=0), np.mean([np.kron(one, one) for one in graphs], axis=0)
    step = np.eye(m * m) - twice
    noise = np.linalg.solve(step, apart.reshape(-1)).reshape(m, m)
    pulls = apart  # Summed over all directions of g, whose second moment is then the projection onto the deviations.
    drift = once @ np.linalg.solve(np.eye(m) - once, pulls)
    pulled = np.linalg.solve(step, (drift + drift.T + pulls).reshape(-1)).reshape(m, m)
    return float(np.trace(noise)) / m, float(np.trace(pulled)) / (m - 1)


def jensen(W: MixingMatrix) -> float:
    """(m-1)/(m (1-r)), r the mean squared singular value of W but the first: no graph with this r has a smaller phi."""
    m = W.nodes
    r = (float(np.sum(W.matrix**2)) - 1) / (m - 1)
    return (m - 1) / (m * (1 - r))


def apart(one: tuple[float, float], two: tuple[float, float]) -> float:
    """The largest relative difference."""
    return max(abs(a - b) / abs(b) for a, b in zip(one, two, strict=True))

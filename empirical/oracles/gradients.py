"""Gradients that are affine in the model, with noise whose covariance is at most quadratic in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError, LengthError

Array = NDArray[np.float64]
_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Objective:
    """The quadratic x^T hessian x/2 - pull^T x + constant of x in R^d; hessian is symmetric (d, d), pull (d,)."""

    hessian: Array
    pull: Array
    constant: float = 0.0

    def value(self, x: Array) -> float:
        """The objective at ``x`` (d,)."""
        return float(x @ self.hessian @ x / 2 - self.pull @ x + self.constant)

    def __sub__(self, other: Objective) -> Objective:
        return Objective(self.hessian - other.hessian, self.pull - other.pull, self.constant - other.constant)

    def minimiser(self) -> Array:
        """(d,): where the objective is least (the shortest such point in flat directions).

        Raises:
            DomainError: when it has no minimum.
        """
        values, vectors = np.linalg.eigh(self.hessian)
        scale = np.abs(values).max()
        curved = np.abs(values) > _TOLERANCE * scale
        along = vectors.T @ self.pull
        if (values < -_TOLERANCE * scale).any() or (np.abs(along[~curved]) > _TOLERANCE * np.abs(self.pull).max()).any():
            raise DomainError(
                f"got an objective without a minimum (least curvature {values[0]:.3g}); an excess risk needs curvature > 0, "
                "or none where it is flat: change the Hessians, or read the risk itself"
            )
        return np.asarray(vectors @ np.divide(along, values, out=np.zeros_like(along), where=curved))


class Gradients(ABC):
    """Stochastic gradients of m nodes in R^d: node k's mean gradient at x is curvature_k x - pull_k.

    Draws are independent over nodes, steps and the samples of a batch.

    Attributes:
        curvature: (m, d, d). pull: (m, d).
    """

    curvature: Array
    pull: Array

    @property
    def nodes(self) -> int:
        """Number of nodes m."""
        return len(self.pull)

    @property
    def dimension(self) -> int:
        """Dimension d of a model."""
        return int(self.pull.shape[1])

    @abstractmethod
    def noise_at(self, points: Array) -> Array:
        """(m, d, d): per-sample covariance of each node's gradient at its point, one of ``points`` (m, d)."""

    @abstractmethod
    def noise_around(self, covariance: Array) -> Array:
        """(m, d, d): what that covariance gains on average when point k varies around its mean with ``covariance[k]`` (m, d, d)."""

    def objective(self) -> Objective:
        """The average loss F = (1/m) sum_k F_k, up to a constant."""
        return Objective(self.curvature.mean(axis=0), self.pull.mean(axis=0))


class Quadratic(Gradients):
    """Node losses (x - a_k)^T H_k (x - a_k)/2 with gradient noise that does not depend on the point.

    Args:
        hessians: H_k, (m, d, d), or (d, d) for one of all nodes; symmetric, of any sign.
        minimisers: a_k, (m, d).
        noise: R_k, per-sample gradient covariance, (m, d, d) or (d, d); a batch of b divides it by b.

    Raises:
        LengthError: for shapes that do not fit.
        DomainError: for a Hessian that is not symmetric, or a noise that is no covariance.
    """

    def __init__(self, hessians: ArrayLike, minimisers: ArrayLike, noise: ArrayLike) -> None:
        places = np.array(minimisers, dtype=np.float64)
        if places.ndim != 2 or places.size == 0:
            raise LengthError(f"got minimisers of shape {places.shape}; they are (m, d), one row per node")
        self.curvature = _per_node("hessians", hessians, *places.shape)
        self.covariance = _per_node("noise", noise, *places.shape)
        if np.linalg.eigvalsh(self.covariance).min() < -_TOLERANCE * np.abs(self.covariance).max():
            raise DomainError("got a noise covariance with a negative eigenvalue; every R_k must be positive semidefinite")
        self.pull = np.einsum("kab,kb->ka", self.curvature, places)

    def noise_at(self, points: Array) -> Array:
        return self.covariance

    def noise_around(self, covariance: Array) -> Array:
        return np.zeros_like(self.covariance)


def _per_node(name: str, matrices: ArrayLike, m: int, d: int) -> Array:
    array = np.array(matrices, dtype=np.float64)
    if array.shape not in ((d, d), (m, d, d)):
        raise LengthError(f"got {name} of shape {array.shape}; minimisers of shape ({m}, {d}) need ({m}, {d}, {d}) or ({d}, {d})")
    if not np.isfinite(array).all() or not np.allclose(array, np.swapaxes(array, -1, -2), rtol=0, atol=_TOLERANCE * np.abs(array).max()):
        raise DomainError(f"got {name} that are not finite and symmetric; symmetrise them as (H + H^T)/2")
    return np.array(np.broadcast_to(array, (m, d, d)))

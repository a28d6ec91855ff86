"""First and second moments of all models of a network, and what can be read off them exactly.

Every quantity here is at most quadratic in the models, so mean and covariance decide it, whatever the distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.vocabulary import Readout, word
from empirical.oracles.gradients import Objective

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Joint moments of s models x_1, ..., x_s in R^d.

    Attributes:
        mean: (s, d), E x_k.
        covariance: (s, d, s, d), Cov(x_k[a], x_l[b]) at [k, a, l, b]; central, so that small variances keep their digits.
    """

    mean: Array
    covariance: Array

    def combine(self, weights: Array) -> Moments:
        """Moments of the models sum_l weights[k, l] x_l, for ``weights`` (k, s)."""
        half = np.tensordot(weights, self.covariance, (1, 0))
        return Moments(weights @ self.mean, np.moveaxis(np.tensordot(half, weights, (2, 1)), 3, 2))

    def transform(self, matrix: Array) -> Moments:
        """Moments of the models matrix x_k, for ``matrix`` (r, d)."""
        half = np.moveaxis(np.tensordot(matrix, self.covariance, (1, 1)), 0, 1)
        return Moments(self.mean @ matrix.T, half @ matrix.T)

    def blocks(self) -> Array:
        """(s, d, d): the covariance of each model."""
        return np.asarray(np.einsum("kakb->kab", self.covariance))

    def squares(self) -> Array:
        """(s,): E norm(x_k)^2."""
        return np.asarray(np.trace(self.blocks(), axis1=1, axis2=2) + (self.mean**2).sum(axis=1))

    def average(self) -> Moments:
        """Moments of the network mean (1/s) sum_k x_k, as one model."""
        s = len(self.mean)
        return self.combine(np.full((1, s), 1 / s))

    def spread(self) -> Array:
        """(d, d): Xi = (1/s) sum_k E (x_k - xbar)(x_k - xbar)^T."""
        s = len(self.mean)
        apart = self.combine(np.eye(s) - 1 / s)
        return np.asarray(apart.blocks().mean(axis=0) + apart.mean.T @ apart.mean / s)

    def risks(self, objective: Objective) -> Array:
        """(s,): E of a quadratic objective at every model."""
        return np.array([objective.value(x) for x in self.mean]) + self._energies(objective.hessian)

    def excesses(self, objective: Objective) -> Array:
        """(s,): E of a quadratic objective above its minimum at every model; nothing cancels."""
        away = self.mean - objective.minimiser()
        return np.asarray(np.einsum("ka,ab,kb->k", away, objective.hessian, away) / 2 + self._energies(objective.hessian))

    def _energies(self, hessian: Array) -> Array:
        return np.asarray(np.einsum("ab,kba->k", hessian, self.blocks()) / 2)


@dataclass(frozen=True, eq=False)
class State:
    """A network after some steps (or in its steady state).

    ``models`` are the moments of X, the models as the update form leaves them: after combination for ATC, after the
    gradient step for CTA and the consensus form, the one model of centralized SGD. ``points`` (m, models) maps them to
    the m points where the next step evaluates its gradients: W^Q for CTA, the identity for ATC and consensus, m copies of
    the one model for centralized SGD. The node average, the network mean and the worst node are read at X, the gradient
    point at ``points`` X; so ATC and the gradient point of CTA are post-combination, CTA's X is pre-combination.
    """

    models: Moments
    points: Array

    def at(self, readout: Readout | str) -> Moments:
        """Moments of the models that a readout reads: X, its mean as one model, or the m gradient points."""
        readout = word(Readout, readout)
        if readout is Readout.NETWORK_MEAN:
            return self.models.average()
        return self.models.combine(self.points) if readout is Readout.GRADIENT_POINT else self.models

    def risk(self, objective: Objective, readout: Readout | str) -> float:
        """E objective: mean over models (node average, gradient point), of the mean model, or of the model where it is largest."""
        return reduced(self.at(readout).risks(objective), readout)

    def excess_risk(self, objective: Objective, readout: Readout | str) -> float:
        """E objective - its minimum, likewise.

        Raises:
            DomainError: when the objective has no minimum.
        """
        return reduced(self.at(readout).excesses(objective), readout)

    def squared_norm(self, readout: Readout | str) -> float:
        """E norm(x)^2, likewise."""
        return reduced(self.at(readout).squares(), readout)

    def spread(self, readout: Readout | str) -> Array:
        """(d, d): Xi = (1/m) sum_k E (x_k - xbar)(x_k - xbar)^T over the models X (node average) or the gradient points.

        Raises:
            DomainError: for the network mean and the worst node, which have no spread.
        """
        if word(Readout, readout) not in (Readout.NODE_AVERAGE, Readout.GRADIENT_POINT):
            raise DomainError(f"got the spread at {readout}; models spread at the node_average or at the gradient_point: use one of them")
        return self.at(readout).spread()

    def consensus_distance(self, readout: Readout | str) -> float:
        """(1/m) sum_k E norm(x_k - xbar)^2 = Tr Xi, over the models X (node average) or the gradient points."""
        return float(np.trace(self.spread(readout)))

    def weighted_spread(self, hessian: Array, readout: Readout | str) -> float:
        """Tr(H Xi), twice the mean over models of a quadratic's risk above that of their mean."""
        return float(np.sum(hessian * self.spread(readout).T))


def reduced(values: Array, readout: Readout | str) -> float:
    """One number of those per model: their mean, or their maximum at the worst node."""
    return float(values.max() if word(Readout, readout) is Readout.WORST_NODE else values.mean())

"""Gradients of one drawn sample that are affine in the model: least squares, quadratics and linear losses on fixed samples.

The noise then depends on the point, but only through each node's own moments: node k's draws are independent of all else,
so the covariance of its gradient given the models is quadratic in x_k alone. No (m d)^2 x (m d)^2 matrix is needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import LengthError
from empirical.oracles.gradients import Gradients, Objective

Array = NDArray[np.float64]


class SampledGradients(Gradients):
    """Node k draws one of its n samples uniformly; sample i's gradient at x is hessians[k, i] x - pulls[k, i].

    Its loss is x^T hessians[k, i] x/2 - pulls[k, i]^T x + constants[k, i].

    Args:
        hessians: (m, n, d, d). pulls: (m, n, d). constants: (m, n), None is 0; only losses, not gradients, see them.

    Raises:
        LengthError: for shapes that do not fit.
    """

    def __init__(self, hessians: ArrayLike, pulls: ArrayLike, constants: ArrayLike | None = None) -> None:
        self.hessians = np.array(hessians, dtype=np.float64)
        self.pulls = np.array(pulls, dtype=np.float64)
        if self.pulls.ndim != 3 or self.hessians.shape != (*self.pulls.shape, self.pulls.shape[-1]):
            raise LengthError(
                f"got hessians of shape {self.hessians.shape} with pulls of shape {self.pulls.shape}; they are (m, n, d, d) and (m, n, d)"
            )
        self.constants = np.zeros(self.pulls.shape[:2]) if constants is None else np.array(constants, dtype=np.float64)
        if self.constants.shape != self.pulls.shape[:2]:
            raise LengthError(f"got constants of shape {self.constants.shape}; they are one per sample, {self.pulls.shape[:2]}")
        self.curvature, self.pull = self.hessians.mean(axis=1), self.pulls.mean(axis=1)

    @property
    def samples(self) -> int:
        """Samples per node n."""
        return int(self.pulls.shape[1])

    def noise_at(self, points: Array) -> Array:
        pulled = self.pulls - self.pull[:, None]
        away = np.einsum("kiab,kb->kia", self._varying(), points) - pulled
        return np.asarray(np.einsum("kia,kib->kab", away, away) / self.samples)

    def noise_around(self, covariance: Array) -> Array:
        varying = self._varying()
        return np.asarray(((varying @ covariance[:, None]) @ varying.swapaxes(2, 3)).mean(axis=1))

    def _varying(self) -> Array:
        return self.hessians - self.curvature[:, None]

    def objective(self) -> Objective:
        """The training risk R_S, the mean of all m*n losses."""
        return Objective(self.curvature.mean(axis=0), self.pull.mean(axis=0), float(self.constants.mean()))

    def loss(self, node: int, place: int) -> Objective:
        """The loss of one sample."""
        return Objective(self.hessians[node, place], self.pulls[node, place], float(self.constants[node, place]))

    def replaced(self, node: int, place: int, other: SampledGradients) -> SampledGradients:
        """A copy whose sample (node, place) is the one that ``other`` has there."""
        copy = SampledGradients(self.hessians, self.pulls, self.constants)
        for mine, theirs in ((copy.hessians, other.hessians), (copy.pulls, other.pulls), (copy.constants, other.constants)):
            mine[node, place] = theirs[node, place]
        return SampledGradients(copy.hessians, copy.pulls, copy.constants)


def least_squares(features: ArrayLike, targets: ArrayLike) -> SampledGradients:
    """Linear regression, loss (z^T x - y)^2/2, for ``features`` z (m, n, d) and ``targets`` y (m, n).

    Raises:
        LengthError: for shapes that do not fit.
    """
    z, y = np.array(features, dtype=np.float64), np.array(targets, dtype=np.float64)
    if z.ndim != 3 or y.shape != z.shape[:2]:
        raise LengthError(f"got features of shape {z.shape} with targets of shape {y.shape}; they are (m, n, d) and (m, n)")
    return SampledGradients(z[..., :, None] * z[..., None, :], y[..., None] * z, y**2 / 2)

"""A strongly convex quadratic on a small symmetric population: minimiser, least risk and all moments are known exactly."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import LossClass
from empirical.problems.base import Problem, certified, diameter, padded


class QuadraticLoss(Problem):
    r"""l(w; z) = (h/2) \|w - z\|^2 with z uniform on the 2d points o +- s sqrt(d) e_1, ..., o +- s sqrt(d) e_d.

    Every coordinate of z has mean ``offset`` (so o is ``offset`` times the vector of ones) and variance s^2, and
    different coordinates are uncorrelated: the population risk is R(w) = (h/2) (\|w - o\|^2 + d s^2), least at o with
    **minimum_risk = h d s^2 / 2**. Constants, with rho the ball's radius and X = max \|z\|:

    * gradient h (w - z): **L = h (rho + X)** on the ball; Hessian h I: **beta = mu = h**.
    * **M = (h/2) (rho + X)^2** on the ball; without a ball L and M do not exist.
    * h (w - z) varies with z only: **sigma2 = h^2 (1/m) sum_i mean_j \|z_ij - zbar_i\|^2** and
      **zeta2 = h^2 (1/m) sum_i \|zbar_i - zbar\|^2** are exact at every w; both are at most h^2 d s^2, since a mean square
      deviation is least about the mean and \|z - o\|^2 = d s^2.

    Args:
        dimension: d; zero coordinates, whose weights stay 0, are appended up to the alignment.
        curvature: h > 0. scale: s > 0. offset: the coordinate of the minimiser.
    """

    def __init__(
        self, name: str = "quadratic", dimension: int = 4, curvature: float = 1.0, scale: float = 1.0, offset: float = 0.5
    ) -> None:
        axes = scale * math.sqrt(dimension) * np.eye(dimension)
        points = offset + np.stack([axes, -axes], axis=1).reshape(2 * dimension, dimension)
        wide = padded(points, 1)
        super().__init__(name, wide, (wide.shape[1],))
        self.curvature = curvature
        self.spread = dimension * scale**2
        self.reach = float(np.linalg.norm(points, axis=1).max())
        self.minimum_risk = curvature * self.spread / 2

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        samples = self._x[: self.size] if indices is None else self._x[indices]
        return (weights.unsqueeze(1) - samples).square().sum(-1) * (self.curvature / 2)

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        total = self.curvature * scale
        pull = weights * total
        for column in indices.unbind(1):
            pull.sub_(self._x.index_select(0, column), alpha=total / indices.shape[1])
        target.add_(pull)

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        h, (sigma2, zeta2) = self.curvature, self._variances(training_indices)
        farthest = None if radius is None else radius + self.reach
        return LossClass(
            name=f"quadratic loss of curvature {h:g}",
            convex=True,
            L=None if farthest is None else certified(h * farthest, "the gradient h(w - z) has norm at most h (rho + max|z|)"),
            beta=certified(h, "the Hessian is h I"),
            mu=certified(h, "the Hessian is h I"),
            M=None if farthest is None else certified(h / 2 * farthest**2, "(h/2)|w - z|^2 with |w - z| <= rho + max|z|"),
            sigma2=certified(h**2 * sigma2, "h^2 times the variance of z at a node, mean over nodes"),
            zeta2=certified(h**2 * zeta2, "h^2 times the mean over nodes of |zbar_i - zbar|^2"),
            diameter=diameter(radius),
        )

    def _variances(self, training_indices: NDArray[np.int64] | None) -> tuple[float, float]:
        """Variance of z at a node and of its node means, mean over nodes, largest replicate (or bounds for every one)."""
        if training_indices is None:
            return self.spread, self.spread
        points = self.features[training_indices]
        means = points.mean(axis=2)
        sigma2 = ((points - means[:, :, None]) ** 2).sum(axis=3).mean(axis=(1, 2))
        zeta2 = ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean(axis=1)
        return float(sigma2.max()), float(zeta2.max())

"""The linear loss with antithetic twins, on which the l1 stability bounds are equalities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import LossClass
from empirical.problems.base import Problem, certified, diameter, padded

_BETA = 1e-6


class LinearLoss(Problem):
    """l(w; z) = <z, w> with z uniform on the 2d points +-scale e_1, ..., +-scale e_d: population risk exactly 0.

    A twin's new sample is -z, so each time it is drawn the difference of the twins grows by 2 eta scale / b in one fixed
    direction: without projection, E (1/m) sum_k norm(x_k - x~_k) = 2 eta scale T / (m n) exactly, for every mixing matrix
    and update form (theory: equality case of the convex l1 stability bound).

    The loss takes negative values, so it has no supremum M in the sense of the vocabulary.
    """

    replacement = "antithetic"

    def __init__(self, name: str = "linear", dimension: int = 2, scale: float = 1.0) -> None:
        axes = scale * np.eye(dimension)
        points = np.stack([axes, -axes], axis=1).reshape(2 * dimension, dimension)
        wide = padded(points, 1)
        super().__init__(name, wide, (wide.shape[1],))
        self.scale = scale

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        samples = self._x[: self.size] if indices is None else self._x[indices]
        return (weights.unsqueeze(1) * samples).sum(-1)

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        for column in indices.unbind(1):
            target.add_(self._x.index_select(0, column), alpha=scale / indices.shape[1])

    def antithetic(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        return indices ^ 1

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        sigma2, zeta2 = self._variances(training_indices)
        return LossClass(
            name="linear loss",
            convex=True,
            L=certified(self.scale, "the gradient is z, of norm scale"),
            beta=certified(_BETA, "the gradient does not depend on w, so every beta > 0 is a smoothness constant; this is one"),
            sigma2=certified(sigma2, "variance of z at a node, mean over nodes; scale^2 bounds it for every training set"),
            zeta2=certified(zeta2, "mean over nodes of |zbar_i - zbar|^2; scale^2 bounds it for every training set"),
            diameter=diameter(radius),
        )

    def _variances(self, training_indices: NDArray[np.int64] | None) -> tuple[float, float]:
        if training_indices is None:
            return self.scale**2, self.scale**2
        means = self.features[training_indices].mean(axis=2)
        sigma2 = self.scale**2 - (means**2).sum(axis=2).mean(axis=1)
        zeta2 = ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean(axis=1)
        return max(0.0, float(sigma2.max())), float(zeta2.max())

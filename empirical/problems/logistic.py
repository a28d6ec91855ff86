"""Logistic regression of two classes: convex, smooth, and Lipschitz everywhere."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import LossClass
from empirical.problems.base import certified, diameter
from empirical.problems.scores import ScoreModel


class LogisticRegression(ScoreModel):
    r"""l(w; x, y) = log(1 + exp(-y <w, x>)), y = -1 or +1, of weights w of shape (1, width).

    The loss sees a sample only through z = y x, so ``features`` holds z. Constants, with X = max \|x\| and s = <w, z>:

    * gradient -sigma(-s) z, 0 < sigma < 1: **L = X**, approached as s falls.
    * Hessian sigma(s) sigma(-s) z z^T, and sigma (1 - sigma) <= 1/4: **beta = X^2/4**, attained at s = 0; convex.
    * s >= -rho X on \|w\| <= rho: **M = log(1 + exp(rho X))**, attained.
    * **sigma2 = (1/m) sum_i mean_j \|x_ij\|^2**, **zeta2 = (1/m) sum_i (mean_j \|x_ij\|)^2**, 0 for equal node data.

    Args:
        features: (size, d); zero columns are appended up to the alignment, and their weights stay 0.
        labels: (size,) integers -1 and +1, kept in the attribute ``labels`` as the classes 0 and 1.

    Raises:
        DomainError: for other labels.
    """

    def __init__(self, name: str, features: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        signs = np.asarray(labels)
        if not np.isin(signs, (-1, 1)).all():
            found = ", ".join(str(label) for label in np.unique(signs)[:5])
            raise DomainError(f"got labels {found}; logistic regression takes labels -1 and +1; use 2*y - 1 for labels 0 and 1")
        super().__init__(name, np.asarray(features, dtype=np.float64) * signs[:, None], rows=1)
        self.labels = (signs > 0).astype(np.int64)

    def _values(self, scores: Tensor, indices: Tensor | None) -> Tensor:
        margins = scores[:, 0]
        # Not softplus, which torch cuts off at 20.
        return margins.abs().neg_().exp_().log1p_().sub_(margins.clamp(max=0))

    def _residuals(self, scores: Tensor, indices: Tensor) -> Tensor:
        """-sigma(-s) = 1/(-1 - exp(s)), 0 where exp overflows; torch's float32 sigmoid rounds a number by its place in the tensor."""
        return torch.rsub(scores.exp_(), -1).reciprocal_()

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        sigma2, zeta2 = self._moments(1.0, training_indices)
        reach = self.reach
        return LossClass(
            name=f"logistic regression on {self.name}",
            convex=True,
            L=certified(reach, "the gradient -sigma(-s) y x has norm at most max|x|"),
            beta=certified(reach**2 / 4, "sigma (1 - sigma) is at most 1/4, so the Hessian at most max|x|^2 / 4"),
            M=None if radius is None else certified(self._supremum(radius * reach), "log(1 + exp(rho max|x|)) on |w| <= rho"),
            sigma2=sigma2,
            zeta2=zeta2,
            diameter=diameter(radius),
        )

    @staticmethod
    def _supremum(margin: float) -> float:
        return margin + math.log1p(math.exp(-margin))

"""Softmax regression (multinomial logistic regression without bias) on a finite population."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import Constant, LossClass
from empirical.problems.base import certified, diameter
from empirical.problems.scores import ScoreModel


class SoftmaxRegression(ScoreModel):
    r"""Cross entropy l(w; x, y) = log sum_c exp<w_c, x> - <w_y, x> of weights w of shape (classes, width).

    Constants, with X = max \|x\| over the population and norms of w Frobenius:

    * gradient (p - e_y) x^T, and \|p - e_y\|^2 = (1 - p_y)^2 + sum_{c != y} p_c^2 <= 2 (1 - p_y)^2 <= 2: **L = sqrt(2) X**.
    * Hessian (diag p - p p^T) (x) x x^T; v^T(diag p - p p^T)v is the variance of v_c under p, at most
      (max v - min v)^2 / 4 <= \|v\|^2 / 2: **beta = X^2 / 2**, and the loss is convex.
    * on \|w\| <= rho every <w_c - w_y, x> <= sqrt(2) rho X: **M = log(1 + (C - 1) exp(sqrt(2) rho X))**; also, by Taylor
      from w = 0, where the gradient has norm sqrt(1 - 1/C) \|x\|: **M = log C + sqrt(1 - 1/C) rho X + (rho X)^2 / 4**.
      The smaller of the two is reported.
    * second moments of the per-sample gradients: **sigma2 = (1/m) sum_i mean_j 2 \|x_ij\|^2**, and since
      zeta2 <= (1/m) sum_i \|grad f_i\|^2: **zeta2 = (1/m) sum_i (mean_j sqrt(2) \|x_ij\|)^2**, 0 for equal node data.

    Args:
        features: (size, d); zero columns are appended up to the alignment, and their weights stay 0.
        labels: (size,) integers 0..C-1.
    """

    def __init__(self, name: str, features: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        self.labels = np.array(labels, dtype=np.int64)
        self.classes = int(self.labels.max()) + 1
        super().__init__(name, features, self.classes)
        self._labels = torch.from_numpy(self.labels)
        self._one_hot = torch.nn.functional.one_hot(self._labels, self.classes).to(torch.float64)

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = super().to(device, dtype)
        moved._labels, moved._one_hot = self._labels.to(device), self._one_hot.to(device, dtype)
        return moved

    def _values(self, scores: Tensor, indices: Tensor | None) -> Tensor:
        labels = self._labels.expand(scores.shape[0], -1) if indices is None else self._labels[indices]
        return torch.logsumexp(scores, 1) - scores.gather(1, labels.unsqueeze(1)).squeeze(1)

    def _residuals(self, scores: Tensor, indices: Tensor) -> Tensor:
        one_hot = self._one_hot.index_select(0, indices.reshape(-1)).view(scores.shape)
        return self._probabilities(scores).sub_(one_hot)

    @staticmethod
    def _probabilities(logits: Tensor) -> Tensor:
        """Softmax over the last axis, in place: torch.softmax takes three times as long on so few classes."""
        logits.sub_(logits.amax(-1, keepdim=True)).exp_()
        return logits.div_(logits.sum(-1, keepdim=True))

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        sigma2, zeta2 = self._moments(2.0, training_indices)
        return LossClass(
            name=f"softmax regression on {self.name}",
            convex=True,
            L=certified(math.sqrt(2) * self.reach, "the gradient (p - e_y) x^T has norm at most sqrt(2) max|x|"),
            beta=certified(self.reach**2 / 2, "diag p - p p^T has eigenvalues at most 1/2, so the Hessian at most max|x|^2 / 2"),
            M=self._supremum(radius),
            sigma2=sigma2,
            zeta2=zeta2,
            diameter=diameter(radius),
        )

    def _supremum(self, radius: float | None) -> Constant | None:
        if radius is None:
            return None
        reach = radius * self.reach
        spread = math.sqrt(2) * reach
        lipschitz = spread + math.log(math.exp(-spread) + self.classes - 1)
        taylor = math.log(self.classes) + math.sqrt(1 - 1 / self.classes) * reach + reach**2 / 4
        return certified(
            min(lipschitz, taylor), "min of log(1 + (C-1) exp(sqrt(2) rho max|x|)) and the Taylor bound with curvature 1/2, on |w| <= rho"
        )

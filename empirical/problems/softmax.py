"""Softmax regression (multinomial logistic regression without bias) on a finite population."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import Constant, LossClass
from empirical.problems.base import ALIGNMENT, Problem, certified, diameter, padded, same_samples


class SoftmaxRegression(Problem):
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
        wide = padded(np.asarray(features, dtype=np.float64), 1)
        self.labels = np.array(labels, dtype=np.int64)
        self.classes = int(self.labels.max()) + 1
        super().__init__(name, wide, (self.classes, wide.shape[1]))
        self.norms = np.linalg.norm(wide, axis=1)
        self._labels = torch.from_numpy(self.labels)
        self._one_hot = torch.nn.functional.one_hot(self._labels, self.classes).to(torch.float64)

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = super().to(device, dtype)
        moved._labels, moved._one_hot = self._labels.to(device), self._one_hot.to(device, dtype)
        return moved

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        models = weights.view(-1, *self.weight_shape)
        if indices is None:
            columns = self._x.t().expand(models.shape[0], *self._x.t().shape)
            logits = torch.bmm(models, columns)[..., : self.size]
            labels = self._labels.expand(models.shape[0], 1, self.size)
        else:
            logits = torch.bmm(models, self._x[indices].transpose(1, 2))
            labels = self._labels[indices].unsqueeze(1)
        return torch.logsumexp(logits, 1) - logits.gather(1, labels).squeeze(1)

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        count, b = indices.shape
        flat = indices.reshape(-1)
        x = self._x.index_select(0, flat).view(count, b, -1)
        residual = self._probabilities(torch.bmm(x, weights.view(count, *self.weight_shape).transpose(1, 2)))
        residual.sub_(self._one_hot.index_select(0, flat).view(count, b, -1))
        models = target.view(count, *self.weight_shape)
        if b == 1:
            models.addcmul_(residual.transpose(1, 2), x, value=scale)
        else:
            aligned = torch.nn.functional.pad(residual.transpose(1, 2), (0, -b % ALIGNMENT))[..., :b]
            models.baddbmm_(aligned, x, alpha=scale / b)

    @staticmethod
    def _probabilities(logits: Tensor) -> Tensor:
        """Softmax over the last axis, in place: torch.softmax takes three times as long on so few classes."""
        logits.sub_(logits.amax(-1, keepdim=True)).exp_()
        return logits.div_(logits.sum(-1, keepdim=True))

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        largest = float(self.norms.max())
        sigma2, zeta2 = self._variances(training_indices)
        where = "for these training sets" if training_indices is not None else "for every training set"
        return LossClass(
            name=f"softmax regression on {self.name}",
            convex=True,
            L=certified(math.sqrt(2) * largest, "the gradient (p - e_y) x^T has norm at most sqrt(2) max|x|"),
            beta=certified(largest**2 / 2, "diag p - p p^T has eigenvalues at most 1/2, so the Hessian at most max|x|^2 / 2"),
            M=self._supremum(radius),
            sigma2=certified(sigma2, f"mean over nodes and samples of 2|x|^2, {where}"),
            zeta2=certified(zeta2, f"mean over nodes of the squared mean of sqrt(2)|x|, 0 where all nodes hold the same samples, {where}"),
            diameter=diameter(radius),
        )

    def _supremum(self, radius: float | None) -> Constant | None:
        if radius is None:
            return None
        reach = radius * float(self.norms.max())
        spread = math.sqrt(2) * reach
        lipschitz = spread + math.log(math.exp(-spread) + self.classes - 1)
        taylor = math.log(self.classes) + math.sqrt(1 - 1 / self.classes) * reach + reach**2 / 4
        return certified(
            min(lipschitz, taylor), "min of log(1 + (C-1) exp(sqrt(2) rho max|x|)) and the Taylor bound with curvature 1/2, on |w| <= rho"
        )

    def _variances(self, training_indices: NDArray[np.int64] | None) -> tuple[float, float]:
        if training_indices is None:
            return 2 * float(self.norms.max()) ** 2, 2 * float(self.norms.max()) ** 2
        norms = self.norms[training_indices]
        sigma2 = 2 * (norms**2).mean(axis=2).mean(axis=1)
        zeta2 = np.where(same_samples(training_indices), 0.0, 2 * (norms.mean(axis=2) ** 2).mean(axis=1))
        return float(sigma2.max()), float(zeta2.max())

"""Losses that see a sample only through the scores W x of a weight matrix W: gradients and moments shared by all of them."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import Constant
from empirical.problems.base import ALIGNMENT, Problem, certified, padded, same_samples
from empirical.problems.lookups import add_rows_, row_products


class ScoreModel(Problem):
    r"""A loss l(w; x, y) = phi(w x, y) of weights w of shape (rows, d), with gradient r x^T, r the gradient of phi.

    Hence \|grad l\| = \|r\| \|x\|, and the Hessian is (Hessian of phi) (x) x x^T: with slope >= \|r\| and curvature >= the
    largest absolute eigenvalue of phi's Hessian, L = slope X and beta = curvature X^2, X = max \|x\| over the population.

    Args:
        features: (size, d); zero columns are appended up to the alignment, and their weights stay 0.
        rows: number of scores of one model.
    """

    def __init__(self, name: str, features: NDArray[np.float64], rows: int) -> None:
        wide = padded(np.asarray(features, dtype=np.float64), 1)
        super().__init__(name, wide, (rows, wide.shape[1]))
        self.norms = np.linalg.norm(wide, axis=1)

    @property
    def reach(self) -> float:
        r"""X, the largest \|x\| of the population."""
        return float(self.norms.max())

    def scratch(self, b: int) -> int:
        """With one row of weights no sample is copied, only its index, product and slope."""
        return super().scratch(b) if self.weight_shape[0] > 1 else 8 * b + self.width

    @abstractmethod
    def _values(self, scores: Tensor, indices: Tensor | None) -> Tensor:
        """Losses (B, s) from scores (B, rows, s) of the samples ``indices`` (B, s), or of the population; may overwrite."""

    @abstractmethod
    def _residuals(self, scores: Tensor, indices: Tensor) -> Tensor:
        """Gradients by the scores, (B, b, rows), from scores of that shape on the samples ``indices`` (B, b); may overwrite."""

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        models = weights.view(-1, *self.weight_shape)
        if indices is None:
            columns = self._x.t().expand(models.shape[0], *self._x.t().shape)
            return self._values(torch.bmm(models, columns)[..., : self.size], None)
        return self._values(torch.bmm(models, self._x[indices].transpose(1, 2)), indices)

    def _batch(self, weights: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Samples x (B, b, d) and scores (B, b, rows) of the models ``weights`` (B, P) at ``indices`` (B, b)."""
        x = self._x.index_select(0, indices.reshape(-1)).view(*indices.shape, -1)
        return x, torch.bmm(x, weights.view(-1, *self.weight_shape).transpose(1, 2))

    def gradient_norms(self, weights: Tensor, indices: Tensor) -> Tensor:
        x, scores = self._batch(weights, indices)
        norms: Tensor = torch.linalg.vector_norm(self._residuals(scores, indices), dim=-1) * torch.linalg.vector_norm(x, dim=-1)
        return norms

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        count, b = indices.shape
        if self.weight_shape[0] == 1:
            scores = row_products(self._x, weights, indices).unsqueeze(2)
            add_rows_(target, self._x, indices, self._residuals(scores, indices).squeeze(2), scale / b)
            return
        x, scores = self._batch(weights, indices)
        residual = self._residuals(scores, indices)
        models = target.view(count, *self.weight_shape)
        if b == 1:
            models.addcmul_(residual.transpose(1, 2), x, value=scale)
        else:
            aligned = torch.nn.functional.pad(residual.transpose(1, 2), (0, -b % ALIGNMENT))[..., :b]
            models.baddbmm_(aligned, x, alpha=scale / b)

    def _moments(self, squared_slope: float, training_indices: NDArray[np.int64] | None) -> tuple[Constant, Constant]:
        r"""sigma2 and zeta2 from per-sample gradients of norm at most slope \|x\|, whatever the weights.

        A variance is at most a second moment: **sigma2 = (1/m) sum_i mean_j slope^2 \|x_ij\|^2**. Since zeta2 <=
        (1/m) sum_i \|grad f_i\|^2: **zeta2 = (1/m) sum_i slope^2 (mean_j \|x_ij\|)^2**, 0 where all nodes hold the same samples.
        """
        s2, where = squared_slope, "for every training set" if training_indices is None else "for these training sets"
        if training_indices is None:
            sigma2 = zeta2 = s2 * self.reach**2
        else:
            norms = self.norms[training_indices]
            differing = np.where(same_samples(training_indices), 0.0, s2 * (norms.mean(axis=2) ** 2).mean(axis=1))
            sigma2, zeta2 = s2 * float((norms**2).mean(axis=2).mean(axis=1).max()), float(differing.max())
        heterogeneity = f"mean over nodes of {s2:g} times the squared mean of |x|, 0 where all nodes hold the same samples, {where}"
        return certified(sigma2, f"mean over nodes and samples of {s2:g}|x|^2, {where}"), certified(zeta2, heterogeneity)

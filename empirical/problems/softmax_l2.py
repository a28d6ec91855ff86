"""Softmax regression with a squared-norm penalty: strongly convex, and Lipschitz on a ball."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import Constant, LossClass
from empirical.problems.base import certified
from empirical.problems.softmax import SoftmaxRegression


class SoftmaxL2(SoftmaxRegression):
    r"""l(w; x, y) = softmax regression + (mu/2) \|w\|^2; the constants of the first part are those of its own class.

    With X = max \|x\| over the population and rho the radius of the ball that the weights stay in:

    * Hessian = (positive semidefinite) + mu I: **mu-strongly convex**, everywhere; attained along any direction that
      moves all classes alike. Largest eigenvalue at most **beta = X^2/2 + mu**, attained where two classes share
      probability 1/2 on the longest sample.
    * gradient (p - e_y) x^T + mu w: **L = sqrt(2) X + mu rho** on \|w\| <= rho; the two parts are parallel where the loss
      is largest, so L is attained as rho X grows. Unbounded without a radius: L is None.
    * both parts are convex and peak on the sphere: **M = M_softmax(rho) + (mu/2) rho^2**; None without a radius.
    * the penalty adds the same mu w to every sample's gradient and every node's, so **sigma2, zeta2 are softmax's**.

    Args:
        mu: strength of the penalty, a finite number > 0. features, labels: as for softmax regression.

    Raises:
        DomainError: for any other mu.
    """

    def __init__(self, name: str, features: NDArray[np.float64], labels: NDArray[np.int64], mu: float = 0.1) -> None:
        if not 0 < mu < math.inf:
            raise DomainError(f"got mu={mu!r}; the strength of the penalty is a finite number > 0; without one use SoftmaxRegression")
        super().__init__(name, features, labels)
        self.mu = float(mu)

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        penalties = weights.square().sum(-1, keepdim=True).mul_(self.mu / 2)
        return super().losses(weights, indices).add_(penalties)

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        # Taken first: target may be weights itself.
        pull = weights * (scale * self.mu)
        super().add_gradient_(target, weights, indices, scale)
        target.add_(pull)

    def gradient_norms(self, weights: Tensor, indices: Tensor) -> Tensor:
        x, scores = self._batch(weights, indices)
        residual = self._residuals(scores.clone(), indices)
        # |r x^T + mu w|^2, whose inner product <r x^T, w> is r . (w x).
        squares = residual.square().sum(-1) * x.square().sum(-1) + 2 * self.mu * (residual * scores).sum(-1)
        squares += self.mu**2 * weights.square().sum(-1, keepdim=True)
        return squares.clamp_(min=0).sqrt_()

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        softmax = super().loss_class(radius, training_indices)
        return replace(
            softmax,
            name=f"softmax regression with penalty (mu/2)|w|^2 on {self.name}",
            L=self._lipschitz(radius),
            beta=certified(self.reach**2 / 2 + self.mu, "softmax's Hessian is at most max|x|^2 / 2, and the penalty adds mu"),
            # Not rounded up: a strong convexity constant is a lower bound, and this one is exact.
            mu=Constant(self.mu, "certified", "the Hessian is mu I plus softmax's, which is positive semidefinite"),
            M=self._penalised(softmax.M, radius),
        )

    def _lipschitz(self, radius: float | None) -> Constant | None:
        if radius is None:
            return None
        return certified(math.sqrt(2) * self.reach + self.mu * radius, "softmax's sqrt(2) max|x| and mu|w| <= mu rho, on |w| <= rho")

    def _penalised(self, supremum: Constant | None, radius: float | None) -> Constant | None:
        if supremum is None or radius is None:
            return None
        return certified(supremum.value + self.mu / 2 * radius**2, f"{supremum.source}; the penalty adds at most mu rho^2 / 2")

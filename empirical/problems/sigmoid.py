"""The sigmoid loss of a linear classifier: bounded, smooth, not convex."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import Constant, LossClass
from empirical.problems.base import certified, diameter
from empirical.problems.scores import ScoreModel

SLOPE = 1 / 4
"""max |sigma'|, at 0."""
CURVATURE = 1 / (6 * math.sqrt(3))
"""max |sigma''|, at log(2 +- sqrt 3): with t = tanh(s/2), sigma'' = -t (1 - t^2) / 4, extreme at t^2 = 1/3."""


def supremum_of_sigmoid(margin: float, source: str) -> Constant:
    """sigma(margin) for a ``margin`` that -y f(x) never exceeds, at most 1 also after rounding up."""
    # Through exp(-margin), which cannot overflow for margin >= 0.
    value = certified(1 / (1 + math.exp(-margin)), source)
    return value if value.value < 1 else Constant(1.0, "certified", source)


class SigmoidLoss(ScoreModel):
    r"""l(w; x, y) = sigma(-y f), sigma(s) = 1/(1 + e^-s), y = -1 or +1, of an output f of the scores that subclasses say.

    With t = tanh(f/2) the loss is (1 - y t)/2 and its derivative by f is -y sigma'(f) = -y (1 - t^2)/4. (tanh, because
    torch's float32 sigmoid rounds a number by its place in the tensor, and a null twin would differ in the last bit.)

    Args:
        features: (size, d); zero columns are appended up to the alignment, and their weights stay 0.
        labels: (size,) integers -1 and +1, kept in the attribute ``labels`` as the classes 0 and 1.

    Raises:
        DomainError: for other labels.
    """

    def __init__(self, name: str, features: NDArray[np.float64], labels: NDArray[np.int64], rows: int) -> None:
        signs = np.asarray(labels)
        if not np.isin(signs, (-1, 1)).all():
            found = ", ".join(str(label) for label in np.unique(signs)[:5])
            raise DomainError(f"got labels {found}; the sigmoid loss takes labels -1 and +1; use 2*y - 1 for labels 0 and 1")
        super().__init__(name, features, rows)
        self.labels = (signs > 0).astype(np.int64)
        self._signs = torch.from_numpy(signs.astype(np.float64))

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = super().to(device, dtype)
        moved._signs = self._signs.to(device, dtype)
        return moved

    def hits(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        # sigma(-y f) < 1/2 where the output has the label's sign; an output of 0 names neither class.
        return self.losses(weights, indices) < 0.5

    def _losses(self, outputs: Tensor, indices: Tensor | None) -> Tensor:
        """(1 - y tanh(f/2))/2 from outputs f (B, s), overwritten."""
        signs = self._signs if indices is None else self._signs[indices]
        # The derivative needs tanh itself, so nothing after it may overwrite it.
        return (outputs.div_(2).tanh_() * signs).mul_(-0.5).add_(0.5)

    def _slopes(self, outputs: Tensor, indices: Tensor) -> Tensor:
        """-y (1 - tanh(f/2)^2)/4 from outputs f (B, b), overwritten."""
        signs = self._signs.index_select(0, indices.reshape(-1)).view(indices.shape)
        return outputs.div_(2).tanh_().square_().sub_(1).mul_(signs).mul_(SLOPE)


class SigmoidLinear(SigmoidLoss):
    r"""l(w; x, y) = sigma(-y <w, x>) of weights w of shape (1, width): values in (0, 1), smooth and non-convex.

    Constants, with X = max \|x\| over the population:

    * gradient -y sigma'(s) x, s = -y <w, x>, and 0 < sigma' <= 1/4: **L = X/4**, attained at w = 0.
    * Hessian sigma''(s) x x^T, and \|sigma''\| <= 1/(6 sqrt 3): **beta = X^2 / (6 sqrt 3)**, attained on the longest
      sample where s = +-log(2 + sqrt 3); the sign of sigma'' is that of -s, so the loss is not convex.
    * **M = 1**; on \|w\| <= rho, s <= rho X gives **M = sigma(rho X)**, attained.
    * **sigma2 = (1/m) sum_i mean_j \|x_ij\|^2 / 16**, **zeta2 = (1/m) sum_i (mean_j \|x_ij\|)^2 / 16**, 0 for equal node data.
    """

    def __init__(self, name: str, features: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        super().__init__(name, features, labels, rows=1)

    def _values(self, scores: Tensor, indices: Tensor | None) -> Tensor:
        return self._losses(scores.squeeze(1), indices)

    def _residuals(self, scores: Tensor, indices: Tensor) -> Tensor:
        return self._slopes(scores.squeeze(2), indices).unsqueeze(2)

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        sigma2, zeta2 = self._moments(SLOPE**2, training_indices)
        margin = math.inf if radius is None else radius * self.reach
        return LossClass(
            name=f"sigmoid loss of a linear classifier on {self.name}",
            convex=False,
            L=certified(SLOPE * self.reach, "the gradient sigma' x has norm at most max|x| / 4"),
            beta=certified(CURVATURE * self.reach**2, "the Hessian sigma'' x x^T has norm at most max|x|^2 / (6 sqrt 3)"),
            M=supremum_of_sigmoid(margin, "sigma(rho max|x|) on |w| <= rho, 1 without a radius"),
            sigma2=sigma2,
            zeta2=zeta2,
            diameter=diameter(radius),
        )

"""A two-layer tanh network with fixed outer weights under the sigmoid loss: bounded, smooth, not convex."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import LossClass
from empirical.problems.base import certified, diameter
from empirical.problems.sigmoid import SLOPE, SigmoidLoss, supremum_of_sigmoid

_POINTS = 400_001


def network_curvature(hidden: int) -> float:
    r"""B_k = max over t, q in [0, 1] of (1 - t^2)/4 * (t (1 - q^2)^2 + 2 q (1 - q^2)/sqrt k), from above, for k = ``hidden``.

    For fixed q < 1, with A = (1 - q^2)^2 and c = 2q/(sqrt k (1 - q^2)), the best t is 1/(c + sqrt(c^2 + 3)), and q = 1 gives
    0. What remains, a maximum over t of functions of q whose derivatives are at most (8/(3 sqrt 3) + 4/sqrt k)/4 in size,
    is taken on a grid of q with that derivative times half a step added (relative 1e-5 of B_k).
    """
    q = np.linspace(0, 1, _POINTS)[:-1]
    area = (1 - q**2) ** 2
    c = 2 * q / (math.sqrt(hidden) * (1 - q**2))
    t = 1 / (c + np.sqrt(c**2 + 3))
    steepest = (8 / (3 * math.sqrt(3)) + 4 / math.sqrt(hidden)) / 4
    return float((area * (1 - t**2) * (t + c) / 4).max()) + steepest / (2 * (_POINTS - 1))


class SmoothNetwork(SigmoidLoss):
    r"""l(w; x, y) = sigma(-y f(x)), f(x) = (1/sqrt k) sum_r a_r tanh(u_r), u_r = <w_r, x> + o_r, weights (k, width).

    Fixed: outer signs a_r = +1, -1, +1, ... and offsets o_r = (2r + 1 - k)/k, r = 0..k-1, evenly spread in (-1, 1), so
    that no two units move alike from w = 0. Offsets shift scores only, and no constant but M depends on them.

    Constants, with X = max \|x\|, tanh' = 1 - tanh^2 in (0, 1], tanh'' = -2 tanh tanh', s = -y f:

    * gradient -y sigma'(s) v x^T, v_r = a_r tanh'(u_r)/sqrt k, \|v\| <= 1: **L = X/4**, attained at u = 0.
    * Hessian K (x) x x^T, K = sigma''(s) v v^T - y sigma'(s) diag(a_r tanh''(u_r)/sqrt k). For a unit vector e, Cauchy
      gives <v, e>^2 <= k sum_r v_r^2 e_r^2 = sum_r tanh'(u_r)^2 e_r^2, so
      \|e^T K e\| <= max_r (\|sigma''(s)\| tanh'(u_r)^2 + sigma'(s) \|tanh''(u_r)\|/sqrt k).
      With t = \|tanh(s/2)\|, sigma'(s) = (1 - t^2)/4, \|sigma''(s)\| = t (1 - t^2)/4 and q = \|tanh(u_r)\| this is at most
      B_k of :func:`network_curvature`: **beta = B_k X^2**. For k = 8, B_k = 0.1139, and 0.1126 is attained (all u_r a_r
      equal); B_k tends to the linear classifier's 1/(6 sqrt 3) = 0.0962 as k grows, where bounding both terms of K
      separately gives 1/(6 sqrt 3) + 1/(3 sqrt(3 k)), 0.1643 for k = 8.
    * \|f\| <= sqrt k: **M = sigma(sqrt k)**; and f moves by at most \|v\| X \|w\|: **M = sigma(\|f_0\| + rho X)** on
      \|w\| <= rho, f_0 the output at w = 0. The smaller of the two is reported.
    * **sigma2 = (1/m) sum_i mean_j \|x_ij\|^2 / 16**, **zeta2 = (1/m) sum_i (mean_j \|x_ij\|)^2 / 16**, 0 for equal node data.

    Args:
        features, labels: as for the linear classifier, labels -1 and +1. hidden: number k >= 1 of units.

    Raises:
        DomainError: for other labels or a smaller ``hidden``.
    """

    def __init__(self, name: str, features: NDArray[np.float64], labels: NDArray[np.int64], hidden: int = 8) -> None:
        if hidden < 1:
            raise DomainError(f"got hidden={hidden!r}; the network has an integer number >= 1 of hidden units")
        super().__init__(name, features, labels, rows=hidden)
        units = np.arange(hidden)
        self.outer = np.where(units % 2 == 0, 1.0, -1.0) / math.sqrt(hidden)
        self.offsets = (2 * units + 1 - hidden) / hidden
        self.curvature = network_curvature(hidden)
        self._outer, self._offsets = torch.from_numpy(self.outer), torch.from_numpy(self.offsets)

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = super().to(device, dtype)
        moved._outer, moved._offsets = self._outer.to(device, dtype), self._offsets.to(device, dtype)
        return moved

    def _values(self, scores: Tensor, indices: Tensor | None) -> Tensor:
        units = (scores + self._offsets[:, None]).tanh_()
        return self._losses((units * self._outer[:, None]).sum(1), indices)

    def _residuals(self, scores: Tensor, indices: Tensor) -> Tensor:
        units = scores.add_(self._offsets).tanh_()
        slopes = self._slopes((units * self._outer).sum(-1), indices)
        # slope a_r (1 - tanh^2)/sqrt k, the sign in two steps.
        return units.square_().sub_(1).mul_(-self._outer).mul_(slopes.unsqueeze(-1))

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        sigma2, zeta2 = self._moments(SLOPE**2, training_indices)
        beta = certified(self.curvature * self.reach**2, "Cauchy on the rank-one part of the Hessian: at most B_k max|x|^2")
        return LossClass(
            name=f"sigmoid loss of a tanh network with {self.weight_shape[0]} units on {self.name}",
            convex=False,
            L=certified(SLOPE * self.reach, "the gradient sigma' v x^T has |v| <= 1, so norm at most max|x| / 4"),
            beta=beta,
            M=supremum_of_sigmoid(self._largest_output(radius), "sigma(min(sqrt k, |f_0| + rho max|x|)) on |w| <= rho"),
            sigma2=sigma2,
            zeta2=zeta2,
            diameter=diameter(radius),
        )

    def _largest_output(self, radius: float | None) -> float:
        bounded = math.sqrt(self.weight_shape[0])
        if radius is None:
            return bounded
        start = abs(math.fsum(a * math.tanh(o) for a, o in zip(self.outer, self.offsets, strict=True)))
        return min(bounded, start + radius * self.reach)

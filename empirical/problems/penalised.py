"""Any problem with a ridge: its loss plus (gamma/2) norm(w)^2, which has minima at finite weights where the loss alone has none."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import LossClass
from empirical.problems.base import Problem, diameter


class Penalised(Problem):
    r"""l(w; z) + (gamma/2) \|w\|^2, of a problem's loss l; no constant is proved.

    Args:
        inner: the problem. gamma: the ridge, > 0.

    Raises:
        DomainError: for another gamma.
    """

    def __init__(self, inner: Problem, gamma: float) -> None:
        if not 0 < gamma < float("inf"):
            raise DomainError(f"got gamma={gamma!r}; a ridge is a finite number > 0, or leave the problem as it is")
        super().__init__(f"{inner.name} with ridge {gamma:g}", inner.features, inner.weight_shape)
        self.inner, self.gamma = inner, gamma
        self.labels, self.start, self.by_network = inner.labels, inner.start, inner.by_network

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = copy.copy(self)
        moved.inner = self.inner.to(device, dtype)
        return moved

    def scratch(self, b: int) -> int:
        return self.inner.scratch(b) + self.width

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        return self.inner.losses(weights, indices) + self.gamma / 2 * weights.square().sum(-1, keepdim=True)

    def hits(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        return self.inner.hits(weights, indices)

    def drawn(self, generator: np.random.Generator) -> NDArray[np.float64]:
        return self.inner.drawn(generator)

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        # Before the weights move: target may be weights itself.
        pull = weights * (scale * self.gamma)
        self.inner.add_gradient_(target, weights, indices, scale)
        target.add_(pull)

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        return LossClass(name=f"{self.inner.loss_class(radius).name}, ridge {self.gamma:g}", convex=False, diameter=diameter(radius))

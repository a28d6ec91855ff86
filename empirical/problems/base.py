"""What a training problem must say: its finite population, losses, gradients, and proved constants."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import Constant, LossClass

ALIGNMENT = 16
"""Matrix kernels may sum in another order when a matrix starts off a 64-byte line, and a null twin would then differ in
the last bit; 16 entries are one line in float32 and two in float64."""


def padded(array: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Append zeros along ``axis`` until its length is a multiple of :data:`ALIGNMENT`."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, -array.shape[axis] % ALIGNMENT)
    return np.pad(array, widths)


def rounded_up(value: float) -> float:
    """``value`` (>= 0) enlarged by far more than the rounding of the few operations that produced it."""
    return math.nextafter(value * (1 + 1e-13), math.inf) if value > 0 else 0.0


def certified(value: float, source: str) -> Constant:
    """A proved constant, rounded up."""
    return Constant(rounded_up(value), "certified", source)


class Problem(ABC):
    """A loss l(w; z) and a finite population of samples z that *is* the distribution (uniform over its points).

    Samples are named by their index in the population, so the population risk is an exact finite mean. Weights of B
    models travel as a flat (B, P) tensor, P = prod(weight_shape), a multiple of :data:`ALIGNMENT`.

    Attributes:
        name: the registry's name.
        features: (size, width) float64 array, one row per population point, zero columns appended up to the alignment.
        weight_shape: shape of one model's weights.
        replacement: how a twin's new sample comes about: an independent draw, or the antithetic point of the old one.
        labels: (size,) integer classes 0..C-1 of the points, which heterogeneous splits go by; None without classes.
        minimum_risk: the least population risk over all weights (not only a ball's), when it is known exactly.
        start: (P,) weights that every model of every replicate starts from; None is zero.
        by_network: gradients are asked for one network (all its nodes) at a time, because the kernels behind them may round
            a model by its place in a batch of models. A twin then sits where its base does, and chunks change no bit.
    """

    replacement: Literal["independent", "antithetic"] = "independent"
    labels: NDArray[np.int64] | None = None
    minimum_risk: float | None = None
    start: NDArray[np.float64] | None = None
    by_network: bool = False

    def __init__(self, name: str, features: NDArray[np.float64], weight_shape: tuple[int, ...]) -> None:
        self.name = name
        self.features = features
        self.weight_shape = weight_shape
        self._x = torch.from_numpy(padded(features, 0))

    @property
    def size(self) -> int:
        """Number of population points."""
        return int(self.features.shape[0])

    @property
    def width(self) -> int:
        """Number of weights P of one model."""
        return math.prod(self.weight_shape)

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """A copy whose tensors live on ``device`` in ``dtype``; the constants do not change."""
        moved = copy.copy(self)
        moved._x = self._x.to(device, dtype)
        return moved

    def scratch(self, b: int) -> int:
        """Numbers that one model's gradient on a batch of ``b`` needs beside the weights; roughly, to keep within a memory budget."""
        return 3 * b * int(self.features.shape[1])

    @abstractmethod
    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        """Loss values, (B, s), of B models ``weights`` (B, P) on the samples ``indices`` (B, s); None is the population."""

    @abstractmethod
    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        """Add ``scale`` times the batch gradient in place: target += scale * (mean over b) grad l(weights; z).

        ``target`` and ``weights`` are (B, P) and may be the same tensor; ``indices`` is (B, b).
        """

    @abstractmethod
    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        """The proved constants of the loss on the ball of ``radius`` (None: everywhere), all tagged certified.

        ``training_indices`` (replicates, m, n) sharpens ``sigma2`` and ``zeta2`` (means over nodes, largest replicate) to
        those training sets; without it they hold for every training set. ``L``, ``beta``, ``M`` hold on the population.
        """

    def hits(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        """Whether each of B models ``weights`` (B, P) names the class of each sample, (B, s) booleans; samples as for :meth:`losses`.

        Raises:
            DomainError: for a problem whose models name no class.
        """
        raise DomainError(f"problem {self.name!r} names no classes, so it has no accuracy; take one of the network or mlp problems")

    def drawn(self, generator: np.random.Generator) -> NDArray[np.float64]:
        """(P,) random weights to start from: independent Gaussian ones of variance 1/4, where a problem has no custom of its own."""
        return generator.standard_normal(self.width) / 2

    def gradients(self, weights: Tensor, indices: Tensor) -> Tensor:
        """Batch gradients, (B, P): the mean over b of grad l(weights; z), for ``weights`` (B, P) and ``indices`` (B, b)."""
        result = torch.zeros_like(weights)
        self.add_gradient_(result, weights, indices, 1.0)
        return result

    def gradient_norms(self, weights: Tensor, indices: Tensor) -> Tensor:
        """Norms of per-sample gradients, (B, s): norm(grad l(w; z)) of each of B models at its s samples ``indices`` (B, s).

        This fallback takes one gradient per column; problems whose gradients factor override it.
        """
        columns = [self.gradients(weights, column.unsqueeze(1)) for column in indices.unbind(1)]
        return torch.stack([torch.linalg.vector_norm(gradients, dim=-1) for gradients in columns], dim=1)

    def antithetic(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The antithetic points of ``indices``, for problems whose ``replacement`` is antithetic.

        Raises:
            DomainError: when the problem has none.
        """
        raise DomainError(f"problem {self.name!r} has no antithetic samples; its twins use independent draws")


def same_samples(training_indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each replicate of a (replicates, m, n) index array: do all nodes hold the same samples, in any order?"""
    ordered = np.sort(training_indices, axis=2)
    return np.asarray((ordered == ordered[:, :1]).all(axis=(1, 2)))


def diameter(radius: float | None) -> Constant | None:
    """Diameter of the ball that projected iterates stay in; None without projection."""
    return None if radius is None else certified(2 * radius, "two points of a ball are at most two radii apart")

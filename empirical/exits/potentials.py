"""Basins whose exits are understood: a double well, and a quadratic basin that one leaves by distance.

A potential moves ``replicas`` walkers at once. Weights travel as (nodes, d * replicas) tensors, coordinate by coordinate, each
with all its replicas side by side, so that the engine's update forms apply to them and no replica sees another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from bounds.errors import DomainError


def _check_positive(name: str, *values: float) -> None:
    for value in values:
        if not 0 < value < float("inf"):
            raise DomainError(f"got {name}={value!r}; it is a finite number > 0")


@dataclass(frozen=True, kw_only=True)
class Potential(ABC):
    """V: R^d -> R, and the coordinate along which its basin is left.

    No other coordinate enters the steps of x_1, so exit times have the law of d = 1, whatever the others do.
    Subclasses have the attribute ``others``, the curvatures of the d - 1 coordinates that are quadratic, V having the summand
    (1/2) sum_i others_i x_{i+1}^2.
    """

    others: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "others", tuple(self.others))
        _check_positive("others", *self.others)

    @property
    def dimension(self) -> int:
        """d."""
        return 1 + len(self.others)

    @property
    @abstractmethod
    def bottom(self) -> float:
        """x_1 at the minimum where walkers start; the other coordinates are 0 there."""

    @property
    @abstractmethod
    def default_level(self) -> float | None:
        """The level whose passing is an exit when none is named; None when one must be."""

    @abstractmethod
    def slope(self, first: Tensor) -> Tensor:
        """dV/dx_1 at values ``first`` of x_1, elementwise; it depends on no other coordinate."""

    @abstractmethod
    def progress(self, first: Tensor) -> Tensor:
        """The exit coordinate as a function of x_1, elementwise; an exit is progress >= level."""

    def add_gradient_(self, target: Tensor, weights: Tensor, draws: Tensor, scale: float) -> None:
        """target += scale * (grad V(weights) + draws), in place; all (nodes, d * replicas), target and weights may be one."""
        shape = len(weights), self.dimension, -1
        x, moved = weights.view(shape), target.view(shape)
        # The slopes first: the draws, added before, would move the weights too where they are the target.
        moved[:, 0].add_(self.slope(x[:, 0]), alpha=scale)
        for i, curvature in enumerate(self.others, start=1):
            moved[:, i].add_(x[:, i], alpha=scale * curvature)
        target.add_(draws, alpha=scale)


@dataclass(frozen=True, kw_only=True)
class DoubleWell(Potential):
    """V(x) = (h/4)(x_1^2 - a^2)^2 + (1/2) sum_i others_i x_{i+1}^2: minima at x_1 = -a and a, the saddle at x = 0.

    The barrier is h a^4/4, the curvatures along x_1 are H_a = 2 h a^2 at the minima and -H_b = -h a^2 at the saddle. Walkers
    start at -a; the default exit is passing the saddle, x_1 >= 0.

    Args:
        height: h > 0. well: a > 0. others: curvatures > 0 of the further coordinates.

    Raises:
        DomainError: for numbers outside these ranges.
    """

    height: float = 1.0
    well: float = 1.0
    others: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_positive("height", self.height)
        _check_positive("well", self.well)

    @property
    def barrier(self) -> float:
        """V(0) - V(-a)."""
        return self.height * self.well**4 / 4

    @property
    def curvatures(self) -> tuple[float, float]:
        """(H_a, H_b): along x_1 at the minimum, and minus that at the saddle."""
        return 2 * self.height * self.well**2, self.height * self.well**2

    @property
    def bottom(self) -> float:
        return -self.well

    @property
    def default_level(self) -> float:
        return 0.0

    def slope(self, first: Tensor) -> Tensor:
        return (first.square() - self.well**2).mul_(first).mul_(self.height)

    def progress(self, first: Tensor) -> Tensor:
        return first


@dataclass(frozen=True, kw_only=True)
class QuadraticBasin(Potential):
    """V(x) = (1/2)(curvature x_1^2 + sum_i others_i x_{i+1}^2), left when abs(x_1) >= level: an autoregression.

    Args:
        curvature: > 0. others: curvatures > 0 of the further coordinates.
    """

    curvature: float = 1.0
    others: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_positive("curvature", self.curvature)

    @property
    def bottom(self) -> float:
        return 0.0

    @property
    def default_level(self) -> None:
        return None

    def slope(self, first: Tensor) -> Tensor:
        return first * self.curvature

    def progress(self, first: Tensor) -> Tensor:
        return torch.abs(first)

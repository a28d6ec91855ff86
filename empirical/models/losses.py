"""Losses of a user's model by name, each one value per sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """log sum_c exp(f_c) - f_y per sample, (s,), from scores (s, classes) and classes (s,)."""
    return nn.functional.cross_entropy(outputs, targets, reduction="none")


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """(1/2) norm(f - y)^2 per sample, (s,), from outputs and targets of one shape (s, ...)."""
    return (outputs - targets).flatten(1).square().sum(1) / 2


def _mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean over outputs of (f - y)^2 per sample: torch's ``mse_loss`` of one sample."""
    return _by_sample((outputs - targets.view_as(outputs)).square())


def _by_sample(values: Tensor) -> Tensor:
    """(s,) means over the entries of each of s samples."""
    return values.reshape(len(values), -1).mean(1)


def _sigmoid(outputs: Tensor, targets: Tensor) -> Tensor:
    """sigma(-y s) for labels y = -1 or 1, the mean over the scores of a sample."""
    return _by_sample(torch.sigmoid(-targets * outputs.view_as(targets)))


def _logistic(outputs: Tensor, targets: Tensor) -> Tensor:
    """log(1 + exp(-s)) for y = 1, log(1 + exp(s)) for y = 0, the mean over the scores of a sample."""
    return _by_sample(nn.functional.binary_cross_entropy_with_logits(outputs.view_as(targets), targets, reduction="none"))


#: By name, (outputs (s, ...), targets (s, ...)) -> (s,).
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": cross_entropy,
    "sigmoid": _sigmoid,
    "mse": _mean_squared_error,
    "binary_cross_entropy_with_logits": _logistic,
}

"""Fully connected networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from bounds.errors import DomainError, unknown_name

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}


def check_widths(widths: Sequence[int], activation: str) -> None:
    """Raise DomainError or UnknownNameError unless these are layers of a perceptron."""
    if len(widths) < 2 or any(isinstance(width, bool) or not isinstance(width, int) or width < 1 for width in widths):
        raise DomainError(
            f"got widths={tuple(widths)!r}; a perceptron has at least two layers of integer width >= 1, such as (784, 64, 10)"
        )
    if activation not in ACTIVATIONS:
        raise unknown_name("activation", activation, tuple(ACTIVATIONS))


def perceptron(widths: Sequence[int], activation: str = "tanh") -> nn.Sequential:
    """Linear layers of the given ``widths`` (inputs first, classes last) with ``activation`` (tanh or relu) between them.

    Maps (s, widths[0]) to scores (s, widths[-1]).

    Raises:
        DomainError, UnknownNameError: for fewer than two layers, a width below 1, or another activation.
    """
    check_widths(widths, activation)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])

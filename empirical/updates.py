"""One step of each update form, on all networks at once.

Every update reads ``models`` (networks, nodes, P), may use ``spare`` of the same shape as scratch, and returns the pair
(new models, new scratch). ``draws`` (networks * nodes, ...) are each model's share of the step's randomness, handed on to the
gradient as they are: the indices of a batch, or noise. ``eta`` is the learning rate of the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bounds.vocabulary import UpdateForm
from empirical.mixing import Mix


def project_(models: Tensor, radius: float | None) -> None:
    """Project each model (last axis) onto the ball of ``radius`` around 0, in place; None does nothing.

    A model inside the ball keeps its bits.
    """
    if radius is None:
        return
    norms = torch.linalg.vector_norm(models, dim=-1, keepdim=True)
    # Asking would stall a GPU; multiplying by exactly 1 gives the same bits.
    if models.device.type == "cpu" and not bool((norms > radius).any()):
        return
    models.mul_((radius / norms).clamp_(max=1))


class Descent(Protocol):
    """What a step asks of a problem."""

    def add_gradient_(self, target: Tensor, weights: Tensor, draws: Tensor, scale: float, /) -> None:
        """target += scale * (stochastic gradient at weights), in place; (B, P) both, and they may be the same tensor."""


@dataclass(frozen=True)
class Rules:
    """What every step of a run shares: the problem on its device, gossip (W^Q), projection radius, and whether gradients are
    asked for one network at a time (see :class:`empirical.problems.base.Problem`)."""

    problem: Descent
    mix: Mix | None
    radius: float | None
    by_network: bool = False

    def descend_(self, target: Tensor, models: Tensor, draws: Tensor, eta: float) -> None:
        """target <- target - eta G(models), in place; the two may be the same tensor."""
        if self.by_network:
            for place, weights, drawn in zip(target, models, draws.view(*models.shape[:2], *draws.shape[1:]), strict=True):
                self.problem.add_gradient_(place, weights, drawn, -eta)
            return
        self.problem.add_gradient_(target.view(-1, target.shape[-1]), models.view(-1, models.shape[-1]), draws, -eta)


def _centralized(rules: Rules, models: Tensor, spare: Tensor, draws: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """x <- Pi(x - eta g(x))."""
    rules.descend_(models, models, draws, eta)
    project_(models, rules.radius)
    return models, spare


def _atc(rules: Rules, models: Tensor, spare: Tensor, draws: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """X <- W^Q Pi(X - eta G(X))."""
    assert rules.mix is not None
    rules.descend_(models, models, draws, eta)
    project_(models, rules.radius)
    rules.mix(models, spare)
    return spare, models


def _cta(rules: Rules, models: Tensor, spare: Tensor, draws: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """Y = W^Q X; X <- Pi(Y - eta G(Y))."""
    assert rules.mix is not None
    rules.mix(models, spare)
    rules.descend_(spare, spare, draws, eta)
    project_(spare, rules.radius)
    return spare, models


def _consensus(rules: Rules, models: Tensor, spare: Tensor, draws: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """X <- Pi(W^Q X - eta G(X))."""
    assert rules.mix is not None
    rules.mix(models, spare)
    rules.descend_(spare, models, draws, eta)
    project_(spare, rules.radius)
    return spare, models


Update = Callable[[Rules, Tensor, Tensor, Tensor, float], tuple[Tensor, Tensor]]
UPDATES: dict[UpdateForm, Update] = {
    UpdateForm.CENTRALIZED: _centralized,
    UpdateForm.ATC: _atc,
    UpdateForm.CTA: _cta,
    UpdateForm.CONSENSUS: _consensus,
}

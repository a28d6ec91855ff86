"""Constants of any ``nn.Module``, estimated by searching: lower bounds of the true suprema, and tagged so.

Each of several independent groups draws weights in the ball (or around the initial weights), takes a few gradient-ascent
steps on what it looks for, and reports the largest value it met. The estimate is the largest over groups; its standard
error is the standard deviation of the groups' values (1/(G-1)) over sqrt(G): it tells how much searches differ, not how
far the supremum is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from bounds.errors import DomainError
from bounds.setting import Constant
from empirical.constants.data import NodeData
from empirical.models.losses import LOSSES
from empirical.streams import stream

_POWER_STEPS = 8
_CLIMBS = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated constant and the standard error of its search."""

    constant: Constant
    standard_error: float


@dataclass(frozen=True)
class _Searched:
    """The user's loss as a function of flat weights (P,) and one sample, and the data as tensors."""

    value: Callable[[Tensor, Tensor, Tensor], Tensor]
    start: Tensor
    x: Tensor
    y: Tensor
    node: Tensor


def _searched(model: nn.Module, loss: str, data: NodeData) -> _Searched:
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules()):
        raise DomainError("the model has batch normalisation, whose loss is no function of one sample; use group or layer normalisation")
    model = model.double().eval()
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    start = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    def value(weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        pieces = torch.split(weights, [math.prod(shape) for shape in shapes.values()])
        named = {name: piece.view(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}
        return LOSSES[loss](functional_call(model, named, (x.unsqueeze(0),)), y.unsqueeze(0)).squeeze(0)

    targets = torch.from_numpy(np.ascontiguousarray(data.targets))
    y = targets.long() if loss == "cross_entropy" else targets.double()
    return _Searched(value, start, torch.from_numpy(data.features), y, torch.from_numpy(data.node))


def _clipped(weights: Tensor, radius: float | None) -> Tensor:
    norm = float(weights.norm())
    return weights if radius is None or norm <= radius else weights * (radius / norm)


def _largest(searched: _Searched, weights: Tensor, picks: Tensor) -> tuple[float, float, float]:
    """Largest gradient norm, curvature and loss value over the picked samples at one weight vector."""
    x, y = searched.x[picks], searched.y[picks]
    per_sample = vmap(grad(searched.value), in_dims=(None, 0, 0))
    # Reverse over reverse: torch's forward mode imports its deprecated script compiler.
    curved = vmap(grad(lambda w, v, a, b: grad(searched.value)(w, a, b) @ v), in_dims=(None, 0, 0, 0))
    direction = torch.randn(len(picks), len(weights), dtype=weights.dtype, generator=torch.Generator().manual_seed(0))
    for _ in range(_POWER_STEPS):
        unit = direction / direction.norm(dim=1, keepdim=True).clamp_min(1e-300)
        direction = curved(weights, unit, x, y)
    gradients = per_sample(weights, x, y)
    losses = vmap(searched.value, in_dims=(None, 0, 0))(weights, x, y)
    return float(gradients.norm(dim=1).max()), float(direction.norm(dim=1).max()), float(losses.max())


def _moments(searched: _Searched, weights: Tensor, picks: Tensor) -> tuple[float, float]:
    """Per-sample variance (mean over nodes, population form 1/n) and heterogeneity (mean over nodes) at one weight vector."""
    gradients = vmap(grad(searched.value), in_dims=(None, 0, 0))(weights, searched.x[picks], searched.y[picks])
    parts = [gradients[searched.node[picks] == k] for k in torch.unique(searched.node[picks])]
    means = torch.stack([part.mean(0) for part in parts])
    variance = torch.stack([((part - mean) ** 2).sum(1).mean() for part, mean in zip(parts, means, strict=True)]).mean()
    return float(variance), float(((means - means.mean(0)) ** 2).sum(1).mean())


def _mean_loss(weights: Tensor, searched: _Searched, picks: Tensor) -> Tensor:
    return vmap(searched.value, in_dims=(None, 0, 0))(weights, searched.x[picks], searched.y[picks]).mean()


def _group(searched: _Searched, radius: float | None, points: int, samples: int, seed: int, group: int) -> list[float]:
    """The largest L, beta, M, sigma2, zeta2 that one group meets at ``points`` weight vectors."""
    rng = stream(seed, "constants", group)
    scale = float(searched.start.norm()) or 1.0
    found = [0.0] * 5
    for point in range(points):
        noise = torch.from_numpy(rng.standard_normal(len(searched.start)))
        length = radius * rng.random() if radius is not None else scale * rng.random()
        centre = searched.start if radius is None or point == 0 else torch.zeros_like(searched.start)
        weights = _clipped(centre + (0 if point == 0 else length) * noise / noise.norm(), radius)
        picks = torch.from_numpy(rng.permutation(len(searched.x))[:samples])
        for _ in range(_CLIMBS):
            met = [*_largest(searched, weights, picks), *_moments(searched, weights, picks)]
            found = [max(pair) for pair in zip(found, met, strict=True)]
            # Where losses are large, gradients and curvature of these losses tend to be large as well: climb.
            ascent = grad(_mean_loss)(weights, searched, picks)
            weights = _clipped(weights + 0.1 * scale * ascent / ascent.norm().clamp_min(1e-300), radius)
    return found


def estimate_constants(
    model: nn.Module, loss: str, data: NodeData, radius: float | None, seed: int = 0, groups: int = 8, points: int = 2, samples: int = 256
) -> dict[str, Estimate]:
    """Estimates of L, beta, M, sigma2 (per sample, mean over nodes) and zeta2, all tagged ``estimated``.

    Args:
        loss: a key of :data:`empirical.models.losses.LOSSES`.
        radius: weights are searched in this ball around 0, or near the initial weights when None.
        groups, points, samples: independent searches, weight vectors in each, samples per evaluation.

    Raises:
        DomainError: for a model with batch normalisation, or fewer than 2 groups.
    """
    if groups < 2:
        raise DomainError(f"got groups={groups}; a standard error needs at least 2")
    searched = _searched(model, loss, data)
    table = np.array([_group(searched, radius, points, samples, seed, group) for group in range(groups)])
    where = "near the initial weights" if radius is None else f"in the ball of radius {radius:g}"
    source = f"largest value met by {groups} searches of {points} weight vectors {where}; the supremum may be larger"
    errors = table.std(axis=0, ddof=1) / math.sqrt(groups)
    return {
        name: Estimate(Constant(float(table[:, i].max()), "estimated", source), float(errors[i]))
        for i, name in enumerate(("L", "beta", "M", "sigma2", "zeta2"))
    }

"""Mean losses as functions of flat weights: of the engine's problems, and of any ``nn.Module``."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from bounds.errors import DomainError
from empirical.problems.base import Problem

_CHUNK = 16


@dataclass(frozen=True)
class Objective:
    """A twice differentiable mean loss f: R^P -> R, in float64.

    Attributes:
        values: f at every row of (B, P) weights, (B,); row i of the result depends on row i only.
        width: P. device: where weights live. chunk: most rows evaluated at a time.
    """

    values: Callable[[Tensor], Tensor]
    width: int
    device: torch.device
    chunk: int = _CHUNK

    def rows(self, points: Tensor | ArrayLike) -> Tensor:
        """Points as (count, P) float64 rows on the device; an axis of models with weights of any shape is flattened.

        Raises:
            DomainError: when they do not hold a multiple of P numbers, or not only finite ones.
        """
        # A copy: tensors made in inference mode cannot be differentiated, their copies can.
        given = points if isinstance(points, Tensor) else torch.from_numpy(np.array(points, dtype=np.float64))
        flat = given.to(self.device, torch.float64, copy=True).reshape(-1)
        if flat.numel() == 0 or flat.numel() % self.width:
            raise DomainError(f"got {flat.numel()} weights for a loss of {self.width}; give one or several rows of {self.width}")
        if not bool(torch.isfinite(flat).all()):
            raise DomainError("got weights that are not finite; the run that produced them diverged: take a smaller step")
        return flat.view(-1, self.width)


def problem_objective(problem: Problem, indices: NDArray[np.int64] | None = None, device: str | torch.device = "cpu") -> Objective:
    """The mean loss (1/s) sum_i l(w; z_i) of a problem of the engine.

    Args:
        indices: the s samples as population indices, of any shape (a training set (m, n), for instance; repeated indices
            count repeatedly); None is the whole population, each point once.

    Raises:
        DomainError: for indices outside the population, or none.
    """
    place = torch.device(device)
    exact = problem.to(place, torch.float64)
    if indices is None:
        return Objective(lambda weights: exact.losses(weights).mean(-1), problem.width, place)
    chosen = np.array(indices, dtype=np.int64).reshape(-1)
    if chosen.size == 0 or chosen.min() < 0 or chosen.max() >= problem.size:
        raise DomainError(f"got {chosen.size} sample indices; give at least one, each from 0 to {problem.size - 1}")
    samples = torch.from_numpy(chosen).to(place)
    return Objective(lambda weights: exact.losses(weights, samples.expand(len(weights), -1)).mean(-1), problem.width, place)


def _check_deterministic(module: nn.Module) -> None:
    for name, layer in module.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and (layer.training or layer.running_mean is None):
            raise DomainError(
                f"layer {name!r} is batch normalisation by the batch's own statistics, whose loss is no mean over samples; "
                "call module.eval(), with running statistics"
            )
        if isinstance(layer, nn.modules.dropout._DropoutNd) and layer.training:
            raise DomainError(f"layer {name!r} is dropout in training mode, whose loss is random; call module.eval() first")


def module_weights(module: nn.Module) -> Tensor:
    """All parameters of ``module`` as one flat float64 (P,) vector, in the order of ``module.parameters()``."""
    return torch.cat([parameter.detach().double().reshape(-1) for parameter in module.parameters()])


def module_objective(
    module: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], features: Tensor, targets: Tensor, device: str | torch.device = "cpu"
) -> Objective:
    """The loss of a module on given samples, as a function of all its parameters in the order of ``module.parameters()``.

    Args:
        module: copied, and the copy turned to float64; buffers keep their values (running means of batch normalisation).
        loss: (outputs, targets) -> scalar, and its normalisation is the objective's: torch's losses take the mean over samples.
        features, targets: all the samples; floating ones are turned to float64.

    Raises:
        DomainError: for batch normalisation in training mode (or without running statistics), dropout in training mode, a module
            without parameters, or a loss that is no scalar.
    """
    _check_deterministic(module)
    place = torch.device(device)
    frozen = copy.deepcopy(module).to(place, torch.float64)
    shapes = {name: parameter.shape for name, parameter in frozen.named_parameters()}
    if not shapes:
        raise DomainError("the module has no parameters; a curvature needs at least one")
    x, y = (given.to(place, torch.float64 if given.is_floating_point() else given.dtype) for given in (features, targets))
    sizes = [math.prod(shape) for shape in shapes.values()]

    def value(weights: Tensor) -> Tensor:
        pieces = zip(shapes.items(), torch.split(weights, sizes), strict=True)
        named = {name: piece.view(shape) for (name, shape), piece in pieces}
        return loss(torch.func.functional_call(frozen, named, (x,)), y)

    found = value(module_weights(frozen).to(place))
    if found.dim():
        raise DomainError(f"the loss has shape {tuple(found.shape)}; it must be a scalar, such as the mean over the samples")
    return Objective(torch.func.vmap(value), sum(sizes), place)

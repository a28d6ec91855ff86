"""Two ways to the gradients of many copies of one module: vmap over functional calls, or a plain loop over the copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

Layout = Literal["auto", "vmap", "loop"]
Loss = Callable[[Tensor, Tensor], Tensor]
"""loss(outputs, targets): one value per sample, (s,), from outputs (s, ...) and targets (s, ...)."""
Gradients = Callable[[nn.Module, Loss, dict[str, Tensor], Tensor, Tensor], dict[str, Tensor]]
"""gradients(module, loss, parameters (B, *shape), x (B, b, ...), y (B, b, ...)): of the mean loss over b, (B, *shape)."""

_LARGE_IMAGE = 32 * 32


def vmapped(module: nn.Module, loss: Loss, parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """All copies in one call of each operation."""

    def mean_loss(one: Mapping[str, Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
        return loss(torch.func.functional_call(module, dict(one), (inputs,)), targets).mean()

    found: dict[str, Tensor] = torch.func.vmap(torch.func.grad(mean_loss))(parameters, x, y)
    return found


def looped(module: nn.Module, loss: Loss, parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Copy by copy."""
    rows = []
    for copy, (inputs, targets) in enumerate(zip(x, y, strict=True)):
        leaves = {name: stack[copy].detach().requires_grad_() for name, stack in parameters.items()}
        value = loss(torch.func.functional_call(module, leaves, (inputs,)), targets).mean()
        rows.append(torch.autograd.grad(value, list(leaves.values()), materialize_grads=True))
    return dict(zip(parameters, map(torch.stack, zip(*rows, strict=True)), strict=True))


LAYOUTS: dict[str, Gradients] = {"vmap": vmapped, "loop": looped}


def choose(module: nn.Module, input_shape: tuple[int, ...], device: torch.device) -> Literal["vmap", "loop"]:
    """The layout measured to be faster, see docs/performance.md.

    Convolutions of large images are bound by arithmetic, and on a CPU the grouped convolutions that vmap makes of them are
    slower than one call per copy.
    """
    convolutional = any(isinstance(layer, nn.modules.conv._ConvNd) for layer in module.modules())
    large = len(input_shape) > 1 and torch.Size(input_shape[1:]).numel() >= _LARGE_IMAGE
    return "loop" if device.type == "cpu" and convolutional and large else "vmap"

"""Ways to the gradients of many copies of one module: vmap over functional calls, a plain loop over the copies, or by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from empirical.phases import phased

Layout = Literal["auto", "phases", "vmap", "loop"]
Loss = Callable[[Tensor, Tensor], Tensor]
"""loss(outputs, targets): one value per sample, (s,), from outputs (s, ...) and targets (s, ...)."""
Gradients = Callable[[nn.Module, Loss, dict[str, Tensor], Tensor, Tensor], dict[str, Tensor]]
"""gradients(module, loss, parameters (B, *shape), x (B, b, ...), y (B, b, ...)): of the mean loss over b, (B, *shape)."""

_LARGE_WORK = 1 << 19


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


LAYOUTS: dict[str, Gradients] = {"phases": phased, "vmap": vmapped, "loop": looped}
"""``phases`` takes only what :func:`empirical.phases.norms_of` knows."""


def convolution_work(module: nn.Module, sample: Tensor) -> int:
    """FLOP that the convolutions of a forward pass of one ``sample`` (1, ...) take, two for a multiply-add."""
    work: list[int] = []

    def count(layer: nn.Module, _: object, out: Tensor) -> None:
        work.append(2 * out.numel() * layer.weight[0].numel())  # type: ignore[index]

    layers = [layer for layer in module.modules() if isinstance(layer, nn.modules.conv._ConvNd)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with torch.no_grad():
            module(sample)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(work)


def choose(work: int, device: torch.device, strided: bool = False) -> Literal["phases", "vmap", "loop"]:
    """The layout measured to be fastest for a module whose convolutions take ``work`` FLOP a sample, see docs/performance.md.

    ``strided``: it is one that :func:`empirical.phases.norms_of` knows. Other convolutions of some size are bound by arithmetic,
    and on a CPU the grouped convolutions that vmap makes of them are slower than one call per copy. On a GPU nothing was measured.
    """
    if device.type != "cpu":
        return "vmap"
    if strided:
        return "phases"
    return "loop" if work >= _LARGE_WORK else "vmap"

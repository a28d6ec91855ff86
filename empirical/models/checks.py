"""Which modules can be trained node by node without leaving anything behind."""

from __future__ import annotations

from torch import nn

from bounds.errors import DomainError


def check_module(module: nn.Module) -> None:
    """Raise DomainError, in one line, unless the module's loss is a deterministic function of its parameters and one sample.

    Batch normalisation is refused in every mode: gossip averages parameters, and running statistics are none, so each node
    would be evaluated with statistics of its own. So are dropout in training mode, whose loss is random, instance norm that
    tracks statistics, and a module without trainable parameters or with frozen ones, which gossip would average unasked.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, nn.modules.batchnorm._NormBase) and (
            isinstance(layer, nn.modules.batchnorm._BatchNorm) or layer.track_running_stats
        ):
            raise DomainError(
                f"layer {name!r} is {type(layer).__name__}, whose running statistics gossip does not average; use nn.GroupNorm"
            )
        if isinstance(layer, nn.modules.dropout._DropoutNd) and layer.training and layer.p:
            raise DomainError(f"layer {name!r} is dropout in training mode, whose loss is random; call module.eval() first")
    frozen = [name for name, parameter in module.named_parameters() if not parameter.requires_grad]
    if frozen:
        raise DomainError(f"parameter {frozen[0]!r} does not require a gradient; make it a buffer (register_buffer), or trainable")
    if not any(True for _ in module.parameters()):
        raise DomainError("the module has no parameters; training needs at least one")

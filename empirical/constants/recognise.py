"""Models whose constants are proved: a single linear layer under cross entropy (softmax regression)."""

from __future__ import annotations

import math

import numpy as np
from torch import nn

from bounds.setting import Constant, LossClass
from empirical.constants.data import NodeData
from empirical.problems.base import certified


def _only_layer(model: nn.Module) -> nn.Linear | None:
    """The model's one linear layer, when it consists of nothing else (flattening apart)."""
    layers = [layer for layer in model.modules() if not list(layer.children())]
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    plain = all(isinstance(layer, nn.Linear | nn.Flatten | nn.Identity) for layer in layers)
    # A module of one's own may do anything in forward; only torch's containers are known to apply their layers in order.
    known = isinstance(model, nn.Sequential | nn.Linear)
    return linear[0] if plain and known and len(linear) == 1 else None


def recognise(model: nn.Module, loss: str, data: NodeData, radius: float | None) -> LossClass | None:
    """Proved constants of softmax regression, or None when the model is anything else.

    A bias counts as one more feature equal to 1. With X = max norm(x): L = sqrt(2) X, beta = X^2/2, on norm(w) <= radius
    M = log(1 + (C-1) exp(sqrt(2) radius X)), sigma2 = (1/m) sum_i mean_j 2 norm(x_ij)^2, and zeta2 = (1/m) sum_i (mean_j
    sqrt(2) norm(x_ij))^2; proofs as in :class:`empirical.problems.softmax.SoftmaxRegression`.
    """
    layer = _only_layer(model)
    if layer is None or loss != "cross_entropy" or not np.issubdtype(data.targets.dtype, np.integer):
        return None
    rows = data.features.reshape(len(data.features), -1)
    norms = np.sqrt((rows**2).sum(axis=1) + (1.0 if layer.bias is not None else 0.0))
    by_node = [norms[data.node == k] for k in range(data.nodes)]
    reach, classes = float(norms.max()), layer.out_features
    return LossClass(
        name="softmax regression",
        convex=True,
        L=certified(math.sqrt(2) * reach, "the gradient (p - e_y) x^T has norm at most sqrt(2) max|x|"),
        beta=certified(reach**2 / 2, "diag p - p p^T has eigenvalues at most 1/2"),
        M=_supremum(radius, reach, classes),
        sigma2=certified(float(np.mean([2 * (part**2).mean() for part in by_node])), "second moments of the per-sample gradients"),
        zeta2=certified(float(np.mean([2 * part.mean() ** 2 for part in by_node])), "norms of the node gradients"),
    )


def _supremum(radius: float | None, reach: float, classes: int) -> Constant | None:
    if radius is None:
        return None
    spread = math.sqrt(2) * radius * reach
    return certified(spread + math.log(math.exp(-spread) + classes - 1), "log(1 + (C-1) exp(sqrt(2) rho max|x|)) on |w| <= rho")

"""Models whose constants are proved: one linear layer under a loss whose derivatives in the score are bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import nn

from bounds.setting import Constant, LossClass
from empirical.constants.data import NodeData
from empirical.problems.base import certified


@dataclass(frozen=True, slots=True)
class _ScoreLoss:
    """A loss of the scores W x: its gradient in the scores has norm <= ``slope``, its Hessian eigenvalues <= ``curvature``.

    Then grad l = g x^T and Hess l = H (x) x x^T give L = slope X, beta = curvature X^2 with X = max norm(x).
    ``supremum`` maps (largest size of a score difference or score, classes) to a bound of the loss.
    """

    name: str
    convex: bool
    slope: float
    curvature: float
    source: str
    supremum: Callable[[float, int], float]


def _log_sum(reach: float, classes: int) -> float:
    spread = math.sqrt(2) * reach
    return spread + math.log(math.exp(-spread) + classes - 1)


def _softplus(reach: float, _: int) -> float:
    return reach + math.log1p(math.exp(-reach))


_SOFTMAX = _ScoreLoss(
    "softmax regression", True, math.sqrt(2), 0.5, "norm(p - e_y) <= sqrt(2), and diag p - p p^T has eigenvalues at most 1/2", _log_sum
)
_LOGISTIC = _ScoreLoss("logistic regression", True, 1.0, 0.25, "|sigma(s) - y| <= 1 for targets in [0, 1], and sigma'(s) <= 1/4", _softplus)
_SIGMOID = _ScoreLoss(
    "linear classifier under the sigmoid loss",
    False,
    0.25,
    1 / (6 * math.sqrt(3)),
    "|sigma'| <= 1/4 and |sigma''| <= 1/(6 sqrt 3) for labels -1 and 1",
    lambda reach, _: 1 / (1 + math.exp(-reach)),
)


def _only_layer(model: nn.Module) -> nn.Linear | None:
    """The model's one linear layer, when it consists of nothing else (flattening apart)."""
    layers = [layer for layer in model.modules() if not list(layer.children())]
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    plain = all(isinstance(layer, nn.Linear | nn.Flatten | nn.Identity) for layer in layers)
    # A module of one's own may do anything in forward; only torch's containers are known to apply their layers in order.
    known = type(model) in (nn.Sequential, nn.Linear)
    return linear[0] if plain and known and len(linear) == 1 else None


def _score_loss(loss: str, outputs: int, data: NodeData) -> _ScoreLoss | None:
    if loss == "cross_entropy" and np.issubdtype(data.targets.dtype, np.integer):
        return _SOFTMAX
    if outputs != 1:
        return None
    targets = np.asarray(data.targets, dtype=np.float64)
    if loss == "binary_cross_entropy_with_logits" and bool(((targets >= 0) & (targets <= 1)).all()):
        return _LOGISTIC
    return _SIGMOID if loss == "sigmoid" and bool(np.isin(targets, (-1, 1)).all()) else None


def recognise(model: nn.Module, loss: str, data: NodeData, radius: float | None) -> LossClass | None:
    """Proved constants of a linear model, or None when the model, the loss or the targets are anything else.

    Softmax regression (``cross_entropy``), logistic regression (``binary_cross_entropy_with_logits``, one output) and the
    linear classifier under the sigmoid loss (``sigmoid``, one output, labels -1 and 1). A bias counts as one more feature equal
    to 1. sigma2 = (1/m) sum_i mean_j slope^2 norm(x_ij)^2 and zeta2 = (1/m) sum_i (mean_j slope norm(x_ij))^2 bound the second
    moments of the gradients; M holds on norm(w) <= radius and is unknown without a radius, except for the bounded sigmoid loss.
    """
    layer = _only_layer(model)
    score = None if layer is None else _score_loss(loss, layer.out_features, data)
    if layer is None or score is None:
        return None
    rows = data.features.reshape(len(data.features), -1)
    norms = np.sqrt((rows**2).sum(axis=1) + (1.0 if layer.bias is not None else 0.0))
    by_node = [score.slope * norms[data.node == k] for k in range(data.nodes)]
    reach = float(norms.max())
    return LossClass(
        name=score.name,
        convex=score.convex,
        L=certified(score.slope * reach, f"{score.source}; times max|x|"),
        beta=certified(score.curvature * reach**2, f"{score.source}; times max|x|^2"),
        M=_supremum(score, radius, reach, layer.out_features),
        sigma2=certified(float(np.mean([(part**2).mean() for part in by_node])), "second moments of the per-sample gradients"),
        zeta2=certified(float(np.mean([part.mean() ** 2 for part in by_node])), "norms of the node gradients"),
    )


def _supremum(score: _ScoreLoss, radius: float | None, reach: float, classes: int) -> Constant | None:
    if radius is None:
        return certified(1.0, "the sigmoid loss lies in (0, 1)") if score is _SIGMOID else None
    return certified(
        score.supremum(radius * reach, classes), f"largest loss of {score.name} on |w| <= rho, reached by scores of size rho max|x|"
    )

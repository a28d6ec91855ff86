"""Full-batch training of small networks on one input, all nodes with the same loss, and the curvature it settles at.

Nothing is random after the start but a perturbation of every weight at every step (standard deviation ``jitter``): nodes that agree to the
last bit never separate, however unstable their differences are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import UpdateForm, word
from empirical.curvature import Objective, top_eigenvalue
from empirical.device import one_thread
from empirical.streams import stream

Values = NDArray[np.float64]
_TOLERANCE = 1e-5
_POINTS, _FREQUENCY = 12, 4.0
#: Size of the first layer at the start: silu is nearly linear on small inputs, where training stalls.
_REACH = {"tanh": 1.0, "silu": 2.0}
#: By name an activation and its derivative, the latter from (input, output).
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "tanh": (torch.tanh, lambda z, a: 1 - a * a),
    "silu": (torch.nn.functional.silu, lambda z, a: torch.sigmoid(z) + a * (1 - torch.sigmoid(z))),
}


@dataclass(frozen=True, slots=True)
class Descent:
    """``replicates`` starts of one method on a network 1-``width``-1 that fits sin(4x) at 12 points of [-1, 1].

    ``update_form`` is centralized, atc or consensus, ``graph`` a topology of ``m`` nodes. The curvature is read at the last step and at
    ``readings`` - 1 equally spaced ones before it.
    """

    update_form: str
    graph: str
    m: int
    width: int
    activation: str
    eta: float
    steps: int
    readings: int
    replicates: int
    seed: int
    jitter: float = 1e-8

    def mixing(self) -> MixingMatrix | None:
        """W; None for plain gradient descent."""
        return None if self.update_form == UpdateForm.CENTRALIZED.value else topology(self.graph, self.m)

    @property
    def nodes(self) -> int:
        """Models of one replicate."""
        return 1 if self.update_form == UpdateForm.CENTRALIZED.value else self.m

    @property
    def edge(self) -> float:
        """eta lambda_max(H) at which the linearised dynamics lose stability: 1 + lambda_min(W) in the consensus form, otherwise 2."""
        W = self.mixing()
        return 2.0 if W is None or word(UpdateForm, self.update_form) is not UpdateForm.CONSENSUS else 1 + float(W.spectrum[-1])


@dataclass(frozen=True, eq=False)
class Descended:
    """``edge`` (replicates, readings) is eta lambda_max(H) at the network mean, nan where training diverged.

    ``loss`` is the training loss of the network mean at the end, ``spread`` the consensus distance there, (replicates,) each.
    """

    descent: Descent
    steps: NDArray[np.int64]
    edge: Values
    loss: Values
    spread: Values


class Fit:
    """The mean squared error over 2 of 1-k-1 networks, flat weights (B, 3k + 1): inputs' weights, offsets, outputs' weights, offset."""

    def __init__(self, width: int, activation: str) -> None:
        self.k, (self.act, self.slope) = width, ACTIVATIONS[activation]
        self.x = torch.linspace(-1, 1, _POINTS, dtype=torch.float64)
        self.y = torch.sin(_FREQUENCY * self.x)

    def _parts(self, weights: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        k = self.k
        return weights[:, :k].unsqueeze(1), weights[:, k : 2 * k].unsqueeze(1), weights[:, 2 * k : 3 * k].unsqueeze(1), weights[:, 3 * k :]

    def values(self, weights: Tensor) -> Tensor:
        """(B,): the loss of every row."""
        inner, offset, outer, last = self._parts(weights)
        units = self.act(offset + self.x.view(1, -1, 1) * inner)
        return ((units * outer).sum(2) + last - self.y).square().mean(1) / 2

    def gradients(self, weights: Tensor) -> Tensor:
        """(B, 3k + 1), by hand: automatic differentiation takes several times as long on networks this small."""
        inner, offset, outer, last = self._parts(weights)
        inputs = torch.addcmul(offset, self.x.view(1, -1, 1), inner)
        units = self.act(inputs)
        rest = (torch.bmm(units, outer.transpose(1, 2)).squeeze(2) + last - self.y).div_(_POINTS)
        back = self.slope(inputs, units).mul_(outer).mul_(rest.unsqueeze(2))
        by_input = torch.matmul(self.x.view(1, 1, -1), back).squeeze(1)
        return torch.cat([by_input, back.sum(1), torch.bmm(rest.unsqueeze(1), units).squeeze(1), rest.sum(1, keepdim=True)], 1)

    def objective(self) -> Objective:
        """For its curvature."""
        return Objective(self.values, 3 * self.k + 1, torch.device("cpu"))


def start(descent: Descent) -> Values:
    """(replicates, P): the usual uniform start, one per replicate; all methods of one seed share it."""
    rows = []
    for replicate in range(descent.replicates):
        rng, k = stream(descent.seed, f"sharpening {descent.width}", replicate), descent.width
        rows.append(
            np.concatenate([_REACH[descent.activation] * rng.uniform(-1, 1, 2 * k), rng.uniform(-1, 1, k) / np.sqrt(k), np.zeros(1)])
        )
    return np.stack(rows)


def descend(descent: Descent) -> Descended:
    """Train, and read the curvature on the way (a task's function)."""
    fit = Fit(descent.width, descent.activation)
    due = np.unique(np.linspace(0, descent.steps, descent.readings + 1).astype(np.int64)[1:])
    edges = []
    with torch.inference_mode(), one_thread():
        models = torch.from_numpy(np.repeat(start(descent)[:, None], descent.nodes, 1))
        mixing = descent.mixing()
        W = None if mixing is None else torch.from_numpy(np.array(mixing.matrix))
        noise = torch.Generator().manual_seed(int(stream(descent.seed, "jitter", 0).integers(2**62)))
        for first, last in zip([0, *due[:-1]], due, strict=True):
            for _ in range(int(last - first)):
                models = _step(descent, fit, models, W, noise)
            edges.append(_curvatures(descent, fit, models.mean(1)))
        mean = models.mean(1)
        spread = (models - mean.unsqueeze(1)).square().sum(-1).mean(1)
        return Descended(descent, due, np.stack(edges, axis=1), fit.values(mean).numpy().copy(), spread.numpy().copy())


def _step(descent: Descent, fit: Fit, models: Tensor, W: Tensor | None, noise: torch.Generator) -> Tensor:
    """X <- W X - eta G(X) in the consensus form, W (X - eta G(X)) in ATC, and what there is without a graph."""
    moved = fit.gradients(models.view(-1, models.shape[-1])).view(models.shape).mul_(-descent.eta)
    if descent.update_form == UpdateForm.CONSENSUS.value:
        assert W is not None
        moved += torch.matmul(W, models)
    else:
        moved += models
        moved = moved if W is None else torch.matmul(W, moved)
    if descent.jitter:
        moved.add_(torch.randn(moved.shape, generator=noise, dtype=torch.float64), alpha=descent.jitter)
    return moved


def _curvatures(descent: Descent, fit: Fit, points: Tensor) -> Values:
    objective = fit.objective()
    known = [top_eigenvalue(objective, point, _TOLERANCE).value if bool(torch.isfinite(point).all()) else np.nan for point in points]
    return descent.eta * np.array(known)

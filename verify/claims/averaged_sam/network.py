"""A small tanh network whose losses are smooth everywhere, and Gaussian means of its gradients without sampling error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirical.curvature import Objective, gradient
from empirical.device import one_thread
from empirical.streams import stream

Array = NDArray[np.float64]
INPUTS, HIDDEN, SAMPLES = 3, 8, 12
WIDTH = HIDDEN * (INPUTS + 2) + 1
_MOST = 4096


@dataclass(frozen=True, eq=False)
class Sample:
    """Inputs (samples, 3) and targets (samples,) of a regression."""

    inputs: Array
    targets: Array


def sample(seed: int, node: int = 0) -> Sample:
    """Gaussian inputs, and targets sin(x_1) + x_2 x_3/2 plus noise of deviation 0.1."""
    draws = stream(seed, "sam network data", node)
    x = draws.standard_normal((SAMPLES, INPUTS))
    return Sample(x, np.sin(x[:, 0]) + x[:, 1] * x[:, 2] / 2 + 0.1 * draws.standard_normal(SAMPLES))


def weights(seed: int) -> Array:
    """Weights (P,) of unit variance over the root of the fan-in."""
    draws = stream(seed, "sam network weights", 0)
    scales = np.repeat([1 / np.sqrt(INPUTS), 1.0, 1 / np.sqrt(HIDDEN), 1.0], [HIDDEN * INPUTS, HIDDEN, HIDDEN, 1])
    return np.asarray(draws.standard_normal(WIDTH) * scales)


def objective(data: Sample) -> Objective:
    """Half the mean squared error of v . tanh(W x + c) + o, weights flattened as (W, c, v, o)."""
    x, y = torch.from_numpy(data.inputs), torch.from_numpy(data.targets)

    def values(rows: Tensor) -> Tensor:
        matrix, bias, outer, offset = torch.split(rows, [HIDDEN * INPUTS, HIDDEN, HIDDEN, 1], dim=1)
        units = torch.tanh(torch.einsum("si,bhi->bsh", x, matrix.view(-1, HIDDEN, INPUTS)) + bias.unsqueeze(1))
        scores = torch.einsum("bsh,bh->bs", units, outer) + offset
        return (scores - y).square().mean(-1) / 2

    return Objective(values, WIDTH, torch.device("cpu"), _MOST)


def average(losses: Sequence[Objective]) -> Objective:
    """The mean of several losses."""
    return Objective(lambda rows: torch.stack([one.values(rows) for one in losses]).mean(0), WIDTH, losses[0].device, _MOST)


def gradients(loss: Objective, points: Array) -> Array:
    """grad of ``loss`` at each of ``points`` (B, P)."""
    return np.asarray(gradient(loss, points).cpu().numpy())


def penalty_gradient(loss: Objective, mean: Array, deviations: Array) -> Array:
    """(P,): the gradient of Tr(H Xi)/2 at ``mean`` with Xi = (1/m) sum_k d_k d_k^T of ``deviations`` (m, P) held fixed."""
    directions = torch.from_numpy(np.asarray(deviations, dtype=np.float64)).to(loss.device)

    def total(rows: Tensor) -> Tensor:
        return loss.values(rows).sum()

    def half_trace(point: Tensor) -> Tensor:
        pull = torch.func.vjp(torch.func.grad(total), point.expand(len(directions), -1))[1]
        found: Tensor = (pull(directions)[0] * directions).sum() / (2 * len(directions))
        return found

    with one_thread(), torch.inference_mode(False):
        return np.asarray(torch.func.grad(half_trace)(loss.rows(mean)[0]).cpu().numpy())


def hermite(rank: int, nodes: int) -> tuple[Array, Array]:
    """Points (nodes^rank, rank) and weights of a standard normal mean, exact for polynomials of degree 2 nodes - 1 in each variable."""
    places, heights = np.polynomial.hermite_e.hermegauss(nodes)
    heights = heights / heights.sum()
    points = np.array(list(product(places, repeat=rank)))
    return points, np.array([np.prod(one) for one in product(heights, repeat=rank)])


def gaussian_gradient(loss: Objective, mean: Array, deviations: Array, nodes: int) -> Array:
    """(P,): E grad L(mean + e), e normal with covariance (1/m) sum_k d_k d_k^T, by Gauss-Hermite quadrature in their span."""
    _, sizes, rows = np.linalg.svd(deviations / np.sqrt(len(deviations)), full_matrices=False)
    used = sizes > 1e-12 * sizes.max()
    points, heights = hermite(int(used.sum()), nodes)
    return np.asarray(heights @ gradients(loss, mean + points @ (sizes[used, None] * rows[used])))

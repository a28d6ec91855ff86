"""Training runs on the digits network: what the spread of the nodes adds to their mean loss, and to their mean gradient.

Spread and Hessian are read where gradients are taken; the loss is that of all training samples together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.setting import Fact
from bounds.vocabulary import UpdateForm
from empirical import Run, trajectory
from empirical.curvature import Objective, gradient, hessian_vector, problem_objective, top_eigenvalue
from empirical.problems import problem
from empirical.samples import draw_samples
from empirical.streams import stream

Values = NDArray[np.float64]
NODES, PER_NODE, STEPS = 8, 16, 400
_PAIRS = 32
_NEAR = 0.1
_TOLERANCE = 1e-5


def run(data: str, seed: int, replicates: int, eta: float = 1.0, b: int = 1) -> Run:
    """The consensus form on a ring of 8: ``shared`` gives every node the same samples, ``split`` its own, ``label_skew`` own classes."""
    return Run(
        problem="network-digits", update_form=UpdateForm.CONSENSUS, m=NODES, n=PER_NODE, T=STEPS, eta=eta, b=b,
        data="shared" if data == "shared" else "split", split="label_skew" if data == "label_skew" else "iid",
        replicates=replicates, seed=seed,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Spreads:
    """Per replicate (replicates,), after the last step.

    ``own``: mean_k L(w_k) - L(wbar); ``half``: Tr(H Xi)/2; ``normal``: E L(wbar + e) - L(wbar), e normal with covariance Xi, estimated without
    bias by antithetic pairs. ``unexplained``: norm of what half the gradient of Tr(H Xi) leaves of the mean gradient's shift
    mean_k grad L_k(w_k) - grad L(wbar), over the norm of that half gradient. ``trace``: Tr Xi.
    """

    run: Run
    own: Values
    half: Values
    normal: Values
    unexplained: Values
    trace: Values


def read_spreads(one: Run, requests: tuple[Any, ...], device: str) -> Spreads:
    """Train and read (the ``read`` of a case)."""
    described = problem(one.problem)
    training = draw_samples(one, described).training
    models = trajectory(one, device=device)[:, -1].reshape(one.replicates, one.m, -1)
    rows = []
    for replicate, (points, indices) in enumerate(zip(models, training, strict=True)):
        common = problem_objective(described, indices)
        losses = [problem_objective(described, each) for each in (indices[:1] if one.data == "shared" else indices)]
        rows.append([*_losses(common, points, stream(one.seed, "sam normal", replicate)), _unexplained(common, losses, points)])
    own, half, normal, trace, unexplained = np.array(rows).T
    return Spreads(one, own, half, normal, unexplained, trace)


def _losses(common: Objective, points: Values, draws: np.random.Generator) -> tuple[float, float, float, float]:
    """Own, half, normal and trace of :class:`Spreads`; the quadratic part of the normal mean is taken exactly."""
    mean = points.mean(axis=0)
    away = points - mean
    m, signs = len(away), draws.standard_normal((_PAIRS, len(away)))
    noise = signs @ away / np.sqrt(m)
    with torch.no_grad():
        values = common.values(common.rows(np.concatenate([mean[None], points, mean + noise, mean - noise]))).numpy()
    base, own, pairs = values[0], values[1 : 1 + m].mean(), values[1 + m :].reshape(2, _PAIRS).mean(axis=0)
    bends = away @ hessian_vector(common, mean[None], away).numpy().T
    half = np.trace(bends) / (2 * m)
    normal = (pairs - base - ((signs @ bends) * signs).sum(axis=1) / (2 * m)).mean() + half
    return float(own - base), float(half), float(normal), float((away**2).sum(axis=1).mean())


def _unexplained(common: Objective, own: list[Objective], points: Values) -> float:
    """Second differences along the deviations, so near that fourth derivatives are not seen."""
    mean = points.mean(axis=0)
    away = _NEAR * (points - mean)
    base = gradient(common, mean[None])[0]
    near = gradient(common, np.concatenate([mean + away, mean - away])).mean(0)
    half = (near - base) / _NEAR**2
    if len(own) == 1:
        here = gradient(common, points).mean(0)
    else:
        here = torch.stack([gradient(one, point[None])[0] for one, point in zip(own, points, strict=True)]).mean(0)
    return float((here - base - half).norm() / half.norm())


def read_tops(one: Run, requests: tuple[Any, ...], device: str) -> Values:
    """(replicates, 2): the top eigenvalues of (1/m) sum_k H(w_k) and of H(wbar) after the last step (the ``read`` of a case)."""
    described = problem(one.problem)
    training = draw_samples(one, described).training
    models = trajectory(one, device=device)[:, -1].reshape(one.replicates, one.m, -1)
    rows = []
    for points, indices in zip(models, training, strict=True):
        common, mean = problem_objective(described, indices), points.mean(axis=0)
        pair = around(common, points - mean), common
        rows.append([top_eigenvalue(loss, mean, _TOLERANCE).value for loss in pair])
    return np.array(rows)


def around(loss: Objective, deviations: Values) -> Objective:
    """w -> (1/m) sum_k L(w + d_k) for ``deviations`` (m, P)."""
    shifts = torch.from_numpy(deviations)

    def values(rows: Tensor) -> Tensor:
        shifted = (rows.unsqueeze(1) + shifts).reshape(-1, loss.width)
        return loss.values(shifted).view(len(rows), len(shifts)).mean(1)

    return Objective(values, loss.width, loss.device, loss.chunk)


def conditions(one: Run) -> dict[str, Fact]:
    """What ran."""
    facts: dict[str, Fact] = {"problem": one.problem, "topology": "ring", "m": one.m, "n": one.n, "T": one.T, "b": one.b}
    data = "the same at every node" if one.data == "shared" else "own samples" if one.split == "iid" else "own classes"
    return facts | {"eta": float(one.eta or 0), "data": data}

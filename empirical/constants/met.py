"""Constants of a problem at the models that runs met: lower bounds of the true suprema, and tagged so."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.setting import Constant
from empirical.curvature import problem_objective, top_eigenvalue
from empirical.problems.base import Problem

_TOLERANCE, _STEPS = 1e-2, 40


def constants_met(problem: Problem, models: NDArray[np.float64], training: NDArray[np.int64], steepest: int = 4) -> dict[str, Constant]:
    r"""L, beta, sigma2 and zeta2 of one training set, the largest values met, all tagged ``estimated``.

    * L: norm of a training sample's gradient at a model. sigma2: (1/m) sum_k mean_i \|grad l(x_k; Z_ki) - grad f_k(x_k)\|^2.
    * zeta2: (1/m) sum_k \|grad f_k(xbar) - grad f(xbar)\|^2. beta: largest eigenvalue of the Hessian of one sample's loss at xbar,
      over the ``steepest`` samples with the largest gradients there.

    Args:
        models: (points, m, P), the nodes' models after several numbers of steps; xbar is their mean over nodes.
        training: (m, n) population indices.
    """
    found = dict.fromkeys(("L", "beta", "sigma2", "zeta2"), 0.0)
    for nodes in torch.from_numpy(np.ascontiguousarray(models)).double():
        for name, value in _at(problem, nodes, torch.from_numpy(training), steepest).items():
            found[name] = max(found[name], value)
    source = f"the largest value met at {len(models)} points of a run on one training set; the supremum may be larger"
    return {name: Constant(value, "estimated", source) for name, value in found.items()}


def _at(problem: Problem, nodes: torch.Tensor, own: torch.Tensor, steepest: int) -> dict[str, float]:
    everyone = nodes.mean(0, keepdim=True).expand(len(nodes), -1).contiguous()
    with torch.inference_mode():
        norms, at_mean = problem.gradient_norms(nodes, own), problem.gradient_norms(everyone, own)
        means, shared = problem.gradients(nodes, own), problem.gradients(everyone, own)
    variance = norms.square().mean(1) - means.square().sum(1)
    apart = (shared - shared.mean(0)).square().sum(1).mean()
    chosen = own.reshape(-1)[at_mean.reshape(-1).argsort(descending=True)[:steepest]].numpy()
    curved = [top_eigenvalue(problem_objective(problem, one[None]), everyone[0], _TOLERANCE, steps=_STEPS).value for one in chosen]
    return {"L": float(norms.max()), "beta": max(curved), "sigma2": float(variance.clamp(min=0).mean()), "zeta2": float(apart)}

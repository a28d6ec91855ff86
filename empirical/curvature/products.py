"""Gradients and Hessian-vector products by automatic differentiation, several points at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from bounds.errors import LengthError
from empirical.curvature.objective import Objective
from empirical.device import one_thread


def gradient(objective: Objective, points: Tensor | ArrayLike) -> Tensor:
    """grad f at every row of ``points`` (B, P), (B, P) in float64; see :meth:`Objective.rows` for what is accepted.

    Raises:
        DomainError: for points that do not fit.
    """
    with one_thread(), torch.inference_mode(False):
        pieces = torch.split(objective.rows(points), objective.chunk)
        return torch.cat([torch.func.grad(_total(objective))(piece) for piece in pieces])


def hessian_vector(objective: Objective, points: Tensor | ArrayLike, vectors: Tensor | ArrayLike) -> Tensor:
    """H(w_i) v_i for every row w_i of ``points`` and v_i of ``vectors``, (B, P) in float64; H is the Hessian of f.

    A single point goes with any number of vectors.

    Raises:
        DomainError: for points or vectors that do not fit.
        LengthError: for several points and another number of vectors.
    """
    with one_thread(), torch.inference_mode(False):
        w, v = objective.rows(points), objective.rows(vectors)
        if len(w) not in (1, len(v)):
            raise LengthError(f"got {len(w)} points and {len(v)} vectors; give one vector for each point, or a single point")
        starts = range(0, len(v), objective.chunk)
        w = w.expand(len(v), -1)
        slices = [slice(start, start + objective.chunk) for start in starts]
        return torch.cat([_products(objective, w[part].contiguous(), v[part]) for part in slices])


def _products(objective: Objective, points: Tensor, vectors: Tensor) -> Tensor:
    # Reverse over reverse: torch's forward mode imports its deprecated script compiler.
    pull = torch.func.vjp(torch.func.grad(_total(objective)), points)[1]
    products: Tensor = pull(vectors)[0]
    return products


def _total(objective: Objective) -> Callable[[Tensor], Tensor]:
    """The sum over rows: they do not see each other, so its derivatives are each row's own."""
    return lambda points: objective.values(points).sum()

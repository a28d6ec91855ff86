"""The gradient norms that a run meets on its way, the constant of optimization-dependent stability bounds."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.errors import DomainError
from empirical.configuration import Run
from empirical.device import one_thread, resolve_device
from empirical.parts import cut, states
from empirical.problems.registry import problem as build_problem
from empirical.samples import draw_samples
from empirical.simulation import Points


def gradient_norms(run: Run, device: str = "auto", chunk: int | None = None) -> NDArray[np.float64]:
    r"""The mean gradient norm G_T = (1/T) sum_{t=1..T} Gbar_t met up to each checkpoint T; (replicates, checkpoints).

    Gbar_t = (1/mn) sum_ij \|grad l(x_j; Z_ij)\| over *all* n training samples of each node j (not only the drawn batch),
    with x_j the point where step t evaluates node j's gradient: X before step t for ATC, the consensus form and the
    centralized form (one node with all samples), Y = W^Q X for CTA. Gbar_1 is read at the common start. For a convex
    loss and a constant step eta <= 2/beta, E G_T replaces one factor L of the l1 stability bound 2 L eta T / (m n)
    (source: its one-step recursion with 2 Gbar_t in place of 2 L).

    Raises:
        DomainError: for a decaying step (there every step has its own weight), or a run that diverged.
        UnknownNameError, DeviceError: see :func:`empirical.device.resolve_device`.
    """
    if run.eta is None:
        raise DomainError(f"got a decaying step c={run.c!r}; gradient_norms averages over equal steps only: give the run eta instead of c")
    place, problem = resolve_device(device), build_problem(run.problem)
    samples, last = draw_samples(run, problem), run.read_at[-1]
    met = np.empty((run.replicates, last))
    with torch.inference_mode(), one_thread():
        exact, points = problem.to(place, torch.float64), Points(run, place, problem.width)
        for part, t, state in states(run, problem, samples, cut(run, problem, 0, chunk, place), place, range(last)):
            models = points(state, t, part.replicates).double().view(-1, problem.width)
            training = torch.from_numpy(np.ascontiguousarray(samples.training[part.rows])).to(place)
            norms = exact.gradient_norms(models, training.view(len(models), -1)).cpu().numpy()
            met[part.rows, t] = norms.reshape(len(part.replicates), -1).mean(axis=1)
    if not np.isfinite(met).all():
        raise DomainError("the run diverged: a gradient norm is not finite; take a smaller eta or a projection radius")
    means = np.cumsum(met, axis=1) / np.arange(1, last + 1)
    return np.asarray(means[:, np.array(run.read_at) - 1])

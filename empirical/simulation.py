"""The training loop: every node, replicate and twin of a run as one tensor, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.mixing import mixer
from empirical.problems.base import Problem
from empirical.samples import Indices, batches
from empirical.updates import UPDATES, Rules


def _rules(run: Run, problem: Problem, device: torch.device) -> Rules:
    dtype = getattr(torch, run.precision)
    centralized = run.update_form is UpdateForm.CENTRALIZED
    mix = None if centralized else mixer(run.mixing().power(run.Q), device, dtype)
    return Rules(problem.to(device, dtype), run.eta, mix, run.radius)


def _batch_indices(lanes: Tensor, drawn: Tensor, models: int) -> Tensor:
    """Population indices (r * lanes * models, batch) of a step's places ``drawn`` (r, groups, b) in ``lanes``."""
    r, count, groups, _ = lanes.shape
    shared = drawn.unsqueeze(1).expand(r, count, groups, drawn.shape[-1])
    return lanes.gather(3, shared).view(r * count * models, -1)


def simulate(
    run: Run,
    problem: Problem,
    training: Indices,
    replicates: range,
    device: torch.device,
    tick: Callable[[int], None] | None = None,
) -> Iterator[Tensor]:
    """Train some replicates of ``run`` and yield their models at each step of ``run.read_at``.

    Args:
        training: (r, lanes, groups, size) training sets, see :meth:`empirical.samples.Samples.lanes`. All lanes of a
            replicate share every batch draw.
        replicates: the r replicates' numbers, which key their batches.
        tick: called with the number of steps done after each block of draws.

    Yields:
        (r, lanes, models, P) tensors in the run's precision, valid until the next one is asked for.
    """
    rules, update = _rules(run, problem, device), UPDATES[run.update_form]
    lanes = torch.from_numpy(training).to(device)
    r, count = training.shape[:2]
    models = torch.zeros((r * count, run.models, problem.width), dtype=getattr(torch, run.precision), device=device)
    spare = torch.empty_like(models)
    due, step = set(run.read_at), 0
    for block in batches(run, replicates, max(due)):
        for drawn in torch.from_numpy(block).to(device):
            models, spare = update(rules, models, spare, _batch_indices(lanes, drawn, run.models))
            step += 1
            if step in due:
                yield models.view(r, count, run.models, -1)
        if tick is not None:
            tick(step)

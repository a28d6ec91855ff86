"""The training loop: every node, replicate and twin of a run as one tensor, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.mixing import Mix, mixer
from empirical.problems.base import Problem
from empirical.samples import Indices, batches
from empirical.updates import UPDATES, Rules


def _rules(run: Run, problem: Problem, device: torch.device) -> Rules:
    return Rules(problem.to(device, getattr(torch, run.precision)), _gossip(run, device), run.radius, problem.by_network)


def _gossip(run: Run, device: torch.device) -> Mix | None:
    centralized = run.update_form is UpdateForm.CENTRALIZED
    return None if centralized else mixer(run.mixing().power(run.Q), device, getattr(torch, run.precision))


def gradient_points(run: Run, device: torch.device) -> Callable[[Tensor], Tensor]:
    """The map from models (r, lanes, m, P) to the points, of the same shape, where the next step evaluates its gradients.

    Y = W^Q X for CTA, in the run's own arithmetic and hence to the last bit the points of the next step; X itself for
    the other forms.
    """
    mix = _gossip(run, device) if run.update_form is UpdateForm.CTA else None

    def points(models: Tensor) -> Tensor:
        if mix is None:
            return models
        networks = models.reshape(-1, *models.shape[-2:])
        mixed = torch.empty_like(networks)
        mix(networks, mixed)
        return mixed.view(models.shape)

    return points


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
    steps: Sequence[int] | None = None,
    start: Tensor | None = None,
) -> Iterator[Tensor]:
    """Train some replicates of ``run`` and yield their models after some of the steps.

    Args:
        training: (r, lanes, groups, size) training sets, see :meth:`empirical.samples.Samples.lanes`. All lanes of a
            replicate share every batch draw.
        replicates: the r replicates' numbers, which key their batches.
        tick: called with the number of steps done after each block of draws.
        steps: when to yield, ascending; 0 is the start, None the run's own ``read_at``.
        start: the models to start from, anything that broadcasts to (r, lanes, models, P); None: the problem's own start.

    Yields:
        (r, lanes, models, P) tensors in the run's precision, valid until the next one is asked for.
    """
    rules, update, schedule = _rules(run, problem, device), UPDATES[run.update_form], run.schedule
    lanes = torch.from_numpy(training).to(device)
    r, count = training.shape[:2]
    models = torch.zeros((r * count, run.models, problem.width), dtype=getattr(torch, run.precision), device=device)
    spare = torch.empty_like(models)
    begin = problem.start if start is None else start
    if begin is not None:
        models.view(r, count, run.models, -1).copy_(torch.as_tensor(begin))
    due, step = set(run.read_at if steps is None else steps), 0
    if 0 in due:
        yield models.view(r, count, run.models, -1)
    for block in batches(run, replicates, max(due)):
        for drawn in torch.from_numpy(block).to(device):
            step += 1
            models, spare = update(rules, models, spare, _batch_indices(lanes, drawn, run.models), schedule.step(step))
            if step in due:
                yield models.view(r, count, run.models, -1)
        if tick is not None:
            tick(step)

"""The training loop: every node, replicate and twin of a run as one tensor, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.gossip import Gossip
from empirical.problems.base import Problem
from empirical.samples import Indices, batches
from empirical.updates import UPDATES, Rules, Update


class Points:
    """The map from the models (r, lanes, m, P) after a step to the points, of the same shape, where the next step evaluates
    its gradients.

    Y = W^Q X for CTA if the next step gossips, in the run's own arithmetic and hence to the last bit the points of the next
    step; X itself otherwise and for the other forms.
    """

    def __init__(self, run: Run, device: torch.device, width: int = 0) -> None:
        self.gossip = Gossip(run, device, width) if run.update_form is UpdateForm.CTA else None

    def __call__(self, models: Tensor, step: int, replicates: range) -> Tensor:
        """The points of step ``step`` + 1 of some replicates, from their models after ``step``."""
        mix = None if self.gossip is None else self.gossip.at(step + 1, replicates, models.shape[1])
        if mix is None:
            return models
        networks = models.reshape(-1, *models.shape[-2:])
        mixed = torch.empty_like(networks)
        mix(networks, mixed)
        return mixed.view(models.shape)


def _step_rules(run: Run, problem: Problem, device: torch.device, replicates: range, lanes: int) -> Callable[[int], tuple[Update, Rules]]:
    """The update and the rules of each step; a step without gossip is that of plain SGD."""
    gossip = Gossip(run, device, problem.width)
    moved = problem.to(device, gossip.dtype)

    def rules(step: int) -> tuple[Update, Rules]:
        mix = gossip.at(step, replicates, lanes)
        form = UpdateForm.CENTRALIZED if mix is None else run.update_form
        return UPDATES[form], Rules(moved, mix, run.radius, problem.by_network)

    return rules


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
    lanes, schedule = torch.from_numpy(training).to(device), run.schedule
    r, count = training.shape[:2]
    at = _step_rules(run, problem, device, replicates, count)
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
            update, rules = at(step)
            models, spare = update(rules, models, spare, _batch_indices(lanes, drawn, run.models), schedule.step(step))
            if step in due:
                yield models.view(r, count, run.models, -1)
        if tick is not None:
            tick(step)

"""The training loop: every node, replicate and twin of a run as one tensor, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.forking import Forks, forks_late
from empirical.gossip import Gossip, Owners
from empirical.problems.base import Problem
from empirical.samples import Indices, batches
from empirical.updates import UPDATES, Rules, Update


class Points:
    """The map from the models (r, lanes, m, P) after a step to the points, of the same shape, where the next step evaluates
    its gradients.

    Y = W^Q X for CTA if the next step gossips, in the run's own arithmetic and hence to the last bit the points of the next
    step; X itself otherwise and for the other forms.
    """

    def __init__(self, run: Run, device: torch.device, width: int = 0, ordered: bool = False) -> None:
        self.gossip = Gossip(run, device, width, ordered) if run.update_form is UpdateForm.CTA else None

    def __call__(self, models: Tensor, step: int, replicates: range) -> Tensor:
        """The points of step ``step`` + 1 of some replicates, from their models after ``step``."""
        owners = np.arange(models.shape[0]).repeat(models.shape[1])
        mix = None if self.gossip is None else self.gossip.at(step + 1, replicates, owners)
        if mix is None:
            return models
        networks = models.reshape(-1, *models.shape[-2:])
        mixed = torch.empty_like(networks)
        mix(networks, mixed)
        return mixed.view(models.shape)


@dataclass(frozen=True)
class _Singly:
    """A problem whose gradients are asked for one model at a time, as a node that holds only its own would ask."""

    problem: Problem

    def add_gradient_(self, target: Tensor, weights: Tensor, draws: Tensor, scale: float) -> None:
        for k in range(len(target)):
            self.problem.add_gradient_(target[k : k + 1], weights[k : k + 1], draws[k : k + 1], scale)


def _step_rules(
    run: Run, problem: Problem, device: torch.device, replicates: range, ordered: bool
) -> Callable[[int, Owners], tuple[Update, Rules]]:
    """The update and the rules of each step for networks of the given owners; a step without gossip is that of plain SGD."""
    gossip = Gossip(run, device, problem.width, ordered)
    moved = problem.to(device, gossip.dtype)
    # Kernels that round a model by its place among others would tell a network from its nodes apart.
    asked = _Singly(moved) if ordered and problem.by_network else moved

    def rules(step: int, owners: Owners) -> tuple[Update, Rules]:
        mix = gossip.at(step, replicates, owners)
        form = UpdateForm.CENTRALIZED if mix is None else run.update_form
        return UPDATES[form], Rules(asked, mix, run.radius, problem.by_network)

    return rules


class _Pair:
    """The models of the networks in training (networks, m, P), with scratch of the same shape."""

    def __init__(self, models: Tensor) -> None:
        self.models, self.spare, self.count = models, torch.empty_like(models), len(models)

    def fork(self, forks: Forks, count: int) -> None:
        """Let networks join until there are ``count``, each as a copy of its base run."""
        if count == self.count:
            return
        if count > len(self.models):
            room = (len(forks.order), *self.models.shape[1:])
            # The old scratch goes first: it and both new tensors together would be the peak of the run.
            self.spare = self.models.new_empty(0)
            grown = self.models.new_empty(room)
            grown[: self.count] = self.models[: self.count]
            self.models, self.spare = grown, torch.empty_like(grown)
        self.models[self.count : count] = self.models.index_select(0, forks.rows[self.count : count])
        self.count = count

    def step(self, update: Update, rules: Rules, draws: Tensor, eta: float) -> None:
        models, spare = self.models[: self.count], self.spare[: self.count]
        after, _ = update(rules, models, spare, draws, eta)
        if after is spare:
            self.models, self.spare = self.spare, self.models


def _begin(run: Run, problem: Problem, device: torch.device, start: Tensor | None, forks: Forks) -> _Pair:
    """The common start, or the given one of every network."""
    networks = torch.zeros((len(forks.order), run.models, problem.width), dtype=getattr(torch, run.precision), device=device)
    begin = problem.start if start is None else start
    if begin is not None:
        networks.view(forks.shape[0], -1, *networks.shape[1:]).copy_(torch.as_tensor(begin))
    return _Pair(networks)


def simulate(
    run: Run,
    problem: Problem,
    training: Indices,
    replicates: range,
    device: torch.device,
    tick: Callable[[int], None] | None = None,
    steps: Sequence[int] | None = None,
    start: Tensor | None = None,
    late: bool | None = None,
    ordered: bool = False,
) -> Iterator[Tensor]:
    """Train some replicates of ``run`` and yield their models after some of the steps.

    Args:
        training: (r, lanes, groups, size) training sets, see :meth:`empirical.samples.Samples.lanes`. All lanes of a
            replicate share every batch draw.
        replicates: the r replicates' numbers, which key their batches.
        tick: called with the number of steps done after each block of draws.
        steps: when to yield, ascending; 0 is the start, None the run's own ``read_at``.
        start: the models to start from, anything that broadcasts to (r, lanes, models, P); None: the problem's own start.
        late: train a twin from the first step that draws what it replaces, before which it is its base run; None: where
            that saves time. No bit depends on it; a given ``start``, which may differ between lanes, forks at once.
        ordered: gossip step by gossip step in the one order of summation that nodes sending to their neighbours can repeat
            (see :class:`empirical.gossip.Gossip`); :mod:`empirical.distributed` gives these bits.

    Yields:
        (r, lanes, models, P) tensors in the run's precision, valid until the next one is asked for.
    """
    due, step = set(run.read_at if steps is None else steps), 0
    late = start is None and training.shape[1] > 1 and (forks_late(max(due), len(due), run.b, training.shape[3]) if late is None else late)
    forks, at, schedule = Forks(training, device, late), _step_rules(run, problem, device, replicates, ordered), run.schedule
    pair = _begin(run, problem, device, start, forks)
    if 0 in due:
        yield forks.every(pair.models, pair.count)
    for block in batches(run, replicates, max(due)):
        for count, drawn in zip(forks.plan(block), torch.from_numpy(block).to(device), strict=True):
            step += 1
            pair.fork(forks, count)
            update, rules = at(step, forks.owners[:count])
            pair.step(update, rules, forks.indices(drawn, count, run.models), schedule.step(step))
            if step in due:
                yield forks.every(pair.models, count)
        if tick is not None:
            tick(step)

"""The training loop of one node: its own model, its own samples, its neighbours' models as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from bounds.errors import DomainError, NodeLostError
from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.device import one_thread
from empirical.distributed.checkpoints import Checkpoints
from empirical.distributed.neighbours import Exchange, NodeGossip
from empirical.distributed.peers import Peers
from empirical.problems.base import Problem
from empirical.samples import Samples, batches
from empirical.updates import UPDATES, Rules


def check_run(run: Run, nodes: int) -> None:
    """Can ``nodes`` processes run this?

    Raises:
        DomainError: for a centralized run, twins, or another number of nodes.
    """
    if run.update_form is UpdateForm.CENTRALIZED:
        raise DomainError("got update_form='centralized', which has one model and no network; use atc, cta or consensus")
    if run.twins:
        raise DomainError(
            f"got twins={run.twins}; a distributed run has none: set twins=0, or measure stabilities with gossip-bounds measure"
        )
    if run.m != nodes:
        raise DomainError(f"got m={run.m} nodes in {nodes} processes; start one process per node: torchrun --nproc-per-node {run.m}")


class Node:
    """Node ``node`` of ``run``: the same operations on (replicates, 1, P) that the simulation does on all nodes at once."""

    def __init__(self, run: Run, problem: Problem, samples: Samples, node: int, peers: Exchange, device: torch.device) -> None:
        self.run, self.node, self.device = run, node, device
        self.dtype: torch.dtype = getattr(torch, run.precision)
        self._moved, self._by_network = problem.to(device, self.dtype), problem.by_network
        self._gossip = NodeGossip(run, node, peers)
        self._own = torch.from_numpy(np.ascontiguousarray(samples.training[:, node])).to(device)
        self.models = torch.zeros((run.replicates, 1, problem.width), dtype=self.dtype, device=device)
        if problem.start is not None:
            self.models.copy_(torch.as_tensor(problem.start))
        self._spare = torch.empty_like(self.models)
        self.step = 0

    def steps(self) -> Iterator[int]:
        """Do the steps after ``self.step``, one by one."""
        run, schedule, begun = self.run, self.run.schedule, self.step
        number = 0
        # Drawn from the beginning: the streams are the simulation's, and drawing is a hundredth of training.
        for block in batches(run, range(run.replicates), run.T):
            for drawn in torch.from_numpy(np.ascontiguousarray(block[:, :, self.node])).to(self.device):
                number += 1
                if number <= begun:
                    continue
                self._advance(number, self._own.gather(1, drawn), schedule.step(number))
                yield number

    def _advance(self, number: int, draws: Tensor, eta: float) -> None:
        mix = self._gossip.at(number)
        form = UpdateForm.CENTRALIZED if mix is None else self.run.update_form
        rules = Rules(self._moved, mix, self.run.radius, self._by_network)
        self.models, self._spare = UPDATES[form](rules, self.models, self._spare, draws, eta)
        self.step = number


def resume(node: Node, peers: Peers, checkpoints: Checkpoints) -> list[Tensor]:
    """Put ``node`` at the last step that every node has a checkpoint of, if any; the models at the reading steps up to there."""
    common = set.intersection(*map(set, peers.everybody(checkpoints.steps())))
    if not common:
        return [node.models.clone()] if 0 in node.run.read_at else []
    models, readings = checkpoints.load(max(common))
    node.step = max(common)
    node.models.copy_(torch.from_numpy(models))
    return list(torch.from_numpy(readings).to(node.device).unbind(0))


def train(node: Node, peers: Peers, checkpoints: Checkpoints, every: int, tick: Callable[[int], None] | None = None) -> tuple[int, Tensor]:
    """Train from the last common checkpoint to step T, with a checkpoint after every ``every`` steps and at the end.

    A step's checkpoint replaces the one before only when all nodes have it, so that they always have one in common.

    Returns:
        The step that the run went on from, and this node's models at the reading steps, (readings, replicates, 1, P).

    Raises:
        NodeLostError: in one line, with the step to go on from. InputFileError: when a checkpoint cannot be written.
    """
    run = node.run
    with torch.inference_mode(), one_thread():
        kept = saved = -1
        try:
            readings = resume(node, peers, checkpoints)
            kept = saved = begun = node.step
            for step in node.steps():
                if step in run.read_at:
                    readings.append(node.models.clone())
                if step % every == 0 or step == run.T:
                    checkpoints.save(step, (node.models.cpu().numpy(), _stacked(readings, node).cpu().numpy()))
                    saved = step
                    peers.meet()
                    kept = step
                    checkpoints.forget(step)
                if tick is not None:
                    tick(step)
            return begun, _stacked(readings, node)
        except NodeLostError as error:
            raise NodeLostError(f"{error} after step {node.step} of {run.T}; {_advice(kept, saved)}") from None


def _stacked(readings: list[Tensor], node: Node) -> Tensor:
    return torch.stack(readings) if readings else node.models.new_empty((0, *node.models.shape))


def _advice(kept: int, saved: int) -> str:
    """What to do, when all nodes have the checkpoint of step ``kept``, and this one that of step ``saved``."""
    if kept < 0:
        return "it had not begun: run the same command again"
    return f"run the same command again to go on from step {kept}{f' or {saved}' if saved > kept else ''}"

"""Distributed runs whose processes all start on this machine, without torchrun: for tests, measurements and notebooks."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.cost import Link
from bounds.errors import DomainError, NodeLostError
from empirical.configuration import Run
from empirical.distributed.checkpoints import Checkpoints
from empirical.distributed.outcome import distributed_key
from empirical.distributed.peers import Peers, Traffic, joined
from empirical.distributed.throttle import Throttle
from empirical.distributed.training import Node, check_run, train
from empirical.problems.registry import problem as build_problem
from empirical.samples import draw_samples

#: What problems and topologies import when they are built; seconds in each process otherwise.
_SLOW_IMPORTS = ("sklearn.datasets", "networkx", "scipy.sparse.csgraph", "empirical.problems.softmax", "empirical.problems.perceptron")


@dataclass(frozen=True, eq=False)
class Trained:
    """A run's models (replicates, readings, m, P) in its precision, and what each node has sent for it."""

    models: NDArray[np.floating]
    traffic: tuple[Traffic, ...]


def forking() -> ForkServerContext:
    """A way to start processes that are forked from one that has imported what each of them needs, and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["empirical.distributed.command", *_SLOW_IMPORTS])
    return context


def run_locally(runs: Sequence[Run], link: Link | None = None, timeout: float = 60.0) -> list[Trained]:
    """Train runs of one number of nodes m one after the other, in m processes of this machine that talk over gloo.

    Args:
        link: a slower link to pretend.

    Raises:
        DomainError: for a run that cannot be distributed, or different m. NodeLostError: when a process dies.
    """
    for run in runs:
        check_run(run, runs[0].m)
    context = forking()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = context.Pipe(duplex=False)
        processes = [context.Process(target=_process, args=(list(runs), rank, folder, link, timeout, theirs)) for rank in range(runs[0].m)]
        for process in processes:
            process.start()
        theirs.close()
        try:
            return [ours.recv() for _ in runs]
        except EOFError:
            raise NodeLostError("a process of the run died; see what it printed") from None
        finally:
            for process in processes:
                process.join()


def _process(runs: list[Run], rank: int, folder: str, link: Link | None, timeout: float, results: Connection) -> None:
    throttle = None if link is None else Throttle(link)
    with torch.inference_mode(), joined(rank, runs[0].m, "gloo", timeout, throttle, init_method=f"file://{folder}/store") as peers:
        for run in runs:
            found = _trained(run, peers, Path(folder))
            if found is not None:
                results.send(found)
        peers.meet()


def _trained(run: Run, peers: Peers, folder: Path) -> Trained | None:
    """The run at node 0, None elsewhere."""
    peers.traffic = Traffic()
    problem = build_problem(run.problem)
    device = torch.device("cpu")
    node = Node(run, problem, draw_samples(run, problem), peers.rank, peers, device)
    checkpoints = Checkpoints(folder, distributed_key(run, (), device.type), peers.rank, _damaged)
    _, readings = train(node, peers, checkpoints, run.T)
    traffic = peers.everybody(peers.traffic)
    gathered = peers.collect(readings)
    return None if gathered is None else Trained(torch.cat(gathered, 2).transpose(0, 1).contiguous().numpy(), tuple(traffic))


def _damaged(line: str) -> None:
    raise DomainError(line)

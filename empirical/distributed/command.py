"""``python -m empirical.distributed``: one process of a distributed run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch

from bounds.cost import SENDS, Link
from bounds.errors import DomainError, GossipBoundsError, NodeLostError
from bounds.files import make_folder
from empirical.configuration import Run
from empirical.distributed.checkpoints import Checkpoints, forget_leftovers
from empirical.distributed.outcome import Outcome, distributed_key, measured_off
from empirical.distributed.peers import BACKENDS, Peers, Traffic, joined
from empirical.distributed.place import Place, Speaker, StoppedError, place, stoppable
from empirical.distributed.throttle import Throttle
from empirical.distributed.training import Node, check_run, train
from empirical.experiment import Experiment, read_experiment
from empirical.measuring import Request
from empirical.memory import hold_memory
from empirical.problems.registry import problem as build_problem
from empirical.readings import READINGS
from empirical.samples import draw_samples

_BAD_INPUT, _LOST, _INTERRUPTED = 2, 1, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise DomainError(f"{message}; {self.prog} --help lists what there is")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="torchrun --nproc-per-node NODES -m empirical.distributed",
        description="Decentralized runs, one process per node, one run after the other; see docs/distributed.md.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.toml", help="[run], [sweep] and [measure] as for gossip-bounds measure")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the result and of the checkpoints")
    parser.add_argument("--every", type=int, default=None, metavar="STEPS", help="steps between checkpoints; a tenth of T if left out")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="a node silent for so long is lost (60)")
    parser.add_argument("--backend", choices=BACKENDS, default="gloo", help="gloo on CPUs; nccl, one GPU per process, is untested")
    parser.add_argument("--seed", type=int, default=None, help="instead of the file's")
    parser.add_argument("--latency", type=float, default=None, metavar="SECONDS", help="pretend slower links: seconds a message")
    parser.add_argument("--bandwidth", type=float, default=None, metavar="BYTES", help="pretend slower links: bytes a second")
    parser.add_argument("--sends", choices=SENDS, default="overlapping", help="how a node's messages share its pretended link")
    return parser


def _throttle(options: argparse.Namespace) -> Throttle | None:
    if options.latency is None and options.bandwidth is None:
        return None
    bandwidth = float("inf") if options.bandwidth is None else options.bandwidth
    return Throttle(Link(options.latency or 0.0, bandwidth, options.sends))


def _asked(options: argparse.Namespace, where: Place) -> Experiment:
    """What the file asks for, checked before any process waits for another.

    Raises:
        GossipBoundsError: one line.
    """
    experiment = read_experiment(options.file, options.seed)
    for one in experiment.configurations:
        check_run(one.run, where.size)
        for request in experiment.requests:
            if READINGS[request].of_twins:
                raise DomainError(
                    f"got {request[0].value}, which is read from twins; a distributed run has none: use gossip-bounds measure"
                )
    if options.every is not None and options.every < 1:
        raise DomainError(f"got --every {options.every}; it is a number of steps >= 1")
    if not 0 < options.timeout < float("inf"):
        raise DomainError(f"got --timeout {options.timeout}; it is a finite number of seconds > 0")
    return experiment


def _device(backend: str, local: int) -> torch.device:
    if backend == "gloo":
        return torch.device("cpu")
    device = torch.device("cuda", local)
    torch.cuda.set_device(device)
    return device


def _progress(run: Run, rank: int) -> Callable[[int], None] | None:
    if rank or not sys.stderr.isatty():
        return None
    every = max(1, run.T // 100)

    def tick(step: int) -> None:
        if step % every == 0 or step == run.T:
            sys.stderr.write(f"\rstep {step} of {run.T}" + ("\n" if step == run.T else ""))

    return tick


def _note(line: str) -> None:
    print(f"gossip-bounds: {line}", file=sys.stderr)


def _train(run: Run, requests: tuple[Request, ...], every: int | None, peers: Peers, device: torch.device, folder: Path) -> str:
    """Train one run with the other processes and, at node 0, write what came out; what to print."""
    outcome = Outcome(folder, distributed_key(run, requests, device.type))
    # Only node 0 has the result where folders are not shared.
    if peers.everybody(peers.rank == 0 and outcome.load() is not None)[0]:
        return f"nothing to do: {outcome.document} is there"
    problem, peers.traffic = build_problem(run.problem), Traffic()
    samples = draw_samples(run, problem)
    checkpoints = Checkpoints(folder / "checkpoints", outcome.key, peers.rank, _note)
    node = Node(run, problem, samples, peers.rank, peers, device)
    begun, readings = train(node, peers, checkpoints, every or max(1, run.T // 10), _progress(run, peers.rank))
    notes = {"resumed_at": begun, "traffic": [vars(one) for one in peers.everybody(peers.traffic)]}
    gathered = peers.collect(readings)
    if gathered is not None:
        # (readings, replicates, m, P) to (replicates, readings, m, P)
        models = torch.cat(gathered, dim=2).transpose(0, 1).contiguous()
        outcome.write(run, models, measured_off(run, problem, samples, requests, models), notes)
    peers.meet()
    checkpoints.forget(run.T + 1)
    return f"{run.m} nodes, {run.T} steps{f' (from step {begun} on)' if begun else ''}: {outcome.document}"


def _run(options: argparse.Namespace, where: Place, speaking: list[Speaker]) -> None:
    experiment, throttle = _asked(options, where), _throttle(options)
    folder, device = make_folder(options.out), _device(options.backend, where.local)
    speaking.append(Speaker(folder / "stopped.txt"))
    if where.local == 0:
        speaking[0].forget()
    with torch.inference_mode(), joined(where.rank, where.size, options.backend, options.timeout, throttle) as peers:
        # Before the first exchange, so that nobody is writing.
        if where.local == 0:
            forget_leftovers(folder / "checkpoints")
        for one in experiment.configurations:
            line = _train(one.run, experiment.requests, options.every, peers, device, folder)
            if where.rank == 0:
                print(line, flush=True)


def _said(line: str, where: Place | None, speaking: Sequence[Speaker]) -> None:
    """Bad input is the same in every process, so node 0 says it; what befell one process, the first one to notice does."""
    if speaking:
        speaking[0].say(line)
    elif where is None or where.rank == 0:
        print(f"gossip-bounds: {' '.join(line.split())}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one process; its exit status: 0, 1 for a lost node, 2 for bad input."""
    where, speaking = None, []  # type: ignore[var-annotated]
    try:
        where = place(os.environ)
        options: Any = _parser().parse_args(arguments)
        hold_memory()
        with stoppable():
            _run(options, where, speaking)
        return 0
    except NodeLostError as error:
        # Before and after the training steps there is no step to name; checkpoints stay until the result is written.
        again = "" if "again" in str(error) else "; run the same command again to go on from the last checkpoint"
        _said(f"{error}{again}", where, speaking)
        return _LOST
    except GossipBoundsError as error:
        _said(str(error), where, speaking)
        return _BAD_INPUT
    except StoppedError:
        _said("this process was told to stop, perhaps because a node died; run the same command again to go on", where, speaking)
        return _LOST
    except KeyboardInterrupt:
        _said("interrupted; run the same command again to go on from the last checkpoint", where, speaking)
        return _INTERRUPTED


def process(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """:func:`main` as the whole of a process that somebody else than torchrun starts, with torchrun's variables."""
    os.environ.update(environment)
    sys.exit(main(arguments))

"""Cutting a run into parts that train together and fit the cache, and walking through their models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from bounds.errors import DomainError
from empirical.configuration import Run
from empirical.memory import parse_memory, resident_memory
from empirical.problems.base import Problem
from empirical.samples import Samples
from empirical.simulation import simulate

_WORKING_SET = {"cpu": 4 << 20, "cuda": 1 << 30}
"""Bytes of models per chunk: what stays in a CPU's cache, or fills a GPU."""
_TWINS_AT_ONCE = 16
_FRAGMENTATION = 2
"""Freed memory that is not reused at once; 1.3 was measured where the launcher keeps it (see empirical.memory)."""
_READING = 5 * 8
"""Bytes per weight while measures are read: models, points, differences and two temporaries in float64."""

_WEIGHING = 3 * 8
"""Bytes per point of the population while a generalization error is read: how often it was drawn, and its weight twice."""


@dataclass(frozen=True)
class Part:
    """The replicates and twins that train together."""

    replicates: range
    twins: slice

    @property
    def rows(self) -> slice:
        """The replicates as a slice of an array with one row per replicate."""
        return slice(self.replicates.start, self.replicates.stop)


def network_bytes(run: Run, problem: Problem) -> int:
    """Bytes that one network of a part needs at its peak, from above: training, or reading in float64, its training sets, and the population's weights.

    Twins that fork late are put back in order in one more tensor.
    """
    item = 8 if run.precision == "float64" else 4
    training = item * (2 + (run.twins > 0) + 2 * (run.graphs == "relabelled")) * problem.width
    steps = item * (problem.scratch(run.b) + problem.width)
    samples = 16 * run.m * (run.n + run.b) + _WEIGHING * problem.size
    return _FRAGMENTATION * (run.models * (training + steps + _READING * problem.width) + samples)


def _allowed(run: Run, problem: Problem, memory: int | None, least: int) -> int:
    """Networks that the memory holds beside what the process holds already."""
    each = network_bytes(run, problem)
    limit = parse_memory(None) if memory is None else memory
    free = limit - resident_memory()
    if free < least * each:
        raise DomainError(
            f"got memory={limit >> 20} MiB, of which {max(free, 0) >> 20} MiB are free; "
            f"{least} network(s) of this run take {least * each >> 20} MiB: allow more memory, or take a smaller m or model"
        )
    return free // each


def cut(run: Run, problem: Problem, twins: int, chunk: int | None, device: torch.device, memory: int | None = None) -> list[Part]:
    """Cut a run into parts; many twins of one replicate are spread over parts that each repeat the base run.

    Args:
        twins: coupled runs to train, 0 for none. chunk: replicates per part, or None for as many as stay in the cache.
        memory: bytes that the process may hold at most, with what it holds already; None is half the machine.

    Raises:
        DomainError: for a chunk that is neither None nor an integer >= 1, or when the smallest part exceeds the memory.
    """
    if chunk is not None and (not isinstance(chunk, int) or chunk < 1):
        raise DomainError(f"got chunk={chunk!r}; it is a number of replicates >= 1, or None for one that fits the cache")
    least = 2 if twins else 1
    allowed = _allowed(run, problem, memory, least)
    # A gathered batch is read twice in a step, so it counts like the models; gradients asked for by network take turns.
    each = problem.width + (0 if problem.by_network else problem.scratch(run.b) // 2)
    size = run.models * each * (8 if run.precision == "float64" else 4)
    # Each part of a large model's twins repeats the base run: a few more twins out of the cache cost less than that.
    wanted = max(2, _WORKING_SET[device.type] // size, 1 + min(twins, _TWINS_AT_ONCE))
    networks = min(wanted, allowed)
    replicates = min(chunk or max(1, networks // (1 + twins)), max(1, allowed // least))
    block = max(1, networks // replicates - 1)
    starts = range(0, run.replicates, replicates)
    ranges = [range(start, min(start + replicates, run.replicates)) for start in starts]
    slices = [slice(start, min(start + block, twins)) for start in range(0, max(twins, 1), block)]
    return [Part(numbers, part) for numbers in ranges for part in slices]


def states(
    run: Run,
    problem: Problem,
    samples: Samples,
    parts: Sequence[Part],
    device: torch.device,
    steps: Sequence[int],
    report: Callable[[float], None] | None = None,
    ordered: bool = False,
) -> Iterator[tuple[Part, int, torch.Tensor]]:
    """(part, position in ``steps``, models) of every part in turn; see :func:`empirical.simulation.simulate`."""
    for done, part in enumerate(parts):
        lanes = samples.lanes(part.rows, part.twins, run.strata)
        tick = _progress(report, done, len(parts), steps[-1])
        for number, state in enumerate(simulate(run, problem, lanes, part.replicates, device, tick, steps, ordered=ordered)):
            yield part, number, state


def _progress(report: Callable[[float], None] | None, done: int, parts: int, steps: int) -> Callable[[int], None]:
    def tick(step: int) -> None:
        if report is not None:
            report((done + step / steps) / parts)

    return tick

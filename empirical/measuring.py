"""Run a configuration and read the requested quantities, or the models themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.vocabulary import Quantity, Readout, word
from empirical.configuration import Run
from empirical.device import one_thread, resolve_device
from empirical.measurement import Measurement, describe
from empirical.problems.base import Problem
from empirical.problems.registry import problem as build_problem
from empirical.readings import Context, Reading, contrast, reading
from empirical.samples import Samples, draw_samples
from empirical.simulation import simulate

_WORKING_SET = {"cpu": 4 << 20, "cuda": 1 << 30}
"""Bytes of models per chunk: what stays in a CPU's cache, or fills a GPU."""

Values = NDArray[np.float64]
Request = tuple[Quantity, Readout]


@dataclass(frozen=True)
class _Part:
    """The replicates and twins that train together."""

    replicates: range
    twins: slice


def _parts(run: Run, width: int, twins: int, chunk: int | None, device: torch.device) -> list[_Part]:
    """Cut a run into parts; many twins of one replicate are spread over parts that each repeat the base run."""
    if chunk is not None and (not isinstance(chunk, int) or chunk < 1):
        raise DomainError(f"got chunk={chunk!r}; it is a number of replicates >= 1, or None for one that fits the cache")
    size = run.models * width * (8 if run.precision == "float64" else 4)
    networks = max(2, _WORKING_SET[device.type] // size)
    replicates = chunk or max(1, networks // (1 + twins))
    block = max(1, networks // replicates - 1)
    starts = range(0, run.replicates, replicates)
    ranges = [range(start, min(start + replicates, run.replicates)) for start in starts]
    slices = [slice(start, min(start + block, twins)) for start in range(0, max(twins, 1), block)]
    return [_Part(numbers, part) for numbers in ranges for part in slices]


def _rows(numbers: range) -> slice:
    return slice(numbers.start, numbers.stop)


class _Collector:
    """Arrays (replicates, checkpoints, entries) of every distinct reading, filled part by part."""

    def __init__(self, run: Run, readings: Sequence[Reading]) -> None:
        self.readers = {reading.read: reading.of_twins for reading in readings}
        self.steps = len(run.read_at)
        self.replicates, self.twins = run.replicates, run.twins
        self.arrays: dict[object, Values] = {}

    def add(self, part: _Part, step: int, context: Context, state: torch.Tensor) -> None:
        for read, of_twins in self.readers.items():
            if not of_twins and part.twins.start > 0:
                continue
            entries = read(context, state).cpu().numpy()
            count = self.twins if of_twins else entries.shape[1]
            array = self.arrays.setdefault(read, np.full((self.replicates, self.steps, count), np.nan))
            array[_rows(part.replicates), step, part.twins if of_twins else slice(None)] = entries

    def values(self, wanted: Reading, step: int) -> Values:
        entries = np.ascontiguousarray(self.arrays[wanted.read][:, step])
        if not np.isfinite(entries).all():
            raise DomainError("the run diverged: a measure is not finite; take a smaller eta or a projection radius")
        return entries if wanted.keep else np.asarray(entries.mean(axis=1))


def _progress(report: Callable[[float], None] | None, done: int, parts: int, steps: int) -> Callable[[int], None]:
    def tick(step: int) -> None:
        if report is not None:
            report((done + step / steps) / parts)

    return tick


def _states(
    run: Run,
    problem: Problem,
    samples: Samples,
    parts: Sequence[_Part],
    device: torch.device,
    report: Callable[[float], None] | None = None,
) -> Iterator[tuple[_Part, int, torch.Tensor]]:
    """(part, checkpoint number, models) of every part in turn."""
    for done, part in enumerate(parts):
        lanes = samples.lanes(_rows(part.replicates), part.twins, run.strata)
        tick = _progress(report, done, len(parts), run.read_at[-1])
        for step, state in enumerate(simulate(run, problem, lanes, part.replicates, device, tick)):
            yield part, step, state


def measure(
    run: Run,
    requests: Sequence[Request],
    device: str = "auto",
    chunk: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Measurement]:
    """Train ``run`` and return one measurement per request and checkpoint, ordered by request, then checkpoint.

    * generalization error: R - R_S, R the exact population risk, R_S the mean loss on all m*n training samples; mean over
      nodes (node average, gradient point), of the averaged model (network mean), or per node (worst node).
    * l1 stability: (1/m) sum_k norm(x_k - x~_k), or the norm of the difference of the network means, averaged over the
      twins of a replicate; l2 stability: (1/m) sum_k norm^2, likewise.
    * consensus distance: (1/m) sum_k norm(x_k - xbar)^2.

    The values do not depend on ``chunk`` (replicates trained together; None fits the cache) nor on the other requests, to
    the last bit on one device. ``progress`` is called with the fraction done.

    Raises:
        DomainError: for a request this run cannot answer, or a run that diverged.
        UnknownNameError, DeviceError: see :func:`empirical.device.resolve_device`.
    """
    pairs = [(word(Quantity, quantity), word(Readout, readout)) for quantity, readout in requests]
    readings = [reading(run, *pair) for pair in pairs]
    place, problem = resolve_device(device), build_problem(run.problem)
    samples = draw_samples(run, problem)
    collector = _Collector(run, readings)
    twins = run.twins if any(wanted.of_twins for wanted in readings) else 0
    if readings:
        _collect(run, problem, samples, _parts(run, problem.width, twins, chunk, place), place, collector, progress)
    loss = problem.loss_class(run.radius, samples.training.reshape(run.replicates, *_node_shape(run)))
    return [
        Measurement(*pair, collector.values(wanted, number), describe(run, problem, loss, pair[1], step))
        for pair, wanted in zip(pairs, readings, strict=True)
        for number, step in enumerate(run.read_at)
    ]


def _node_shape(run: Run) -> tuple[int, int]:
    """(nodes, samples per node) as the theory counts them: a centralized run is one node with all samples."""
    return run.models, run.m * run.n // run.models


def _collect(
    run: Run,
    problem: Problem,
    samples: Samples,
    parts: Sequence[_Part],
    device: torch.device,
    collector: _Collector,
    report: Callable[[float], None] | None,
) -> None:
    exact = problem.to(device, torch.float64)
    weights = torch.from_numpy(contrast(samples.training, problem.size)).to(device)
    with torch.inference_mode(), one_thread():
        for part, step, state in _states(run, problem, samples, parts, device, report):
            collector.add(part, step, Context(exact, weights[_rows(part.replicates)]), state.double())


def trajectory(run: Run, device: str = "auto", chunk: int | None = None) -> Values:
    """The models themselves, (replicates, checkpoints, models, *weight_shape) in float64, models being m, or 1 if centralized."""
    place, problem = resolve_device(device), build_problem(run.problem)
    samples = draw_samples(run, problem)
    result = np.empty((run.replicates, len(run.read_at), run.models, *problem.weight_shape))
    with torch.inference_mode(), one_thread():
        for part, step, state in _states(run, problem, samples, _parts(run, problem.width, 0, chunk, place), place):
            models = state[:, 0].double().cpu().numpy()
            result[_rows(part.replicates), step] = models.reshape(len(part.replicates), run.models, *problem.weight_shape)
    return result

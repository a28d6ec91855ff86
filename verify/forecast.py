"""How long training runs will take: from short runs of each problem, before anything starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from empirical import Run
from verify.curve_case import Request, asked, run_requests
from verify.plan import Task, worker_count

_REPLICATES = 4
_STEPS = (5, 25)


def forecast(tasks: Iterable[Task], jobs: int = 0, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that the training runs among ``tasks`` will take on ``jobs`` processes (0: one per core), as far as short runs tell.

    Runs that differ in length, replicates and readings only are timed once, with 5 and with 25 steps; time is taken to grow in proportion to
    replicates, steps and readings. Other tasks are not counted.
    """
    training = list(filter(None, map(asked, dict.fromkeys(tasks))))
    rates: dict[Any, tuple[float, float]] = {}
    total = 0.0
    for run, requests, device in training:
        probe = _probe(run, _STEPS[-1])
        if probe not in rates:
            rates[probe] = _rates(probe, requests, device, clock)
        per_step, per_reading = rates[probe]
        total += run.replicates / probe.replicates * (per_step * run.T + per_reading * len(run.read_at))
    return total / min(worker_count(jobs), max(len(training), 1))


def _probe(run: Run, steps: int) -> Run:
    return replace(run, T=steps, checkpoints=(), replicates=min(run.replicates, _REPLICATES), t0=0, seed=0)


def _rates(probe: Run, requests: tuple[Request, ...], device: str, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds per step and per reading of the probe."""
    run_requests(_probe(probe, 1), requests, device)
    seconds = []
    for steps in _STEPS:
        start = clock()
        run_requests(_probe(probe, steps), requests, device)
        seconds.append(clock() - start)
    short, long = _STEPS
    per_step = max((seconds[1] - seconds[0]) / (long - short), 0.0)
    return per_step, max(seconds[0] - short * per_step, 0.0)


def duration(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 2 h 10 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"

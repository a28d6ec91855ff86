"""How long training runs will take: from short runs of each problem, before anything starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from empirical import Run
from verify.plan import Task, worker_count

_REPLICATES = 4
_STEPS = (5, 25)


@dataclass(frozen=True, slots=True)
class _Training:
    """A task that trains ``run``: ``read(run, wanted, device)``."""

    read: Callable[..., Any]
    run: Run
    wanted: tuple[Any, ...]
    device: str

    def seconds(self, steps: int, clock: Callable[[], float]) -> float:
        """How long this many steps of its probe take."""
        start = clock()
        self.read(_probe(self.run, steps), self.wanted, self.device)
        return clock() - start


def _training(task: Task) -> _Training | None:
    """A task that trains a run and reads what it is asked for by name; one that is asked for nothing reads at steps of its own."""
    match task.arguments:
        case (Run() as run, tuple() as wanted, str() as device) if wanted:
            return _Training(task.function, run, wanted, device)
    return None


def forecast(tasks: Iterable[Task], jobs: int = 0, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that ``tasks`` will take on ``jobs`` processes (0: one per core), as far as short runs tell.

    Runs that differ in length, replicates and readings only are timed once, with 5 and with 25 steps; time is taken to grow in proportion to
    replicates, steps and readings. Of tasks that have a probe equal ones are timed once, and time grows in proportion to cost. Others, which are
    theory, are not counted.
    """
    distinct = list(dict.fromkeys(tasks))
    training = list(filter(None, map(_training, distinct)))
    probed = [task for task in distinct if task.probe is not None]
    rates: dict[Any, tuple[float, float]] = {}
    total = 0.0
    for one in training:
        run, probe = one.run, _probe(one.run, _STEPS[-1])
        if (one.read, probe) not in rates:
            rates[one.read, probe] = _rates(one, clock)
        per_step, per_reading = rates[one.read, probe]
        total += run.replicates / probe.replicates * (per_step * run.T + per_reading * len(run.read_at))
    total += _by_probes(probed, clock)
    return total / min(worker_count(jobs), max(len(training) + len(probed), 1))


def _by_probes(tasks: Iterable[Task], clock: Callable[[], float]) -> float:
    seconds: dict[Task, float] = {}
    total = 0.0
    for task in tasks:
        probe = task.probe
        assert probe is not None
        if probe not in seconds:
            start = clock()
            probe.run()
            seconds[probe] = clock() - start
        total += seconds[probe] * task.cost / probe.cost
    return total


def _probe(run: Run, steps: int) -> Run:
    return replace(run, T=steps, checkpoints=(), replicates=min(run.replicates, _REPLICATES), t0=0, seed=0)


def _rates(training: _Training, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds per step and per reading of the probe."""
    training.read(_probe(training.run, 1), training.wanted, training.device)
    seconds = [training.seconds(steps, clock) for steps in _STEPS]
    short, long = _STEPS
    per_step = max((seconds[1] - seconds[0]) / (long - short), 0.0)
    return per_step, max(seconds[0] - short * per_step, 0.0)


def duration(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 2 h 10 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"

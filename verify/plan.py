"""What has to run before cases can be decided, and running it on one single-threaded process per core."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Protocol, TypeVar

Progress = Callable[[int, int], None]
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")
_FEW = 8


@dataclass(frozen=True, slots=True)
class Task:
    """A call of a module-level function with hashable arguments; equal tasks run once and are shared by all cases.

    ``probe`` is a short task of the same kind, from whose time a forecast extrapolates in proportion to ``cost``.
    """

    function: Callable[..., Any]
    arguments: tuple[Hashable, ...]
    cost: float = 1.0
    probe: Task | None = field(default=None, compare=False)

    def run(self) -> Any:
        """The function's result."""
        return self.function(*self.arguments)


def worker_count(jobs: int) -> int:
    """``jobs``, or one process per core that this process may use when it is 0."""
    return jobs or len(os.sched_getaffinity(0))


def _one_thread() -> None:
    import torch

    from empirical.memory import hold_memory

    hold_memory()
    torch.set_num_threads(1)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _start() -> None:
    """A silent end on Ctrl-C, and an end with the parent however that one ends: idle workers would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _start_worker() -> None:
    _start()
    _one_thread()


class Memory(Protocol):
    """Results of earlier calls."""

    def find(self, task: Task) -> Any | None:
        """The result of ``task``, None if it is not known."""

    def keep(self, task: Task, result: Any) -> None:
        """Remember the result of ``task``."""


class Pool(Protocol):
    """Somewhere else that runs calls, such as :class:`verify.cluster.Cluster`."""

    def run(self, calls: Mapping[Key, Callable[[], Any]], finish: Callable[[Key, Any], None]) -> None:
        """Hand ``finish`` each call's result once, in this thread."""


class _Nothing:
    def find(self, task: Task) -> None:
        return None

    def keep(self, task: Task, result: Any) -> None:
        pass


def execute(
    tasks: Iterable[Task], jobs: int = 0, progress: Progress | None = None, memory: Memory | None = None, pool: Pool | None = None
) -> Mapping[Task, Any]:
    """Results by task; they depend on the tasks alone, never on ``jobs``, ``pool`` or the order of completion.

    Args:
        tasks: repeats are run once, the costliest first.
        jobs: worker processes (0: one per core); with 1 everything runs in this process.
        progress: called with (done, total) after each task.
        memory: results that it finds are not computed again, and it is handed each new one as soon as it is there.
        pool: where the tasks run, instead of ``jobs`` processes.
    """
    order = sorted(dict.fromkeys(tasks), key=lambda task: -task.cost)
    known = memory or _Nothing()
    results = {task: found for task in order if (found := known.find(task)) is not None}
    left = [task for task in order if task not in results]

    def finish(task: Task, result: Any) -> None:
        results[task] = result
        known.keep(task, result)
        if progress is not None:
            progress(len(results), len(order))

    if left and pool is not None:
        pool.run({task: task.run for task in left}, finish)
    elif left and worker_count(jobs) == 1:
        _one_thread()
        for task in left:
            finish(task, task.run())
    elif left:
        _in_processes({task: task.run for task in left}, worker_count(jobs), finish, _start_worker)
    return results


def spread(function: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], jobs: int = 0) -> list[Result]:
    """``function(*one)`` for every one of ``arguments``, in their order, on ``jobs`` processes (0: one per core) that do not train.

    Fewer than 8 calls stay in this process: new ones would take longer to start.
    """
    if worker_count(jobs) == 1 or len(arguments) < _FEW:
        return [function(*one) for one in arguments]
    results: dict[int, Result] = {}
    calls = {index: partial(function, *one) for index, one in enumerate(arguments)}
    _in_processes(calls, worker_count(jobs), results.__setitem__, _start)
    return [results[index] for index in calls]


@contextmanager
def one_pool(jobs: int = 0) -> Iterator[None]:
    """Inside, every :func:`execute` and :func:`spread` on as many processes shares them: each takes seconds to start.

    Processes start with the first call that needs them, and end with the block.
    """
    workers = worker_count(jobs)
    if workers == 1 or workers in _SHARED:
        yield
        return
    _SHARED[workers] = _new_pool(workers, _start_worker)
    try:
        yield
    finally:
        _SHARED.pop(workers).shutdown(wait=True, cancel_futures=True)


_SHARED: dict[int, ProcessPoolExecutor] = {}


def _new_pool(workers: int, start: Callable[[], None]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=start)


def _in_processes(
    calls: Mapping[Key, Callable[[], Any]], workers: int, finish: Callable[[Key, Any], None], start: Callable[[], None]
) -> None:
    if workers in _SHARED:
        _collect(_SHARED[workers], calls, finish)
        return
    pool = _new_pool(min(workers, len(calls)), start)
    try:
        _collect(pool, calls, finish)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _collect(pool: ProcessPoolExecutor, calls: Mapping[Key, Callable[[], Any]], finish: Callable[[Key, Any], None]) -> None:
    pending: dict[Future[Any], Key] = {pool.submit(call): key for key, call in calls.items()}
    while pending:
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            finish(pending.pop(future), future.result())

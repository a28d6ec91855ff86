"""What has to run before cases can be decided, and running it on one single-threaded process per core."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Protocol

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """A call of a module-level function with hashable arguments; equal tasks run once and are shared by all cases."""

    function: Callable[..., Any]
    arguments: tuple[Hashable, ...]
    cost: float = 1.0

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


def _start_worker() -> None:
    """One thread, a silent end on Ctrl-C, and an end with the parent however that one ends: idle workers would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    _one_thread()


class Memory(Protocol):
    """Results of earlier calls."""

    def find(self, task: Task) -> Any | None:
        """The result of ``task``, None if it is not known."""

    def keep(self, task: Task, result: Any) -> None:
        """Remember the result of ``task``."""


class _Nothing:
    def find(self, task: Task) -> None:
        return None

    def keep(self, task: Task, result: Any) -> None:
        pass


def execute(tasks: Iterable[Task], jobs: int = 0, progress: Progress | None = None, memory: Memory | None = None) -> Mapping[Task, Any]:
    """Results by task; they depend on the tasks alone, never on ``jobs`` or the order of completion.

    Args:
        tasks: repeats are run once, the costliest first.
        jobs: worker processes (0: one per core); with 1 everything runs in this process.
        progress: called with (done, total) after each task.
        memory: results that it finds are not computed again, and it is handed each new one as soon as it is there.
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

    if left and worker_count(jobs) == 1:
        _one_thread()
        for task in left:
            finish(task, task.run())
    elif left:
        _in_processes(left, worker_count(jobs), finish)
    return results


def _in_processes(order: list[Task], workers: int, finish: Callable[[Task, Any], None]) -> None:
    pool = ProcessPoolExecutor(min(workers, len(order)), mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        pending: dict[Future[Any], Task] = {pool.submit(task.run): task for task in order}
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                finish(pending.pop(future), future.result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

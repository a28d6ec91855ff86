"""Tasks run once, in any process, with progress."""

import operator
import os
import time

import pytest

from verify.plan import Task, execute, one_pool, spread, worker_count


def test_equal_tasks_run_once_and_costly_ones_first() -> None:
    seen: list[tuple[int, int]] = []
    tasks = [Task(operator.add, (1, 2), 1.0), Task(operator.mul, (3, 4), 9.0), Task(operator.add, (1, 2), 1.0)]
    results = execute(tasks, jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert list(results) == [tasks[1], tasks[0]]
    assert results[tasks[0]] == 3
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.slow
def test_processes_give_the_same_results() -> None:
    tasks = [Task(operator.mul, (i, i)) for i in range(5)]
    assert execute(tasks, jobs=2) == execute(tasks, jobs=1)


def test_nothing_to_do() -> None:
    assert execute([], jobs=2) == {}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_task_reaches_the_caller(jobs: int) -> None:
    with pytest.raises(ZeroDivisionError):
        execute([Task(operator.truediv, (1, 0)), Task(operator.add, (1, 1))], jobs=jobs)


def test_worker_count() -> None:
    assert worker_count(3) == 3
    assert worker_count(0) >= 1


@pytest.mark.parametrize("count", [3, 12])
def test_calls_spread_over_processes_come_back_in_order(count: int) -> None:
    assert spread(operator.mul, [(i, i) for i in range(count)], jobs=2) == [i * i for i in range(count)]


def test_an_error_in_a_spread_call_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        spread(operator.truediv, [(1, 9 - i) for i in range(12)], jobs=2)


def test_calls_in_one_pool_share_their_processes() -> None:
    with one_pool(2):
        first = set(execute([Task(_process, (index,)) for index in range(8)], jobs=2).values())
        again = set(spread(_process, [(index,) for index in range(8)], jobs=2))
    # One process may be up long before the other.
    assert len(first | again) <= 2
    assert os.getpid() not in first | again
    assert not set(spread(_process, [(index,) for index in range(8)], jobs=2)) & (first | again)


@pytest.mark.slow
def test_an_error_leaves_the_shared_processes_usable() -> None:
    with one_pool(2):
        with pytest.raises(ZeroDivisionError):
            execute([Task(operator.truediv, (1, 0)), Task(operator.add, (1, 1))], jobs=2)
        assert execute([Task(operator.add, (1, 1)), Task(operator.add, (1, 2))], jobs=2)[Task(operator.add, (1, 1))] == 2


def _process(index: int) -> int:
    time.sleep(0.05 if index == 0 else 0.0)
    return os.getpid()

"""Long verifications: budgets by claim, runs that are kept, and how long they will take."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import verify.suite as suite
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Run
from verify.claims import core, li2025
from verify.curve_case import run_requests
from verify.forecast import duration, forecast
from verify.plan import Task, execute
from verify.resume import Kept
from verify.suite import BUDGETS, budgets, cases, training

RUN = Run(problem="softmax-digits", update_form=UpdateForm.ATC, m=4, n=4, T=20, eta=0.5, checkpoints=(5, 20), replicates=3)
REQUESTS = ((Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE), (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE))


def task(run: Run = RUN) -> Task:
    return Task(run_requests, (run, REQUESTS, "cpu"))


def test_everything_gives_papers_the_quick_budget_and_a_name_the_default_one() -> None:
    everything = budgets([])
    assert {everything[claim] for claim in core.CLAIMS} == {BUDGETS["default"]}
    assert {everything[claim] for claim in li2025.CLAIMS} <= {BUDGETS["quick"]}
    assert set(budgets(["core", *li2025.CLAIMS]).values()) == {BUDGETS["default"]}
    assert set(budgets([], "full").values()) == {BUDGETS["full"]}


def test_a_kept_run_is_not_trained_again_and_has_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = execute([task()], jobs=1, memory=Kept(tmp_path))[task()]
    monkeypatch.setattr(Task, "run", lambda self: pytest.fail("it was trained again"))
    again = execute([task()], jobs=1, memory=Kept(tmp_path))[task()]
    assert again.keys() == first.keys()
    for key, one in again.items():
        assert np.array_equal(one.values, first[key].values)
        assert one.setting == first[key].setting


def test_another_run_is_not_taken_for_a_kept_one(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    execute([task()], jobs=1, memory=kept)
    for other in (replace(RUN, seed=1), replace(RUN, eta=0.25), replace(RUN, T=21), replace(RUN, replicates=4)):
        assert kept.find(task(other)) is None
    assert kept.find(Task(run_requests, (RUN, REQUESTS[:1], "cpu"))) is None


def test_what_no_store_can_keep_runs_every_time(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "none")
    assert execute([Task(max, (1, 2))], jobs=1, memory=kept) == {Task(max, (1, 2)): 2}
    assert not (tmp_path / "none").exists()


def test_a_stopped_verification_keeps_what_is_done(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    tasks = [task(replace(RUN, seed=seed)) for seed in range(3)]
    with pytest.raises(KeyboardInterrupt):
        execute(tasks, jobs=1, progress=stop, memory=Kept(tmp_path))
    assert [Kept(tmp_path).find(one) is not None for one in tasks] == [True, False, False]


def clock(ticks: list[float]) -> Callable[[], float]:
    given: Iterator[float] = itertools.chain(ticks, itertools.repeat(0.0))
    return lambda: next(given)


def test_the_forecast_grows_with_replicates_steps_and_readings() -> None:
    probed: list[Run] = []

    def read(run: Run, requests: object, device: str) -> None:
        probed.append(run)

    def task(run: Run) -> Task:
        return Task(read, (run, REQUESTS, "cpu"))

    long = task(replace(RUN, T=1000, checkpoints=(10, 1000), replicates=400))
    # Five steps take 3 s and 25 take 5 s: 0.1 s a step, and 2.5 s for the reading.
    seconds = forecast([long], jobs=1, clock=clock([0.0, 3.0, 10.0, 15.0]))
    assert seconds == pytest.approx(400 / 4 * (0.1 * 1000 + 2.5 * 2))
    assert [run.T for run in probed] == [1, 5, 25]
    assert all(run.replicates == 4 and run.checkpoints == () for run in probed)
    assert forecast([long, task(replace(RUN, T=1000, checkpoints=(10, 1000), replicates=800))], 2, clock([0.0, 3.0, 10.0, 15.0])) > seconds


def test_a_forecast_times_each_probe_once_and_grows_with_cost() -> None:
    probe = Task(max, (1, 2), 2.0)
    tasks = [Task(max, (1, 3), 10.0, probe), Task(max, (1, 4), 30.0, Task(max, (1, 2), 2.0)), Task(max, (1, 5), 1.0)]
    assert forecast(tasks, 1, clock([0.0, 4.0])) == 4.0 * 40 / 2
    assert forecast(tasks, 2, clock([0.0, 4.0])) == 4.0 * 40 / 2 / 2


def test_a_probe_is_no_part_of_what_a_task_is() -> None:
    task = Task(max, (1, 3), 10.0)
    assert task == replace(task, probe=Task(max, (1, 2)))
    assert len({task, replace(task, probe=Task(max, (1, 2)))}) == 1


def test_everything_that_trains_for_long_is_forecast() -> None:
    costly = [task for task in training(cases(budgets(["cao2025"], "full"), 0, "cpu")) if task.cost > 1e7]
    assert len(costly) > 20
    assert all(task.probe is not None or (isinstance(task.arguments[0], Run) and task.arguments[1]) for task in costly)


def test_a_forecast_of_theory_alone_is_nothing() -> None:
    assert forecast([Task(max, (1, 2)), Task(max, (RUN, (), "cpu"))], 1) == 0


@pytest.mark.parametrize(("seconds", "words"), [(3.4, "3 s"), (300, "5 min"), (7800, "2 h 10 min")])
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_level_is_split_over_measured_cases_only() -> None:
    chosen = budgets(["core-atc-minibatch"], "quick")
    assert not any(case.measured for case in suite.cases(chosen, 0, "cpu"))

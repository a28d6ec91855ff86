"""The engine against one ``nn.Module`` and one optimizer per node in a Python loop, and a sweep on two cores against one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from benchmarks.record import Record, load_note, seconds, with_foreign_load
from benchmarks.workloads import CNN, LOGISTIC, MLP, NODES, TINY_MLP, Workload, engine, loop, run_of
from empirical import Run, measure
from empirical.memory import hold_memory
from verify.plan import Task, execute

_PEER = "one nn.Module and optimizer per node"
_UNIT = "node-steps/s, more is better"
_SWEEP, _ROUNDS = 30, 4


def start_worker() -> None:
    """One thread, and freed memory kept, as every worker of the toolkit has it."""
    hold_memory()
    torch.set_num_threads(1)


def _against_the_loop(workload: Workload, replicates: int, steps: int, loop_steps: int, target: float) -> Record:
    start_worker()
    run, peers = run_of(workload, steps, replicates), loop(workload, loop_steps)
    # In turn, so that other work on the machine meets both alike.
    times = [(seconds(lambda: engine(run), 1), seconds(peers, 3)) for _ in range(_ROUNDS)]
    ours = NODES * steps * replicates / min(one for one, _ in times)
    peer = NODES * loop_steps / min(one for _, one in times)
    note = f"{replicates} replicates of {steps} steps against 1, b={workload.b}, float32, 1 thread; {load_note()}"
    return Record(f"{workload.name}, {NODES} nodes", _UNIT, ours, peer, _PEER, ours / peer, target, note)


def logistic_rate() -> Record:
    """Logistic regression, 256 replicates, one thread; 1,000 steps, as a run of it takes: drawing the training sets is paid once."""
    return _against_the_loop(LOGISTIC, 256, 1000, 20, 1000)


def mlp_rate() -> Record:
    """MLP 784-64-10, one thread."""
    return _against_the_loop(MLP, 2, 50, 10, 3.5)


def tiny_mlp_rate() -> Record:
    """MLP 32-32-10, one thread."""
    return _against_the_loop(TINY_MLP, 32, 200, 20, 50)


def train_cnn(steps: int) -> None:
    """One replicate of the small CNN, in a process of its own."""
    engine(run_of(CNN, steps, 1))


def cnn_rate() -> Record:
    """The small CNN on two cores: two single-threaded processes with a replicate each, against the loop on one or two threads.

    The better of the two counts: on a machine with other work, two threads that wait for each other can be far slower.
    """
    steps = 40
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=start_worker) as pool:
        ours = 2 * NODES * steps / seconds(lambda: list(pool.map(train_cnn, (steps, steps))), 3)
    rates = {}
    for threads in (2, 1):
        torch.set_num_threads(threads)
        rates[threads] = NODES * 8 / seconds(loop(CNN, 8), 3)
    peer, best = max(rates.values()), max(rates, key=lambda threads: rates[threads])
    note = f"2 processes against 1 on {best} thread(s), the better of 1 and 2, b=16, float32; {load_note()}"
    return Record(f"{CNN.name}, {NODES} nodes", _UNIT, ours, peer, _PEER, ours / peer, 4, note)


def twins_rate() -> Record:
    """256 twins, T = 1000, m = 8, n = 32, softmax regression on digits, float64, against the loop's rate on the same model."""
    from benchmarks.engine import softmax_loop_rate

    start_worker()
    run = Run(problem="softmax-digits", update_form="atc", m=8, n=32, T=1000, eta=0.1, replicates=1, twins=256)  # type: ignore[arg-type]
    ours = 257 * run.m * run.T / seconds(lambda: measure(run, [("l1_stability", "node_average")], device="cpu"), 2)  # type: ignore[list-item]
    peer = softmax_loop_rate()
    return Record("256 twins of softmax regression", _UNIT, ours, peer, _PEER, ours / peer, 130, f"float64, 1 thread; {load_note()}")


def configuration(seed: int) -> float:
    """One configuration of the sweep, a few seconds, with the replicates of a report."""
    run = Run(problem="softmax-digits", update_form="cta", m=16, n=32, T=1000, eta=0.1, replicates=128, seed=seed)  # type: ignore[arg-type]
    return float(measure(run, [("generalization_error", "node_average")], device="cpu")[0].values.mean())  # type: ignore[list-item]


def _sweep(jobs: int) -> float:
    start = time.perf_counter()
    execute([Task(configuration, (seed,)) for seed in range(_SWEEP)], jobs)
    return time.perf_counter() - start


def sweep_scaling() -> Record:
    """Thirty configurations on two single-threaded processes, their start included, against one."""
    (one, during_one), (two, during_two) = (with_foreign_load(lambda jobs=jobs: _sweep(jobs)) for jobs in (1, 2))  # type: ignore[misc]
    note = f"one: {during_one}; two: {during_two}; {load_note()}"
    return Record("sweep of 30 configurations", "s, less is better", two, one, "one core", one / two, 1.8, note)


TRAINING: tuple[Callable[[], Record], ...] = (logistic_rate, mlp_rate, tiny_mlp_rate, cnn_rate, twins_rate, sweep_scaling)

"""``measure``: run what the store does not hold yet, keep each configuration as it finishes, and sum up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bounds.errors import DomainError, GossipBoundsError
from bounds.files import make_folder
from bounds.vocabulary import Readout
from empirical import Measurement, Run, measure, resolve_device
from empirical.experiment import Configuration, Experiment, read_experiment
from empirical.measuring import Request
from empirical.memory import parse_memory
from empirical.problems.own import OwnModel
from empirical.store import Store, run_key
from empirical.store.dataset import Stored, variable_name
from gossip_bounds.output import print_json, write_csv
from gossip_bounds.progress import progress_bar
from verify.cluster import Cluster, connect
from verify.plan import Task, execute, worker_count


@lru_cache(maxsize=1)
def _store(folder: str) -> Store:
    return Store(folder)


def _build_own(own: OwnModel | None, run: Run) -> None:
    """Make the user's model known to this process, and refuse another one than the process had that made ``run``."""
    if own is not None and own.register() != run.problem:
        raise DomainError(f"a worker found another {own.module!r} or other samples than were read at the start; run this again")


def compute(
    folder: str, run: Run, requests: tuple[Request, ...], device: str, memory: int | None = None, own: OwnModel | None = None
) -> str | None:
    """Measure one configuration and keep it, in the process that ran it: a kill then loses only what is under way.

    Returns:
        None, or why there is nothing to keep (the run diverged).

    Raises:
        InputFileError: when the file cannot be written.
    """
    try:
        _build_own(own, run)
        found = measure(run, requests, device=device, memory=memory)
    except DomainError as error:
        return str(error)
    _store(folder).put(run, requests, found, device)
    return None


def measured(
    run: Run, requests: tuple[Request, ...], device: str, memory: int | None, own: OwnModel | None = None
) -> tuple[str, list[Measurement] | str]:
    """The key of one configuration where it ran, and its measurements or why there are none; the caller keeps them."""
    try:
        _build_own(own, run)
        return run_key(run, requests, device), list(measure(run, requests, device=device, memory=memory))
    except DomainError as error:
        return "", str(error)


def _mean(one: Measurement) -> float:
    """The mean over replicates; for the worst node the largest over nodes of it."""
    mean = one.values.mean(axis=0)
    return float(mean.max() if one.readout is Readout.WORST_NODE else mean)


def _subset_error(one: Measurement) -> float:
    """The standard error of the mean over replicates as an estimate of the same mean over all m*n twins."""
    errors = np.asarray(one.subset_error)
    return float(np.sqrt((errors**2).sum()) / len(errors))


def _means(stored: Stored) -> dict[str, Any]:
    steps = [one.setting.T for one in next(iter(stored.values()))]
    by_name = {variable_name(request): found for request, found in stored.items()}
    of_twins = {name: found for name, found in by_name.items() if all(one.subset_error is not None for one in found)}
    return {
        "steps": steps,
        "means": {name: [_mean(one) for one in found] for name, found in by_name.items()},
        "subset_errors": {name: [_subset_error(one) for one in found] for name, found in of_twins.items()},
    }


def _say(line: str) -> None:
    print(f"gossip-bounds: {' '.join(line.split())}", file=sys.stderr)


def _missing(store: Store, wanted: dict[str, Configuration], requests: tuple[Request, ...], device: str) -> dict[str, Run]:
    return {key: one.run for key, one in wanted.items() if store.get(one.run, requests, device) is None}


def _run_missing(store: Store, missing: dict[str, Run], experiment: Experiment, device: str, jobs: int, memory: int) -> dict[str, str]:
    """Why each configuration without values has none."""
    share = memory // max(1, min(worker_count(jobs), len(missing)))
    folder, requests = str(store.folder), experiment.requests
    tasks = {key: Task(compute, (folder, run, requests, device, share, experiment.own), run.samples_read) for key, run in missing.items()}
    try:
        with progress_bar() as progress:
            reasons = execute(tasks.values(), jobs, progress)
    except BrokenProcessPool:
        raise GossipBoundsError(
            "a worker process was killed, perhaps for want of memory; what was finished is kept: run this again, with a smaller --jobs"
        ) from None
    finally:
        store.clean()
    return {key: str(reasons[task]) for key, task in tasks.items() if reasons[task] is not None}


def _run_on_cluster(store: Store, missing: dict[str, Run], experiment: Experiment, cluster: Cluster, memory: int | None) -> dict[str, str]:
    """The same on a cluster: only this process writes, each file once and whole."""
    order = sorted(missing, key=lambda key: -missing[key].samples_read)
    requests, device = experiment.requests, cluster.device
    reasons: dict[str, str] = {}
    done = 0

    def finish(key: str, result: tuple[str, list[Measurement] | str]) -> None:
        nonlocal done
        there, found = result
        if isinstance(found, str):
            reasons[key] = found
        elif there != key:
            raise GossipBoundsError(f"a worker measured {missing[key].problem!r} on other data than are here; give it the same --data-dir")
        else:
            store.put(missing[key], requests, found, device)
        done += 1
        if progress is not None:
            progress(done, len(order))

    with progress_bar() as progress:
        cluster.run({key: partial(measured, missing[key], requests, device, memory, experiment.own) for key in order}, finish)
    return {key: reasons[key] for key in missing if key in reasons}


def _rows(
    store: Store, wanted: dict[str, Configuration], experiment: Experiment, device: str, status: dict[str, str]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for key, one in wanted.items():
        row = {"key": key, "file": str(store.path(key)), "status": status[key], "parameters": dict(one.swept)}
        stored = None if status[key] == "failed" else store.get(one.run, experiment.requests, device)
        rows.append(row | ({"file": None, "steps": [], "means": {}, "subset_errors": {}} if stored is None else _means(stored)))
    return rows


def _table(
    store: Store, wanted: dict[str, Configuration], experiment: Experiment, device: str, status: dict[str, str]
) -> list[dict[str, Any]]:
    """One row per configuration, step and replicate, in the form that ``plot --measured`` reads."""
    table = []
    for key, one in wanted.items():
        stored = None if status[key] == "failed" else store.get(one.run, experiment.requests, device)
        columns = {} if stored is None else {variable_name(request): found for request, found in stored.items()}
        for place, reading in enumerate(next(iter(columns.values()), ())):
            where = {**one.swept, "T": reading.setting.T}
            for replicate in range(len(reading.values)):
                values = {name: float(found[place].values[replicate]) for name, found in columns.items()}
                table.append({**where, "replicate": replicate, **values})
    return table


def _check_table(experiment: Experiment) -> None:
    for quantity, readout in experiment.requests:
        if readout == Readout.WORST_NODE:
            raise DomainError(
                f"--csv takes one value per replicate, and {quantity} at the worst node is the largest of the nodes' means: leave it or --csv out"
            )


def _failure(wanted: dict[str, Configuration], reasons: dict[str, str]) -> DomainError:
    key, reason = next(iter(reasons.items()))
    where = f"the first, at {wanted[key].label()}" if wanted[key].swept else "it"
    return DomainError(f"{len(reasons)} of {len(wanted)} configurations have no values and no file; {where}: {reason}")


def _distinct(configurations: Sequence[Configuration], requests: tuple[Request, ...], device: str) -> dict[str, Configuration]:
    """The configurations by key; what is written twice is measured once."""
    wanted: dict[str, Configuration] = {}
    for one in configurations:
        wanted.setdefault(run_key(one.run, requests, device), one)
    return wanted


def run_measure(
    file: Path,
    out: Path,
    *,
    jobs: int,
    seed: int | None,
    device: str,
    memory: str | None = None,
    scheduler: str | None = None,
    csv: Path | None = None,
    as_json: bool,
) -> None:
    """Measure every configuration of ``file`` that ``out`` does not hold yet; the values never depend on ``jobs``.

    Everything that can be wrong with the input is checked before the first run starts. A configuration that diverges does
    not keep the others from being measured. ``memory`` is shared out evenly among the worker processes; with ``scheduler``,
    the address of a dask.distributed scheduler, its workers run the configurations, and each may take that much. ``csv``: also
    write all values, a row per configuration, step and replicate.

    Raises:
        GossipBoundsError: each one line; DomainError at the end when configurations diverged.
    """
    experiment = read_experiment(file, seed)
    budget = parse_memory(memory)
    if csv is not None:
        _check_table(experiment)
    if scheduler is None:
        resolve_device(device)
        _measure(experiment, out, device, partial(_run_missing, device=device, jobs=jobs, memory=budget), csv, as_json)
        return
    with connect(scheduler, device) as cluster:
        share = None if memory is None else budget
        _measure(experiment, out, cluster.device, partial(_run_on_cluster, cluster=cluster, memory=share), csv, as_json)


_Runner = Callable[[Store, dict[str, Run], Experiment], dict[str, str]]


def _measure(experiment: Experiment, out: Path, device: str, runner: _Runner, csv: Path | None, as_json: bool) -> None:
    store = Store(make_folder(out), report=_say)
    wanted = _distinct(experiment.configurations, experiment.requests, device)
    missing = _missing(store, wanted, experiment.requests, device)
    reasons = runner(store, missing, experiment)
    status = {key: "failed" if key in reasons else "computed" if key in missing else "reused" for key in wanted}
    if csv is not None:
        write_csv(csv, _table(store, wanted, experiment, device, status))
    if as_json:
        print_json(_rows(store, wanted, experiment, device, status))
    else:
        print(f"{len(missing) - len(reasons)} computed, {len(wanted) - len(missing)} reused, in {out}")
    if reasons:
        raise _failure(wanted, reasons)

"""``verify``: run the claims, write ``results.json`` and the report page, and sum up on the terminal."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bounds.errors import DomainError, unknown_name
from bounds.files import make_folder, write_text
from bounds.registry import catalogue
from empirical import resolve_device
from figures.directions import certificates_figure
from figures.report import (
    CalibrationSummary,
    FalseAlarmRow,
    PowerRow,
    case_names,
    curve_files,
    table_files,
    write_certificates,
    write_figures,
    write_report,
)
from figures.style import check_suffix, save
from gossip_bounds.audit import write as write_audit_files
from gossip_bounds.output import jsonable, print_json, write_csv
from gossip_bounds.progress import progress_bar
from gossip_bounds.rerun import claim_commands, report_command
from verify.audit.audit import QUICK_TRIALS, run_audit
from verify.case import Case
from verify.certificates import CertifiedDirection, certify_catalogue
from verify.claims.core import Budget
from verify.cluster import Cluster, connect
from verify.forecast import duration, forecast
from verify.plan import one_pool, worker_count
from verify.resume import Kept
from verify.self_check import SelfCheck
from verify.statistics import Rate
from verify.suite import Suite, budgets, cases, run_suite, training
from verify.verdict import Curve, Verdict

_TITLE = "Bounds of decentralized learning against training runs"
_CERTIFICATES = "How the bounds of decentralized learning move with their parameters"


def _false_alarm(noise: str, wrong: Rate, verdict: str) -> FalseAlarmRow:
    return FalseAlarmRow(noise=noise, rate=wrong.rate, low=wrong.low, high=wrong.high, trials=wrong.trials, verdict=verdict)


def calibration_summary(check: SelfCheck) -> CalibrationSummary:
    """The self-check as the report shows it."""
    tight = f"training runs, bound attained, R = {check.replicates}"
    rows = [_false_alarm(tight, check.tight_violated, "VIOLATED"), _false_alarm(tight, check.tight_holds, "HOLDS")]
    for row in check.noise:
        label = f"{row.noise.replace('_', '-')} noise, {row.points} points, R = {row.replicates}"
        rows += [_false_alarm(label, row.false_violated, "VIOLATED"), _false_alarm(label, row.false_holds, "HOLDS")]
    for slope in check.slopes:
        label = f"slope test, {slope.noise.replace('_', '-')} noise, R = {slope.replicates}"
        rows += [_false_alarm(label, slope.false_violated, "VIOLATED"), _false_alarm(label, slope.false_holds, "HOLDS")]
    power = [
        PowerRow(factor=point.factor, rate=point.violated.rate, low=point.violated.low, high=point.violated.high)
        for point in check.power
        if point.factor < 1
    ]
    return CalibrationSummary(check.level, rows, power)


def _budget(quick: bool, full: bool) -> str | None:
    if quick and full:
        raise DomainError("got both --quick and --full; give at most one of them")
    return "quick" if quick else "full" if full else None


def _budget_words(chosen: Mapping[str, Budget]) -> str:
    used = {budget.name: budget for budget in chosen.values()}
    return "; ".join(f"{one.name}: {one.replicates} replicates, {one.twins} coupled twins each" for one in used.values())


def _announce(built: Sequence[Case], jobs: int, kept: Kept, cluster: Cluster | None) -> None:
    """What a full run will take, on stderr; a cluster's machines may have another speed than this one, and come and go."""
    tasks = list(dict.fromkeys(training(built)))
    left = [task for task in tasks if kept.find(task) is None]
    done = len(tasks) - len(left)
    expected = (
        ""
        if cluster
        else f"expected time: about {duration(forecast(left, jobs))} on {worker_count(jobs)} processes, extrapolated from short runs; "
    )
    print(
        f"{expected}{done} of {len(tasks)} parts are kept in {kept.folder}. It may be stopped: the same command goes on from there.",
        file=sys.stderr,
    )


def curve_rows(curve: Curve) -> list[dict[str, object]]:
    """One row per replicate and point, in the form that ``plot --measured`` reads."""
    assert curve.values is not None
    column = curve.quantity.value
    return [
        {curve.parameter.name: x, column: value, "replicate": replicate}
        for replicate, values in enumerate(curve.values.tolist())
        for x, value in zip(curve.x.tolist(), values, strict=True)
    ]


def _write(suite: Suite, out: Path, chosen: Mapping[str, Budget], seed: int, jobs: int, whole: bool, commands: Mapping[str, str]) -> Suite:
    """The report and its data; ``commands`` holds that of each claim, and under ``""`` that of the report."""
    # A look is drawn as it is shown; vector files are for what may be printed.
    looks = {claim for claim, budget in chosen.items() if budget.name == "quick"}
    results = write_figures(suite.results, out / "report", jobs, looks)
    facts = {
        "command": commands[""],
        "budget": _budget_words(chosen),
        "seed": str(seed),
        "error level": f"0.05 split over {suite.measured_claims} measured cases: {suite.level:.3g} each",
        "gossip-bounds": version("gossip-bounds"),
        "torch": version("torch"),
    }
    summary = calibration_summary(suite.self_check)
    page = out / "report"
    write_report(
        results, page, title=_TITLE, run_facts=facts, calibration=summary, certificates=whole, audit=whole, data=True, commands=commands
    )
    for result, name in zip(results, case_names(results), strict=True):
        for path, curve in zip(curve_files(result, name), result.curves, strict=True):
            write_csv(out / path, curve_rows(curve))
        for path, table in zip(table_files(result, name), result.tables, strict=True):
            write_csv(out / path, [dict(zip(table.heads, row, strict=True)) for row in table.rows])
    rows = [jsonable(result.row()) for result in results]
    write_text(out / "results.json", json.dumps(rows, indent=1, allow_nan=False) + "\n")
    return Suite(tuple(results), suite.self_check, suite.level, suite.measured_claims)


def write_directions(rows: tuple[CertifiedDirection, ...], out: Path, back: str | None) -> Path:
    """``certificates.json`` and the certificates page below ``out``; returns the page's path."""
    write_text(out / "certificates.json", json.dumps([jsonable(row.row()) for row in rows], indent=1, allow_nan=False) + "\n")
    return write_certificates(rows, make_folder(out / "report"), title=_CERTIFICATES, back=back)


def run_certificates(out: Path, jobs: int, as_json: bool, names: Sequence[str] | None = None, picture: Path | None = None) -> None:
    """Certify every declared direction (of the bounds ``names``) and write the rows, their page below ``out`` and the ``picture``.

    Raises:
        UnknownNameError: for a name that the catalogue does not have.
        InputFileError: when a file cannot be written.
    """
    if picture is not None:
        check_suffix(picture)
    for name in names or []:
        if name not in catalogue():
            raise unknown_name("bound", name, catalogue())
    make_folder(out)
    with progress_bar() as progress:
        rows = certify_catalogue(jobs, progress, list(dict.fromkeys(names)) if names else None)
    if picture is not None:
        save(certificates_figure(rows), picture)
    page = write_directions(rows, out, None)
    if as_json:
        print_json([row.row() for row in rows])
    else:
        counts = Counter(row.status or "open" for row in rows)
        print(", ".join(f"{counts[status]} {status}" for status in ("proved", "refuted", "undecided", "open")))
        print(f"wrote {', '.join(map(str, filter(None, [out / 'certificates.json', picture])))} and {page}")


@contextmanager
def _place(scheduler: str | None, device: str) -> Iterator[tuple[Cluster | None, str]]:
    """Where runs run, and the one device that they run on."""
    if scheduler is None:
        resolve_device(device)
        yield None, device
        return
    with connect(scheduler, device) as cluster:
        yield cluster, cluster.device


def run_verify(
    claims: list[str], out: Path, *, seed: int, jobs: int, device: str, quick: bool, full: bool, scheduler: str | None = None, as_json: bool
) -> int:
    """Verify the claims and write everything below ``out``; returns the number of VIOLATED cases.

    Everything that can be wrong with the input is checked before the first run starts. With ``scheduler``, the address of a
    dask.distributed scheduler, its workers do the runs; verdicts and figures are made here, on ``jobs`` processes.

    Raises:
        UnknownNameError, DomainError, DeviceError, InputFileError, ClusterError: each one line.
    """
    budget = _budget(quick, full)
    chosen = budgets(claims, budget)
    # The device first: a case is built for one.
    with _place(scheduler, device) as (cluster, place), one_pool(jobs):
        suite = _verified(claims, chosen, out, seed, jobs, place, budget, cluster)
    counts = Counter(result.verdict for result in suite.results)
    if as_json:
        print_json([result.row() for result in suite.results])
    else:
        for result in suite.results:
            if result.verdict is not Verdict.HOLDS:
                print(f"{result.verdict.name:15} {result.claim} {result.case}: {result.reason}")
        print(", ".join(f"{counts[verdict]} {verdict.name}" for verdict in Verdict))
        print(f"wrote {out / 'results.json'} and {out / 'report' / 'index.html'}")
    return counts[Verdict.VIOLATED]


def _verified(
    claims: list[str],
    chosen: Mapping[str, Budget],
    out: Path,
    seed: int,
    jobs: int,
    device: str,
    budget: str | None,
    cluster: Cluster | None,
) -> Suite:
    built = cases(chosen, seed, device)
    make_folder(out)
    kept = Kept(out / "runs") if budget == "full" else None
    if kept is not None:
        _announce(built, jobs, kept, cluster)
    with progress_bar() as progress:
        suite = run_suite(chosen, seed, device, jobs, progress, kept, built, cluster)
    if not claims:
        with progress_bar() as progress:
            directions = certify_catalogue(jobs, progress)
        write_directions(directions, out, "index.html")
        with progress_bar() as progress:
            audit = run_audit(QUICK_TRIALS, seed, jobs, progress)
        write_audit_files(audit, out, f"gossip-bounds audit --quick --seed {seed}", "index.html")
    commands = {"": report_command(claims, chosen, seed, device, budget), **claim_commands(chosen, seed, device)}
    return _write(suite, out, chosen, seed, jobs, not claims, commands)

"""``logs``: read a folder of other people's logs, judge its pairs, print and write what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bounds.errors import DomainError
from bounds.files import make_folder, write_text
from empirical.logs import CENTRALIZED, AccuracyLog, Options, read_folder
from gossip_bounds.output import jsonable, print_json, print_table, write_csv
from verify.logged import PairResult, Pooled, Study, Support, study
from verify.verdict import Verdict

_BEST = "best is the largest of many noisy values: it is biased upwards, and no verdict rests on it\n"
_TITLE = "Decentralized against centralized runs in published logs"


def run_row(run: AccuracyLog) -> dict[str, Any]:
    """A run of the JSON document; accuracies in percent."""
    ran = run.setting
    return {
        "file": run.file,
        "dataset": ran.dataset,
        "model": ran.model,
        "topology": ran.topology,
        "local_batch": ran.local_batch,
        "nodes": ran.nodes,
        "optimizer": ran.optimizer,
        "final": run.final,
        "best": run.best,
        "complete": run.complete,
    }


def pair_row(one: PairResult) -> dict[str, Any]:
    """A pair of the JSON document; differences in percentage points."""
    return {
        "decentralized": one.pair.decentralized.file,
        "centralized": one.pair.centralized.file,
        "difference": one.difference,
        "interval": None if one.interval is None else list(one.interval),
        "verdict": one.verdict.name,
        "reason": one.reason,
    }


def pooled_row(one: Pooled) -> dict[str, Any]:
    """A pooled difference of the JSON document: of all pairs, or by total batch, model, data set, optimizer or over seeds."""
    return {
        "by": one.by,
        "value": one.value,
        "pairs": one.pairs,
        "centralized_runs": one.centralized,
        "seeds": one.seeds,
        "difference": one.difference,
        "interval": None if one.interval is None else list(one.interval),
        "verdict": one.verdict.name,
        "reason": one.reason,
    }


def document(found: Study) -> dict[str, Any]:
    """The JSON document."""
    return {
        "schema_version": 1,
        "floor": found.support.floor,
        "level": found.support.level,
        "runs": [run_row(run) for run in found.folder.runs],
        "pairs": [pair_row(one) for one in found.pairs],
        "pooled": [pooled_row(one) for one in found.pooled],
        "problems": [{"file": one.file, "problem": one.problem} for one in found.folder.problems],
    }


def support(floor: float, level: float) -> Support:
    """The stated assumptions.

    Raises:
        DomainError: for a floor below 0, or a level outside (0, 0.5].
    """
    if not 0 <= floor <= 100:
        raise DomainError(f"got --floor {floor:g}; it is in percentage points, so give a number from 0 to 100, such as 1")
    if not 0 < level <= 0.5:
        raise DomainError(f"got --level {level:g}; give a number above 0 and at most 0.5, such as 0.05 for intervals of 95 %")
    return Support(floor, level)


def run_logs(
    folder: Path,
    out: Path | None,
    options: Options,
    centralized: Sequence[str],
    *,
    floor: float,
    level: float,
    as_json: bool,
    csv: Path | None = None,
) -> int:
    """Judge a folder of logs, write what was found below ``out``, and print it; returns the number of VIOLATED pairs.

    ``csv`` is a file for the pairs.

    Raises:
        GossipBoundsError: one line, for a folder without logs, a wrong pattern or column map, or a folder that cannot be written to.
    """
    stated = support(floor, level)
    if out is not None:
        make_folder(out)
    words = tuple(centralized) or CENTRALIZED
    found = study(read_folder(folder, options, words), stated)
    page = None if out is None else _write(found, out, words)
    if csv is not None:
        write_csv(csv, _csv_pairs(found))
    if as_json:
        print_json(document(found))
    else:
        _print(found)
        if page is not None:
            print(f"wrote {page}")
    return sum(one.verdict is Verdict.VIOLATED for one in found.pairs)


def _write(found: Study, out: Path, centralized: Sequence[str]) -> Path:
    from figures.report.logs import write_logs_page

    told = document(found)
    write_text(out / "logs.json", json.dumps(jsonable(told), indent=1, allow_nan=False) + "\n")
    for name in ("runs", "pairs", "pooled", "problems"):
        if told[name]:
            write_csv(out / "tables" / f"logs-{name}.csv", told[name])
    return write_logs_page(found, make_folder(out / "report"), title=_TITLE, centralized=centralized)


def _csv_pairs(found: Study) -> list[dict[str, Any]]:
    """The pairs with the setting of their decentralized runs, intervals as two columns."""
    rows = []
    for one in found.pairs:
        shared = {name.replace(" ", "_"): value for name, value in _place(one.pair.decentralized).items()}
        row = pair_row(one)
        low, high = row.pop("interval") or (None, None)
        rows.append(shared | row | {"low": low, "high": high})
    return rows


def _print(found: Study) -> None:
    for title, rows in (("runs", _runs(found)), ("pairs", _pairs(found)), ("pooled", _pooled(found))):
        print(f"{len(rows)} {title}")
        print_table(rows)
        print(_BEST if title == "runs" else "")
    print(f"{len(found.folder.problems)} problems")
    for one in found.folder.problems:
        print(f"  {one.file}: {one.problem}")


def _place(run: AccuracyLog) -> dict[str, Any]:
    ran = run.setting
    told = {"dataset": ran.dataset, "model": ran.model, "pretrained": ran.field("pretrained"), "total batch": ran.total_batch}
    return told | {"optimizer": ran.optimizer, "step size": ran.field("lr"), "topology": ran.topology, "seed": ran.field("seed")}


def _order(run: AccuracyLog) -> tuple[str, ...]:
    return tuple(f"{value:>12}" if isinstance(value, int) else str(value) for value in _place(run).values())


def _runs(found: Study) -> list[dict[str, Any]]:
    ordered = sorted(found.folder.runs, key=_order)
    ends = [{"final %": f"{run.final:.2f}", "best %": f"{run.best:.2f}", "complete": "yes" if run.complete else "no"} for run in ordered]
    return [_place(run) | end for run, end in zip(ordered, ends, strict=True)]


def _ends(one: PairResult | Pooled) -> dict[str, str]:
    interval = "none" if one.interval is None else f"[{one.interval[0]:+.2f}, {one.interval[1]:+.2f}]"
    return {"difference": f"{one.difference:+.2f}", "interval": interval, "verdict": one.verdict.name}


def _pairs(found: Study) -> list[dict[str, Any]]:
    ordered = sorted(found.pairs, key=lambda one: _order(one.pair.decentralized))
    return [_place(one.pair.decentralized) | _ends(one) for one in ordered]


def _pooled(found: Study) -> list[dict[str, Any]]:
    return [{"by": one.by, "value": one.value, "pairs": one.pairs, "centralized": one.centralized} | _ends(one) for one in found.pooled]

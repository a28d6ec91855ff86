"""``logs``: other people's runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gossip_bounds.commands.options import Json


def logs(
    folder: Annotated[Path, typer.Argument(help="Folder of CSV exports, Parquet tables and event files; see docs/logs.md.", metavar="DIR")],
    out: Annotated[Path | None, typer.Option(help="Folder for logs.json, tables and report/logs.html.", metavar="DIR")] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Regular expression for the names, with named groups; topology (or mode) is needed.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="The tag to compare, where a run wrote several curves.")] = None,
    columns: Annotated[Path | None, typer.Option(help="Column map of plain CSV and Parquet tables.", metavar="FILE.toml")] = None,
    centralized: Annotated[
        list[str] | None,
        typer.Option(help="Topology word of centralized runs, instead of csgd; may be given several times.", metavar="WORD"),
    ] = None,
    floor: Annotated[float, typer.Option(help="Percentage points that two seeds of one setting may differ by, where one is logged.")] = 1.0,
    level: Annotated[float, typer.Option(help="Error level that the intervals of a table share.")] = 0.05,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with status 1 when a pair is VIOLATED.")] = False,
    json: Json = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the pairs to this CSV file.")] = None,
) -> None:
    """Compare decentralized with centralized runs in published logs: differences, what they support, and verdicts."""
    from empirical.logs import Options
    from gossip_bounds.logs import run_logs

    options = Options(pattern, tag, columns)
    violated = run_logs(folder, out, options, centralized or [], floor=floor, level=level, as_json=json, csv=csv)
    if strict and violated:
        raise typer.Exit(1)

"""Options and arguments that several commands have, and that mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import bounds


def _load(files: list[Path] | None) -> list[Path]:
    for file in files or []:
        bounds.load(file)
    return files or []


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Also write the rows to this CSV file.")]
Assignments = Annotated[list[str] | None, typer.Argument(help="NAME=VALUE or NAME=lo:hi:count[:log]", metavar="NAME=VALUE ...")]
Topology = Annotated[str | None, typer.Option(help="Topology name or file (.csv weights, .edgelist, .graphml, .gml); sets the gap.")]
Form = Annotated[str | None, typer.Option("--update-form", help="atc, cta, consensus or centralized; the bound's first form if left out.")]
Readout = Annotated[
    str | None, typer.Option(help="node_average, network_mean, gradient_point or worst_node; the bound's first readout if left out.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="GOSSIP_BOUNDS_DATA",
        metavar="DIR",
        help="Folder of the data sets, each in a folder of its name; see docs/data.md.",
    ),
]
Logs = Annotated[
    Path | None,
    typer.Option(
        "--logs",
        envvar="GOSSIP_BOUNDS_LOGS",
        metavar="DIR",
        help="Folder of published runs; see docs/logs.md.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Run on the dask.distributed cluster of this scheduler; see docs/cluster.md."),
]
Own = Annotated[
    list[Path] | None,
    typer.Option(
        "--bounds",
        callback=_load,
        is_eager=True,
        metavar="FILE",
        help="Theorems of your own, in a .toml or a .py file (which is executed); may be given several times.",
    ),
]

"""``measure``: the configurations of a TOML file, each kept in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gossip_bounds.commands.options import DataDir, Json, Scheduler


def measure(
    file: Annotated[Path, typer.Argument(help="TOML file: [run], [sweep] and [measure]; see docs/measuring.md.", metavar="FILE.toml")],
    out: Annotated[Path, typer.Option(help="Folder of the measured configurations; those already there are not run again.")],
    jobs: Annotated[int, typer.Option(help="Worker processes; 0 means one per core.", min=0)] = 0,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the file's.", min=0)] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_dir: DataDir = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="Most memory for all processes together, such as 4GiB; half the machine if left out. With --scheduler: for each worker."
        ),
    ] = None,
    scheduler: Scheduler = None,
    json: Json = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Also write all values to this CSV file, as 'plot --measured' reads them.", metavar="FILE")
    ] = None,
) -> None:
    """Train every configuration of FILE.toml that --out does not hold yet, and keep what was measured."""
    from empirical.data import use_folder
    from gossip_bounds.measuring import run_measure

    with use_folder(data_dir):
        run_measure(file, out, jobs=jobs, seed=seed, device=device, memory=memory, scheduler=scheduler, csv=csv, as_json=json)

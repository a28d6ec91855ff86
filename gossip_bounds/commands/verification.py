"""``plot`` and ``verify``: where the heavy packages are imported, and only when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bounds.errors import MissingParameterError
from gossip_bounds.arguments import split_words
from gossip_bounds.commands.options import Assignments, DataDir, Form, Json, Logs, Own, Readout, Scheduler, Topology


def plot(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Figure file: .png, .svg or .pdf.")],
    assignments: Assignments = None,
    measured: Annotated[Path | None, typer.Option(help="CSV file of measurements to draw beside the bound.")] = None,
    x: Annotated[str | None, typer.Option("--x", help="Its column for the horizontal axis.")] = None,
    y: Annotated[str | None, typer.Option("--y", help="Its column for the measured values; a 'replicate' column gives bands.")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="Only its rows with this value; may be given several times.", metavar="COLUMN=VALUE")
    ] = None,
    topology: Topology = None,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap behind the bands.")] = 0,
    as_map: Annotated[
        bool,
        typer.Option("--map", help="A map over the first grid (across) and the second (up); with --measured, of bound/measured."),
    ] = False,
    x2: Annotated[
        str | None, typer.Option("--x2", help="With --map: the column for the vertical axis; --x and --x2 are parameters.")
    ] = None,
    trivial: Annotated[
        float | None, typer.Option(help="With --map: what the quantity never exceeds, such as M; the bound is VACUOUS above.")
    ] = None,
) -> None:
    """Draw a bound over one parameter (the first grid; other grids make a family), measurements beside it; or a map over two."""
    texts, form, readout = split_words(assignments or [], update_form, readout)
    if not as_map and (x2 is not None or trivial is not None):
        raise MissingParameterError("--x2 and --trivial belong to a map; give --map too, or leave them out")
    if measured is None and (x, x2, y, where) != (None, None, None, None):
        raise MissingParameterError("columns are named and no file; give --measured FILE.csv, or leave --x, --x2, --y and --where out")
    if as_map:
        from gossip_bounds.mapping import Columns, plot_map

        columns = None if measured is None else Columns(measured, x, x2, y, where or [])
        plot_map(bound_id, texts, (topology, form, readout), columns, trivial, seed, output)
    else:
        from gossip_bounds.plotting import plot_bound

        plot_bound(bound_id, texts, topology, form, readout, measured, x, y, seed, output, where or [])
    print(f"wrote {output}")


def verify(
    claims: Annotated[list[str] | None, typer.Argument(help="Claims, or a paper's prefix; all if left out.", metavar="CLAIM ...")] = None,
    out: Annotated[Path, typer.Option(help="Folder for results.json and report/index.html.")] = Path("out"),
    seed: Annotated[int, typer.Option(help="Master seed; the same seed gives the same bits.")] = 0,
    jobs: Annotated[int, typer.Option(help="Worker processes; 0 means one per core.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="Fewer replicates: a fast look, more UNDECIDED.")] = False,
    full: Annotated[bool, typer.Option("--full", help="More replicates than the default.")] = False,
    data_dir: DataDir = None,
    logs: Logs = None,
    own: Own = None,
    scheduler: Scheduler = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with status 1 when a verdict is VIOLATED.")] = False,
    json: Json = False,
) -> None:
    """Hold the bounds against training runs and write a report page; a bound of --bounds FILE is the claim own-ID."""
    from empirical.data import use_folder
    from empirical.logs.place import use_logs
    from gossip_bounds.verifying import run_verify

    with use_folder(data_dir), use_logs(logs):
        violated = run_verify(
            claims or [], out, seed=seed, jobs=jobs, device=device, quick=quick, full=full, scheduler=scheduler, as_json=json
        )
    if strict and violated:
        raise typer.Exit(1)

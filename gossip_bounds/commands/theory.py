"""``evaluate`` and ``topology``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gossip_bounds.commands.options import Assignments, Csv, Form, Json, Own, Readout, Topology


def evaluate(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    assignments: Assignments = None,
    topology: Topology = None,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    json: Json = False,
    csv: Csv = None,
) -> None:
    """Evaluate a bound at NAME=VALUE, or over the grid NAME=lo:hi:count[:log]; several grids make a product."""
    from gossip_bounds.evaluation import report

    report(bound_id, assignments or [], topology, update_form, readout, json, csv)


def topology(
    name: Annotated[
        str,
        typer.Argument(
            help="ring, complete, torus, exponential, ..., a file (.csv weights, .edgelist, .graphml, .gml), or a product such as ring:100*complete:8"
        ),
    ],
    nodes: Annotated[int | None, typer.Option("--nodes", "--m", help="Number of nodes m.")] = None,
    decay: Annotated[float, typer.Option(help="Decay of the effective number of neighbours, in [0, 1).")] = 0.95,
    target: Annotated[
        float | None, typer.Option(help="Also the gossip steps after which every disagreement is at most this share of what it was.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Also draw the graph beside its spectrum: .png, .svg or .pdf.")
    ] = None,
    json: Json = False,
) -> None:
    """Show a topology's mixing matrix: gap, spectrum, effective number of neighbours; millions of nodes in seconds."""
    from gossip_bounds.networks import report

    report(name, nodes, decay, target, json, output)

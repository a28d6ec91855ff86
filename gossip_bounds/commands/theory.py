"""``evaluate`` and ``topology``."""

from __future__ import annotations

from typing import Annotated

import typer

from gossip_bounds.commands.options import Assignments, Csv, Form, Json, Own, Readout, Topology
from gossip_bounds.output import print_json, print_table


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
    name: Annotated[str, typer.Argument(help="ring, complete, torus, exponential, or a file (.csv weights, .edgelist, .graphml, .gml)")],
    nodes: Annotated[int | None, typer.Option(help="Number of nodes m.")] = None,
    decay: Annotated[float, typer.Option(help="Decay of the effective number of neighbours, in [0, 1).")] = 0.95,
    json: Json = False,
) -> None:
    """Show a topology's mixing matrix: gap, spectrum, effective number of neighbours."""
    from bounds.topology import load

    matrix = load(name, nodes)
    document = {
        "schema_version": 1,
        "name": matrix.name,
        "nodes": matrix.nodes,
        "symmetric": matrix.symmetric,
        "doubly_stochastic": True,
        "gap": matrix.gap,
        "lambda_2": matrix.lambda_2,
        "lambda_min": matrix.lambda_min,
        "effective_neighbours": matrix.effective_neighbours(decay),
        "spectrum": [float(v) for v in matrix.spectrum] if matrix.symmetric else [[float(v.real), float(v.imag)] for v in matrix.spectrum],
    }
    if json:
        print_json(document)
        return
    print_table([{"quantity": key, "value": value} for key, value in document.items() if key not in ("schema_version", "spectrum")])
    print("spectrum: " + " ".join(f"{v:.4g}" for v in matrix.spectrum))

"""``evaluate`` and ``topology``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import bounds
from bounds.bound import Bound
from bounds.vocabulary import Quantity
from gossip_bounds.arguments import parse_assignments, split_words
from gossip_bounds.commands.options import Assignments, Csv, Form, Json, Own, Readout, Topology
from gossip_bounds.output import print_json, print_table, write_csv

_SHOWN = 6


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
    from gossip_bounds.evaluation import evaluate_grid

    bound = bounds.get(bound_id)
    texts, update_form, readout = split_words(assignments or [], update_form, readout)
    evaluations = evaluate_grid(bound, parse_assignments(texts), topology, update_form, readout)
    is_grid = any(":" in text for text in texts)
    if csv is not None:
        write_csv(csv, [e.flat() for e in evaluations])
    if json:
        print_json([e.row() for e in evaluations] if is_grid else {"schema_version": 1, **evaluations[0].row()})
    elif is_grid:
        print_table([e.flat() for e in evaluations])
    else:
        _print_evaluation(bound, evaluations[0])


def _print_evaluation(bound: Bound, evaluation: Any) -> None:
    what = bound.title if bound.quantity is Quantity.OTHER else bound.quantity.label
    print(f"{bound.id} = {evaluation.value:.6g}    ({what}: {bound.kind.label})")
    print("  at " + ", ".join(f"{name}={_shown(value)}" for name, value in evaluation.parameters.items()))
    words = {True: "yes", False: "NO", None: "not known"}
    print(f"  applies: {words[evaluation.applies]}")
    for reason in evaluation.unmet:
        print(f"  - {reason}")


def _shown(value: Any) -> str:
    if not isinstance(value, tuple):
        return f"{value:g}"
    rows = any(isinstance(entry, tuple) for entry in value)
    parts = [_shown(entry) if isinstance(entry, tuple) else f"{entry:.4g}" for entry in value[:_SHOWN]]
    return (";" if rows else ",").join([*parts, *(["..."] if len(value) > _SHOWN else [])])


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

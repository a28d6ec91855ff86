"""``list``, ``show``, ``evaluate`` and ``topology``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import bounds
from bounds.bound import Bound
from gossip_bounds.arguments import parse_assignments
from gossip_bounds.output import print_json, print_table, write_csv

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Also write the rows to this CSV file.")]
Assignments = Annotated[list[str] | None, typer.Argument(help="NAME=VALUE or NAME=lo:hi:count[:log]", metavar="NAME=VALUE ...")]
Topology = Annotated[str | None, typer.Option(help="Topology name or file (.csv weights, .edgelist, .graphml, .gml); sets the gap.")]
Form = Annotated[str | None, typer.Option("--update-form", help="atc, cta, consensus or centralized; the bound's first form if left out.")]
Readout = Annotated[
    str | None, typer.Option(help="node_average, network_mean, gradient_point or worst_node; the bound's first readout if left out.")
]
_SHOWN = 6


def list_bounds(json: Json = False, csv: Csv = None) -> None:
    """List every bound of the catalogue."""
    rows = [
        {
            "id": b.id,
            "quantity": b.quantity.value,
            "kind": b.kind.value,
            "paper": b.source.paper,
            "update_forms": [f.value for f in b.update_forms],
        }
        for b in bounds.entries().values()
    ]
    if csv is not None:
        write_csv(csv, [row | {"update_forms": " ".join(row["update_forms"])} for row in rows])
    print_json(rows) if json else print_table(rows)


def card(bound: Bound) -> dict[str, Any]:
    """The JSON document of ``show``."""
    symbols = [
        {"name": s.name, "meaning": s.meaning, "unit": s.unit, "domain": str(s.domain), "required": s.name in bound.formula.required}
        for s in bound.symbols
    ]
    conditions = [c.text + (f" ({', '.join(c.forms)})" if c.forms else "") for c in bound.conditions]
    return {
        "schema_version": 1,
        "id": bound.id,
        "quantity": bound.quantity.value,
        "kind": bound.kind.value,
        "update_forms": [f.value for f in bound.update_forms],
        "symbols": symbols,
        "assumptions": [p.text for p in bound.properties] + conditions,
        "source": f"{bound.source.result} [{bound.source.tag}]",
        "expression": bound.formula.text(),
        "latex": bound.latex(),
        "directions": {name: direction.value for name, direction in bound.directions.items()},
    }


def show(bound_id: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Show a bound: what it bounds, its expression, symbols, assumptions, source and directions."""
    bound = bounds.get(bound_id)
    document = card(bound)
    if json:
        print_json(document)
        return
    print(f"{bound.id}: {bound.title}\n")
    print(f"  {bound.kind.label} on: {bound.quantity.label}")
    print(f"  update forms: {', '.join(document['update_forms'])}    readouts: {', '.join(r.value for r in bound.readouts)}")
    print(f"  expression: {document['expression']}\n")
    print_table(
        [{**s, "required": "yes" if s["required"] else "no", "direction": document["directions"][s["name"]]} for s in document["symbols"]]
    )
    print("\nassumptions")
    for assumption in document["assumptions"]:
        print(f"  - {assumption}")
    print(f"\nsource: {document['source']}\nderivation: {bound.source.derivation}")
    if bound.notes:
        print(f"notes: {bound.notes}")


def evaluate(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    assignments: Assignments = None,
    topology: Topology = None,
    update_form: Form = None,
    readout: Readout = None,
    json: Json = False,
    csv: Csv = None,
) -> None:
    """Evaluate a bound at NAME=VALUE, or over the grid NAME=lo:hi:count[:log]; several grids make a product."""
    from gossip_bounds.evaluation import evaluate_grid

    bound = bounds.get(bound_id)
    values = parse_assignments(assignments or [])
    evaluations = evaluate_grid(bound, values, topology, update_form, readout)
    is_grid = any(":" in text for text in assignments or [])
    if csv is not None:
        write_csv(csv, [e.flat() for e in evaluations])
    if json:
        print_json([e.row() for e in evaluations] if is_grid else {"schema_version": 1, **evaluations[0].row()})
    elif is_grid:
        print_table([e.flat() for e in evaluations])
    else:
        _print_evaluation(bound, evaluations[0])


def _print_evaluation(bound: Bound, evaluation: Any) -> None:
    print(f"{bound.id} = {evaluation.value:.6g}    ({bound.kind.label} on the {bound.quantity.label})")
    print("  at " + ", ".join(f"{name}={_shown(value)}" for name, value in evaluation.parameters.items()))
    words = {True: "yes", False: "NO", None: "not known"}
    print(f"  applies: {words[evaluation.applies]}")
    for reason in evaluation.unmet:
        print(f"  - {reason}")


def _shown(value: Any) -> str:
    if not isinstance(value, tuple):
        return f"{value:g}"
    return ",".join(f"{entry:.4g}" for entry in value[:_SHOWN]) + (",..." if len(value) > _SHOWN else "")


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

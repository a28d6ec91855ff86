"""``cost``: time to a target excess risk as a table over graphs, for stated links."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import bounds
from bounds.errors import DomainError, MissingParameterError
from gossip_bounds.arguments import number, parse_assignments, single, split_words
from gossip_bounds.commands.options import Csv, Form, Json, Own, Readout
from gossip_bounds.output import print_json, print_table, write_csv

Values = Annotated[
    list[str] | None,
    typer.Argument(help="target=VALUE m=NODES, and the bound's other parameters.", metavar="target=VALUE m=NODES NAME=VALUE ..."),
]
_SHOWN = ("topology", "degree", "Q", "b", "rate", "T", "step_seconds", "seconds", "bytes")


def cost(
    bound_id: Annotated[str, typer.Argument(metavar="ID", help="A bound in gap, Q and T, such as mgs_excess_convex.")],
    assignments: Values = None,
    latency: Annotated[float, typer.Option(help="Seconds a message takes, however short.")] = 1e-4,
    bandwidth: Annotated[float, typer.Option(help="Bytes a second of a node's link.")] = 1.25e8,
    sends: Annotated[
        str, typer.Option(help="serial, overlapping (one link, latencies overlap) or parallel (a link per neighbour).")
    ] = "overlapping",
    weights: Annotated[int, typer.Option(help="Numbers in one model.", min=1)] = 640,
    precision: Annotated[str, typer.Option(help="float32 or float64: how they are sent.")] = "float32",
    step_seconds: Annotated[float, typer.Option(help="Seconds of computing in a step, whatever the batch.")] = 1e-3,
    sample_seconds: Annotated[float, typer.Option(help="Seconds of computing for each sample of a batch.")] = 0.0,
    graphs: Annotated[str, typer.Option(help="Topologies, separated by commas.")] = "ring,torus,hypercube,exponential,complete",
    batches: Annotated[str, typer.Option(help="Local batches to choose from, separated by commas.")] = "1,2,4,8,16,32,64",
    most_gossip: Annotated[int, typer.Option(help="The largest number of gossip steps a step.", min=1)] = 64,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    json: Json = False,
    csv: Csv = None,
) -> None:
    """Choose gossip steps, batch and learning rate on each graph so that the bound meets the target in the least time."""
    from bounds.cost import Link, Workload, message_bytes, plans

    texts, update_form, readout = split_words(assignments or [], update_form, readout)
    target, values = _values(texts)
    link = Link(latency, bandwidth, sends)  # type: ignore[arg-type]
    work = Workload(message_bytes(weights, precision), step_seconds, sample_seconds)
    found = plans(
        bounds.get(bound_id),
        tuple(graphs.split(",")),
        target=target,
        link=link,
        work=work,
        batches=_integers(batches),
        most=most_gossip,
        update_form=update_form,
        readout=readout,
        **values,
    )
    rows = [one.row() for one in found]
    _report(rows, {"bound": bound_id, "target": target, "link": _document(link), "workload": _document(work)}, json, csv)


def _values(texts: list[str]) -> tuple[float, dict[str, Any]]:
    given = [text for text in texts if text.startswith("target=")]
    if len(given) != 1:
        raise MissingParameterError("cost needs what the bound must meet; give one target=VALUE")
    parsed = parse_assignments([text for text in texts if text not in given])
    values = {name: single(parsed, name) for name in parsed}
    if not isinstance(values.get("m"), int):
        raise MissingParameterError("cost needs the number of nodes; give m=NODES")
    return float(number("target", given[0].partition("=")[2])), values


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise DomainError(f"got --batches {text!r}; write integers separated by commas, such as 1,4,16") from None


def _document(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__slots__}


def _report(rows: list[dict[str, Any]], asked: dict[str, Any], json: bool, csv: Path | None) -> None:
    if csv is not None:
        write_csv(csv, rows)
    if json:
        print_json({"schema_version": 1, **asked, "rows": rows})
        return
    print_table([{name: row[name] for name in _SHOWN} for row in rows if row["status"] == "found"])
    for row in rows:
        if row["status"] != "found":
            print(f"{row['topology']}: {row['status'].upper()}: {row['reason']}")
    print(f"Seconds until {asked['bound']} is at most {asked['target']:g}: what the bound guarantees, not what a run needs.")

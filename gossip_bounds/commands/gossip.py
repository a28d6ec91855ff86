"""``gossip-steps``: how many gossip steps each graph needs at each number of nodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounds.errors import DomainError, MissingParameterError
from gossip_bounds.arguments import number, parse_assignments, single, split_words
from gossip_bounds.commands.options import Csv, Form, Json, Own, Readout
from gossip_bounds.output import print_json, print_table, write_csv

if TYPE_CHECKING:
    from bounds import Bound
    from bounds.calibration import GossipSteps

Values = Annotated[
    list[str] | None,
    typer.Argument(
        help="target=VALUE: the share that disagreements shrink to; with a bound's ID first, what the bound is to be at most.",
        metavar="[ID] target=VALUE [NAME=VALUE ...]",
    ),
]


def gossip_steps(
    assignments: Values = None,
    graphs: Annotated[str, typer.Option(help="Topologies, separated by commas.")] = "ring,torus,hypercube,exponential,complete",
    nodes: Annotated[str, typer.Option(help="Numbers of nodes m, separated by commas.")] = "4,16,64,256,1024,4096,16384",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Also draw the diagram: .png, .svg or .pdf.")] = None,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    json: Json = False,
    csv: Csv = None,
) -> None:
    """Find the smallest number of gossip steps Q on each graph for each number of nodes: to shrink disagreements, or to meet a bound's target."""
    import bounds

    texts, form, chosen = split_words(assignments or [], update_form, readout)
    bound, target, values = _asked(texts)
    counts = _integers(nodes)
    if bound is None and (form, chosen) != (None, None):
        raise MissingParameterError("an update form or a readout is given and no bound; name a bound, or leave it out")
    rows = bounds.gossip_table(graphs.split(","), counts, target=target, bound=bound, update_form=form, readout=chosen, **values)
    if output is not None:
        _draw(rows, bound, target, output)
    if csv is not None:
        write_csv(csv, [row.row() for row in rows])
    if json:
        asked = {"bound": None if bound is None else bound.id, "target": target}
        print_json({"schema_version": 1, **asked, "rows": [row.row() for row in rows]})
        return
    _print(rows, bound, target)
    if output is not None:
        print(f"wrote {output}")


def _asked(texts: list[str]) -> tuple[Bound | None, float, dict[str, Any]]:
    import bounds

    bound = bounds.get(texts[0]) if texts and "=" not in texts[0] else None
    rest = texts[1:] if bound is not None else texts
    given = [text for text in rest if text.startswith("target=")]
    if len(given) != 1:
        raise MissingParameterError("gossip-steps needs how far gossip is to go; give one target=VALUE, such as target=1e-3")
    parsed = parse_assignments([text for text in rest if text not in given])
    values = {name: single(parsed, name) for name in parsed}
    return bound, float(number("target", given[0].partition("=")[2])), values


def _integers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise DomainError(f"got --nodes {text!r}; write integers separated by commas, such as 16,64,256") from None


def _goal(bound: Bound | None, target: float) -> str:
    return f"every disagreement is at most {target:g} of what it was" if bound is None else f"{bound.id} is at most {target:g}"


def _draw(rows: tuple[GossipSteps, ...], bound: Bound | None, target: float, output: Path) -> None:
    from figures.gossip import gossip_steps_figure
    from figures.style import save

    save(gossip_steps_figure(rows, f"Smallest Q {'after' if bound is None else 'at'} which {_goal(bound, target)}"), output)


def _print(rows: tuple[GossipSteps, ...], bound: Bound | None, target: float) -> None:
    counts = list(dict.fromkeys(row.nodes for row in rows))
    names = list(dict.fromkeys(row.topology for row in rows))
    shown = {(row.topology, row.nodes): row.status if row.Q is None else row.Q for row in rows}
    print_table([{"nodes": name, **{str(count): str(shown[name, count]) for count in counts}} for name in names])
    print(f"The smallest Q for which {_goal(bound, target)}.")
    for reason in dict.fromkeys(
        f"{row.topology}, {row.nodes} nodes: {row.reason}" for row in rows if row.status in ("impossible", "undecided")
    ):
        print(f"  {reason}")

"""``constants``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gossip_bounds.commands.options import Json, Own
from gossip_bounds.output import print_json, print_table


def constants(
    file: Annotated[Path, typer.Argument(help="TOML file naming the model and the data.", metavar="FILE.toml")],
    bound: Annotated[
        str | None, typer.Option("--for", help="Print NAME=VALUE for this bound only, ready for evaluate.", metavar="ID")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the initial weights and of the search.")] = 0,
    own: Own = None,
    json: Json = False,
) -> None:
    """L, beta, M, sigma2 and zeta2 of your own model and data: proved where possible, estimated otherwise."""
    import bounds
    from gossip_bounds.constants import assignments
    from gossip_bounds.constants import constants as compute

    if bound is not None:
        bounds.get(bound)
    document = compute(file, seed)
    if bound is not None:
        print(assignments(document, bound))
    elif json:
        print_json(document)
    else:
        known = document["recognised"]
        print(
            f"{document['model']}: {document['parameters']} weights, {document['nodes']} nodes, {known or 'not a class with proved constants'}\n"
        )
        print_table([{"constant": name, **row} for name, row in document["constants"].items()])
        print(f"\n{assignments(document, None)}")

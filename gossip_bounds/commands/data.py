"""``data``: get a data set into a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from gossip_bounds.commands.options import DataDir, Json


def data(
    name: Annotated[str, typer.Argument(help="fashion-mnist, mnist or cifar-10.", metavar="NAME")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Get a data set into a folder with the package manager that has it, and check it; nothing is installed."""
    from gossip_bounds.data import run_data

    run_data(name, data_dir, as_json=json)

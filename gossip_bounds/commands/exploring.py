"""``explore``: bounds on one interactive page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gossip_bounds.commands.options import Own


def explore(
    names: Annotated[list[str] | None, typer.Argument(help="Bounds to show; six well-known ones if left out.", metavar="[ID ...]")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page to write, one self-contained HTML file.")] = Path("explorer.html"),
    own: Own = None,
) -> None:
    """Write a page with sliders, live curves, formulas and assumptions of some bounds; it needs no server and no network."""
    import bounds
    from figures.explorer import write_explorer

    print(f"wrote {write_explorer(out, [bounds.get(name) for name in names] if names else None)}")

"""Writes the pages that are made from the package before Sphinx looks for pages; git ignores them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import api_pages
import bound_pages
from benchmark_page import benchmark_page
from command_page import command_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def pages() -> dict[str, str]:
    """Every generated page by name."""
    return bound_pages.pages() | api_pages.pages() | {"api/commands": command_page(), "benchmarks": benchmark_page()}


def write(folder: Path) -> None:
    """Write what changed, so that a second build is quick, and remove what no longer exists."""
    wanted = {folder / f"{name}.rst": text for name, text in pages().items()}
    for path in (*folder.glob(f"{bound_pages.FOLDER}/*.rst"), *folder.glob(f"{api_pages.FOLDER}/*.rst")):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", lambda built: write(Path(built.srcdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

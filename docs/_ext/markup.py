"""The few pieces of reStructuredText that the generated pages are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent


def plain(text: str) -> str:
    """Text that is shown as it stands."""
    # A line that begins with a dash would be an item of a list.
    return re.sub(r"([\\*`|_]|^[-+])", r"\\\1", text)


def code(text: str) -> str:
    """Text as inline code."""
    return f"``{text}``" if text and "`" not in text else plain(text)


def page(title: str, *blocks: str) -> str:
    """A page: its title over blocks, empty ones left out."""
    return "\n\n".join([_underlined(plain(title), "="), *filter(None, blocks)]) + "\n"


def section(title: str, *blocks: str) -> str:
    """A section with its blocks; empty where all of them are."""
    kept = [block for block in blocks if block]
    return "\n\n".join([_underlined(plain(title), "-"), *kept]) if kept else ""


def _underlined(title: str, mark: str) -> str:
    return f"{title}\n{mark * max(len(title), 4)}"


def directive(name: str, argument: str = "", content: str = "", **options: str) -> str:
    """A directive; an option ``some_name`` is written ``some-name``, its empty value as a flag."""
    lines = [f".. {name}:: {argument}".rstrip(), *(f"   :{key.replace('_', '-')}: {value}".rstrip() for key, value in options.items())]
    return "\n".join(lines) + (f"\n\n{indent(content, '   ')}" if content else "")


def bullets(items: Sequence[str]) -> str:
    """A list of items that are markup already."""
    return "\n".join(f"* {item}" for item in items)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """A table of cells that are markup already, relative ``widths`` of its columns."""
    lines = [f"{'* -' if column == 0 else '  -'} {cell}".rstrip() for row in (heads, *rows) for column, cell in enumerate(row)]
    return directive("list-table", "", "\n".join(lines), header_rows="1", widths=" ".join(map(str, widths)))


def toctree(names: Sequence[str], **options: str) -> str:
    """A table of contents of pages, ``name`` or ``title <name>``."""
    return directive("toctree", "", "\n".join(names), **options)

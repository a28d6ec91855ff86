"""Printing: JSON with null for non-finite numbers, CSV written atomically, aligned tables for people."""

from __future__ import annotations

import csv
import io
import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bounds.files import write_text

_NARROWEST = 12


def jsonable(value: Any) -> Any:
    """``value`` with every non-finite number replaced by None, ready for ``json``."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def print_json(value: Any) -> None:
    """Print ``value`` as indented JSON."""
    print(json.dumps(jsonable(value), indent=2, allow_nan=False))


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with one header line; columns in order of first appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: "" if row.get(name) is None else row.get(name) for name in columns} for row in rows])
    write_text(path, buffer.getvalue())


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as aligned columns."""
    for line in table_lines(rows):
        print(line)


def table_lines(rows: Sequence[Mapping[str, Any]], width: int | None = None, wrapped: Sequence[str] = ()) -> list[str]:
    """Rows as aligned columns; to fit ``width`` the columns ``wrapped`` are broken into several lines, the widest first."""
    if not rows:
        return []
    columns = list(rows[0])
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    flexible = [columns.index(name) for name in wrapped]
    while width is not None and flexible and sum(widths) + 2 * (len(columns) - 1) > width:
        widest = max(flexible, key=lambda i: widths[i])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    lines = [columns, ["-" * one for one in widths]]
    for line in cells:
        parts = [textwrap.wrap(cell, widths[i]) if i in flexible else [cell] for i, cell in enumerate(line)]
        lines += [list(row) for row in zip_longest(*parts, fillvalue="")]
    return ["  ".join(cell.ljust(one) for cell, one in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)

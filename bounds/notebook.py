"""How results show in notebooks: documents as tables, without importing anything that a terminal does not need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_MOST = 12


class Shown:
    """Mixed into results with a ``document``: notebooks show it as a table of two columns."""

    __slots__ = ()

    def document(self) -> dict[str, Any]:
        """The JSON document of the result."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        rows = [(name, value) for name, value in self.document().items() if name != "schema_version" and value not in (None, "", [], {})]
        return table(("", ""), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An HTML table; everything is escaped, and long lists are cut with their length said."""
    lines = [_row("th", [escape(text) for text in heads])] if any(heads) else []
    lines += [_row("td", [_cell(value) for value in row]) for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _row(kind: str, cells: Iterable[str]) -> str:
    filled = "".join(f'<{kind} style="text-align: left">{cell}</{kind}>' for cell in cells)
    return f"<tr>{filled}</tr>"


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return "<br/>".join(f"{escape(str(name))}: {_cell(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        more = f", ... {len(value)} in all" if len(value) > _MOST else ""
        return ", ".join(_cell(one) for one in value[:_MOST]) + more
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))

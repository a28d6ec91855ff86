"""Plain CSV and Parquet tables with a column map: which column is which, several runs in one file included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from empirical.logs.curves import MOST_ROWS, LogError, number, whole_step
from empirical.logs.events import INSTALL
from empirical.logs.names import ALIASES
from empirical.logs.scalars import Rows, header, open_table
from empirical.logs.tags import is_averaged

_OWN = ("step", "value", "readout")
_MOST_RUNS = 10_000


@dataclass(frozen=True)
class ColumnMap:
    """``columns`` our name = the file's column, ``fixed`` what no column and no name says, ``unit`` of the accuracies, None to guess it.

    ``columns`` has ``step`` and ``value``. ``readout`` names a column that says which model a row is of; only rows of averaged models
    are kept. Any other entry is a part of the setting that changes from run to run.
    """

    columns: Mapping[str, str]
    fixed: Mapping[str, str]
    unit: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        """Setting field to column."""
        return {ALIASES.get(name, name): column for name, column in self.columns.items() if name not in _OWN}


@dataclass(frozen=True, slots=True)
class TableRun:
    """One run of a table: the parts of its setting that columns say, and its rows."""

    parts: tuple[tuple[str, str], ...]
    rows: Rows

    @property
    def label(self) -> str:
        """What tells it apart from the other runs of its file."""
        return ", ".join(f"{name}={text}" for name, text in self.parts)


def fits(path: Path, columns: ColumnMap) -> bool:
    """Whether a table has every column that the map names.

    Raises:
        LogError: when the file cannot be read.
    """
    return not _lacking(_names(path), columns)


def read_table(path: Path, columns: ColumnMap) -> tuple[list[TableRun], int]:
    """The runs of a table, in the order of their first rows, and how many rows of local models were left out.

    Raises:
        LogError: naming the line, for anything that cannot be read.
    """
    lacking = _lacking(_names(path), columns)
    if lacking:
        raise LogError(f"it has no column {', '.join(lacking)}; it has {', '.join(_names(path))[:120]}")
    runs: dict[tuple[tuple[str, str], ...], Rows] = {}
    local = 0
    names = [columns.columns["step"], columns.columns["value"], *columns.parts.values(), *filter(None, [columns.columns.get("readout")])]
    for line, cells in _cells(path, names):
        if "readout" in columns.columns and not is_averaged(cells[-1]):
            local += 1
            continue
        parts = tuple(zip(columns.parts, (cell.strip() for cell in cells[2 : 2 + len(columns.parts)]), strict=True))
        if parts not in runs and len(runs) == _MOST_RUNS:
            raise LogError(f"it has more than {_MOST_RUNS} runs, so a column of the map is none of a setting")
        rows = runs.setdefault(parts, Rows([], []))
        rows.steps.append(whole_step(cells[0], line))
        rows.values.append(number(cells[1], line))
    return [TableRun(parts, rows) for parts, rows in runs.items()], local


def is_parquet(path: Path) -> bool:
    """Whether a file is named as a Parquet table."""
    return path.suffix.lower() == ".parquet"


def _lacking(names: Iterable[str], columns: ColumnMap) -> list[str]:
    return sorted(set(columns.columns.values()) - set(names))


def _names(path: Path) -> list[str]:
    return list(_parquet(path).schema_arrow.names) if is_parquet(path) else header(path)


def _cells(path: Path, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(where it is, texts of these columns) of every row."""
    rows = _parquet_cells(path, names) if is_parquet(path) else _csv_cells(path, names)
    for count, row in enumerate(rows):
        if count == MOST_ROWS:
            raise LogError(f"it has more than {MOST_ROWS} rows")
        yield row


def _csv_cells(path: Path, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    found = header(path)
    places = [found.index(name) for name in names]
    with open_table(path) as table:
        rows = ((line, row) for line, row in enumerate(table, start=1) if any(cell.strip() for cell in row))
        for line, row in islice(rows, 1, None):
            if len(row) != len(found):
                raise LogError(f"line {line} has {len(row)} cells, not {len(found)}")
            yield f"line {line}", [row[place] for place in places]


def _parquet(path: Path) -> Any:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise LogError(f"a Parquet file needs pyarrow to be read: {INSTALL}") from None
    try:
        return ParquetFile(path)
    except Exception as error:
        # Errors of pyarrow on damaged files have no common class below Exception.
        raise LogError(f"pyarrow cannot read it ({type(error).__name__}: {str(error)[:80]})") from None


def _parquet_cells(path: Path, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    line = 0
    for batch in _parquet(path).iter_batches(columns=list(dict.fromkeys(names))):
        table: Mapping[str, list[Any]] = batch.to_pydict()
        for row in zip(*(table[name] for name in names), strict=True):
            line += 1
            yield f"row {line}", ["" if cell is None else str(cell) for cell in row]

"""TensorBoard's scalar exports: CSV files with the columns Wall time, Step, Value."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bounds.files import reason
from empirical.logs.curves import MOST_ROWS, LogError, number, whole_step

_COLUMNS = ({"wall time", "step", "value"}, {"step", "value"})


@dataclass(frozen=True, slots=True)
class Rows:
    """Steps and values as they were logged; ``cut`` where the file ends within a row."""

    steps: list[int]
    values: list[float]
    cut: bool = False


@contextmanager
def open_table(path: Path) -> Iterator[Iterator[list[str]]]:
    """The rows of a CSV file: any line ends, with or without a byte order mark, never the whole file at once.

    Raises:
        LogError: when it cannot be read as text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # A comma or a line end that is missing makes one huge cell, which the reader then refuses.
            yield csv.reader(file)
    except OSError as error:
        raise LogError(f"it cannot be read ({reason(error)})") from None
    except UnicodeDecodeError:
        raise LogError("it is not UTF-8 text") from None
    except csv.Error as error:
        raise LogError(f"it is no CSV file ({error})") from None


def header(path: Path) -> list[str]:
    """The cells of the first row that is not empty, stripped.

    Raises:
        LogError: when there is none, or the file cannot be read.
    """
    with open_table(path) as table:
        first = next((row for row in table if any(cell.strip() for cell in row)), None)
    if first is None:
        raise LogError("it is empty")
    return [cell.strip() for cell in first]


def is_export(names: list[str]) -> bool:
    """Whether a file with these columns is a scalar export."""
    return {name.lower() for name in names} in _COLUMNS and len(set(names)) == len(names)


def read_export(path: Path) -> Rows:
    """The rows of a scalar export.

    Raises:
        LogError: naming the line, for anything that is not one.
    """
    names = header(path)
    if not is_export(names):
        raise LogError(
            f"its columns are {', '.join(names)[:120]}; a scalar export has Wall time, Step and Value (a column map reads others: --columns)"
        )
    places = {name.lower(): index for index, name in enumerate(names)}
    with open_table(path) as table:
        rows = ((line, row) for line, row in enumerate(table, start=1) if any(cell.strip() for cell in row))
        next(rows)
        return _collect(rows, len(names), places["step"], places["value"])


def _collect(rows: Iterator[tuple[int, list[str]]], width: int, step: int, value: int) -> Rows:
    found = Rows([], [])
    short: str | None = None
    for line, row in rows:
        if short is not None:
            raise LogError(short)
        if len(row) != width or not row[-1].strip():
            # Only the last row of a file that was still being written may be short.
            short = f"line {line} does not have {width} filled cells"
            if len(row) > width:
                raise LogError(short)
            continue
        found.steps.append(whole_step(row[step], f"line {line}"))
        found.values.append(number(row[value], f"line {line}"))
        if len(found.steps) > MOST_ROWS:
            raise LogError(f"it has more than {MOST_ROWS} rows")
    return Rows(found.steps, found.values, short is not None)

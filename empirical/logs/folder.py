"""A folder of logs: every run that can be read, and one line for each file that cannot."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bounds.errors import InputFileError
from bounds.files import reason
from empirical.logs.columns import ColumnMap, fits, is_parquet, read_table
from empirical.logs.curves import AccuracyLog, LogError, checked_curve
from empirical.logs.events import is_event_file, read_events
from empirical.logs.names import compile_pattern, recover, setting, split_name
from empirical.logs.scalars import Rows, header, is_export, read_export
from empirical.logs.tags import Curve, is_local_folder, kind

_TABLES = (".csv", ".parquet")
_CUT = "it ends within a row, so it was cut short"


@dataclass(frozen=True, slots=True)
class Problem:
    """One file, and what is wrong with it."""

    file: str
    problem: str


@dataclass(frozen=True, slots=True)
class Options:
    """How logs are read: the user's name pattern, the tag to compare, and the TOML file with a column map."""

    pattern: str | None = None
    tag: str | None = None
    columns: Path | None = None


@dataclass(frozen=True, slots=True)
class _Reader:
    folder: Path
    pattern: re.Pattern[str] | None
    tag: str | None
    columns: ColumnMap | None


def scan(folder: Path, options: Options) -> tuple[list[AccuracyLog], list[Problem]]:
    """Every run below ``folder``, by name of file, and what could not be read. Other files than logs pass by.

    Raises:
        InputFileError: when there is no such folder, or no log in it.
        GossipBoundsError: for a pattern or a column map that is wrong.
    """
    pattern = None if options.pattern is None else compile_pattern(options.pattern)
    reader = _Reader(folder, pattern, options.tag, _columns(options.columns))
    if not folder.is_dir():
        raise InputFileError(f"there is no folder {str(folder)!r}; give the folder that holds the logs")
    runs, problems = list[AccuracyLog](), list[Problem]()
    seen: dict[Path, str] = {}
    # What lies in the folder itself is read before links to it.
    for path, trouble in sorted(
        _files(folder), key=lambda one: (one[0].resolve() != folder.resolve() / one[0].relative_to(folder), one[0])
    ):
        name = path.relative_to(folder).as_posix()
        first = seen.setdefault(path.resolve(), name)
        if trouble or first != name:
            problems.append(Problem(name, trouble or f"it is a link to {first}, which is read already"))
            continue
        found, wrong = _read(reader, path, name)
        runs += found
        problems += [Problem(*one) for one in wrong]
    if not runs and not problems:
        raise InputFileError(f"the folder {str(folder)!r} holds no log; logs are .csv and .parquet tables and TensorBoard's event files")
    return runs, problems


def _columns(path: Path | None) -> ColumnMap | None:
    if path is None:
        return None
    from empirical.logs.map_file import read_map

    return read_map(path)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every log below ``folder`` in the order of names, each with what keeps it from being opened; links are followed, loops are not."""
    visited: set[Path] = set()
    unreadable: list[OSError] = []
    for place, folders, files in os.walk(folder, followlinks=True, onerror=unreadable.append):
        real = Path(place).resolve()
        folders[:] = [] if real in visited else sorted(name for name in folders if not name.startswith("."))
        if real in visited:
            continue
        visited.add(real)
        for name in sorted(files):
            path = Path(place, name)
            if not name.startswith(".") and (path.suffix.lower() in _TABLES or is_event_file(path)):
                yield path, "" if path.is_file() else "it is no file, or a link to nothing"
    for error in unreadable:
        yield Path(error.filename), f"the folder cannot be opened ({reason(error)})"


def _read(reader: _Reader, path: Path, name: str) -> tuple[list[AccuracyLog], list[tuple[str, str]]]:
    try:
        if is_event_file(path):
            return _one_run(reader, path, name, read_events(path, reader.tag))
        if reader.columns is not None and (is_parquet(path) or fits(path, reader.columns) or not is_export(header(path))):
            return _table(reader, reader.columns, path, name)
        if is_parquet(path):
            raise LogError("a Parquet file has columns of its own; say which is which with --columns FILE.toml")
        return _one_run(reader, path, name, read_export(path))
    except LogError as error:
        return [], [(name, str(error))]


def _named(reader: _Reader, path: Path) -> tuple[dict[str, str] | None, str | None]:
    """The fields that the file's name or that of a folder around it says, and its tag."""
    stem, tag = split_name(path.name if is_event_file(path) else path.stem)
    around = [part.name for part in path.parents if part.is_relative_to(reader.folder) and part != reader.folder]
    within = path.relative_to(reader.folder).with_suffix("").as_posix()
    fields = recover([stem, *around, within], reader.pattern)
    local = [part for part in around if is_local_folder(part)]
    if local:
        raise LogError(f"it lies in {local[0]!r}, so it is a local model's; averaged models are compared with averaged models only")
    return fields, tag


def _one_run(reader: _Reader, path: Path, name: str, rows: Rows) -> tuple[list[AccuracyLog], list[tuple[str, str]]]:
    fields, tag = _named(reader, path)
    if fields is None:
        raise LogError(
            "its name does not match the pattern" if reader.pattern else "its name fits no known pattern; state one with --pattern"
        )
    _require_averaged(tag or fields.pop("tag", None), reader.tag)
    unit = reader.columns.unit if reader.columns else None
    return [_log(name, fields, rows, unit)], [(name, _CUT)] if rows.cut else []


def _require_averaged(tag: str | None, wanted: str | None) -> None:
    if tag is None:
        return
    found = kind(tag, wanted)
    if found is Curve.LOCAL:
        raise LogError(f"its tag {tag!r} is a local model's; averaged models are compared with averaged models only")
    if found is Curve.OTHER:
        raise LogError(f"its tag is {tag!r}, {'not ' + repr(wanted) if wanted else 'which is no accuracy on held-out data'}")


def _log(name: str, fields: Mapping[str, str], rows: Rows, unit: str | None) -> AccuracyLog:
    try:
        ran = setting(fields)
    except ValueError as error:
        raise LogError(str(error)) from None
    return AccuracyLog(name, ran, *checked_curve(rows.steps, rows.values, unit), complete=not rows.cut)


def _table(reader: _Reader, columns: ColumnMap, path: Path, name: str) -> tuple[list[AccuracyLog], list[tuple[str, str]]]:
    fields, _ = _named(reader, path)
    found, local = read_table(path, columns)
    runs, problems = list[AccuracyLog](), list[tuple[str, str]]()
    if local:
        problems.append((name, f"{local} rows of local models are left out; averaged models are compared with averaged models only"))
    for one in found:
        label = f"{name}[{one.label}]" if one.parts else name
        try:
            runs.append(_log(label, {**(fields or {}), **columns.fixed, **dict(one.parts)}, one.rows, columns.unit))
        except LogError as error:
            problems.append((label, str(error)))
    return runs, problems or ([] if runs else [(name, "it has no rows")])

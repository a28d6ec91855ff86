"""Measurements in a CSV file with named columns: means per point, and bands where a ``replicate`` column allows them."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bounds.errors import InputFileError, UnknownNameError, UnknownParameterError
from bounds.files import read_text
from figures.parameter import MeasuredSeries
from verify.statistics import MIN_REPLICATES, max_t_band

_LEVEL = 0.05
_RESAMPLES = 9_999
_SHOWN = 6
Place = tuple[float, ...]


def _number(path: Path, row: int, name: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputFileError(f"row {row} of {str(path)!r} has {text!r} in column {name!r}; write a finite number in every row")
    return value


def _column(path: Path, rows: Sequence[dict[str, str]], name: str) -> list[float]:
    if name not in rows[0]:
        raise _no_column(path, rows, name)
    return [_number(path, index, name, row[name]) for index, row in enumerate(rows, start=1)]


def _rows(path: Path, where: Mapping[str, str]) -> list[dict[str, str]]:
    rows = list(csv.DictReader(read_text(path).splitlines()))
    if not rows:
        raise InputFileError(f"{str(path)!r} has no rows; write a header line and one row per measurement")
    for name, value in where.items():
        if name not in rows[0]:
            raise _no_column(path, rows, name)
        kept = [row for row in rows if _same(row[name], value)]
        if not kept:
            found = ", ".join(list(dict.fromkeys(row[name] for row in rows))[:_SHOWN])
            raise InputFileError(f"no row of {str(path)!r} has {name}={value}; its values of {name} begin with {found}")
        rows = kept
    return rows


def _same(text: str, wanted: str) -> bool:
    try:
        return float(text) == float(wanted)
    except (TypeError, ValueError):
        return text == wanted


def _no_column(path: Path, rows: Sequence[dict[str, str]], name: str) -> UnknownNameError:
    return UnknownNameError(f"{str(path)!r} has no column {name!r}; its columns are {', '.join(rows[0])}")


def _words(at: Place) -> str:
    return ", ".join(f"{value:g}" for value in at)


def _by_replicate(path: Path, places: Sequence[Place], y: list[float], replicate: list[str]) -> tuple[list[Place], np.ndarray]:
    """The points in order and values (replicates, points); every replicate must have every point once."""
    table: dict[str, dict[Place, float]] = defaultdict(dict)
    for at, value, name in zip(places, y, replicate, strict=True):
        if at in table[name]:
            raise InputFileError(f"{str(path)!r} has replicate {name!r} twice at {_words(at)}; give each replicate one row per point")
        table[name][at] = value
    points = sorted(set(places))
    for name, values in table.items():
        for at in points:
            if at not in values:
                raise InputFileError(f"{str(path)!r} lacks replicate {name!r} at {_words(at)}; give each replicate one row per point")
    return points, np.array([[values[at] for at in points] for values in table.values()])


def parse_where(texts: Sequence[str]) -> dict[str, str]:
    """``["n=16"]`` to the wanted value of each column.

    Raises:
        UnknownParameterError: for an argument without ``=``, or a column given twice.
    """
    where: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in where:
            raise UnknownParameterError(f"got --where {text}; write COLUMN=VALUE, each column once")
        where[name] = value
    return where


def read_points(path: Path, names: Sequence[str], y_name: str, where: Mapping[str, str]) -> tuple[list[Place], np.ndarray]:
    """The points (values of the columns ``names``) in order and the measurements (replicates, points).

    Only rows are read that have the values ``where`` says, by column. Without a ``replicate`` column there is one row of measurements: the means per point.

    Raises:
        InputFileError, UnknownNameError: each one line, for files and columns that do not fit.
    """
    rows = _rows(path, where)
    places = list(zip(*(_column(path, rows, name) for name in names), strict=True))
    y = _column(path, rows, y_name)
    if "replicate" in rows[0]:
        return _by_replicate(path, places, y, [row["replicate"] for row in rows])
    groups: dict[Place, list[float]] = defaultdict(list)
    for at, value in zip(places, y, strict=True):
        groups[at].append(value)
    points = sorted(groups)
    return points, np.array([[np.mean(groups[at]) for at in points]])


def read_measured(path: Path, x_name: str, y_name: str, seed: int, where: Mapping[str, str]) -> MeasuredSeries:
    """Measurements along one column: means per point, with simultaneous 95 % bands where a ``replicate`` column allows them.

    Raises:
        InputFileError, UnknownNameError: each one line, for files and columns that do not fit.
    """
    places, values = read_points(path, (x_name,), y_name, where)
    points = np.array([at for (at,) in places])
    if len(values) < MIN_REPLICATES:
        return MeasuredSeries(points, values.mean(axis=0), replicates=len(values))
    band = max_t_band(values, _LEVEL, _RESAMPLES, np.random.default_rng(seed))
    return MeasuredSeries(points, band.mean, band.low, band.high, len(values), "simultaneous 95 % band")

"""``plot``: a bound over one parameter, measurements from a CSV file beside it."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import bounds
from bounds.bound import Bound
from bounds.errors import InputFileError, MissingParameterError, UnknownNameError, UnknownParameterError
from bounds.files import read_text
from bounds.symbols import symbol
from figures.parameter import MeasuredSeries, Series, bound_over_parameter
from figures.style import save
from gossip_bounds.arguments import Value, parse_assignments
from gossip_bounds.evaluation import evaluate_grid
from verify.statistics import MIN_REPLICATES, max_t_band

_LEVEL = 0.05
_RESAMPLES = 9_999
_MAX_FAMILY = 8


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
        raise UnknownNameError(f"{str(path)!r} has no column {name!r}; its columns are {', '.join(rows[0])}")
    return [_number(path, index, name, row[name]) for index, row in enumerate(rows, start=1)]


def _by_replicate(path: Path, x: list[float], y: list[float], replicate: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Points (points,) and values (replicates, points); every replicate must have every point once."""
    table: dict[str, dict[float, float]] = defaultdict(dict)
    for at, value, name in zip(x, y, replicate, strict=True):
        if at in table[name]:
            raise InputFileError(f"{str(path)!r} has replicate {name!r} twice at {at:g}; give each replicate one row per point")
        table[name][at] = value
    points = sorted(set(x))
    for name, values in table.items():
        for at in points:
            if at not in values:
                raise InputFileError(f"{str(path)!r} lacks replicate {name!r} at {at:g}; give each replicate one row per point")
    return np.array(points), np.array([[values[at] for at in points] for values in table.values()])


def read_measured(path: Path, x_name: str, y_name: str, seed: int) -> MeasuredSeries:
    """Measurements from a CSV file: means per point, with simultaneous 95 % bands where a ``replicate`` column allows them.

    Raises:
        InputFileError, UnknownNameError: each one line, for files and columns that do not fit.
    """
    rows = list(csv.DictReader(read_text(path).splitlines()))
    if not rows:
        raise InputFileError(f"{str(path)!r} has no rows; write a header line and one row per measurement")
    x, y = _column(path, rows, x_name), _column(path, rows, y_name)
    if "replicate" not in rows[0]:
        points = np.array(sorted(set(x)))
        mean = np.array([np.mean([v for at, v in zip(x, y, strict=True) if at == p]) for p in points])
        return MeasuredSeries(points, mean)
    points, values = _by_replicate(path, x, y, [row["replicate"] for row in rows])
    if len(values) < MIN_REPLICATES:
        return MeasuredSeries(points, values.mean(axis=0), replicates=len(values))
    band = max_t_band(values, _LEVEL, _RESAMPLES, np.random.default_rng(seed))
    return MeasuredSeries(points, band.mean, band.low, band.high, len(values), "simultaneous 95 % band")


def _series(
    bound: Bound, axis: str, values: dict[str, list[Value]], topology: str | None, form: str | None, readout: str | None
) -> list[Series]:
    families = [name for name, options in values.items() if len(options) > 1 and name != axis]
    if len(families) > 1:
        raise UnknownParameterError(
            f"got {len(families) + 1} grids ({axis}, {', '.join(families)}); plot takes one for the axis and one for a family"
        )
    if not families:
        return [Series(bound.id, np.array([e.value for e in evaluate_grid(bound, values, topology, form, readout)]))]
    family = families[0]
    if len(values[family]) > _MAX_FAMILY:
        raise UnknownParameterError(f"{family} has {len(values[family])} values; a readable family has at most {_MAX_FAMILY}")
    lines = []
    for option in values[family]:
        line = evaluate_grid(bound, values | {family: [option]}, topology, form, readout)
        lines.append(Series(f"{bound.id}, {family} = {option:g}", np.array([e.value for e in line])))
    return lines


def plot_bound(
    bound_id: str,
    assignments: list[str],
    topology: str | None,
    form: str | None,
    readout: str | None,
    measured: Path | None,
    x: str | None,
    y: str | None,
    seed: int,
    output: Path,
) -> None:
    """Draw the bound over its first grid and write the figure; nothing is written when anything is wrong.

    Raises:
        GossipBoundsError: each kind one line.
    """
    bound = bounds.get(bound_id)
    values = parse_assignments(assignments)
    axis = next((text.partition("=")[0] for text in assignments if ":" in text), None)
    if axis is None:
        raise MissingParameterError("plot needs a grid for the horizontal axis; write for example T=10:1000:50:log")
    beside = None
    if measured is not None:
        if x is None or y is None:
            raise MissingParameterError("--measured needs the columns; give --x COLUMN and --y COLUMN")
        beside = read_measured(measured, x, y, seed)
    series = _series(bound, axis, values, topology, form, readout)
    log = any(text.startswith(f"{axis}=") and text.endswith(":log") for text in assignments)
    figure = bound_over_parameter(symbol(axis), np.array(values[axis], dtype=float), series, bound.quantity, log, beside)
    save(figure, output)

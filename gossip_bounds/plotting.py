"""``plot``: a bound over one parameter, measurements from a CSV file beside it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import bounds
from bounds.bound import Bound
from bounds.errors import MissingParameterError, UnknownParameterError
from bounds.symbols import symbol
from figures.parameter import Series, bound_over_parameter
from figures.style import save
from gossip_bounds.arguments import Value, parse_assignments
from gossip_bounds.evaluation import evaluate_grid
from gossip_bounds.readings import parse_where, read_measured

_MAX_FAMILY = 8


def _series(
    bound: Bound, axis: str, values: dict[str, list[Value]], topology: str | None, form: str | None, readout: str | None
) -> list[Series]:
    families = {name: options for name, options in values.items() if len(options) > 1 and name != axis}
    count = math.prod(len(options) for options in families.values())
    if count > _MAX_FAMILY:
        sizes = " times ".join(f"{len(options)} values of {name}" for name, options in families.items())
        raise UnknownParameterError(f"got {sizes}, {count} lines; a readable family has at most {_MAX_FAMILY}: lower a count, or use --map")
    lines = []
    for chosen in itertools.product(*families.values()):
        member = dict(zip(families, chosen, strict=True))
        line = evaluate_grid(bound, values | {name: [value] for name, value in member.items()}, topology, form, readout)
        label = ", ".join([bound.id, *(f"{name} = {value:g}" for name, value in member.items())])
        lines.append(Series(label, np.array([e.value for e in line])))
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
    where: Sequence[str] = (),
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
        beside = read_measured(measured, x, y, seed, parse_where(where))
    series = _series(bound, axis, values, topology, form, readout)
    log = any(text.startswith(f"{axis}=") and text.endswith(":log") for text in assignments)
    figure = bound_over_parameter(symbol(axis), np.array(values[axis], dtype=float), series, bound.quantity, log, beside)
    save(figure, output)

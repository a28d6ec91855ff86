"""``plot --map``: a bound over two parameters, or how tight it is where it was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import bounds
from bounds.bound import Bound
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from bounds.symbols import symbol
from figures.maps import ValueMap, value_map
from figures.style import save
from figures.tightness import tightness_figure
from gossip_bounds.arguments import Value, parse_assignments, single
from gossip_bounds.evaluation import Evaluation, evaluate_grid, evaluate_point
from gossip_bounds.readings import parse_where, read_points
from verify.tightness import tightness_map

Words = tuple[str | None, str | None, str | None]
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Which rows and columns of a CSV file are drawn."""

    path: Path
    x: str | None
    x2: str | None
    y: str | None
    where: Sequence[str]


def plot_map(
    bound_id: str, assignments: list[str], words: Words, columns: Columns | None, trivial: float | None, seed: int, output: Path
) -> None:
    """Draw the map and write the figure; ``words`` are topology, update form and readout.

    Raises:
        GossipBoundsError: each kind one line; nothing is written then.
    """
    bound = bounds.get(bound_id)
    values = parse_assignments(assignments)
    bound.check_names(values.keys() - {"m"})
    if trivial is not None and not 0 < trivial < math.inf:
        raise DomainError(f"got --trivial {trivial:g}; the trivial bound is a finite number > 0")
    if trivial is not None and columns is not None:
        raise UnknownParameterError(
            "--trivial marks a map of the bound; with --measured the map is of bound/measured: leave one of them out"
        )
    figure = _values(bound, assignments, values, words, trivial) if columns is None else _ratios(bound, values, words, columns, seed)
    save(figure, output)


def _values(bound: Bound, assignments: list[str], values: dict[str, list[Value]], words: Words, trivial: float | None) -> Figure:
    grids = [text.partition("=")[0] for text in assignments if ":" in text]
    if len(grids) != 2 or min(len(values[name]) for name in grids) < 2:
        raise MissingParameterError(
            f"--map needs two grids of at least 2 values, across and up, got {len(grids)}; write for example T=10:1e5:40:log m=2:100:40:log"
        )
    x, y = grids
    count = len(values[x]) * len(values[y])
    if count > _MOST:
        raise DomainError(f"the map has {count} points; allowed are at most {_MOST}: lower a count")
    fixed = {name: options for name, options in values.items() if name not in grids}
    found = evaluate_grid(bound, {**fixed, y: sorted(values[y]), x: sorted(values[x])}, *words)
    shape = (len(values[y]), len(values[x]))
    numbers = np.array([one.value for one in found]).reshape(shape)
    applies = np.array([one.applies is not False for one in found]).reshape(shape)
    across, up = (np.array(sorted(values[name]), dtype=np.float64) for name in grids)
    told = _told(fixed, words, found)
    return value_map(ValueMap(bound.id, bound.quantity, symbol(x), symbol(y), across, up, numbers, applies, told, trivial))


def _ratios(bound: Bound, values: dict[str, list[Value]], words: Words, columns: Columns, seed: int) -> Figure:
    path, x, x2, y = columns.path, columns.x, columns.x2, columns.y
    if x is None or x2 is None or y is None:
        raise MissingParameterError("a map of measurements needs three columns; give --x COLUMN --x2 COLUMN and --y COLUMN")
    if x == x2:
        raise UnknownParameterError(f"got {x} as --x and --x2; a map has two parameters")
    names = (x, x2)
    for name in names:
        if name in values:
            raise UnknownParameterError(f"{name} is given and is a column of {str(path)!r} too; leave {name}=... out")
    bound.check_names(set(names) - {"m"})
    fixed = {name: single(values, name) for name in values}
    points, measured = read_points(path, names, y, parse_where(columns.where))
    at = [{**fixed, **{name: _plain(name, value) for name, value in zip(names, point, strict=True)}} for point in points]
    found = [evaluate_point(bound, one, *words) for one in at]
    limits, applies = [one.value for one in found], [one.applies is not False for one in found]
    told = _told({name: [value] for name, value in fixed.items()}, words, found)
    return tightness_figure(tightness_map(bound.id, names, points, measured, limits, applies, seed), bound.quantity, told)


def _plain(name: str, value: float) -> Value:
    """A whole number where the symbol is one; out of its domain it is refused later."""
    return int(value) if symbol(name).domain.integer and value == int(value) else value


def _told(fixed: dict[str, list[Value]], words: Words, found: Sequence[Evaluation]) -> dict[str, object]:
    """What a reader must know besides the axes: the parameters that stay, the words chosen, and assumptions that nothing decides."""
    chosen = dict(zip(("topology", "update form", "readout"), words, strict=True))
    numbers = {name: options[0] for name, options in fixed.items() if isinstance(options[0], int | float)}
    told: dict[str, object] = numbers | {name: word for name, word in chosen.items() if word is not None}
    open_ = list(dict.fromkeys(text for one in found if one.applies is None for text in one.unmet))
    return told | ({"not known to hold": "; ".join(open_)} if open_ else {})

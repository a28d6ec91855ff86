"""The gossip-steps diagram: graphs by numbers of nodes, in each cell the smallest number of gossip steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bounds.calibration import GossipSteps
from bounds.symbols import symbol
from figures.cells import Cells, cells_figure, short

_MARKS = {"absent": 0, "impossible": 1, "undecided": 2}
_WORDS = ("no such graph", "no Q meets the target", "undecided")
_FULL = 10**6


def gossip_steps_figure(rows: Sequence[GossipSteps], title: str) -> Figure:
    """Draw what :func:`bounds.gossip_table` found: one row of cells per graph, one column per number of nodes.

    ``title`` says what Q is enough for. Q above a million is rounded up to three digits.

    Raises:
        DomainError: for no row.
    """
    graphs = list(dict.fromkeys(one.topology for one in rows))
    nodes = sorted({one.nodes for one in rows})
    values = np.full((len(graphs), len(nodes)), np.nan)
    marks = np.full(values.shape, -1, dtype=np.int64)
    texts = [[""] * len(nodes) for _ in graphs]
    for one in rows:
        row, column = graphs.index(one.topology), nodes.index(one.nodes)
        if one.Q is None:
            marks[row, column] = _MARKS[one.status]
        else:
            values[row, column] = one.Q
            texts[row][column] = steps_text(one.Q)
    columns = [short(count) for count in nodes]
    return cells_figure(Cells(title, symbol("m").label, "graph", columns, graphs, values, texts, marks, _WORDS))


def steps_text(Q: int) -> str:
    """A number of gossip steps; of millions three digits, rounded up, so that as many steps are enough."""
    if Q < _FULL:
        return short(Q)
    unit = 10 ** (int(math.log10(Q)) - 2)
    return short(float(-(-Q // unit) * unit))

"""Mixing matrices from files: weights as CSV, or graphs that networkx reads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from bounds.errors import InputFileError, MixingMatrixError, TopologyError
from bounds.files import read_text
from bounds.topology.graphs import from_graph, topology
from bounds.topology.mixing import MixingMatrix

if TYPE_CHECKING:
    import networkx as nx

GRAPH_SUFFIXES = (".edgelist", ".graphml", ".gml")


def _matrix(path: Path) -> MixingMatrix:
    rows = [row for row in csv.reader(read_text(path).splitlines()) if row]
    try:
        matrix = [[float(cell) for cell in row] for row in rows]
    except ValueError as error:
        raise InputFileError(
            f"{str(path)!r} is not a table of numbers ({error}); write one row of weights per line, separated by commas"
        ) from None
    if len({len(row) for row in matrix}) > 1:
        line = next(i for i, row in enumerate(matrix) if len(row) != len(matrix[0]))
        raise MixingMatrixError(
            f"row {line} of {str(path)!r} has {len(matrix[line])} entries and row 0 has {len(matrix[0])}; a mixing matrix is square"
        )
    return MixingMatrix(matrix, name=path.stem)


def read_graph(path: Path) -> nx.Graph:
    """The graph in an ``.edgelist``, ``.graphml`` or ``.gml`` file.

    Raises:
        InputFileError: when it cannot be read.
    """
    import networkx as nx

    readers = {".edgelist": nx.parse_edgelist, ".graphml": nx.parse_graphml, ".gml": nx.parse_gml}
    text = read_text(path)
    try:
        return readers[path.suffix](text.splitlines() if path.suffix == ".edgelist" else text)
    except Exception as error:
        raise InputFileError(
            f"{str(path)!r} is not a graph that networkx reads as {path.suffix} ({type(error).__name__}); check the file"
        ) from None


def load(name: str, nodes: int | None) -> MixingMatrix:
    """A mixing matrix by topology name with ``nodes`` nodes, or from a file.

    Files: ``.csv`` holds the weights themselves; ``.edgelist``, ``.graphml`` and ``.gml`` hold a graph, which gets
    Metropolis weights. A file's own number of nodes must agree with ``nodes`` when that is given.

    Raises:
        UnknownNameError, TopologyError, MixingMatrixError, DisconnectedGraphError, InputFileError: each one line.
    """
    path = Path(name)
    if path.suffix in (".csv", *GRAPH_SUFFIXES):
        loaded = _matrix(path) if path.suffix == ".csv" else from_graph(read_graph(path), name=path.stem)
        if nodes is not None and nodes != loaded.nodes:
            raise TopologyError(f"{name!r} has {loaded.nodes} nodes but {nodes} were asked for; leave the number out or make them agree")
        return loaded
    if nodes is None:
        raise TopologyError(f"the topology {name!r} needs a number of nodes; give it (--nodes, or m=...)")
    return topology(name, nodes)

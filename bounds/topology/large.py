"""What is known of a topology of any size: from its matrix while that fits, else from a closed form, else from Lanczos iterations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bounds.errors import TopologyError
from bounds.topology.files import GRAPH_SUFFIXES, load, read_graph
from bounds.topology.graphs import GRAPHS, check_nodes, from_graph, plain_name
from bounds.topology.lanczos import Extremes, extremes, sparse_metropolis
from bounds.topology.mixing import MixingMatrix
from bounds.topology.spectra import Spectrum, closed_form, is_product, product_spectrum

DENSE = 1024
"""Up to so many nodes the matrix is built; it would take 8 m^2 bytes and m^3 operations."""


def structured(name: str, nodes: int | None) -> MixingMatrix | Spectrum:
    """The topology with all its eigenvalues: a product or more than :data:`DENSE` nodes in closed form where there is one.

    Raises:
        UnknownNameError, TopologyError, MixingMatrixError, DisconnectedGraphError, InputFileError: as :func:`load`.
    """
    if is_product(name):
        return product_spectrum(name, nodes)
    if nodes is not None and nodes > DENSE and not Path(name).suffix:
        found = closed_form(name, nodes)
        if found is not None:
            return found
    return load(name, nodes)


def network(name: str, nodes: int | None) -> MixingMatrix | Spectrum | Extremes:
    """The same, but of a large graph without closed form only the ends of the spectrum, which Lanczos iterations find.

    Raises:
        UnknownNameError, TopologyError, MixingMatrixError, DisconnectedGraphError, InputFileError: as :func:`load`.
        DomainError: when the gap is too small for Lanczos iterations.
    """
    if Path(name).suffix in GRAPH_SUFFIXES:
        return _of_file(Path(name), nodes)
    if nodes is None or nodes <= DENSE or is_product(name) or Path(name).suffix or closed_form(name, nodes) is not None:
        return structured(name, nodes)
    return _found(GRAPHS[plain_name(name)](nodes), name, lazy=plain_name(name) != name)


def _found(graph: Any, name: str, lazy: bool = False) -> Extremes:
    import networkx as nx
    from scipy import sparse

    weights = sparse_metropolis(nx.to_scipy_sparse_array(graph, weight=None, format="coo"))
    return extremes((weights + sparse.eye_array(weights.shape[0])) / 2 if lazy else weights, name)


def _of_file(path: Path, nodes: int | None) -> MixingMatrix | Extremes:
    edges = _integer_edges(path) if path.suffix == ".edgelist" else None
    if edges is not None and len(edges) > DENSE:
        adjacency = _adjacency(edges)
        check = adjacency.shape[0]
        if check > DENSE:
            _agree(str(path), nodes, check)
            return extremes(sparse_metropolis(adjacency), path.stem)
    graph = read_graph(path)
    _agree(str(path), nodes, graph.number_of_nodes())
    if graph.number_of_nodes() > DENSE and not graph.is_directed() and not graph.is_multigraph():
        return _found(graph, path.stem)
    return from_graph(graph, name=path.stem)


def _agree(name: str, nodes: int | None, found: int) -> None:
    if nodes is not None and nodes != found:
        check_nodes(nodes)
        raise TopologyError(f"{name!r} has {found} nodes but {nodes} were asked for; leave the number out or make them agree")


def _integer_edges(path: Path) -> Any | None:
    """Edges between numbered nodes as an (edges, 2) array; None for any other file, which networkx may read."""
    try:
        return np.loadtxt(path, dtype=np.int64, usecols=(0, 1), ndmin=2)
    except (ValueError, OSError):
        return None


def _adjacency(edges: Any) -> Any:
    from scipy import sparse

    names, places = np.unique(edges, return_inverse=True)
    row, column = places.reshape(edges.shape).T
    one_way = sparse.coo_array((np.ones(len(row)), (row, column)), shape=(len(names), len(names)))
    return one_way + one_way.T

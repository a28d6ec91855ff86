"""Mixing matrices: named topologies, any networkx graph, validation and spectra."""

from bounds.topology.files import load
from bounds.topology.graphs import GRAPHS, NAMES, erdos_renyi, from_graph, metropolis_weights, topology, torus_sides, watts_strogatz
from bounds.topology.mixing import MixingMatrix, validated

__all__ = [
    "GRAPHS",
    "NAMES",
    "MixingMatrix",
    "erdos_renyi",
    "from_graph",
    "load",
    "metropolis_weights",
    "topology",
    "torus_sides",
    "validated",
    "watts_strogatz",
]

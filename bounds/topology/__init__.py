"""Mixing matrices: named topologies, any networkx graph, validation and spectra."""

from bounds.topology.files import load
from bounds.topology.graphs import GRAPHS, from_graph, metropolis_weights, topology, torus_sides
from bounds.topology.mixing import MixingMatrix, validated

__all__ = ["GRAPHS", "MixingMatrix", "from_graph", "load", "metropolis_weights", "topology", "torus_sides", "validated"]

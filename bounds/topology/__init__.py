"""Mixing matrices: named topologies, any networkx graph, validation and spectra."""

from bounds.topology.files import load
from bounds.topology.graphs import GRAPHS, NAMES, erdos_renyi, from_graph, metropolis_weights, topology, torus_sides, watts_strogatz
from bounds.topology.lanczos import Extremes, extremes, sparse_metropolis
from bounds.topology.large import network, structured
from bounds.topology.mixing import MixingMatrix, validated
from bounds.topology.spectra import Spectrum, closed_form, gossip_steps, product_spectrum

__all__ = [
    "GRAPHS",
    "NAMES",
    "Extremes",
    "MixingMatrix",
    "Spectrum",
    "closed_form",
    "erdos_renyi",
    "extremes",
    "from_graph",
    "gossip_steps",
    "load",
    "metropolis_weights",
    "network",
    "product_spectrum",
    "sparse_metropolis",
    "structured",
    "topology",
    "torus_sides",
    "validated",
    "watts_strogatz",
]

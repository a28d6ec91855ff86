"""Spectra in closed form: what millions of nodes need, for which no matrix is ever built.

A graph whose nodes all have ``degree`` neighbours has the Metropolis matrix I - L/(1 + degree), L its Laplacian. Everything is
kept as distances from 1, which are sums of squared sines: 1 - cos(2 pi/m) loses every digit long before m is a million.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError, TopologyError
from bounds.topology.graphs import GRAPHS, check_nodes, directed_hops, plain_name, powers_of_two, torus_sides

Array = NDArray[np.float64]
_FACTOR = re.compile(r"\s*(\w+):(\d+)\s*")
_MOST_NODES = 1 << 27


@dataclass(frozen=True, eq=False)
class Spectrum:
    """All eigenvalues of a normal doubly stochastic matrix of known structure.

    Args:
        name: the topology.
        distance: 1 - eigenvalue, shape (m,), ascending by real part, 0 first; complex for an asymmetric matrix.
        degree: messages that the busiest node sends in one gossip step.
        transitive: whether all nodes look alike from where they stand, so that W^Q has a constant diagonal.
    """

    name: str
    distance: NDArray[Any]
    degree: int
    transitive: bool = True

    @property
    def nodes(self) -> int:
        """Number of nodes m."""
        return len(self.distance)

    @property
    def symmetric(self) -> bool:
        """Whether the matrix is symmetric, so that its eigenvalues are real."""
        return not np.iscomplexobj(self.distance)

    @cached_property
    def spectrum(self) -> NDArray[Any]:
        """The eigenvalues, shape (m,), descending by real part."""
        return 1 - self.distance

    @cached_property
    def gap(self) -> float:
        """Spectral gap 1 - max_{i>=2} |lambda_i|, to a relative accuracy of about 1e-14; 1 for a single node."""
        others = self.distance[1:]
        if len(others) == 0:
            return 1.0
        # 1 - |1 - d| without cancellation for small d, real or complex.
        return float(np.min((2 * others.real - np.abs(others) ** 2) / (1 + np.abs(1 - others))))

    @property
    def lambda_2(self) -> float | None:
        """Second largest eigenvalue; None for one node or an asymmetric matrix."""
        return float(1 - self.distance[1]) if self.symmetric and self.nodes > 1 else None

    @property
    def lambda_min(self) -> float | None:
        """Smallest eigenvalue; None for an asymmetric matrix."""
        return float(1 - self.distance[-1]) if self.symmetric else None

    def w_min(self, Q: int = 1) -> float:
        """Smallest diagonal entry of W^Q: the mean of the eigenvalues' powers where all nodes are alike.

        Raises:
            TopologyError: where nodes differ.
        """
        if not self.transitive:
            raise TopologyError(f"the diagonal of W^Q is not known for {self.name!r} with {self.nodes} nodes; give w_min=VALUE instead")
        return float(np.mean((self.spectrum**Q).real))

    def effective_neighbours(self, decay: float = 0.95) -> float:
        """Effective number of neighbours of the walk x <- W(sqrt(d) x + noise); see :class:`MixingMatrix`.

        Raises:
            DomainError: when ``decay`` is not in [0, 1).
        """
        if not 0 <= decay < 1:
            raise DomainError(f"got decay={decay!r}; it takes a number >= 0 and < 1")
        squares = np.abs(self.spectrum) ** 2
        return float(1 / ((1 - decay) * np.mean(squares / (1 - decay * squares))))


@dataclass(frozen=True, eq=False)
class _Regular:
    """The Laplacian eigenvalues of a graph whose nodes all have ``degree`` neighbours, and all look alike."""

    degree: int
    laplacian: Array


def _circulant(nodes: int, hops: list[int]) -> _Regular:
    """Node i beside i + h and i - h: eigenvalue k is the sum over distinct neighbours j of 2 sin^2(pi j k / m)."""
    neighbours = {sign * hop % nodes for hop in hops for sign in (1, -1)} - {0}
    k = np.arange(nodes)
    laplacian = np.zeros(nodes)
    for neighbour in sorted(neighbours):
        # Reduced as integers: the sine of a large angle has lost its digits.
        laplacian += 2 * np.sin(np.pi * (neighbour * k % nodes) / nodes) ** 2
    return _Regular(len(neighbours), laplacian)


def _hypercube(nodes: int) -> _Regular:
    sides = nodes.bit_length() - 1
    if nodes & (nodes - 1):
        GRAPHS["hypercube"](nodes)
    return _Regular(sides, np.repeat(2.0 * np.arange(sides + 1), [math.comb(sides, k) for k in range(sides + 1)]))


def _together(one: _Regular, other: _Regular) -> _Regular:
    """The Cartesian product: neighbours in either factor; Laplacian eigenvalues add."""
    return _Regular(one.degree + other.degree, np.add.outer(one.laplacian, other.laplacian).ravel())


def _regular(name: str, nodes: int) -> _Regular | None:
    if name == "ring":
        return _circulant(nodes, [1])
    if name == "exponential":
        return _circulant(nodes, powers_of_two(nodes))
    # Three nodes or fewer see each other both ways round.
    if name == "complete" or (name == "exponential_directed" and nodes <= 3):
        return _Regular(nodes - 1, np.concatenate([np.zeros(1), np.full(nodes - 1, float(nodes))]))
    if name == "hypercube":
        return _hypercube(nodes)
    if name == "torus":
        return reduce(_together, [_circulant(side, [1]) for side in torus_sides(nodes)])
    return None


def _ascending(name: str, distance: Array, degree: int, transitive: bool = True) -> Spectrum:
    return Spectrum(name, np.sort(distance), degree, transitive)


def _directed(nodes: int) -> Spectrum:
    hops = directed_hops(nodes)
    k, distance = np.arange(nodes), np.zeros(nodes, dtype=complex)
    for hop in hops:
        half = np.pi * (hop * k % nodes) / nodes
        distance += (2 * np.sin(half) ** 2 - 1j * np.sin(2 * half)) / len(hops)
    return Spectrum("exponential_directed", distance[np.argsort(distance.real, kind="stable")], len(hops) - 1)


def _irregular(name: str, nodes: int) -> Spectrum | None:
    if name not in ("path", "star"):
        return None
    if nodes <= 2:
        return _ascending(name, np.arange(nodes, dtype=np.float64), nodes - 1)
    if name == "path":
        return _ascending(name, 4 / 3 * np.sin(np.pi * np.arange(nodes) / (2 * nodes)) ** 2, 2, transitive=False)
    return _ascending(name, np.concatenate([np.zeros(1), np.full(nodes - 2, 1 / nodes), np.ones(1)]), nodes - 1, transitive=False)


def closed_form(name: str, nodes: int) -> Spectrum | None:
    """The spectrum of the named topology with Metropolis weights (equal ones if directed); None where no closed form is known.

    Known: ring, torus, hypercube, exponential, exponential_directed, complete, path, star, each also ``lazy_``. Memory is a few
    arrays of m numbers.

    >>> found = closed_form("ring", 1_000_000)
    >>> f"{found.gap:.6e}"
    '1.315947e-11'

    Raises:
        UnknownNameError, TopologyError: as :func:`bounds.topology.topology`.
    """
    plain = plain_name(name)
    check_nodes(nodes, _MOST_NODES)
    regular = _regular(plain, nodes)
    if regular is not None:
        found: Spectrum | None = _ascending(name, regular.laplacian / (1 + regular.degree), regular.degree)
    else:
        found = _directed(nodes) if plain == "exponential_directed" else _irregular(plain, nodes)
    if found is None or plain == name:
        return found
    return Spectrum(name, found.distance / 2, found.degree, found.transitive)


def _kronecker(one: Spectrum, other: Spectrum) -> Spectrum:
    a, b = one.distance[:, None], other.distance[None, :]
    distance = (a + b - a * b).ravel()
    return Spectrum("", distance[np.argsort(distance.real, kind="stable")], one.degree + other.degree, one.transitive and other.transitive)


def _factors(text: str, separator: str) -> list[tuple[str, int]]:
    found = [(part, _FACTOR.fullmatch(part)) for part in text.split(separator)]
    for part, match in found:
        if match is None:
            raise TopologyError(
                f"got the factor {part.strip()!r} in {text!r}; write a product as ring:100*complete:8 (gossip in one factor, then in "
                "the next) or ring:20+ring:20+ring:25 (edges of all factors), with * or + alone"
            )
    factors = [(match[1], int(match[2])) for _, match in found if match is not None]
    check_nodes(math.prod(nodes for _, nodes in factors), _MOST_NODES)
    return factors


def _sum_of(name: str, factors: list[tuple[str, int]]) -> Spectrum:
    parts = [_regular(plain_name(factor), nodes) if nodes else None for factor, nodes in factors]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        wrong = factors[parts.index(None)]
        raise TopologyError(
            f"got the factor {wrong[0]}:{wrong[1]} in {name!r}; a sum takes ring, torus, hypercube, exponential and complete, whose nodes "
            "all have as many neighbours"
        )
    whole = reduce(_together, known)
    return _ascending(name, whole.laplacian / (1 + whole.degree), whole.degree)


def _product_of(name: str, factors: list[tuple[str, int]]) -> Spectrum:
    parts = [closed_form(*factor) for factor in factors]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        raise TopologyError(
            f"got the factor {factors[parts.index(None)][0]!r} in {name!r}, whose spectrum has no closed form; leave it out"
        )
    whole = reduce(_kronecker, known)
    return Spectrum(name, whole.distance, whole.degree, whole.transitive)


def is_product(name: str) -> bool:
    """Whether ``name`` is written as a product of topologies."""
    return ":" in name and not name.endswith((".csv", ".edgelist", ".graphml", ".gml"))


def product_spectrum(name: str, nodes: int | None = None) -> Spectrum:
    """The spectrum of a product of named topologies.

    ``ring:1250*complete:8`` is W1 (x) W2: a gossip step in the first factor, then one in the second; eigenvalues multiply, and
    ``degree`` counts the messages of both. ``ring:20+ring:20+ring:25`` is the Cartesian product with Metropolis weights: a node's
    neighbours are those in each factor, and Laplacian eigenvalues add.

    >>> found = product_spectrum("ring:1250*complete:8")
    >>> f"{found.gap:.6e}"
    '8.422045e-06'

    Raises:
        UnknownNameError, TopologyError: for a factor that is not known, or a number of nodes that is not theirs.
    """
    made = _sum_of(name, _factors(name, "+")) if "+" in name else _product_of(name, _factors(name, "*"))
    if nodes is not None and nodes != made.nodes:
        raise TopologyError(f"{name!r} has {made.nodes} nodes but {nodes} were asked for; leave the number out or make them agree")
    return made


def gossip_steps(gap: float, target: float) -> int:
    """The smallest Q >= 1 with (1 - gap)^Q <= target: the gossip steps after which every disagreement has shrunk by ``target``.

    It is exact for normal matrices (all symmetric ones), where (1 - gap)^Q is the norm of W^Q off consensus.

    >>> gossip_steps(0.5, 1e-3)
    10

    Raises:
        DomainError: when ``gap`` is not in (0, 1] or ``target`` not in (0, 1).
    """
    if not 0 < gap <= 1:
        raise DomainError(f"got gap={gap!r}; it takes a number > 0 and <= 1")
    if not 0 < target < 1:
        raise DomainError(f"got target={target!r}; it takes a number > 0 and < 1")
    if gap == 1:
        return 1
    rate, wanted = math.log1p(-gap), math.log(target)
    steps = max(1, math.ceil(wanted / rate))
    return steps - 1 if steps > 1 and (steps - 1) * rate <= wanted else steps

"""How many gossip steps each graph needs at each number of nodes: to shrink every disagreement, or to bring a bound to a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bounds.bound import Bound
from bounds.calibration.solve import solve
from bounds.errors import DomainError, TopologyError, UnknownParameterError

if TYPE_CHECKING:
    from bounds.topology import Extremes, MixingMatrix, Spectrum

GRAPHS = ("ring", "torus", "hypercube", "exponential", "complete")
#: Powers of 4: every graph above exists for them.
NODES = (4, 16, 64, 256, 1024, 4096, 16384)
_SET_HERE = ("m", "gap", "spectrum", "w_min", "Q")
Status = Literal["found", "impossible", "undecided", "absent"]


@dataclass(frozen=True, slots=True)
class GossipSteps:
    """The smallest Q on one graph of ``nodes`` nodes.

    Attributes:
        status: "found"; "impossible" where no Q meets the target; "undecided" where the search cannot tell; "absent" where the graph does
            not exist for so many nodes.
        gap: the spectral gap of the mixing matrix, None without one.
        Q: gossip steps per step, None unless found. reason: in words.
    """

    topology: str
    nodes: int
    status: Status
    gap: float | None
    Q: int | None
    reason: str

    def row(self) -> dict[str, Any]:
        """The JSON row."""
        return {name: getattr(self, name) for name in self.__slots__}


def gossip_table(
    graphs: Sequence[str] = GRAPHS,
    nodes: Sequence[int] = NODES,
    *,
    target: float,
    bound: Bound | None = None,
    update_form: str | None = None,
    readout: str | None = None,
    **values: Any,
) -> tuple[GossipSteps, ...]:
    """The smallest Q on every graph for every number of nodes, graph by graph.

    Without a bound: the smallest Q with (1 - gap)^Q <= target, after which every disagreement is at most this share of what it was
    (:func:`bounds.topology.gossip_steps`). With one: the smallest Q at which the bound is at most the target, as ``calibrate`` finds
    it; the graph sets ``m``, ``gap`` and ``spectrum``, and ``values`` are all other parameters. Gaps come from closed forms where
    there are any, so that tens of thousands of nodes take no longer than ten.

    >>> [one.Q for one in gossip_table(["ring", "complete"], [16, 10_000], target=1e-3)]
    [133, 52492644, 1, 1]

    Raises:
        UnknownNameError, UnknownParameterError, MissingParameterError, DomainError: each one line.
    """
    _check(graphs, nodes, bound, values)
    choice = (update_form, readout)
    return tuple(_one(name, count, target, bound, choice, values) for name in graphs for count in nodes)


def _check(graphs: Sequence[str], nodes: Sequence[int], bound: Bound | None, values: Mapping[str, Any]) -> None:
    if not graphs or not nodes:
        raise DomainError(f"got {len(graphs)} graphs and {len(nodes)} numbers of nodes; give at least one of each")
    few = next((count for count in nodes if count < 2), None)
    if few is not None:
        raise DomainError(f"got {few} nodes; gossip takes at least 2")
    for kind, given in (("graph", graphs), ("number of nodes", nodes)):
        twice = next((one for one in given if list(given).count(one) > 1), None)
        if twice is not None:
            raise DomainError(f"got the {kind} {twice} twice; give it once")
    if bound is None and values:
        raise UnknownParameterError(f"got {next(iter(values))} and no bound; name a bound that has it, or leave it out")
    if bound is None:
        return
    for name in _SET_HERE:
        if name in values:
            raise UnknownParameterError(f"{name} is set by the graph, its nodes or the search; leave {name}={values[name]} out")
    bound.check_names((*values, "Q"))


def _one(
    name: str, nodes: int, target: float, bound: Bound | None, choice: tuple[str | None, str | None], values: Mapping[str, Any]
) -> GossipSteps:
    from bounds.topology import closed_form, gossip_steps, network

    try:
        found: Spectrum | MixingMatrix | Extremes = closed_form(name, nodes) or network(name, nodes)
    except TopologyError as error:
        return GossipSteps(name, nodes, "absent", None, None, str(error))
    if bound is not None:
        return _of_bound(bound, name, found, target, choice, values)
    reason = "(1 - gap)^Q <= target" + ("" if hasattr(found, "spectrum") else ", with a gap estimated by Lanczos iterations")
    return GossipSteps(name, nodes, "found", found.gap, gossip_steps(found.gap, target), reason)


def _of_bound(
    bound: Bound,
    name: str,
    found: Spectrum | MixingMatrix | Extremes,
    target: float,
    choice: tuple[str | None, str | None],
    values: Mapping[str, Any],
) -> GossipSteps:
    symmetric = getattr(found, "symmetric", True)
    graph: dict[str, Any] = {"m": found.nodes, "gap": found.gap}
    if "spectrum" in bound.formula.parameters:
        if not symmetric or not hasattr(found, "spectrum"):
            return GossipSteps(name, found.nodes, "undecided", found.gap, None, f"{bound.id} needs the whole real spectrum")
        graph["spectrum"] = tuple(found.spectrum.tolist())
    used = {key: value for key, value in graph.items() if key in bound.formula.parameters}
    facts = {"symmetric": symmetric, "doubly_stochastic": True, "nonnegative": True}
    answer = solve(bound, "Q", target, {**values, **used}, *choice, facts, "smallest")
    steps = int(answer.value) if isinstance(answer.value, int | float) else None
    return GossipSteps(name, found.nodes, answer.status, found.gap, steps, answer.reason)

"""Evaluating a bound over a grid, with the topology's facts filled in and every assumption checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bounds import Bound
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from bounds.setting import Fact
from gossip_bounds.arguments import Value, product

if TYPE_CHECKING:
    from bounds.topology import MixingMatrix


@dataclass(frozen=True)
class Evaluation:
    """One evaluated point; ``applies`` is None when an assumption cannot be decided from what was given."""

    bound: str
    parameters: dict[str, Value]
    value: float
    log_value: float
    applies: bool | None
    unmet: list[str]

    def row(self) -> dict[str, Any]:
        """The JSON object of this evaluation."""
        return dict(self.__dict__)

    def flat(self) -> dict[str, Any]:
        """The same as one CSV row."""
        return {
            "bound": self.bound,
            **self.parameters,
            "value": self.value,
            "log_value": self.log_value,
            "applies": self.applies,
            "unmet": "; ".join(self.unmet),
        }


@lru_cache(maxsize=256)
def _load(name: str, nodes: int | None) -> MixingMatrix:
    # numpy and scipy take longer to import than a bound takes to evaluate.
    from bounds.topology import load

    return load(name, nodes)


def _with_topology(bound: Bound, values: dict[str, Value], name: str) -> tuple[dict[str, Value], dict[str, Fact]]:
    if not {"gap", "spectrum", "w_min"} & set(bound.formula.parameters):
        raise UnknownParameterError(f"{bound.id} does not depend on a topology; leave --topology out")
    for taken in ("gap", "spectrum", "w_min"):
        if taken in values:
            raise UnknownParameterError(f"{taken} is given and --topology sets it too; leave one of them out")
    nodes = values.get("m")
    if not isinstance(nodes, int):
        raise MissingParameterError("--topology needs the number of nodes; give m=VALUE")
    matrix = _load(name, nodes)
    if "spectrum" in bound.formula.parameters and not matrix.symmetric:
        raise DomainError(
            f"{bound.id} needs the real spectrum of a symmetric mixing matrix, and {name} is not symmetric; use another topology"
        )
    gossip = values.get("Q", 1)
    facts: dict[str, Value] = {"gap": matrix.gap, "w_min": matrix.w_min(gossip if isinstance(gossip, int) else 1), "m": nodes}
    facts |= {"spectrum": tuple(float(value) for value in matrix.spectrum)} if matrix.symmetric else {}
    used = {key: value for key, value in facts.items() if key in bound.formula.parameters}
    kept = {key: value for key, value in values.items() if key != "m"}
    return kept | used, {"symmetric": matrix.symmetric, "doubly_stochastic": True, "nonnegative": True}


def _check_network(bound: Bound, values: Mapping[str, Value]) -> None:
    """Without --topology: nothing of the network is missing that it would set, and nothing is given that it alone needs."""
    nodes = "m" in values and "m" not in bound.formula.parameters
    if nodes and "spectrum" in values:
        raise UnknownParameterError(
            f"{bound.id} takes no m, which is the number of eigenvalues in spectrum; leave m out, or give --topology instead of spectrum"
        )
    missing = [name for name in bound.formula.required if name not in values]
    if not {"gap", "spectrum"} & set(missing):
        return
    bound.check_names(values.keys() - {"m"})
    given = " ".join("spectrum=1,v2,v3,..." if name == "spectrum" else f"{name}=VALUE" for name in missing)
    network = " and ".join(name for name in missing if name in ("gap", "spectrum"))
    count = "" if "m" in values else "with m=NODES "
    raise MissingParameterError(f"{bound.id} needs {', '.join(missing)}; give {given} (--topology NAME {count}sets {network})")


def evaluate_point(
    bound: Bound, values: dict[str, Value], topology: str | None, update_form: str | None, readout: str | None = None
) -> Evaluation:
    """Evaluate at one point; names and domains are checked before the topology is built."""
    facts: dict[str, Fact] = {}
    if topology is None:
        _check_network(bound, values)
    if topology is not None:
        bound.check_names(values.keys() - {"m"})
        values, facts = _with_topology(bound, values, topology)
    value = bound.evaluate(update_form=update_form, readout=readout, **values)
    outcomes = bound.assess({**facts, **values}, update_form, readout)
    applies = False if any(o.holds is False for o in outcomes) else None if outcomes else True
    return Evaluation(
        bound=bound.id,
        parameters=values,
        value=value,
        log_value=bound.log_value(values, update_form, readout),
        applies=applies,
        unmet=[o.text for o in outcomes],
    )


def evaluate_grid(
    bound: Bound, values: Mapping[str, Sequence[Value]], topology: str | None, update_form: str | None, readout: str | None = None
) -> list[Evaluation]:
    """Evaluate at every combination of the given values."""
    return [evaluate_point(bound, point, topology, update_form, readout) for point in product(values)]

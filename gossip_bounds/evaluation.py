"""Evaluating a bound over a grid, with the topology's facts filled in and every assumption checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bounds
from bounds import Bound
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from bounds.setting import Fact
from bounds.vocabulary import Quantity
from gossip_bounds.arguments import Value, parse_assignments, product, split_words
from gossip_bounds.output import print_json, print_table, write_csv

if TYPE_CHECKING:
    from bounds.topology import MixingMatrix, Spectrum

_SHOWN = 6


@dataclass(frozen=True)
class Evaluation:
    """One evaluated point; ``applies`` is None when an assumption cannot be decided from what was given.

    ``log_value`` is None for a negative value.
    """

    bound: str
    parameters: dict[str, Value]
    value: float
    log_value: float | None
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
def _load(name: str, nodes: int | None) -> MixingMatrix | Spectrum:
    # numpy and scipy take longer to import than a bound takes to evaluate.
    from bounds.topology import structured

    return structured(name, nodes)


def with_topology(bound: Bound, values: dict[str, Value], name: str) -> tuple[dict[str, Value], dict[str, Fact]]:
    """The values with what the topology sets, and the structural facts known of it.

    Raises:
        UnknownParameterError, MissingParameterError, DomainError, TopologyError: each one line.
    """
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
    facts: dict[str, Callable[[], Value]] = {
        "gap": lambda: matrix.gap,
        "w_min": lambda: matrix.w_min(gossip if isinstance(gossip, int) else 1),
        "m": lambda: nodes,
    }
    facts |= {"spectrum": lambda: tuple(matrix.spectrum.tolist())} if matrix.symmetric else {}
    # W^Q takes seconds for a thousand nodes: only what the bound asks for is found.
    used = {key: find() for key, find in facts.items() if key in bound.formula.parameters}
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
        values, facts = with_topology(bound, values, topology)
    value = bound.evaluate(update_form=update_form, readout=readout, **values)
    outcomes = bound.assess({**facts, **values}, update_form, readout)
    applies = False if any(o.holds is False for o in outcomes) else None if outcomes else True
    return Evaluation(
        bound=bound.id,
        parameters=values,
        value=value,
        log_value=None if value < 0 else bound.log_value(values, update_form, readout),
        applies=applies,
        unmet=[o.text for o in outcomes],
    )


def evaluate_grid(
    bound: Bound, values: Mapping[str, Sequence[Value]], topology: str | None, update_form: str | None, readout: str | None = None
) -> list[Evaluation]:
    """Evaluate at every combination of the given values."""
    return [evaluate_point(bound, point, topology, update_form, readout) for point in product(values)]


def report(
    bound_id: str,
    assignments: Sequence[str],
    topology: str | None = None,
    update_form: str | None = None,
    readout: str | None = None,
    json: bool = False,
    csv: Path | None = None,
) -> None:
    """What ``evaluate`` prints and writes."""
    bound = bounds.get(bound_id)
    texts, update_form, readout = split_words(assignments, update_form, readout)
    evaluations = evaluate_grid(bound, parse_assignments(texts), topology, update_form, readout)
    is_grid = any(":" in text for text in texts)
    if csv is not None:
        write_csv(csv, [e.flat() for e in evaluations])
    if json:
        print_json([e.row() for e in evaluations] if is_grid else {"schema_version": 1, **evaluations[0].row()})
    elif is_grid:
        print_table([e.flat() for e in evaluations])
    else:
        _print(bound, evaluations[0])


def _print(bound: Bound, evaluation: Evaluation) -> None:
    what = bound.title if bound.quantity is Quantity.OTHER else bound.quantity.label
    print(f"{bound.id} = {evaluation.value:.6g}    ({what}: {bound.kind.label})")
    print("  at " + ", ".join(f"{name}={_shown(value)}" for name, value in evaluation.parameters.items()))
    words = {True: "yes", False: "NO", None: "not known"}
    print(f"  applies: {words[evaluation.applies]}")
    for reason in evaluation.unmet:
        print(f"  - {reason}")


def _shown(value: Any) -> str:
    if not isinstance(value, tuple):
        return f"{value:g}"
    rows = any(isinstance(entry, tuple) for entry in value)
    parts = [_shown(entry) if isinstance(entry, tuple) else f"{entry:.4g}" for entry in value[:_SHOWN]]
    return (";" if rows else ",").join([*parts, *(["..."] if len(value) > _SHOWN else [])])

"""Every declared direction of the catalogue, certified: the rows of the certificates page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bounds
from bounds.certificates import Status, Witness
from bounds.registry import catalogue
from bounds.vocabulary import Direction
from verify.plan import Progress, Task, execute

#: Long enough that a busy machine decides what an idle one does.
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class CertifiedDirection:
    """One bound and parameter: the declared direction and what became of it (``status`` is None where none is declared)."""

    bound: str
    parameter: str
    direction: Direction
    status: Status | None
    engine: str
    reason: str
    cases: int
    witnesses: tuple[Witness, ...]

    def row(self) -> dict[str, Any]:
        """The JSON row."""
        points = [
            {"first": dict(one.first), "second": dict(one.second), "first_value": one.first_value, "second_value": one.second_value}
            for one in self.witnesses
        ]
        words = {"bound": self.bound, "parameter": self.parameter, "direction": self.direction.value, "status": self.status}
        return {**words, "engine": self.engine, "reason": self.reason, "cases": self.cases, "witnesses": points}


def certify_bound(bound_id: str) -> tuple[CertifiedDirection, ...]:
    """Every parameter of one bound."""
    bound = bounds.get(bound_id)
    return tuple(_certified(bound, parameter) for parameter in bound.formula.parameters)


def _certified(bound: bounds.Bound, parameter: str) -> CertifiedDirection:
    direction = bound.directions[parameter]
    if direction is Direction.UNKNOWN:
        return CertifiedDirection(bound.id, parameter, direction, None, "", bound.open_questions.get(parameter, ""), 0, ())
    found = bounds.certify(bound, parameter, seconds=SECONDS)
    witnesses = tuple(filter(None, (found.witness, found.opposite)))
    return CertifiedDirection(bound.id, parameter, direction, found.status, found.engine, found.reason, len(found.proofs), witnesses)


def certify_catalogue(
    jobs: int = 0, progress: Progress | None = None, names: Sequence[str] | None = None
) -> tuple[CertifiedDirection, ...]:
    """Every bound of the catalogue (or the named ones), bound by bound, on the default box."""
    chosen = list(catalogue()) if names is None else list(names)
    tasks = [Task(certify_bound, (name,), cost=float(len(bounds.get(name).formula.parameters))) for name in chosen]
    results = execute(tasks, jobs, progress)
    return tuple(row for task in tasks for row in results[task])

"""A report's worth of claims: which were asked for, what they need, and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bounds.errors import unknown_name
from bounds.notebook import table
from bounds.registry import loaded
from verify.case import Case, Context
from verify.claims import cao2025, core, li2025, own, zhu2023
from verify.claims.core import Budget
from verify.plan import Memory, Pool, Progress, Task, execute, spread
from verify.self_check import SelfCheck, self_check_task
from verify.statistics import split_level
from verify.verdict import CaseResult

if TYPE_CHECKING:
    import pandas

#: Replicates and twins per configuration; more decide more.
BUDGETS = {
    "quick": Budget("quick", replicates=40, twins=2),
    "default": Budget("default", replicates=128, twins=4),
    "full": Budget("full", replicates=800, twins=4),
}
LEVEL = 0.05
#: Claims that a run of everything holds at the default budget; a paper's own take the quick one there.
_ALWAYS_DEFAULT = ("core-", "own-")

_CLAIMS = {**core.CLAIMS, **li2025.CLAIMS, **cao2025.CLAIMS, **zhu2023.CLAIMS}


def _claims() -> dict[str, own.Build]:
    return {**_CLAIMS, **own.claims()}


@dataclass(frozen=True, slots=True)
class Suite:
    """Everything that a report shows: one result per case, and the calibration of the verdict path itself."""

    results: tuple[CaseResult, ...]
    self_check: SelfCheck
    level: float
    measured_claims: int

    def to_pandas(self) -> pandas.DataFrame:
        """One row per case, with the columns of ``results.json``."""
        import pandas

        return pandas.DataFrame([result.row() for result in self.results])

    def _repr_html_(self) -> str:
        rows = [(one.claim, one.case, one.verdict.name, one.evidence.value, one.reason) for one in self.results]
        return table(("claim", "case", "verdict", "evidence", "why"), rows)


def select(names: Sequence[str]) -> list[str]:
    """The claims with these names; a paper's prefix selects all of its claims, and no name selects every claim.

    Raises:
        UnknownNameError: for a name that is neither.
    """
    known = _claims()
    if not names:
        return list(known)
    chosen: list[str] = []
    for name in names:
        found = [claim for claim in known if claim == name or claim.startswith(f"{name}-")]
        if not found:
            raise unknown_name("claim", name, [*known, *{claim.partition("-")[0] for claim in known}])
        chosen += found
    return list(dict.fromkeys(chosen))


def budgets(names: Sequence[str], name: str | None = None) -> dict[str, Budget]:
    """The budget of each selected claim, in the catalogue's order.

    ``name`` is that of all of them. None gives the claims that are asked for by ``names`` the default budget; where no
    name selects everything, the base experiments have the default budget and the papers' claims the quick one.

    Raises:
        UnknownNameError: for a name that is no claim.
    """
    usual = BUDGETS["default"] if names else BUDGETS["quick"]
    return {claim: BUDGETS[name] if name else BUDGETS["default"] if claim.startswith(_ALWAYS_DEFAULT) else usual for claim in select(names)}


def cases(chosen: Mapping[str, Budget], seed: int, device: str) -> list[Case]:
    """Every case of the claims in ``chosen``, each with its budget, in that order."""
    known = _claims()
    return [case for claim, budget in chosen.items() for case in known[claim](budget, seed, device)]


def run_suite(
    chosen: Mapping[str, Budget],
    seed: int = 0,
    device: str = "auto",
    jobs: int = 0,
    progress: Progress | None = None,
    memory: Memory | None = None,
    built: Sequence[Case] | None = None,
    pool: Pool | None = None,
) -> Suite:
    """Run and decide the claims in ``chosen`` (see :func:`budgets`); the same arguments give the same bits, whatever ``jobs``.

    The error level 0.05 is split evenly over the measured cases (Bonferroni), so that with probability at least 0.95 no
    measured verdict of the report is a false VIOLATED, and likewise no false HOLDS. ``memory`` keeps finished runs.
    ``built`` are the cases of ``chosen``, where the caller has them: building all takes over a second. ``pool`` is where the runs run; verdicts are found here.
    """
    found = cases(chosen, seed, device) if built is None else built
    measured = sum(case.measured for case in found)
    level = split_level(LEVEL, max(measured, 1))
    check = self_check_task(all(budget.name == "quick" for budget in chosen.values()), seed)
    results = execute([check, *training(found)], jobs, progress, memory, pool)
    context = Context(level, seed)
    return Suite(tuple(_decide_all(found, results, context, jobs)), results[check], level, measured)


def _decide_all(found: Sequence[Case], results: Mapping[Task, Any], context: Context, jobs: int) -> list[CaseResult]:
    """Verdicts in the order of the cases; a theorem that was loaded is known to this process only."""
    arguments = [(case, {task: results[task] for task in case.tasks()}, context) for case in found]
    return spread(_decide, arguments, 1 if loaded() else jobs)


def _decide(case: Case, results: Mapping[Task, Any], context: Context) -> CaseResult:
    return case.decide(results, context)


def training(found: Sequence[Case]) -> list[Task]:
    """What must run before these cases can be decided."""
    return [task for case in found for task in case.tasks()]

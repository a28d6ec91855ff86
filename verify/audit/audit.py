"""Runs the audit: every cell, every planted error, the power table, on as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Sequence

import bounds
from bounds.registry import catalogue
from verify.audit.alarms import REPLICATES, cell, cells
from verify.audit.mistakes import mistakes
from verify.audit.mutants import mutants_of
from verify.audit.power import forecasts, power_cells
from verify.audit.results import Audit
from verify.plan import Progress, Task, execute

TRIALS, QUICK_TRIALS = 4_000, 400


def run_audit(
    trials: int = TRIALS, seed: int = 0, jobs: int = 0, progress: Progress | None = None, names: Sequence[str] | None = None
) -> Audit:
    """Run the whole audit; the same arguments give the same result, whatever ``jobs``.

    Args:
        trials: of each cell of the false alarms; a tenth of them for power.
        names: the bounds in which errors are planted by rule; the whole catalogue when left out.

    Raises:
        DomainError, UnknownNameError: for no trials, or a name that is no bound.
    """
    alarms = [Task(cell, (noise, count, points, trials, seed), cost=3.0 * count) for noise, count, points in cells()]
    powers = [Task(power_cells, (count, max(trials // 10, 1), seed), cost=1.0) for count in REPLICATES]
    told = Task(forecasts, (max(trials // 10, 1), seed), cost=10.0)
    chosen = list(catalogue()) if names is None else list(names)
    planted = [Task(mutants_of, (name,), cost=1000.0 + len(bounds.get(name).formula.parameters)) for name in chosen]
    named = Task(mistakes, (), cost=5000.0)
    results = execute([*alarms, *powers, told, *planted, named], jobs, progress)
    return Audit(
        trials,
        seed,
        tuple(results[task] for task in alarms),
        tuple(one for task in powers for one in results[task]),
        tuple(results[told]),
        (*(one for task in planted for one in results[task]), *results[named]),
    )

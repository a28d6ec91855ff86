"""Whether two algorithms are the same: their trajectories on the same random draws, compared number by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.symbols import symbol
from bounds.topology import MixingMatrix
from bounds.vocabulary import Quantity, Readout
from empirical import Run, trajectory
from verify.case import Case, Context
from verify.plan import Task
from verify.verdict import CaseResult, Curve, Evidence, Numbers, Verdict


def largest_differences(run: Run, other: Run, device: str) -> NDArray[np.float64]:
    """Largest |entry| difference between any node of ``run`` and the one model of ``other``, per replicate and checkpoint.

    Shape (replicates, checkpoints); both runs use the same random draws (a :class:`Task` function).
    """
    models, reference = (np.asarray(trajectory(one, device=device)) for one in (run, other))
    gaps = np.abs(models - reference)
    return np.asarray(gaps.max(axis=tuple(range(2, gaps.ndim))))


def averaging_error(mixing: MixingMatrix, Q: int) -> float:
    """Largest entry of |W^Q - J| with J the averaging matrix (every entry 1/m)."""
    return float(np.abs(mixing.power(Q) - 1 / mixing.nodes).max())


@dataclass(frozen=True)
class IdentityCase(Case):
    """Every node of ``runs[i]`` against the single model of ``other``, along ``parameter``; the last run decides.

    That they are the same HOLDS when the largest difference is at most ``tolerance``; one larger difference is a witness, hence
    VIOLATED. ``differ`` says that the statement claims a difference instead, and turns both around; ``consequence`` ends its reason.
    """

    claim: str
    case: str
    paper: str
    statement: str
    runs: tuple[Run, ...]
    other: Run
    parameter: str
    x: tuple[float, ...]
    tolerance: float = 1e-12
    device: str = "auto"
    differ: bool = False
    consequence: str = ""
    measured: bool = False

    def _task(self, run: Run) -> Task:
        return Task(largest_differences, (run, self.other, self.device), float(run.replicates * run.m * run.T))

    def tasks(self) -> list[Task]:
        return [self._task(run) for run in self.runs]

    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        differences = [results[self._task(run)] for run in self.runs]
        largest = np.array([found.max() for found in differences])
        last = self.runs[-1]
        same = bool(largest[-1] <= self.tolerance)
        relation = "at most" if same else "above"
        reason = (
            f"Over {last.replicates} runs of {last.T} steps on the same draws, the largest difference between any entry of any node's "
            f"model and the mini-batch model is {largest[-1]:.3g}, {relation} the tolerance {self.tolerance:g}.{self.consequence}"
        )
        return CaseResult(
            **self.heading(),
            verdict=Verdict.HOLDS if same != self.differ else Verdict.VIOLATED,
            reason=reason,
            evidence=Evidence.EXACT,
            update_form=last.update_form.value,
            readout=Readout.NODE_AVERAGE.value,
            conditions=self._conditions(last),
            numbers=Numbers(measured=float(largest[-1]), bound=self.tolerance, replicates=last.replicates),
            curves=(self._curve(differences),),
        )

    def _conditions(self, run: Run) -> dict[str, Any]:
        mixing = run.mixing()
        return {
            "problem": run.problem,
            "topology": mixing.name,
            "m": run.m,
            "n": run.n,
            "T": run.T,
            **run.schedule.facts(),
            "b": run.b,
            "Q": run.Q,
            "largest entry of |W^Q - averaging|": averaging_error(mixing, run.Q),
            "precision": run.precision,
            "seed": run.seed,
        }

    def _curve(self, differences: list[NDArray[np.float64]]) -> Curve:
        return Curve(
            parameter=symbol(self.parameter),
            quantity=Quantity.OTHER,
            x=np.array(self.x, dtype=float),
            mean=np.array([found.mean() for found in differences]),
            low=np.array([found.min() for found in differences]),
            high=np.array([found.max() for found in differences]),
            bound=np.full(len(differences), self.tolerance),
            bound_id=None,
            level=0.0,
            replicates=self.other.replicates,
            values=np.stack([found[:, -1] for found in differences], axis=1),
            label="largest difference to the mini-batch model",
            bound_label=f"tolerance {self.tolerance:g}",
        )

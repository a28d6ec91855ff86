"""Cases decided by a function of their own: from bounds and recursions alone, or from measured runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bounds.setting import Constant, Fact
from bounds.vocabulary import Quantity, UpdateForm
from empirical import Measurement, Run
from verify.case import Case, Context
from verify.curve_case import Request, run_requests
from verify.plan import Task
from verify.verdict import CaseResult, Curve, Evidence, Map, Numbers, Scatter, Table, Verdict

#: What one run measured, by request and number of steps.
Measured = Mapping[tuple[Request, int], Measurement]
#: Replicates of a probe.
_FEW = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """What a function found: everything of a :class:`CaseResult` that is not known before. It is what worker processes send."""

    verdict: Verdict
    reason: str
    numbers: Numbers = field(default_factory=Numbers)
    vacuous: bool | None = None
    conditions: Mapping[str, Fact] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    tables: tuple[Table, ...] = ()
    maps: tuple[Map | Scatter, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """What is known of a case before anything ran: whose claim it is, what it says, and about which update form and readout."""

    claim: str
    case: str
    paper: str
    statement: str
    update_form: str
    readout: str

    def result(self, finding: Finding, evidence: Evidence) -> CaseResult:
        """The finding under this heading."""
        return CaseResult(
            claim=self.claim,
            case=self.case,
            paper=self.paper,
            statement=self.statement,
            verdict=finding.verdict,
            reason=finding.reason,
            evidence=evidence,
            update_form=self.update_form,
            readout=self.readout,
            conditions=finding.conditions,
            numbers=finding.numbers,
            vacuous=finding.vacuous,
            constants=finding.constants,
            curves=finding.curves,
            tables=finding.tables,
            maps=finding.maps,
        )


class _Headed(Case):
    about: Heading

    @property
    def claim(self) -> str:  # type: ignore[override]
        return self.about.claim

    @property
    def case(self) -> str:  # type: ignore[override]
        return self.about.case

    @property
    def paper(self) -> str:  # type: ignore[override]
        return self.about.paper

    @property
    def statement(self) -> str:  # type: ignore[override]
        return self.about.statement


@dataclass(frozen=True)
class ExactCase(_Headed):
    """Decided without sampling error: ``find(*arguments)``, a module-level function, returns a :class:`Finding`.

    ``evidence`` is PROVED for certificates, orders and algebra, EXACT for recursions and witnesses.
    """

    about: Heading
    find: Callable[..., Finding]
    arguments: tuple[Hashable, ...] = ()
    evidence: Evidence = Evidence.PROVED
    cost: float = 1.0
    measured: bool = False

    def _task(self) -> Task:
        return Task(self.find, self.arguments, self.cost)

    def tasks(self) -> list[Task]:
        return [self._task()]

    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        return self.about.result(results[self._task()], self.evidence)


@dataclass(frozen=True)
class RunsCase(_Headed):
    """Decided from measured runs: ``find(measured, level, rng, *arguments)`` returns a :class:`Finding`.

    ``measured`` has one mapping (request, steps) -> Measurement per run, in the order of ``runs``; ``level`` is the probability of a
    wrong verdict that this case may spend on either side, ``rng`` its own bootstrap stream. Runs of one seed share their training
    sets and draws, replicate by replicate, so that their differences may be judged as pairs. A centralized run has no consensus
    distance and is not asked for one.

    ``read(run, requests, device)``, a module-level function, measures one run; another one may take requests of its own and return
    whatever ``find`` understands.
    """

    about: Heading
    runs: tuple[Run, ...]
    requests: tuple[Any, ...]
    find: Callable[..., Finding]
    arguments: tuple[Any, ...] = ()
    device: str = "auto"
    measured: bool = True
    read: Callable[[Run, tuple[Any, ...], str], Any] = run_requests

    def _task(self, run: Run) -> Task:
        alone = run.update_form is UpdateForm.CENTRALIZED
        requests = tuple(one for one in self.requests if not (alone and one[0] is Quantity.CONSENSUS_DISTANCE))
        few = replace(run, replicates=min(run.replicates, _FEW))
        # What reads at steps of its own cannot be cut short in time.
        probe = None if requests else Task(self.read, (few, requests, self.device), few.samples_read)
        return Task(self.read, (run, requests, self.device), run.samples_read, probe)

    def tasks(self) -> list[Task]:
        return [self._task(run) for run in self.runs]

    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        measured = tuple(results[self._task(run)] for run in self.runs)
        rng: np.random.Generator = context.rng(self.claim, self.case)
        return self.about.result(self.find(measured, context.level, rng, *self.arguments), Evidence.MEASURED)


@dataclass(frozen=True)
class TasksCase(_Headed):
    """Decided from samples that no training run draws: ``find(results, level, rng, *arguments)`` returns a :class:`Finding`.

    ``results`` are those of ``asked``, in that order; equal tasks of several cases run once. ``evidence`` is LOGGED for somebody else's
    runs. The rest is as for :class:`RunsCase`.
    """

    about: Heading
    asked: tuple[Task, ...]
    find: Callable[..., Finding]
    arguments: tuple[Any, ...] = ()
    measured: bool = True
    evidence: Evidence = Evidence.MEASURED

    def tasks(self) -> list[Task]:
        return list(self.asked)

    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        found = tuple(results[task] for task in self.asked)
        rng: np.random.Generator = context.rng(self.claim, self.case)
        return self.about.result(self.find(found, context.level, rng, *self.arguments), self.evidence)

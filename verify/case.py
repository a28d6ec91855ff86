"""What a case is: the part of a claim that one verdict decides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.streams import stream
from verify.plan import Task
from verify.verdict import CaseResult

RESAMPLES = 9_999


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may depend on besides the evidence: the level of this case and the master seed."""

    level: float
    seed: int

    def rng(self, claim: str, case: str) -> np.random.Generator:
        """The bootstrap's stream for one case; other cases never change it."""
        return stream(self.seed, f"bootstrap {claim} {case}", 0)


class Case(ABC):
    """One case of a claim. ``measured`` cases share the report's error level; the others have no sampling error."""

    claim: str
    case: str
    paper: str
    statement: str
    measured: bool

    def heading(self) -> dict[str, Any]:
        """What every result of this case says about itself."""
        return {"claim": self.claim, "case": self.case, "paper": self.paper, "statement": self.statement}

    @abstractmethod
    def tasks(self) -> list[Task]:
        """What must run before :meth:`decide`."""

    @abstractmethod
    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        """The verdict, from the results of (at least) this case's tasks."""

"""The four verdicts, the levels of evidence behind them, and the record of one decided case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError
from bounds.setting import Constant, Fact
from bounds.symbols import Symbol
from bounds.vocabulary import Quantity


class Verdict(Enum):
    """The value of each member is the sentence shown to people; its name goes into ``results.json``."""

    HOLDS = "The statement is true in this case."
    VIOLATED = "The statement is refuted in this case."
    UNDECIDED = "The evidence does not decide this case."
    NOT_APPLICABLE = "An assumption of the statement fails here, so nothing was compared."


class Evidence(StrEnum):
    """What kind of evidence decides a case."""

    PROVED = "proved"
    EXACT = "exact"
    MEASURED = "measured"
    LOGGED = "logged"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of the point that decides a case (None where a number does not exist).

    ``low`` and ``high`` are the ends of the simultaneous band, ``tightness`` is bound/measured, ``more_replicates``
    how many further replicates would decide an UNDECIDED case with a chance of 80 % if the present means and spreads persist.
    """

    measured: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    tightness: float | None = None
    replicates: int | None = None
    more_replicates: int | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A measured curve beside a bound: one entry per point along ``parameter``.

    ``mean``, ``low``, ``high``, ``bound`` have shape (points,); ``bound`` is None where nothing is compared. For a
    measured curve ``low`` and ``high`` are simultaneous one-sided band ends at confidence ``1 - level`` each, and
    ``values`` (replicates, points) are what they were computed from. ``label`` says what is drawn where the quantity's own
    name does not, ``bound_label`` likewise for the line it is held against.
    ``companions`` are further lines (name, values of shape (points,)) between bound and measurement that decide nothing.
    """

    parameter: Symbol
    quantity: Quantity
    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bound: NDArray[np.float64] | None
    bound_id: str | None
    level: float
    replicates: int
    values: NDArray[np.float64] | None = None
    label: str | None = None
    bound_label: str | None = None
    companions: tuple[tuple[str, NDArray[np.float64]], ...] = ()

    @classmethod
    def exact(
        cls,
        parameter: Symbol,
        quantity: Quantity,
        x: ArrayLike,
        values: NDArray[np.float64],
        bound: NDArray[np.float64] | None = None,
        bound_id: str | None = None,
        **words: Any,
    ) -> Curve:
        """``values`` (points,) without sampling error, so without replicates; ``words`` are label, bound_label and companions."""
        places = np.asarray(x, dtype=np.float64)
        return cls(parameter, quantity, places, values, values, values, bound, bound_id, 0.0, 0, values[None], **words)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that the report shows with a case: one row of cells per entry of ``rows``, under ``heads``."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Fact, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise DomainError(f"got a row of {len(row)} cells in the table {self.title!r}; its {len(self.heads)} columns need as many")


@dataclass(frozen=True, slots=True)
class Map:
    """A picture that the report shows with a case: which of a few answers holds where, over two numbers.

    ``regions`` (y, x) numbers the answers, whose names are ``labels``; ``borders`` are (name, x values, y values) of lines drawn over them.
    ``axes`` names x and y.
    """

    title: str
    axes: tuple[str, str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    regions: NDArray[np.int64]
    labels: tuple[str, ...]
    borders: tuple[tuple[str, NDArray[np.float64], NDArray[np.float64]], ...] = ()

    def __post_init__(self) -> None:
        if self.regions.shape != (len(self.y), len(self.x)):
            raise DomainError(
                f"got regions of shape {self.regions.shape} over {len(self.y)} y and {len(self.x)} x values; give one for each pair"
            )
        if not set(np.unique(self.regions).tolist()) <= set(range(len(self.labels))):
            raise DomainError(f"got regions up to {self.regions.max()} with {len(self.labels)} labels; number them from 0")


@dataclass(frozen=True, slots=True)
class Scatter:
    """A picture that the report shows with a case: points over two numbers, coloured by a third.

    ``x``, ``y`` and ``values`` have shape (points,), ``groups`` names the group of every point, ``axes`` names x, y and the third number.
    ``plane`` (c, a, b) is c + a x + b y, fitted to the third number; its level lines are drawn.
    """

    title: str
    axes: tuple[str, str, str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]
    groups: tuple[str, ...]
    plane: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not self.x.shape == self.y.shape == self.values.shape == (len(self.groups),):
            shapes = f"{self.x.shape}, {self.y.shape}, {self.values.shape} and {len(self.groups)} groups"
            raise DomainError(f"got points of shapes {shapes}; a scatter takes as many x and y as values and groups")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One (claim, case) with its verdict and everything the report shows beside it."""

    claim: str
    case: str
    paper: str
    statement: str
    verdict: Verdict
    reason: str
    evidence: Evidence
    update_form: str
    readout: str
    conditions: Mapping[str, Fact] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    vacuous: bool | None = None
    constants: Mapping[str, Constant] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    tables: tuple[Table, ...] = ()
    maps: tuple[Map | Scatter, ...] = ()
    figures: tuple[str, ...] = ()

    def row(self) -> dict[str, object]:
        """The row of ``results.json``; numbers that are not finite become None."""
        numbers = {name: _finite(getattr(self.numbers, name)) for name in Numbers.__slots__}
        return {
            "claim": self.claim,
            "case": self.case,
            "paper": self.paper,
            "statement": self.statement,
            "verdict": self.verdict.name,
            "reason": self.reason,
            "evidence": self.evidence.value,
            "update_form": self.update_form,
            "readout": self.readout,
            "conditions": dict(self.conditions),
            "numbers": numbers,
            "vacuous": self.vacuous,
            "figures": list(self.figures),
        }


def _finite(value: float | int | None) -> float | int | None:
    return value if value is None or math.isfinite(value) else None

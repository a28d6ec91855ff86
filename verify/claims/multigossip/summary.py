"""All factors at one glance: what the bounds say, what was measured on each problem, and the verdicts, in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import bounds
from empirical.streams import stream
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.images import absent
from verify.claims.multigossip.certified import Claimed, Rows, fixed_total, moves
from verify.claims.multigossip.common import PAPER, Build
from verify.claims.multigossip.factors import FACTORS
from verify.claims.multigossip.moves import Course
from verify.curve_case import Request
from verify.finding_case import Finding, Heading, Measured, RunsCase
from verify.verdict import Table, Verdict

CLAIM = "li2025-factors"
STATEMENT = (
    "Larger samples, more nodes, a better connected topology, a smaller learning rate, less heterogeneous data and fewer steps each make "
    "the model generalize better."
)


@dataclass(frozen=True)
class Entry:
    """One measured case of a factor, and where its runs stand among all runs."""

    claim: str
    case: str
    course: Course
    runs: tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """One row of the table: a factor in one regime."""

    factor: str
    claimed: Claimed
    rows: tuple[tuple[Rows, bool], ...]
    entries: tuple[Entry, ...]


def _certified(line: Line) -> str:
    """The directions of the bounds of the generalization error, each named once."""
    known = [
        (fixed_total(bounds.get(name)) if total else bounds.get(name), parameter) for rows, total in line.rows for name, parameter in rows
    ]
    found = [moves(bound, parameter) for bound, parameter in known]
    return " / ".join(dict.fromkeys(found))


def summary(measured: Sequence[Measured], level: float, rng: np.random.Generator, lines: tuple[Line, ...], seed: int) -> Finding:
    """Every measured case is decided again from the same runs and the same bootstrap stream, so that no two pages differ."""
    rows, counts = [], Counter[Verdict]()
    problems = list(dict.fromkeys(entry.case.split("-")[0] for line in lines for entry in line.entries))
    for line in lines:
        cells: dict[str, list[str]] = {name: [] for name in problems}
        verdicts = []
        for entry in line.entries:
            one = entry.course.trend(
                [measured[index] for index in entry.runs], level, stream(seed, f"bootstrap {entry.claim} {entry.case}", 0)
            )
            problem, quantity = entry.case.split("-")[:2]
            cells[problem].append(f"{quantity}: {one.words}")
            verdicts.append(one.verdict(entry.course.claimed))
        counts.update(verdicts)
        rows.append(
            (
                line.factor,
                line.claimed,
                _certified(line),
                *("; ".join(words) or "not measured" for words in cells.values()),
                _tally(verdicts),
            )
        )
    heads = ("factor", "claimed direction", "bounds (certified)", *(f"measured on {name}" for name in problems), "measured verdicts")
    reason = f"Of the measured cases behind this table {_tally_of(counts)}; the sentence as a whole is true only if every factor is."
    return Finding(_overall(counts), reason, tables=(Table("Every factor, by bound and by run", heads, tuple(rows)),))


def _overall(counts: Counter[Verdict]) -> Verdict:
    if counts[Verdict.VIOLATED]:
        return Verdict.VIOLATED
    return Verdict.HOLDS if set(counts) == {Verdict.HOLDS} else Verdict.UNDECIDED


def _tally(verdicts: Sequence[Verdict]) -> str:
    return _tally_of(Counter(verdicts))


def _tally_of(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict.name}" for verdict in Verdict if counts[verdict])


def factors(budget: Budget, seed: int, device: str) -> list[Case]:
    """One case over the runs of all factors, which the factors' own claims share."""
    cases = [case for factor in FACTORS for case in factor.measured_cases(budget, seed, device)]
    runs = list(dict.fromkeys(run for case in cases for run in case.runs))
    place = {run: index for index, run in enumerate(runs)}
    lines: dict[tuple[str, str], list[Entry]] = {}
    for case in cases:
        regime = case.case.split("-", 2)[2] if case.case.count("-") > 1 else ""
        entry = Entry(case.claim, case.case, case.arguments[0], tuple(place[run] for run in case.runs))
        lines.setdefault((case.claim, regime), []).append(entry)
    table = tuple(_line(claim, regime, entries) for (claim, regime), entries in lines.items())
    about = Heading(CLAIM, "summary", PAPER, STATEMENT, "atc", "node_average")
    requests: tuple[Request, ...] = cases[0].requests
    return [RunsCase(about, tuple(runs), requests, summary, (table, seed), device), *absent(CLAIM, PAPER, STATEMENT, budget)]


def _line(claim: str, regime: str, entries: list[Entry]) -> Line:
    chosen = next(factor for factor in FACTORS if factor.claim == claim)
    # The bounds of the generalization error itself: those of its parts and of the worst node have cases of their own.
    certified = [one for one in chosen.certified if one.case in ("bound", f"bound-{regime}", "bound-l1", "bound-generalization")]
    name = f"{chosen.name}, {regime.replace('-', ' ')}" if regime else chosen.name
    return Line(name, entries[0].course.claimed, tuple((one.rows, one.total) for one in certified), tuple(entries))


CLAIMS: dict[str, Build] = {CLAIM: factors}

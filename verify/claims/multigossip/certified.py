"""What is proved of bounds as formulas: directions with their certificates, whatever ran."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

import bounds
from bounds.bound import Bound
from bounds.certificates import Certificate
from verify.finding_case import Finding
from verify.verdict import Table, Verdict

Claimed = Literal["increasing", "decreasing"]
#: Bounds with the parameter whose direction is asked for.
Rows = tuple[tuple[str, str], ...]
ABSENT = "not in the bound"
_OUTCOMES = {
    ("proved", "refuted"): "increasing",
    ("refuted", "proved"): "decreasing",
    ("proved", "proved"): "constant",
    ("refuted", "refuted"): "mixed",
}
_BOX = "over the default box (T, n to 1e6, m 2 to 1024, gap 1e-4 to 1, Q to 100, constants 1e-2 to 1e2)"


def fixed_total(bound: Bound) -> Bound:
    """``bound`` with n = N/m, so that its direction in m is that at a fixed number N of samples in total."""
    total = [name if name != "n" else "N" for name in bound.formula.required]
    lets = tuple(replace(let, text=re.sub(r"\bn\b", "(N/m)", let.text)) for let in bound.formula.lets)
    conditions = tuple(replace(condition, text=re.sub(r"\bn\b", "(N/m)", condition.text)) for condition in bound.conditions)
    directions = {"N" if name == "n" else name: way for name, way in bound.directions.items()}
    formula = replace(bound.formula, required=tuple(total), lets=lets)
    return replace(bound, formula=formula, conditions=conditions, directions=directions, recursion=None, reductions=())


def certificates(bound: Bound, parameter: str) -> tuple[Certificate, Certificate]:
    """The certificates that the bound never falls and that it never rises in ``parameter``."""
    return bounds.certify(bound, parameter, "increasing"), bounds.certify(bound, parameter, "decreasing")


def moves(bound: Bound, parameter: str) -> str:
    """``increasing`` (never falls, and a certified pair of points rises), ``decreasing``, ``constant``, ``mixed``, or what is not known."""
    if parameter not in (*bound.formula.required, *bound.formula.optional):
        return ABSENT
    up, down = certificates(bound, parameter)
    return _OUTCOMES.get((up.status, down.status), "undecided")


def directions(rows: Rows, claimed: Claimed, total: bool = False, words: str = "") -> Finding:
    """HOLDS where every bound of ``rows`` moves as ``claimed``, VIOLATED where none does; ``total`` fixes N = m n (exact case).

    A bound moves as claimed when it never moves the other way and does move between two certified points. Where some do and
    others do not, or a direction is not proved, the verdict is UNDECIDED.
    """
    chosen = [(fixed_total(bounds.get(bound_id)) if total else bounds.get(bound_id), parameter) for bound_id, parameter in rows]
    found = [moves(bound, parameter) for bound, parameter in chosen]
    agreeing = [outcome == claimed for outcome in found]
    split = any(agreeing) and not all(agreeing)
    verdict = Verdict.UNDECIDED if split or "undecided" in found else Verdict.HOLDS if all(agreeing) else Verdict.VIOLATED
    listed = "; ".join(f"{bound.id} in {parameter}: {outcome}" for (bound, parameter), outcome in zip(chosen, found, strict=True))
    fixed = " with N = m n fixed" if total else ""
    reason = f"Certified {_BOX}{fixed}: {listed}.{' ' + words if words else ''}"
    cells = tuple((bound.id, bound.quantity.label, parameter, outcome) for (bound, parameter), outcome in zip(chosen, found, strict=True))
    return Finding(verdict, reason, tables=(Table("Certified directions", ("bound", "quantity", "parameter", "direction"), cells),))

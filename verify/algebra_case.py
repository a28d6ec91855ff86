"""Whether two bounds are the same expression: decided symbolically."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bounds
from verify.case import Case, Context
from verify.plan import Task
from verify.verdict import CaseResult, Evidence, Verdict


def difference(bound_id: str, other_id: str, substitutions: tuple[tuple[str, str], ...]) -> Any:
    """The simplified difference of two bounds as a sympy expression, after replacing the other's symbols by text in ours."""
    import sympy

    from bounds.expression import parse, to_sympy

    bound, other = bounds.get(bound_id), bounds.get(other_id)
    known = dict.fromkeys(bound.formula.parameters)
    replaced = {to_sympy(bounds.expression.Name(name)): to_sympy(parse(text, known)) for name, text in substitutions}
    return sympy.simplify(bound.sympy() - other.sympy().subs(replaced, simultaneous=True))


@dataclass(frozen=True)
class AlgebraCase(Case):
    """``bound_id`` equals ``other_id`` with the given substitutions."""

    claim: str
    case: str
    paper: str
    statement: str
    bound_id: str
    other_id: str
    substitutions: tuple[tuple[str, str], ...]
    update_form: str
    readout: str
    measured: bool = False

    def tasks(self) -> list[Task]:
        return []

    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        rest = difference(self.bound_id, self.other_id, self.substitutions)
        given = ", ".join(f"{name} = {text}" for name, text in self.substitutions)
        if rest == 0:
            verdict, reason = Verdict.HOLDS, f"{self.bound_id} minus {self.other_id} with {given} simplifies to 0."
        else:
            verdict, reason = Verdict.UNDECIDED, f"{self.bound_id} minus {self.other_id} with {given} simplifies to {rest}, not to 0."
        return CaseResult(
            **self.heading(),
            verdict=verdict,
            reason=reason,
            evidence=Evidence.PROVED,
            update_form=self.update_form,
            readout=self.readout,
            conditions={"bound": self.bound_id, "compared with": self.other_id, "substitution": given},
        )

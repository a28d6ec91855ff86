"""Theorems of one's own against the base experiments: claims ``own-ID``, for every bound that was loaded from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bounds.bound import Bound
from bounds.errors import DomainError
from bounds.registry import loaded
from bounds.vocabulary import UpdateForm
from empirical import Run
from empirical.problems.registry import problem
from empirical.readings import reading
from verify.case import Case
from verify.claims.core import Budget, alone, base_run, sweep
from verify.curve_case import CurveCase, Request

_LENGTHS = (25, 50, 100, 200, 400)

Build = Callable[[Budget, int, str], list[Case]]


def claims() -> dict[str, Build]:
    """A claim for every bound that was loaded."""
    return {f"own-{bound.id}": partial(cases, bound) for bound in loaded()}


def _run(bound: Bound, form: UpdateForm, budget: Budget, seed: int) -> Run:
    """The base experiment whose loss and steps are those that the bound's parameters speak about."""
    needed = set(bound.formula.required)
    if "c" in needed:
        run = base_run(budget, seed, "sigmoid-digits", c=4.0)
    elif "mu" in needed:
        run = base_run(budget, seed, "softmax-l2-digits", eta=0.5, radius=5.0)
    else:
        run = base_run(budget, seed, "softmax-digits", eta=0.5)
    return alone(run) if form is UpdateForm.CENTRALIZED else replace(run, update_form=form)


def _measurable(run: Run, request: Request) -> bool:
    try:
        reading(run, problem(run.problem), *request)
    except DomainError:
        return False
    return True


def cases(bound: Bound, budget: Budget, seed: int, device: str) -> list[Case]:
    """The bound against the number of steps, for each of its update forms and readouts that a run can measure.

    Raises:
        DomainError: when no run measures what the bound speaks about.
    """
    found: list[Case] = []
    for form in bound.update_forms:
        points = sweep(_run(bound, form, budget, seed), "T", _LENGTHS)
        requests = [(bound.quantity, readout) for readout in bound.readouts]
        requests = [request for request in requests if _measurable(points[0].run, request)]
        for quantity, readout in requests:
            name, statement = f"{form.value}-{readout.value.replace('_', '-')}-T", bound.title
            found.append(
                CurveCase(
                    f"own-{bound.id}",
                    name,
                    bound.source.paper,
                    statement,
                    bound.id,
                    quantity,
                    readout,
                    "T",
                    points,
                    tuple(requests),
                    device,
                )
            )
    if not found:
        raise DomainError(
            f"{bound.id} speaks about the {bound.quantity.label}, which no run measures at its readouts; leave it out of verify"
        )
    return found

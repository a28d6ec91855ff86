"""``calibrate``: from a bound and a target to the value of a parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bounds.bound import Bound
from bounds.calibration.admissible import TornError, UnmetError, admissible
from bounds.calibration.answer import Calibration
from bounds.calibration.line import line_of
from bounds.calibration.problem import Problem
from bounds.calibration.search import Search
from bounds.errors import DomainError, UnknownParameterError


def calibrate(
    bound: Bound,
    parameter: str | Sequence[str],
    *,
    target: float | None,
    update_form: str | None = None,
    readout: str | None = None,
    **values: Any,
) -> Calibration:
    """The value of ``parameter`` at which the bound is at most ``target`` and every assumption holds, others held fixed.

    The smallest where the bound falls with the parameter, the largest where it rises. Where it falls and then rises: the
    smallest integer, or the largest real. The declared direction is relied upon; every comparison that decides is Arb's.

    Args:
        parameter: one name; or two, ``("eta", "T")``: the smallest T for which some eta meets the target, with the eta
            that ``calibrate`` gives there.
        target: the bound is to be at most this; None asks for the parameter at which the bound is least.
        values: all the other parameters.

    Returns:
        A :class:`Calibration`: found, impossible (``reason`` names the floor or the assumption) or undecided.

    Raises:
        MissingParameterError, UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    return solve(bound, parameter, target, values, update_form, readout)


def solve(
    bound: Bound,
    parameter: str | Sequence[str],
    target: float | None,
    values: Mapping[str, Any],
    update_form: str | None = None,
    readout: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Calibration:
    """:func:`calibrate` with the structural ``facts`` that are known (of a topology); others are granted."""
    names = (parameter,) if isinstance(parameter, str) else tuple(parameter)
    _check(bound, names, target, values)
    words = bound.words(update_form, readout)
    if len(names) == 2:
        from bounds.calibration.pair import solve_pair

        return solve_pair(bound, names, target, values, words, facts or {})
    bound.check_parameters({**values, names[0]: line_of(names[0]).value(line_of(names[0]).last)})
    return solve_one(Problem(bound, line_of(names[0]), dict(values), *words), target, facts or {})


def solve_one(problem: Problem, target: float | None, facts: Mapping[str, Any]) -> Calibration:
    """The answer for one parameter, its input checked before."""
    try:
        return Search(problem, admissible(problem, facts), target).run()
    except UnmetError as error:
        status, reason = "impossible", str(error)
    except TornError as error:
        status, reason = "undecided", str(error)
    return Calibration(problem.bound.id, problem.line.name, status, None, None, None, None, target, reason)  # type: ignore[arg-type]


def _check(bound: Bound, names: tuple[str, ...], target: float | None, values: Mapping[str, Any]) -> None:
    if not 1 <= len(names) <= 2 or len(set(names)) != len(names):
        raise UnknownParameterError(f"got the parameters {','.join(names)}; calibrate takes one, or two different ones")
    bound.check_names((*names, *values))
    for name in names:
        line_of(name)
        if name in values:
            raise UnknownParameterError(f"{name} is what is sought and is given too; leave {name}={values[name]} out")
    if target is not None and (isinstance(target, str | bool) or not math.isfinite(target)):
        raise DomainError(f"got target={target!r}; give a finite number")

"""``rate``: the order of a bound in one parameter."""

from __future__ import annotations

from typing import Annotated

import typer

import bounds
from bounds.errors import DomainError
from gossip_bounds.commands.options import Form, Json, Own, Readout
from gossip_bounds.output import print_json


def rate(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    parameter: Annotated[str, typer.Argument(metavar="PARAM")],
    given: Annotated[list[str] | None, typer.Option(help="An optional parameter that is given; may be used several times.")] = None,
    limit: Annotated[
        str | None, typer.Option(help="inf or 0; if left out, counts grow and everything else shrinks.", metavar="inf|0")
    ] = None,
    second_opinion: Annotated[bool, typer.Option("--second-opinion", help="Also ask sympy, for a few seconds.")] = False,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Print the order of a bound as one parameter tends to infinity or to 0, the others held fixed."""
    if limit not in (None, "inf", "0"):
        raise DomainError(f"got --limit {limit!r}; give inf or 0")
    found = bounds.rate(bounds.get(bound_id), parameter, given or (), update_form, readout, limit=limit, second_opinion=second_opinion)  # type: ignore[arg-type]
    print_json(found.document()) if json else print(_sentence(found))


def _sentence(found: bounds.Rate) -> str:
    where = f"{found.bound} as {found.parameter} -> {found.limit}, the others held fixed"
    if found.status == "unknown":
        return f"{where}: UNKNOWN ({found.reason})"
    logarithm = "" if found.log_power == "0" else f", times log to the power {found.log_power}"
    return f"{where}: {found.parameter} to the power {found.exponent}{logarithm}"

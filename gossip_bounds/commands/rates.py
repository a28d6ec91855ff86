"""``rate``: the order of a bound in one parameter; ``limit``: what it becomes at special values."""

from __future__ import annotations

from typing import Annotated

import typer

import bounds
from bounds.errors import DomainError
from gossip_bounds.commands.options import Form, Json, Own, Readout
from gossip_bounds.output import print_json

Given = Annotated[list[str] | None, typer.Option(help="An optional parameter that is given; may be used several times.")]


def rate(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    parameter: Annotated[str, typer.Argument(metavar="PARAM")],
    given: Given = None,
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
    outside = f"\n  {found.reason}" if found.reason else ""
    limit = "" if found.value is None else f"; the limit is {found.value}"
    logarithm = "" if found.log_power == "0" else f", times log to the power {found.log_power}"
    return f"{where}: {found.parameter} to the power {found.exponent}{logarithm}{limit}{outside}"


def limit(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    values: Annotated[list[str], typer.Argument(metavar="NAME=VALUE ...", help="Numbers; inf, or 0 where it is no value, for one limit.")],
    given: Given = None,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Print what a bound becomes at special values (m=1, gap=1), or tends to (Q=inf), as a formula in the other parameters."""
    pairs = [text.partition("=") for text in values]
    wrong = next((text for text, pair in zip(values, pairs, strict=True) if not (pair[0] and pair[2])), None)
    if wrong is not None:
        raise DomainError(f"got {wrong!r}; give NAME=VALUE such as Q=inf or m=1")
    twice = next((name for place, (name, _, _) in enumerate(pairs) if name in [other for other, _, _ in pairs[:place]]), None)
    if twice is not None:
        raise DomainError(f"{twice} is given twice; give it once")
    found = bounds.limit(bounds.get(bound_id), {name: text for name, _, text in pairs}, None, given or (), update_form, readout)
    print_json(found.document()) if json else print(_limit_sentence(found))


def _limit_sentence(found: bounds.Limit) -> str:
    where = f"{found.bound} at {', '.join(f'{name}={place}' for name, place in found.at.items())}"
    if found.status == "unknown":
        return f"{where}: UNKNOWN ({found.reason})"
    return f"{where}: {found.value}" + (f"\n  {found.reason}" if found.reason else "")

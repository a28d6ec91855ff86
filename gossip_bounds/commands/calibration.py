"""``calibrate``: the value of a parameter at which a bound meets a target."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import bounds
from bounds import Bound
from bounds.calibration import Calibration, solve
from bounds.errors import MissingParameterError, UnknownParameterError
from bounds.setting import Fact
from gossip_bounds.arguments import Value, number, parse_assignments, single, split_words
from gossip_bounds.commands.options import Form, Json, Own, Readout, Topology
from gossip_bounds.evaluation import with_topology
from gossip_bounds.output import print_json

Values = Annotated[
    list[str] | None, typer.Argument(help="target=VALUE, and all the other parameters.", metavar="target=VALUE NAME=VALUE ...")
]


def calibrate(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    parameter: Annotated[str, typer.Argument(metavar="PARAM", help="One parameter, or two such as eta,T.")],
    assignments: Values = None,
    minimise: Annotated[bool, typer.Option("--minimise", help="Where the bound is least, in place of a target.")] = False,
    side: Annotated[str | None, typer.Option(help="Which of the values that meet the target.", metavar="smallest|largest")] = None,
    topology: Topology = None,
    update_form: Form = None,
    readout: Readout = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Find the PARAM at which the bound is at most the target: the smallest where it falls with PARAM, else the largest."""
    bound = bounds.get(bound_id)
    texts, update_form, readout = split_words(assignments or [], update_form, readout)
    target, texts = _target(texts, minimise)
    parsed = parse_assignments(texts)
    bound.check_names(parsed)
    values: dict[str, Value] = {name: single(parsed, name) for name in parsed}
    names = tuple(parameter.split(","))
    facts: dict[str, Fact] = {}
    if topology is not None:
        values, facts = _on(bound, names, values, topology)
    answer = solve(bound, names, target, values, update_form, readout, facts, side)  # type: ignore[arg-type]
    print_json(answer.document()) if json else _print(bound, answer)


def _target(texts: list[str], minimise: bool) -> tuple[float | None, list[str]]:
    """The target and the other assignments."""
    given = [text for text in texts if text.startswith("target=")]
    if len(given) > 1 or (given and minimise):
        raise UnknownParameterError("the target is given twice; give one target=VALUE, or --minimise")
    if not given and not minimise:
        raise MissingParameterError("calibrate needs what the bound must meet; give target=VALUE, or --minimise for its least value")
    rest = [text for text in texts if text not in given]
    return (float(number("target", given[0].partition("=")[2])) if given else None), rest


def _on(bound: Bound, names: tuple[str, ...], values: dict[str, Value], topology: str) -> tuple[dict[str, Value], dict[str, Fact]]:
    """The values on a topology, which must not change with what is sought."""
    bound.check_names({*names, *values} - {"m"})
    for name, moved in (("m", "gap"), ("Q", "w_min")):
        if name in names and {name, moved} <= {*bound.formula.parameters}:
            raise UnknownParameterError(f"{name} is sought, and {moved} of a topology changes with it; give {moved}=VALUE, not --topology")
    for name in ("gap", "spectrum", "w_min"):
        if name in names:
            raise UnknownParameterError(f"{name} is sought, and --topology sets it; leave --topology out")
    return with_topology(bound, values, topology)


def _print(bound: Bound, answer: Calibration) -> None:
    goal = "is least" if answer.target is None else f"<= {answer.target:g}"
    print(f"{bound.id} {goal}, by {answer.parameter}: {answer.status.upper()}")
    if answer.status == "found":
        for name, value, low, high in _rows(answer):
            enclosed = "" if low == high else f"    (the threshold lies in [{low!r}, {high!r}])"
            print(f"  {name} = {value!r}{enclosed}")
    if answer.achieved is not None:
        print(f"  the bound {'there' if answer.status == 'found' else 'at best'}: {answer.achieved:.9g}")
    print(f"  {answer.reason}")


def _rows(answer: Calibration) -> list[tuple[Any, ...]]:
    value, low, high = answer.value, answer.low, answer.high
    if isinstance(value, dict) and isinstance(low, dict) and isinstance(high, dict):
        return [(name, value[name], low[name], high[name]) for name in value]
    return [(answer.parameter, value, low, high)]

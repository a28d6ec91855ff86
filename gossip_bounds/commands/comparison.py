"""``compare``: which of two bounds is smaller over a box, and where they cross."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bounds
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from gossip_bounds.arguments import number, split_words
from gossip_bounds.commands.options import Form, Json, Own, Readout
from gossip_bounds.output import print_json

if TYPE_CHECKING:
    from bounds.comparison import Comparison, Crossing, OrderWitness

_WORDS = {"<=": "is never above", ">=": "is never below", "crosses": "crosses", "undecided": "has no decided order with"}
Box = dict[str, tuple[float, float]]

Ranges = Annotated[
    list[str] | None, typer.Argument(help="NAME=lo:hi in place of the default range, or NAME=VALUE.", metavar="NAME=lo:hi ...")
]


def compare(
    first: Annotated[str, typer.Argument(metavar="ID")],
    second: Annotated[str, typer.Argument(metavar="ID")],
    ranges: Ranges = None,
    along: Annotated[
        str | None, typer.Option(help="Enclose all crossings along this parameter, the others fixed.", metavar="PARAM")
    ] = None,
    plot: Annotated[
        str | None, typer.Option(help="Draw which is smaller over two parameters with ranges, the others fixed.", metavar="X,Y")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Figure file for --plot: .png, .svg or .pdf.")] = None,
    let: Annotated[
        list[str] | None,
        typer.Option("--let", help="A parameter of one bound in those of the other, such as N=m*n.", metavar="NAME=EXPRESSION"),
    ] = None,
    update_form: Form = None,
    readout: Readout = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same witnesses.")] = 0,
    own: Own = None,
    json: Json = False,
) -> None:
    """Tell which of two bounds is smaller wherever the assumptions of both hold, and where they cross."""
    a, b = bounds.get(first), bounds.get(second)
    texts, form, chosen = split_words(ranges or [], update_form, readout)
    box, lets = _box(texts), _lets(let or [])
    if (plot is None) != (output is None):
        raise MissingParameterError("a picture needs both --plot X,Y and -o FILE; give both or neither")
    if plot is not None and output is not None:
        _draw(a, b, box, plot, output, {"update_form": form, "readout": chosen, "let": lets})
        return
    found = bounds.compare(a, b, box, along=along, update_form=form, readout=chosen, let=lets, seed=seed)
    print_json(found.document()) if json else _print(found)


def _box(texts: list[str]) -> Box:
    """Ranges by name; one value is a range of one point."""
    box: Box = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in box:
            fault = f"{name} is given twice; give it once" if name in box else f"got the argument {text!r}; write NAME=lo:hi or NAME=VALUE"
            raise UnknownParameterError(fault)
        ends = value.split(":")
        if len(ends) > 2:
            raise DomainError(f"{name}={value!r} is not a range; write {name}=lo:hi or {name}=VALUE")
        box[name] = (number(name, ends[0]), number(name, ends[-1]))
    return box


def _lets(texts: list[str]) -> dict[str, str]:
    lets = dict(text.partition("=")[::2] for text in texts)
    wrong = next((text for text in texts if not all(text.partition("="))), None)
    if wrong is not None or len(lets) < len(texts):
        raise UnknownParameterError(f"got --let {wrong or ' --let '.join(texts)}; write NAME=EXPRESSION, each name once")
    return lets


def _draw(a: bounds.Bound, b: bounds.Bound, box: Box, plot: str, output: Path, options: dict[str, Any]) -> None:
    names = plot.split(",")
    if len(names) != 2 or not all(name in box and box[name][0] < box[name][1] for name in names):
        raise MissingParameterError(f"got --plot {plot}; name two parameters as X,Y and give X=lo:hi and Y=lo:hi")
    x, y = ((name, *box.pop(name)) for name in names)
    spread = next((name for name, (low, high) in box.items() if low < high), None)
    if spread is not None:
        raise DomainError(f"{spread} is a range, and --plot {plot} holds it fixed; give {spread}=VALUE")
    plane = bounds.crossover(a, b, x, y, {name: low for name, (low, _) in box.items()}, **options)
    from figures.crossover import crossover_figure
    from figures.style import save

    save(crossover_figure(plane), output)
    print(f"wrote {output}")


def _print(found: Comparison) -> None:
    print(f"{found.a} {_WORDS[found.relation]} {found.b}: {found.relation.upper()}")
    print(f"  by {found.engine}, boxes: {found.boxes}, seconds: {found.seconds:.2f}")
    if found.reason:
        print(f"  {found.reason}")
    for one in found.witnesses:
        print(_witness(one))
    for crossing in found.crossings:
        print(_crossing(crossing))
    if found.complete is not None:
        print(f"  crossings found: {len(found.crossings)}, {'proved to be all' if found.complete else 'there may be more'}")
    read = {side: f"{found.update_form[side]}, {found.readout[side]}" for side in ("a", "b")}
    print(f"  {found.a} read as {read['a']}; {found.b} as {read['b']}")
    lets = [f"{name}={text}" for name, text in found.let.items()]
    print("  box: " + ", ".join([*(_range(name, *ends) for name, ends in found.box.items()), *lets]))


def _range(name: str, low: float, high: float) -> str:
    return f"{name}={low:g}" if low == high else f"{name}={low:g}:{high:g}"


def _witness(one: OrderWitness) -> str:
    return f"  {one.a!r} against {one.b!r} at " + " ".join(f"{name}={value!r}" for name, value in one.point.items())


def _crossing(one: Crossing) -> str:
    smaller = "the first bound is smaller below" if one.before == "-" else "the second bound is smaller below"
    only = "" if one.unique else " (at least one)"
    at = " ".join(f"{name}={value!r}" for name, value in one.at.items())
    return f"  crossing{only} at {one.parameter} in [{one.low!r}, {one.high!r}], {smaller}; with {at}"

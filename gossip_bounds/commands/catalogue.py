"""``list`` and ``show``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import typer

import bounds
from bounds.bound import Bound
from bounds.errors import unknown_name
from bounds.vocabulary import Kind, Quantity, UpdateForm, word
from gossip_bounds.commands.options import Csv, Form, Json, Own, Readout
from gossip_bounds.output import print_json, print_table, write_csv


def _row(bound: Bound) -> dict[str, Any]:
    return {
        "id": bound.id,
        "quantity": bound.quantity.value,
        "kind": bound.kind.value,
        "paper": bound.source.paper,
        "update_forms": [form.value for form in bound.update_forms],
    }


def _paper(name: str, papers: Collection[str]) -> str:
    if name not in papers:
        raise unknown_name("paper", name, papers)
    return name


def list_bounds(
    quantity: Annotated[str | None, typer.Option(help="Only bounds of this quantity, such as excess_risk.", metavar="WORD")] = None,
    update_form: Annotated[str | None, typer.Option("--update-form", help="Only bounds for this update form.", metavar="WORD")] = None,
    paper: Annotated[str | None, typer.Option(help="Only bounds of this paper, such as hardt2016.", metavar="WORD")] = None,
    kind: Annotated[str | None, typer.Option(help="Only upper, exact, leading, stated or solution.", metavar="WORD")] = None,
    own: Own = None,
    json: Json = False,
    csv: Csv = None,
) -> None:
    """List the bounds of the catalogue, and of --bounds files."""
    rows = [_row(bound) for bound in bounds.entries().values()]
    wanted = {
        "quantity": quantity and word(Quantity, quantity).value,
        "kind": kind and word(Kind, kind).value,
        "paper": paper and _paper(paper, {row["paper"] for row in rows}),
    }
    rows = [row for row in rows if all(row[name] == value for name, value in wanted.items() if value is not None)]
    if update_form is not None:
        rows = [row for row in rows if word(UpdateForm, update_form).value in row["update_forms"]]
    if csv is not None:
        write_csv(csv, [row | {"update_forms": " ".join(row["update_forms"])} for row in rows])
    if json:
        print_json(rows)
    elif rows:
        print_table([row | {"update_forms": " ".join(row["update_forms"])} for row in rows])
    else:
        print("no bound fits all of these")


def show(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    update_form: Form = None,
    readout: Readout = None,
    given: Annotated[
        str | None, typer.Option(help="Optional parameters that are given, such as T or convex,T: which reading to show.", metavar="NAMES")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the LaTeX of the expression, and of the source's statement.")] = False,
    own: Own = None,
    json: Json = False,
) -> None:
    """Show a bound: what it bounds, its expression in every reading, symbols, assumptions, source and an example."""
    from gossip_bounds.card import Chosen, card, print_card

    chosen = Chosen.of(bounds.get(bound_id), update_form, readout, given)
    if latex:
        print(chosen.latex())
        if chosen.bound.source.latex:
            print(f"\n% as the source writes it: {chosen.bound.source.result}\n{chosen.bound.source.latex}")
    elif json:
        print_json(card(chosen))
    else:
        print_card(chosen)

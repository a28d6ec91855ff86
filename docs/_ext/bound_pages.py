"""One page per bound, made from the bound itself, and the pages that lead there."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterable
from contextlib import redirect_stdout
from html import escape
from textwrap import wrap
from typing import Any

from curve import curve
from markup import bullets, code, directive, page, plain, section, table, toctree

from bounds.bound import Bound
from bounds.registry import catalogue
from bounds.topology import topology
from bounds.vocabulary import Direction, Kind, Quantity
from figures.explorer.mathml import readings_mathml
from figures.explorer.model import RELATIONS
from gossip_bounds.card import condition_text, given_text, recursion_texts, reduction_text, sentence, source_text, superseded_by, when
from gossip_bounds.example import example
from gossip_bounds.main import run

FOLDER = "catalogue"
_WIDTH = 76


def link(bound_id: str) -> str:
    """The way from any page to that of a bound."""
    return f":doc:`{bound_id} </{FOLDER}/{bound_id}>`"


def pages() -> dict[str, str]:
    """Every page by name, from the catalogue."""
    found = {f"{FOLDER}/{bound.id}": bound_page(bound) for bound in catalogue().values()}
    return found | {f"{FOLDER}/index": _by_quantity(), f"{FOLDER}/papers": _by_paper()}


def bound_page(bound: Bound) -> str:
    """Everything that the package knows about a bound."""
    return page(
        bound.title,
        f"{code(bound.id)}. {plain(sentence(bound))}",
        plain(bound.notes),
        section("Formula", _formula(bound)),
        section("Parameters", _parameters(bound), _directions(bound)),
        section("Assumptions", _assumptions(bound)),
        section("Example", _example(bound)),
        section("Source", plain(source_text(bound)), _statement(bound)),
        section("Derivation", plain(bound.source.derivation), _recursion(bound), _reductions(bound)),
        section("Related", _related(bound)),
    )


def _formula(bound: Bound) -> str:
    head = f"<mtext>{'value' if bound.quantity is Quantity.OTHER else bound.quantity.label.split(' (')[0]}</mtext>"
    rows = readings_mathml(bound.formula, head, RELATIONS.get(bound.kind, "="), when)
    drawn = "".join(f"<div>{row}{f'<span>{escape(words)}</span>' if words else ''}</div>" for row, words in rows)
    several = len(bound.formula.lets) > len({let.name for let in bound.formula.lets})
    note = "Of several readings of a line, the first that fits is taken. " if several else ""
    functions = [text for word, text in _FUNCTIONS.items() if any(f"{word}(" in let.text for let in bound.formula.lets)]
    return "\n\n".join(filter(None, [directive("raw", "html", f'<div class="readings">{drawn}</div>'), note + " ".join(functions)]))


#: Functions of the grammar that a reader does not know from elsewhere.
_FUNCTIONS = {
    "growth": "``growth(q, s, S)`` is the product of 1 + q/t over t = s + 1, ..., S, continued to real s.",
    "geometric": "``geometric(r, T)`` is 1 + r + ... + r^(T-1).",
}


def _parameters(bound: Bound) -> str:
    rows = [
        (
            f":math:`{one.latex}`", code(one.name), plain(one.meaning), plain(one.unit), plain(str(one.domain)),
            plain(given_text(bound, one.name)), plain(bound.directions[one.name].label),
        )
        for one in bound.symbols
    ]  # fmt: skip
    return table(("Symbol", "Name", "Meaning", "Unit", "Takes", "Given", "The value is"), rows, (7, 10, 30, 10, 20, 10, 13))


def _directions(bound: Bound) -> str:
    declared = [name for name, direction in bound.directions.items() if direction is not Direction.UNKNOWN]
    texts = []
    if declared:
        command = f"gossip-bounds certify {bound.id} {declared[0]}"
        texts.append(
            "The last column is what the bound declares, others held fixed, wherever the assumptions hold. Nothing was proved while this "
            f"page was made: {code(command)} proves it or shows a counterexample (see :doc:`/certificates`)."
        )
    texts += [f"Open in {code(name)}: {plain(text)}." for name, text in bound.open_questions.items()]
    return "\n\n".join(texts)


def _assumptions(bound: Bound) -> str:
    limits = [condition_text(one).removeprefix(one.text) for one in bound.conditions]
    found = [plain(one.text) for one in bound.properties]
    found += [code(one.text) + plain(limit) for one, limit in zip(bound.conditions, limits, strict=True)]
    return bullets(found or ["none but the domains of its parameters"])


def example_output(bound: Bound) -> tuple[str, str]:
    """A command that evaluates the bound, and what it prints."""
    command, printed = example(bound), io.StringIO()
    with redirect_stdout(printed):
        status = run(shlex.split(command)[1:])
    if status:
        raise RuntimeError(f"the example of {bound.id} ends in status {status}: {command}")
    return command, printed.getvalue().rstrip()


def _example(bound: Bound) -> str:
    command, printed = example_output(bound)
    shown = " \\\n  ".join(wrap(command, _WIDTH - 4, break_long_words=False, break_on_hyphens=False))
    console = directive("code-block", "console", f"$ {shown}\n{printed}")
    name, drawn = curve(bound, example_values(bound, command))
    blocks = [console, "In Python:", directive("code-block", "python", python_example(bound, command))]
    if name:
        blocks += [
            f"Over {code(name)}, the others as above, where the assumptions hold (both axes logarithmic):",
            directive("raw", "html", drawn),
        ]
    return "\n\n".join(blocks)


def python_example(bound: Bound, command: str) -> str:
    """The same in Python, with its value behind it."""
    values = example_values(bound, command)
    lines = ["import bounds", ""]
    if "spectrum" in values:
        lines = ["import bounds", "from bounds.topology import topology", "", f'ring = topology("ring", {len(values["spectrum"])})']
    arguments = ", ".join(f"{name}={'ring.spectrum' if name == 'spectrum' else repr(value)}" for name, value in values.items())
    call = f"bound.evaluate({arguments})"
    if len(call) > _WIDTH:
        call = "\n    ".join(["bound.evaluate(", *wrap(arguments, _WIDTH - 4)]) + "\n)"
    return "\n".join([*lines, f'bound = bounds.get("{bound.id}")', f"{call}  # {bound.evaluate(**values)!r}"])


def example_values(bound: Bound, command: str) -> dict[str, Any]:
    """The parameters that the command gives to the bound."""
    words = dict(word.split("=") for word in shlex.split(command)[3:] if "=" in word)
    values: dict[str, Any] = {name: _value(text) for name, text in words.items()}
    if "--topology" in command:
        values["spectrum"] = topology("ring", values["m"]).spectrum
    return {name: value for name, value in values.items() if name in bound.formula.parameters}


def _value(text: str) -> Any:
    numbers = [float(word) if set(word) & set(".e") else int(word) for word in text.split(",")]
    return numbers if "," in text else numbers[0]


def _statement(bound: Bound) -> str:
    if not bound.source.latex:
        return ""
    return "As the source writes it, in its own symbols:\n\n" + directive("math", "", bound.source.latex, nowrap="")


def _recursion(bound: Bound) -> str:
    if bound.recursion is None:
        return ""
    lines, relation = recursion_texts(bound.recursion)
    return "\n\n".join(["One step of the recursion that it closes:", directive("code-block", "text", "\n".join(lines)), plain(relation)])


def _reductions(bound: Bound) -> str:
    found = [reduction_text(one) for one in bound.reductions]
    return "What it becomes, as the tests check:\n\n" + bullets([plain(text) for text in found]) if found else ""


def _related(bound: Bound) -> str:
    near = [other.id for other in catalogue().values() if other.quantity is bound.quantity and other is not bound]
    named = dict.fromkeys(one.to for one in bound.reductions if one.to and one.to != bound.id)
    rows = {
        "Supersedes": bound.supersedes,
        "Superseded by": superseded_by(bound),
        "Becomes": named,
        f"Also on: {bound.quantity.label}": near if bound.quantity is not Quantity.OTHER else (),
        "From the same paper": [
            other.id for other in catalogue().values() if other.source.paper == bound.source.paper and other is not bound
        ],
    }
    return bullets([f"{title}: {_links(ids)}" for title, ids in rows.items() if ids])


def _links(ids: Iterable[str]) -> str:
    return ", ".join(link(one) for one in ids)


def _table(found: Iterable[Bound]) -> str:
    rows = [(link(one.id), plain(one.title), one.kind.value, ", ".join(form.value for form in one.update_forms)) for one in found]
    return table(("Bound", "What it says", "Kind", "Update forms"), rows, (30, 45, 10, 15))


def _by_quantity() -> str:
    found = list(catalogue().values())
    kinds = bullets([f"**{kind.value}**: {kind.label} ({sum(one.kind is kind for one in found)})" for kind in Kind])
    groups = {quantity: [one for one in found if one.quantity is quantity] for quantity in Quantity}
    return page(
        "Bounds by quantity",
        f"The {len(found)} bounds, rates and exact formulas of the catalogue, by what they speak about. What the kinds mean, and how many there are:",
        kinds,
        "These pages are made from the package: :doc:`papers` has the same bounds by paper.",
        *(section(quantity.label.capitalize(), _table(group)) for quantity, group in groups.items() if group),
        toctree([f"{one.id} <{one.id}>" for one in found], hidden="", maxdepth="1"),
    )


def _by_paper() -> str:
    groups: dict[str, list[Bound]] = {}
    for one in catalogue().values():
        groups.setdefault(one.source.paper, []).append(one)
    return page(
        "Bounds by paper",
        "Every bound of the catalogue by the paper that owns the result, named as ``gossip-bounds list --paper NAME`` takes it.",
        *(section("Derived here" if paper == "derived" else paper, _results(group)) for paper, group in groups.items()),
    )


def _results(group: Iterable[Bound]) -> str:
    results: dict[str, list[str]] = {}
    for one in group:
        results.setdefault(source_text(one), []).append(one.id)
    return bullets([f"{plain(text)}: {_links(ids)}" for text, ids in results.items()])

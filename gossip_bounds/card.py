"""The card of one bound: for people on a terminal, and as the JSON document of ``show``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import bounds
from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.errors import unknown_name
from bounds.formula import Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm, word
from gossip_bounds.example import example
from gossip_bounds.output import table_lines

_WIDTH = 100
_OWN = "own work"
_KINDS = {
    Kind.UPPER: "A proved upper bound on the {}",
    Kind.EXACT: "The {} itself, an equality under the assumptions below,",
    Kind.LEADING: "The leading order of the {} (it never decides a verdict alone)",
    Kind.STATED: "A paper's shape of a bound on the {}, reconstructed (it never decides a verdict about a run)",
    Kind.SOLUTION: "A value of the {} that meets a target, by solving another bound for it,",
}
_FORMS = {
    UpdateForm.CENTRALIZED: "centralized SGD",
    UpdateForm.ATC: "ATC",
    UpdateForm.CTA: "CTA",
    UpdateForm.CONSENSUS: "the consensus form",
}
_TAGS = {
    "primary": "read in the paper itself",
    "second-hand": "known from somebody else's summary of the paper",
    "known": "a standard result",
    "recalled": "recalled from memory, not read again",
    "reconstructed": "rebuilt here from second-hand pieces",
}


@dataclass(frozen=True)
class Chosen:
    """A bound, and the reading of it that was asked for (everything None: no particular one)."""

    bound: Bound
    update_form: str | None
    readout: str | None
    given: tuple[str, ...]
    asked: bool

    @classmethod
    def of(cls, bound: Bound, update_form: str | None, readout: str | None, given: str | None) -> Chosen:
        """Checked against what the bound speaks about.

        Raises:
            UnknownNameError, DomainError: each one line.
        """
        names = tuple(name.strip() for name in given.split(",") if name.strip()) if given else ()
        for name in names:
            if name not in bound.formula.optional:
                raise unknown_name("optional parameter", name, bound.formula.optional)
        bound.words(update_form, readout)
        return cls(bound, update_form, readout, names, any(one is not None for one in (update_form, readout, given)))

    def text(self) -> str:
        """The expression with its definitions, as text."""
        return self.bound.formula.text(self.bound.given(self.given, self.update_form, self.readout))

    def latex(self) -> str:
        """The same in LaTeX."""
        return self.bound.latex(self.given, self.update_form, self.readout)


def condition_text(condition: Condition) -> str:
    """An assumption with the update forms and parameters that it is restricted to."""
    limits = [", ".join(condition.forms)] if condition.forms else []
    limits += [f"with {', '.join(condition.given)}"] if condition.given else []
    limits += [f"without {', '.join(condition.absent)}"] if condition.absent else []
    return condition.text + (f" ({'; '.join(limits)})" if limits else "")


def reduction_text(one: Reduction) -> str:
    """What the bound becomes where, as a sentence without its end."""
    at = ", ".join(f"{name} = {value:g}" for name, value in one.at)
    arguments = ", ".join(f"{name} = {text}" for name, text in one.arguments if name != text)
    return f"at {at} it {one.relation} {one.to or one.value}" + (f" with {arguments}" if arguments else "")


def _reading(let: Let) -> dict[str, Any]:
    restricted = {"given": list(let.given), "update_forms": list(let.forms), "readouts": list(let.readouts)}
    return {"name": let.name, "text": let.text, **restricted}


def superseded_by(bound: Bound) -> list[str]:
    """The bounds that are sharper and replace this one."""
    return [other.id for other in bounds.entries().values() if bound.id in other.supersedes]


def card(chosen: Chosen) -> dict[str, Any]:
    """The JSON document of ``show``."""
    bound = chosen.bound
    form, readout = bound.words(chosen.update_form, chosen.readout)
    symbols = [
        {"name": s.name, "meaning": s.meaning, "unit": s.unit, "domain": str(s.domain), "required": s.name in bound.formula.required}
        for s in bound.symbols
    ]
    return {
        "schema_version": 1,
        "id": bound.id,
        "title": bound.title,
        "quantity": bound.quantity.value,
        "kind": bound.kind.value,
        "update_forms": [f.value for f in bound.update_forms],
        "readouts": [r.value for r in bound.readouts],
        "symbols": symbols,
        "defaults": dict(bound.formula.defaults),
        "assumptions": [p.text for p in bound.properties] + [condition_text(c) for c in bound.conditions],
        "source": f"{bound.source.result} [{bound.source.tag}]",
        "source_latex": bound.source.latex,
        "derivation": bound.source.derivation,
        "update_form": form,
        "readout": readout,
        "given": list(chosen.given),
        "expression": chosen.text(),
        "latex": chosen.latex(),
        "readings": [_reading(let) for let in bound.formula.lets],
        "directions": {name: direction.value for name, direction in bound.directions.items()},
        "reductions": [reduction_text(one) for one in bound.reductions],
        "supersedes": list(bound.supersedes),
        "superseded_by": superseded_by(bound),
        "notes": bound.notes,
        "example": example(bound, chosen.update_form, chosen.readout),
    }


def print_card(chosen: Chosen) -> None:
    """Print the card, wrapped to 100 columns."""
    for line in _lines(chosen):
        print(line.rstrip())


def _lines(chosen: Chosen) -> Iterator[str]:
    bound = chosen.bound
    yield from _paragraph(f"{bound.id}: {bound.title}", indent="")
    yield from _paragraph(sentence(bound), indent="")
    yield from _expressions(chosen)
    yield from _section("parameters", _parameters(bound))
    yield from _section(
        "assumptions",
        _bullets(
            [p.text for p in bound.properties] + [condition_text(c) for c in bound.conditions] or ["none but the domains of its symbols"]
        ),
    )
    yield from _section("source", _source(bound))
    yield from _section("derivation", _paragraph(bound.source.derivation))
    yield from _section("recursion", _recursion(bound))
    yield from _section("reductions", _bullets([reduction_text(one) for one in bound.reductions]))
    yield from _section("supersedes", _bullets(bound.supersedes))
    yield from _section("superseded by", _bullets(superseded_by(bound)))
    yield from _section("notes", _paragraph(bound.notes))
    # Not wrapped, so that it can be copied.
    yield from _section("example", [f"  {example(bound, chosen.update_form, chosen.readout)}"])


def sentence(bound: Bound) -> str:
    """What the formula is, for which update forms, and where it is read."""
    quantity = "quantity in the title" if bound.quantity is Quantity.OTHER else bound.quantity.label
    forms, readouts = [_form(form) for form in bound.update_forms], [_readout(readout) for readout in bound.readouts]
    link = " for" if bound.quantity is Quantity.OTHER else " of"
    return f"{_KINDS[bound.kind].format(quantity)}{link} {_listed(forms)}, read at {_listed(readouts)}."


def _form(form: str) -> str:
    return _FORMS[word(UpdateForm, form)]


def _readout(readout: str) -> str:
    return f"the {word(Readout, readout).value.replace('_', ' ')}"


def _listed(words: Sequence[str], last: str = "and") -> str:
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def _expressions(chosen: Chosen) -> Iterator[str]:
    """The one reading that was asked for, or the definitions with all their readings, the value first."""
    formula = chosen.bound.formula
    given = chosen.bound.given(chosen.given, chosen.update_form, chosen.readout)
    lets = tuple(formula.used(given)) if chosen.asked else formula.lets
    names = ["value", *dict.fromkeys(let.name for let in lets if let.name != "value")]
    groups = {name: [let for let in lets if let.name == name] for name in names}
    several = any(len(group) > 1 for group in groups.values())
    title = "expression, where the first reading that fits is taken" if several else "expression"
    yield from _section(title, [line for name in names for line in _definition(groups[name], chosen.asked)])


def _definition(group: Sequence[Let], asked: bool) -> Iterator[str]:
    for let in group:
        text = let.text if let.name == "value" else f"where {let.name} = {let.text}"
        words = "" if asked else when(let) or ("otherwise" if len(group) > 1 else "")
        yield from _paragraph(f"{text}    [{words}]" if words else text, indent="  " if let.name == "value" else "    ")


def when(let: Let) -> str:
    """When a reading is taken, in words; empty for always."""
    forms = _listed([_form(form) for form in let.forms], "or") if let.forms else ""
    readouts = f"at {_listed([_readout(readout) for readout in let.readouts], 'or')}" if let.readouts else ""
    given = f"with {_listed(let.given)} given" if let.given else ""
    return ", ".join(filter(None, (forms, readouts, given)))


def given_text(bound: Bound, name: str) -> str:
    """Whether a parameter is required, has a default, or may be left out."""
    if name in bound.formula.required:
        return "required"
    defaults = dict(bound.formula.defaults)
    return f"default {defaults[name]}" if name in defaults else "optional"


def _parameters(bound: Bound) -> list[str]:
    rows = [
        {
            "name": s.name,
            "meaning": s.meaning,
            "unit": s.unit,
            "domain": str(s.domain),
            "given": given_text(bound, s.name),
            "direction": bound.directions[s.name].label,
        }
        for s in bound.symbols
    ]
    return [f"  {line}" for line in table_lines(rows, _WIDTH - 2, ("meaning", "domain"))]


def source_text(bound: Bound) -> str:
    """The result that the bound comes from, and how it is known."""
    known = "" if bound.source.paper == _OWN else f" ({_TAGS[bound.source.tag]})"
    return f"{bound.source.result}{known}"


def _source(bound: Bound) -> Iterator[str]:
    yield from _paragraph(source_text(bound))
    if bound.source.latex:
        yield from _paragraph(f"as the source writes it: {bound.source.latex}")


def recursion_texts(found: Recursion) -> tuple[list[str], str]:
    """The lines of the recursion, and what the closed form is to it."""
    lines = [f"{name} = {text} at the start" for name, text in found.initial]
    lines += [f"{name} <- {text} at each step" for name, text in found.step]
    least = f", the least over {found.least} = 0, 1, ..., T" if found.least else ""
    return lines, f"The expression {found.relation} {found.result}{least}. {found.reason}"


def _recursion(bound: Bound) -> Iterator[str]:
    if bound.recursion is not None:
        lines, relation = recursion_texts(bound.recursion)
        for line in (*lines, relation):
            yield from _paragraph(line)


def _section(title: str, lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    content = list(lines)
    if content:
        yield from ("", title, *content)


def _bullets(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ", **_WRAP)]


_WRAP: dict[str, Any] = {"break_on_hyphens": False}


def _paragraph(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  " if indent else "", **_WRAP)

"""A formula in readable pieces: definitions, one of several readings of each, chosen by which optional parameters are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from bounds.expression import Node, parse
from bounds.symbols import symbol
from bounds.vocabulary import Readout, UpdateForm

_FORMS = frozenset(form.value for form in UpdateForm)
_READOUTS = frozenset(readout.value for readout in Readout)
#: Parameters that are 0 or 1; 0 means the same as not given.
FLAGS = frozenset({"convex"})
_V = TypeVar("_V")


def without_false_flags(values: Mapping[str, _V]) -> dict[str, _V]:
    """``values`` without the flags that are 0: ``convex=0`` means the same as not saying ``convex``."""
    return {name: value for name, value in values.items() if name not in FLAGS or value}


@dataclass(frozen=True, slots=True)
class Let:
    """``name = text``, used when every parameter in ``given`` is given; the first reading that fits is taken.

    ``forms`` and ``readouts`` restrict it to some update forms and readouts. ``latex`` is how the name prints when it is
    a definition of its own rather than a symbol of the registry.
    """

    name: str
    text: str
    given: tuple[str, ...] = ()
    latex: str = ""
    forms: tuple[str, ...] = ()
    readouts: tuple[str, ...] = ()

    def fits(self, given: frozenset[str]) -> bool:
        """Whether this reading may be taken; where no form or readout is chosen, every one may."""
        form, readout = given & _FORMS, given & _READOUTS
        of_form = not self.forms or not form or bool(form & set(self.forms))
        of_readout = not self.readouts or not readout or bool(readout & set(self.readouts))
        return set(self.given) <= given and of_form and of_readout


@dataclass(frozen=True, slots=True)
class Formula:
    """Definitions in order and the names of the required and optional parameters.

    The text of a definition may use parameters and earlier definitions. Pieces are looked up by name: a bound's value
    is the definition ``value``.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    lets: tuple[Let, ...]
    defaults: tuple[tuple[str, int], ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter, required ones first."""
        return self.required + self.optional

    def given(self, names: Iterable[str], words: Iterable[str] = ()) -> frozenset[str]:
        """What chooses between readings: the given optional parameters, those with a default, update form and readout.

        ``names`` may be a mapping from names to values; a flag that is 0 then counts as not given. ``words`` are the
        update form and the readout, kept only where the formula differs by them.
        """
        present = set(without_false_flags(names) if isinstance(names, Mapping) else names) | {name for name, _ in self.defaults}
        chosen = present & {choice for let in self.lets for choice in let.given}
        asked = (_FORMS if any(let.forms for let in self.lets) else set()) | (
            _READOUTS if any(let.readouts for let in self.lets) else set()
        )
        return frozenset(chosen | (set(words) & asked))

    def readings(self, given: frozenset[str]) -> dict[str, Let]:
        """The chosen reading of every definition, in order."""
        chosen: dict[str, Let] = {}
        for let in self.lets:
            if let.name not in chosen and let.fits(given):
                chosen[let.name] = let
        return chosen

    def used(self, given: frozenset[str]) -> list[Let]:
        """The chosen readings that the value needs, in order, the value itself last."""
        chosen = self.readings(given)
        needed, pending = {"value"}, ["value"]
        while pending:
            words = set(re.findall(r"[A-Za-z_]\w*", chosen[pending.pop()].text))
            fresh = words & chosen.keys() - needed
            needed |= fresh
            pending += fresh
        return [let for name, let in chosen.items() if name in needed]

    def text(self, given: frozenset[str] = frozenset()) -> str:
        """The value as readable text, followed by ``where`` and the definitions it uses."""
        *where, value = self.used(given)
        return value.text + ("  where " + "; ".join(f"{let.name} = {let.text}" for let in where) if where else "")

    def trees(self, given: frozenset[str]) -> Mapping[str, Node]:
        """The trees of the chosen readings, definitions replaced by what they stand for (sub-trees shared)."""
        return _trees(self, given)


@lru_cache(maxsize=4096)
def _trees(formula: Formula, given: frozenset[str]) -> dict[str, Node]:
    known: dict[str, Node | None] = {symbol(name).name: None for name in formula.parameters}
    built: dict[str, Node] = {}
    for name, let in formula.readings(given).items():
        built[name] = parse(let.text, known | built)
    return built

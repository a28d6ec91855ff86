"""What pydantic found wrong with an experiment file, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_TABLES = ("run", "sweep", "measure")
_LONGEST = 60
_PAIRS = 'quantities = [["generalization_error", "node_average"]]'


def _place(location: Sequence[str | int]) -> str:
    """``("sweep", "m", 1)`` as ``[sweep] m, entry 2``; the names that pydantic gives the members of a union are dropped."""
    table = f"[{location[0]}]"
    if len(location) == 1:
        return table
    entry = next((part for part in location[2:] if isinstance(part, int)), None)
    return f"{table} {location[1]}" + ("" if entry is None else f", entry {entry + 1}")


def _unknown(location: Sequence[str | int], names: Sequence[str]) -> str:
    allowed = list(_TABLES) if len(location) == 1 else ["quantities"] if location[0] == "measure" else list(names)
    got = str(location[-1])
    close = [name for name in allowed if name.lower() == got.lower()] or difflib.get_close_matches(got, allowed, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(allowed)}"
    if len(location) == 1:
        return f"unknown table or key {got!r}; {hint}"
    return f"unknown key {got!r} in [{location[0]}]; {hint}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _missing(location: Sequence[str | int]) -> str:
    if location[0] == "measure":
        return f"[measure] needs quantities, a list of pairs; write {_PAIRS}"
    return f"the table [{location[0]}] is missing; add it with at least one key"


def _allowed(found: Sequence[ErrorDetails]) -> str:
    """What the members of a union each allow, in the words of TOML."""
    texts = dict.fromkeys(item["msg"].removeprefix("Input should be ").replace("valid array", "list") for item in found)
    if any("at least 1 item" in text for text in texts):
        return "write at least one entry"
    return f"it takes {' or '.join(texts)}".replace("an object", "a table")


def one_line(error: ValidationError, names: Sequence[str]) -> str:
    """The first mistake: where it is, what was got, what is allowed. ``names`` are the keys of ``[run]`` and ``[sweep]``."""
    found = error.errors(include_url=False, include_context=False)
    # A mistyped name also makes the right one missing: say the former.
    first = next((item for item in found if item["type"] == "extra_forbidden"), found[0])
    location = first["loc"]
    if first["type"] == "extra_forbidden":
        return _unknown(location, names)
    if first["type"] == "missing":
        return _missing(location)
    same = [item for item in found if _place(item["loc"]) == _place(location)]
    return f"{_place(location)}: got {_shown(first['input'])}; {_allowed(same)}"

"""What pydantic found wrong with an experiment file, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

_TABLES = ("run", "sweep", "measure")
_LONGEST = 60


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
    close = difflib.get_close_matches(got, allowed, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(allowed)}"
    if len(location) == 1:
        return f"unknown table or key {got!r}; {hint}"
    return f"unknown key {got!r} in [{location[0]}]; {hint}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def one_line(error: ValidationError, names: Sequence[str]) -> str:
    """The first mistake: where it is, what was got, what is allowed. ``names`` are the keys of ``[run]`` and ``[sweep]``."""
    found = error.errors(include_url=False, include_context=False)
    location = found[0]["loc"]
    if found[0]["type"] == "extra_forbidden":
        return _unknown(location, names)
    if found[0]["type"] == "missing":
        what = f"the table [{location[0]}]" if len(location) == 1 else f"{location[-1]!r} in [{location[0]}]"
        example = ' quantities = [["generalization_error", "node_average"]]' if location[0] == "measure" else ""
        return f"{what} is missing; add it{':' if example else ''}{example}"
    # The members of a union each report the same place.
    same = [item for item in found if item["loc"][:2] == location[:2] and _place(item["loc"]) == _place(location)]
    allowed = " or ".join(dict.fromkeys(item["msg"][0].lower() + item["msg"][1:] for item in same))
    return f"{_place(location)}: got {_shown(found[0]['input'])}; {allowed}"

"""A TOML document into a pydantic model, with one line for the first mistake: where it is, what was got, what is allowed.

Nothing imports this module before a file is read: pydantic takes longer to load than a bound to evaluate.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bounds.errors import DomainError, InputFileError
from bounds.files import read_text

_LONGEST = 60
_M = TypeVar("_M", bound=BaseModel)
Part = str | int


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a TOML file.

    Raises:
        InputFileError: when it cannot be read, or is not TOML (with the line).
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputFileError(f"{str(path)!r} is not TOML: {error}; correct that line") from None
    except RecursionError:
        raise InputFileError(f"{str(path)!r} is not TOML of ours: it is nested too deep; write it flat") from None


def validated(document: Mapping[str, Any], model: type[_M], path: Path) -> _M:
    """The document as a model.

    Raises:
        DomainError: one line naming the file and the key.
    """
    try:
        # As JSON, because strict models then still take text for words and lists for tuples, as TOML must write them.
        return model.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        raise DomainError(f"{str(path)!r}: {one_line(error, model)}") from None


def one_line(error: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake; a field's description says how to write one that is missing."""
    found = error.errors(include_url=False, include_context=False)
    # A mistyped name also makes the right one missing: say the former. Of a union the member that fits furthest was meant.
    typed = [item for item in found if item["type"] == "extra_forbidden"]
    same_key = [item for item in found if item["loc"][0] == found[0]["loc"][0]]
    first = typed[0] if typed else max(same_key, key=lambda item: len(_parts(item["loc"], model)))
    location = first["loc"]
    if first["type"] == "extra_forbidden":
        return _unknown(location, model)
    if first["type"] == "missing":
        return _missing(_parts(location, model), model)
    place = _place(_parts(location, model), model)
    same = [item for item in found if _place(_parts(item["loc"], model), model) == place]
    return f"{place}: got {_shown(first['input'])}; {_allowed(same)}"


def _inside(annotations: Iterable[Any]) -> list[Any]:
    """The members of unions, and what they annotate."""
    found: list[Any] = []
    for annotation in annotations:
        members = get_args(annotation) if get_origin(annotation) not in (list, tuple, dict) else ()
        found += _inside(members) if members else [annotation]
    return found


def _step(annotations: list[Any], part: Part) -> list[Any] | None:
    """What a part of a location leads to; None where it only names a member of a union."""
    if isinstance(part, int):
        inner = [argument for annotation in annotations if get_origin(annotation) in (list, tuple) for argument in get_args(annotation)]
        return _inside(inner)
    fields = [one.model_fields[part].annotation for one in _models(annotations) if part in one.model_fields]
    values = [get_args(annotation)[1] for annotation in annotations if get_origin(annotation) is dict]
    return _inside(fields or values) if fields or values else None


def _models(annotations: Iterable[Any]) -> list[type[BaseModel]]:
    return [one for one in annotations if isinstance(one, type) and issubclass(one, BaseModel)]


def _walk(location: Sequence[Part], model: type[BaseModel]) -> tuple[list[Part], list[Any]]:
    """The parts that stand in the file, and what is allowed at their end."""
    parts: list[Part] = []
    state: list[Any] = [model]
    for part in location:
        reached = _step(state, part)
        if reached is not None:
            parts.append(part)
            state = reached
    return parts, state


def _parts(location: Sequence[Part], model: type[BaseModel]) -> list[Part]:
    return _walk(location, model)[0]


def _is_table(name: Part, model: type[BaseModel]) -> bool:
    reached = [one for one in _step([model], name) or [] if one is not type(None)]
    return len(reached) == len(_models(reached)) + sum(get_origin(one) is dict for one in reached)


def _place(parts: Sequence[Part], model: type[BaseModel]) -> str:
    """``["sweep", "m", 1]`` as ``[sweep] m, entry 2``; of an entry inside an entry only the first is named."""
    first, *rest = parts
    text = f"[{first}]" if _is_table(first, model) else str(first)
    blank, entered = " " if text.startswith("[") else ", ", False
    for part in rest:
        if not isinstance(part, int):
            text += f"{blank}{part}"
        elif not entered:
            text, entered = f"{text}, entry {part + 1}", True
        blank = ", "
    return text


def _unknown(location: Sequence[Part], model: type[BaseModel]) -> str:
    parts, state = _walk(location[:-1], model)
    allowed = [name for one in _models(state) for name in one.model_fields]
    got = str(location[-1])
    close = [name for name in allowed if name.lower() == got.lower()] or difflib.get_close_matches(got, allowed, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(allowed)}"
    return f"unknown key {got!r} in {_place(parts, model)}; {hint}" if parts else f"unknown table or key {got!r}; {hint}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _missing(parts: list[Part], model: type[BaseModel]) -> str:
    # The place inside a list that is too short is described by the list's key.
    while isinstance(parts[-1], int):
        parts = parts[:-1]
    *above, key = parts
    owners = _models(_walk(above, model)[1])
    how = next((one.model_fields[str(key)].description for one in owners if str(key) in one.model_fields), None) or ""
    if above:
        return f"{_place(above, model)} needs {key}" + (f", {how}" if how else "")
    if _is_table(key, model):
        return f"the table [{key}] is missing; add it with at least one key"
    return f"{key} is missing; {how or f'write {key} = ...'}"


def _allowed(found: Sequence[ErrorDetails]) -> str:
    """What the members of a union each allow, in the words of TOML."""
    texts = dict.fromkeys(item["msg"].removeprefix("Input should be ").replace("valid array", "list") for item in found)
    if any("at least 1 item" in text for text in texts):
        return "write at least one entry"
    return f"it takes {' or '.join(texts)}".replace("an object", "a table")

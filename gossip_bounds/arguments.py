"""The command line's ``name=value`` and ``name=lo:hi:count[:log]`` arguments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from bounds.symbols import REGISTRY, rank_of

Value = float | int | tuple[Any, ...]
_MAX_POINTS = 1_000_000


def _finite(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        shape = f"{name}=v1,v2,..." if rank_of(name) else f"{name}=0.1 or a grid {name}=lo:hi:count[:log]"
        raise DomainError(f"{name}={text!r} is not a number; write {shape}") from None
    if not math.isfinite(value):
        raise DomainError(f"{name}={text} is not finite; give a finite number")
    return value


def number(name: str, text: str) -> float | int:
    """A finite number; an int when it is written, or must be, as one.

    Raises:
        DomainError: for anything else.
    """
    value = _finite(name, text)
    whole = name in REGISTRY and REGISTRY[name].domain.integer
    return int(value) if whole and value == int(value) else value


def array(name: str, text: str) -> tuple[Any, ...]:
    """The numbers of ``v1,v2,...``, and the rows of ``v1,v2;w1,w2``.

    Raises:
        DomainError: for anything else.
    """
    rows = [tuple(float(_finite(name, part)) for part in row.split(",")) for row in text.split(";")]
    return tuple(rows) if len(rows) > 1 else rows[0]


def _values(name: str, text: str) -> list[Value]:
    if rank_of(name):
        return [array(name, text)]
    return list(grid(name, text)) if ":" in text else [number(name, text)]


def grid(name: str, text: str) -> list[float | int]:
    """The points of ``lo:hi:count[:log]``, rounded and without repeats for integer symbols.

    Raises:
        DomainError: when the text is not such a grid.
    """
    parts = text.split(":")
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != "log"):
        raise DomainError(f"{name}={text!r} is not a grid; write {name}=lo:hi:count or {name}=lo:hi:count:log")
    low, high = float(number(name, parts[0])), float(number(name, parts[1]))
    if not parts[2].isdigit() or not 1 <= int(parts[2]) <= _MAX_POINTS:
        raise DomainError(f"{name}={text!r} has the count {parts[2]!r}; it must be an integer from 1 to {_MAX_POINTS}")
    count, log = int(parts[2]), len(parts) == 4
    if log and (low <= 0 or high <= 0):
        raise DomainError(f"{name}={text!r} is logarithmic with an end <= 0; both ends must be > 0")
    steps = [index / max(count - 1, 1) for index in range(count)]
    values = [low * (high / low) ** s if log else low + (high - low) * s for s in steps]
    values[-1] = high if count > 1 else low
    if name in REGISTRY and REGISTRY[name].domain.integer:
        return list(dict.fromkeys(round(value) for value in values))
    return list(values)


def _pairs(texts: Sequence[str], form: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each argument; ``form`` is shown to whoever wrote another one."""
    seen: set[str] = set()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UnknownParameterError(f"got the argument {text!r}; write {form}")
        if name in seen:
            raise UnknownParameterError(f"{name} is given twice; give it once")
        seen.add(name)
        yield name, value


def split_words(texts: Sequence[str], form: str | None, readout: str | None) -> tuple[list[str], str | None, str | None]:
    """The assignments without ``update_form=`` and ``readout=``, and the form and readout, which may also be given as options.

    Raises:
        UnknownParameterError: for one that is given twice.
    """
    chosen = {"update_form": form, "readout": readout}
    rest = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in chosen:
            rest.append(text)
        elif chosen[name] is not None:
            raise UnknownParameterError(f"{name} is given twice; give it once, as {name}=WORD or as --{name.replace('_', '-')} WORD")
        else:
            chosen[name] = value
    return rest, chosen["update_form"], chosen["readout"]


def parse_assignments(texts: Sequence[str]) -> dict[str, list[Value]]:
    """``["T=10", "m=2:8:4"]`` to lists of values by name.

    Raises:
        UnknownParameterError: for an argument without ``=`` or a name given twice.
        DomainError: for a value that is neither a number nor a grid.
    """
    return {name: _values(name, value) for name, value in _pairs(texts, "NAME=VALUE, such as eta=0.1")}


def parse_box(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """``["m=2:64", "gap=0.1:1"]`` to ranges by name.

    Raises:
        UnknownParameterError: for an argument without ``=`` or a name given twice.
        DomainError: for a value that is not ``lo:hi``.
    """
    result: dict[str, tuple[float, float]] = {}
    for name, value in _pairs(texts, "NAME=lo:hi, such as m=2:64"):
        ends = value.split(":")
        if len(ends) != 2:
            raise DomainError(f"{name}={value!r} is not a range; write {name}=lo:hi")
        result[name] = (number(name, ends[0]), number(name, ends[1]))
    return result


def product(values: Mapping[str, Sequence[Value]]) -> Iterator[dict[str, Value]]:
    """Every combination, the last name running fastest.

    Raises:
        DomainError: when there would be more than a million.
    """
    total = math.prod(len(options) for options in values.values())
    if total > _MAX_POINTS:
        raise DomainError(f"the grid has {total} points; allowed are at most {_MAX_POINTS}: lower a count")
    return (dict(zip(values, point, strict=True)) for point in itertools.product(*values.values()))


def single(values: Mapping[str, Sequence[Value]], name: str) -> Value:
    """The one value of ``name``.

    Raises:
        MissingParameterError: when it is absent or a grid.
    """
    if len(values.get(name, ())) != 1:
        raise MissingParameterError(f"{name} must be given as one number; write {name}=VALUE")
    return values[name][0]

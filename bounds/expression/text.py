"""What an expression may be written with: characters, words and brackets, checked before any of it is parsed."""

from __future__ import annotations

import keyword
import re
import unicodedata

from bounds.errors import ExpressionError

_MAX_LENGTH = 2000
_MAX_BRACKETS = 100
_MAX_SIGNS = 20
_SHOWN = 80

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>-)|(?P<mark>\*\*|<=|/(?!/)|[+*(),<])|(?P<space> +)",
    re.ASCII,
)
_PART_OF_NUMBER = re.compile(r"[\w.]*", re.ASCII)
_BLANK = str.maketrans("\t\r\n", "   ")


def mistake(text: str, column: int, got: str, allowed: str) -> ExpressionError:
    """The error at a column (from 1), with the part of the text around it."""
    return ExpressionError(f"column {column} of {_around(text, column)}: got {got}; allowed are {allowed}")


def _around(text: str, column: int) -> str:
    if len(text) <= _SHOWN:
        return ascii(text)
    first = max(0, min(column - 1 - _SHOWN // 2, len(text) - _SHOWN))
    return ascii(f"{'...' if first else ''}{text[first : first + _SHOWN]}{'...' if first + _SHOWN < len(text) else ''}")


def prepare(text: str, allowed: str) -> str:
    """``text`` without the blanks around it and with line breaks as blanks, when it is made of the grammar's pieces only.

    Raises:
        ExpressionError: naming the column of the first piece that is not.
    """
    text = text.translate(_BLANK).strip(" ")
    if not text:
        raise mistake(text, 1, "nothing", allowed)
    if len(text) > _MAX_LENGTH:
        raise mistake(text, _MAX_LENGTH + 1, f"{len(text)} characters, more than {_MAX_LENGTH}", allowed)
    open_at: list[int] = []
    place = signs = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise mistake(text, place + 1, _character(text[place]), allowed)
        signs = signs + 1 if found["sign"] else signs if found["space"] else 0
        got = _unfit(text, found) or (f"more than {_MAX_SIGNS} signs in a row" if signs > _MAX_SIGNS else "") or _bracket(found, open_at)
        if got:
            raise mistake(text, place + 1, got, allowed)
        place = found.end()
    if open_at:
        raise mistake(text, open_at[-1] + 1, "a bracket that is never closed", allowed)
    return text


def _character(character: str) -> str:
    name = "" if character.isascii() else f" ({unicodedata.name(character, 'not ASCII').lower()}; only ASCII is read)"
    return f"the character {character!a}{name}"


def _unfit(text: str, found: re.Match[str]) -> str:
    """What is wrong with a number or a word; empty when nothing is."""
    if found["number"]:
        rest = _PART_OF_NUMBER.match(text, found.end())
        return f"the constant {found['number'][:20] + rest[0][:20]!a}" if rest and rest[0] else ""
    return f"Python's word {found['name']!r}" if found["name"] and keyword.iskeyword(found["name"]) else ""


def _bracket(found: re.Match[str], open_at: list[int]) -> str:
    """Keep the list of open brackets; what is wrong with this one, or empty."""
    if found["mark"] == "(":
        open_at.append(found.start())
        return f"brackets nested deeper than {_MAX_BRACKETS}" if len(open_at) > _MAX_BRACKETS else ""
    if found["mark"] != ")":
        return ""
    if not open_at:
        return "a closing bracket that was never opened"
    open_at.pop()
    return ""

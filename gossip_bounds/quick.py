"""``evaluate`` in its plain form, without the command-line library, which takes most of the time of such a short command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_OPTIONS = {"--topology": "topology", "--update-form": "update_form", "--readout": "readout", "--csv": "csv"}


def plain_evaluate(arguments: Sequence[str]) -> bool:
    """Carry out ``evaluate ID NAME=VALUE ...`` with the options above and ``--json``; False for anything else, undone.

    Whatever is not understood here (help, other options, mistakes) is left to the full command line, so that there is one
    place that explains it.
    """
    understood = _understood(arguments)
    if understood is None:
        return False
    from gossip_bounds.evaluation import report

    report(**understood)
    return True


def _understood(arguments: Sequence[str]) -> dict[str, Any] | None:
    command, *rest = arguments or [""]
    if command != "evaluate":
        return None
    plain: list[str] = []
    options: dict[str, Any] = {}
    words = iter(rest)
    for word in words:
        if word == "--json":
            options["json"] = True
        elif word in _OPTIONS and _OPTIONS[word] not in options:
            options[_OPTIONS[word]] = next(words, "-")
        elif word.startswith("-") or (plain and "=" not in word):
            return None
        else:
            plain.append(word)
    if not plain or "=" in plain[0] or any(str(value).startswith("-") for value in options.values()):
        return None
    if "csv" in options:
        options["csv"] = Path(options["csv"])
    return {"bound_id": plain[0], "assignments": plain[1:], **options}

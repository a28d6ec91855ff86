"""Which of the curves that a run wrote is the one to compare: the averaged model's accuracy on data it was not trained on."""

from __future__ import annotations

import re
from enum import Enum

_LOCAL = r"(?:local|worker|rank|node|client|agent)"
_LOCAL_WORD = re.compile(rf"(?:^|[^a-z]){_LOCAL}s?(?:[^a-z]|$)", re.IGNORECASE)
# A plural with a number, such as nodes16, tells how many there were.
_LOCAL_FOLDER = re.compile(rf"{_LOCAL}(?:s|[-_ ]?models?|[-_ ]?\d+)?", re.IGNORECASE)
_ACCURACY = re.compile(r"acc|top.?1", re.IGNORECASE)
_HELD_OUT = re.compile(r"val|test|eval", re.IGNORECASE)
_AVERAGED = re.compile(r"(?:global|mean|averaged?|avg|cent(?:er|re)|central|network[-_ ]mean)(?:[-_ ]model)?", re.IGNORECASE)


class Curve(Enum):
    """What a tag says of its curve."""

    AVERAGED = "the averaged model's accuracy on held-out data"
    LOCAL = "a local model's curve"
    OTHER = "another quantity"


def kind(tag: str, wanted: str | None = None) -> Curve:
    """What ``tag`` names; ``wanted`` is the user's own tag, which is then the only one compared.

    The mean over nodes of local models' accuracies (``node_average``) is no averaged model's accuracy, and counts as local.
    """
    if wanted is not None:
        return Curve.AVERAGED if tag == wanted else Curve.OTHER
    if _LOCAL_WORD.search(tag):
        return Curve.LOCAL
    return Curve.AVERAGED if _ACCURACY.search(tag) and _HELD_OUT.search(tag) else Curve.OTHER


def is_averaged(word: str) -> bool:
    """Whether a readout column's word means the averaged model."""
    return _AVERAGED.fullmatch(word.strip()) is not None


def is_local_folder(name: str) -> bool:
    """Whether a folder is named after local models: local, worker3, rank_0."""
    return _LOCAL_FOLDER.fullmatch(name) is not None

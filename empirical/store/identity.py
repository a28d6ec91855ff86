"""Everything that can change a configuration's bits, as one JSON document and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from importlib.metadata import version
from typing import Any, get_args, get_type_hints

from bounds.topology import MixingMatrix
from bounds.vocabulary import Quantity, Readout, word
from empirical.configuration import Run
from empirical.device import device_kind
from empirical.measuring import Request
from empirical.problems.registry import data_checksums

FORMAT = 3
"""Version of the file layout; raise it when the layout changes, or the numbers do without a new version of the package."""

#: scikit-learn is one of them because the small data sets come with it.
_PACKAGES = ("gossip-bounds", "numpy", "scikit-learn", "torch")


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """The versions of the packages that the numbers depend on."""
    return {name: version(name) for name in _PACKAGES}


def canonical(value: Any, real: bool = False) -> Any:
    """``value`` in JSON types: equal values give equal documents. ``real`` asks for a float where an integer is written.

    Raises:
        TypeError: for a type without such a form, which would otherwise be missing from the key.
    """
    if isinstance(value, MixingMatrix):
        return {"matrix": value.matrix.tolist()}
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value) + 0.0 if real or isinstance(value, float) else int(value)
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): canonical(item) for name, item in value.items()}
    if is_dataclass(value):
        return dataclass_document(value)
    raise TypeError(
        f"got a {type(value).__name__} in a configuration; the store's key is made of numbers, text, tuples and mixing matrices"
    )


def dataclass_document(value: Any) -> dict[str, Any]:
    """A dataclass as a JSON object of all its fields."""
    hints = get_type_hints(type(value))
    return {field.name: canonical(getattr(value, field.name), _is_real(hints[field.name])) for field in fields(value)}


def _is_real(hint: Any) -> bool:
    return hint is float or float in get_args(hint)


def canonical_requests(requests: Iterable[tuple[str, str]]) -> tuple[Request, ...]:
    """The distinct requests in one fixed order.

    Raises:
        UnknownNameError: for a quantity or readout that is not in the vocabulary.
    """
    return tuple(sorted({(word(Quantity, quantity), word(Readout, readout)) for quantity, readout in requests}))


def identity(run: Run, requests: Iterable[tuple[str, str]], device: str = "auto") -> dict[str, Any]:
    """The document that the key is the hash of: format, run, requests, device type and versions.

    The version of a data set that comes in no package of ours is its checksum.

    Raises:
        UnknownNameError: for requests or a device that do not exist.
    """
    return {
        "format": FORMAT,
        "run": dataclass_document(run),
        "requests": [[quantity.value, readout.value] for quantity, readout in canonical_requests(requests)],
        "device": device_kind(device),
        "versions": {**versions(), **data_checksums(run.problem)},
    }


def to_json(document: Any) -> str:
    """Canonical JSON: sorted names, no spaces, floats by their shortest exact text."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def key_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of an identity document, 64 hexadecimal digits."""
    return hashlib.sha256(to_json(document).encode()).hexdigest()


def run_key(run: Run, requests: Iterable[tuple[str, str]], device: str = "auto") -> str:
    """The key under which the store keeps ``run`` measured for ``requests``, in any order, on ``device``.

    Raises:
        UnknownNameError: for requests or a device that do not exist.
    """
    return key_of(identity(run, requests, device))

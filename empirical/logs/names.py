"""What ran, recovered from the name of a log: built-in patterns of known exporters, or one the user states.

A pattern is a regular expression with named groups that matches a whole name. The group ``topology`` is needed; any other group is a
part of the setting. A name is that of the file without its suffix, or of a folder that the file lies in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bounds.errors import DomainError, MissingParameterError

#: Names that other code has for the fields used here.
ALIASES = {
    "mode": "topology",
    "graph": "topology",
    "data": "dataset",
    "data_set": "dataset",
    "dataset_name": "dataset",
    "arch": "model",
    "architecture": "model",
    "network": "model",
    "batch": "local_batch",
    "batch_size": "local_batch",
    "size": "nodes",
    "workers": "nodes",
    "world_size": "nodes",
    "opt": "optimizer",
    "wd": "weight_decay",
}
#: Topology words that mean one model for all nodes; ``shuffle`` says nothing about them.
CENTRALIZED = ("csgd", "centralized", "centralised")
_WHOLE = ("local_batch", "nodes")
_DEFAULT = "sgd"
_KNOWN_OPTIMIZERS = {"sgd", "lamb", "lars", "adam", "adamw", "adagrad", "rmsprop", "lion", "nesterov", "momentum", "sam"}

_N = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_IDENTITY = (
    r"(?:(?P<before>.+)_)?(?P<dataset>[^_]+?)s(?P<image_size>\d+)-(?P<local_batch>\d+)-(?P<topology>[A-Za-z]\w*)-(?P<shuffle>[A-Za-z]\w*)"
    rf"-(?P<nodes>\d+)-(?P<model>.+?)(?:_(?P<variant>M))?-(?P<pretrained>\d+)-(?P<lr>{_N})-(?P<weight_decay>{_N})-(?P<gamma>{_N})-(?P<momentum>{_N})"
    r"-(?P<warmup>\d+)-(?P<epoch>\d+)-(?P<early_stop>\d+)-(?P<seed>\d+)-(?P<amp>True|False)"
)
#: The published D-SGD and SAM code (github.com/Raiden-Zhu/ICML-2023-DSGD-and-SAM): [optimizer_][time_][host_]identity. Its networks for
#: small images end in _M, which is kept as the field ``variant``.
PUBLISHED = re.compile(_IDENTITY)
_BEFORE = re.compile(r"(?:(?P<optimizer>.+?)_)??(?:[A-Z][a-z]{2}\d{1,2}_\d{2}\D\d{2}\D\d{2}_)?(?P<host>[^_]+)")
#: Hydra's override names: key=value,key=value.
ASSIGNMENTS = re.compile(r"\w[\w.]*=[^,=]*(?:,\w[\w.]*=[^,=]*)*")
#: TensorBoard's CSV download: run-RUN-tag-TAG.
_DOWNLOAD = re.compile(r"(?:run[-_])?(?P<run>.+?)-tag-(?P<tag>.+)")
_COPY = re.compile(r"\s*\(\d+\)$")


@dataclass(frozen=True, slots=True)
class LogSetting:
    """What ran. ``fields`` are all other parts of the setting, as sorted (name, text) pairs, numbers in one spelling.

    ``total_batch`` is ``local_batch`` times ``nodes``; None where the log does not say. ``seed`` is among the fields.
    """

    topology: str
    shuffle: str | None
    dataset: str | None
    model: str | None
    local_batch: int | None
    nodes: int | None
    optimizer: str
    fields: tuple[tuple[str, str], ...]

    @property
    def total_batch(self) -> int | None:
        """Samples per step over all nodes."""
        return None if self.local_batch is None or self.nodes is None else self.local_batch * self.nodes

    def field(self, name: str) -> str | None:
        """One of the other fields, None if the log does not have it."""
        return dict(self.fields).get(name)

    def partner(self, *without: str) -> tuple[tuple[str, object], ...]:
        """Everything but topology and shuffle, and but the fields named in ``without``: what the two runs of a pair agree in."""
        own = tuple(
            (name, getattr(self, name)) for name in ("dataset", "model", "local_batch", "nodes", "optimizer") if name not in without
        )
        return (*own, *((name, text) for name, text in self.fields if name not in without))


def compile_pattern(text: str) -> re.Pattern[str]:
    """The user's pattern.

    Raises:
        DomainError: when it is no regular expression.
        MissingParameterError: when it has no group that names the topology.
    """
    try:
        found = re.compile(text)
    except re.error as error:
        raise DomainError(
            f"got the pattern {text!r}, which is no regular expression ({error}); write groups as (?P<topology>[a-z]+)"
        ) from None
    if "topology" not in {ALIASES.get(name, name) for name in found.groupindex}:
        raise MissingParameterError(f"the pattern {text!r} has no group topology (or mode); write it as (?P<topology>[a-z]+)")
    return found


def split_name(name: str) -> tuple[str, str | None]:
    """The run's name without a copy's number, and the tag that TensorBoard's download put behind it."""
    name = _COPY.sub("", name)
    found = _DOWNLOAD.fullmatch(name)
    return (found["run"], found["tag"]) if found else (name, None)


def recover(names: Iterable[str], pattern: re.Pattern[str] | None) -> dict[str, str] | None:
    """The fields in the first of ``names`` that the user's pattern or, without one, a built-in one matches as a whole."""
    for name in names:
        found = _built_in(name) if pattern is None else _groups(pattern.fullmatch(name))
        if found is not None:
            return found
    return None


def _built_in(name: str) -> dict[str, str] | None:
    found = _groups(PUBLISHED.fullmatch(name))
    if found is not None:
        before = found.pop("before", None)
        return found | ({} if before is None else _optimizer(before))
    if ASSIGNMENTS.fullmatch(name):
        # A dotted key is that of a nested table; its last part says what it is.
        pairs = (part.split("=", 1) for part in name.split(","))
        return {_field(key.rpartition(".")[2]): text for key, text in pairs}
    return None


def _optimizer(before: str) -> dict[str, str]:
    found = _BEFORE.fullmatch(before)
    if found is None:
        return {}
    words = _groups(found) or {}
    if "optimizer" in words:
        return {"optimizer": words["optimizer"]}
    return {"optimizer": words["host"]} if words["host"].lower() in _KNOWN_OPTIMIZERS else {}


def _groups(found: re.Match[str] | None) -> dict[str, str] | None:
    return None if found is None else {_field(name): text for name, text in found.groupdict().items() if text is not None}


def _field(name: str) -> str:
    return ALIASES.get(name, name)


def canonical(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name, text) sorted by name, with aliases replaced and numbers in one spelling: 0.10 and 1e-1 are 0.1."""
    return iter(sorted((_field(name), _spelled(text.strip())) for name, text in fields.items()))


def _spelled(text: str) -> str:
    try:
        return str(int(text))
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def setting(fields: Mapping[str, str]) -> LogSetting:
    """The setting that these fields describe.

    Raises:
        ValueError: saying in words which field is missing or not a whole number.
    """
    known = dict(canonical(fields))
    if not known.get("topology"):
        raise ValueError("nothing says which topology ran")
    whole = {name: _count(name, known.pop(name, None)) for name in _WHOLE}
    words = {name: known.pop(name, None) for name in ("dataset", "model", "shuffle")}
    topology, optimizer = known.pop("topology"), known.pop("optimizer", _DEFAULT)
    return LogSetting(topology=topology, optimizer=optimizer, fields=tuple(known.items()), **words, **whole)  # type: ignore[arg-type]


def _count(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}, which is no whole number above 0")
    return int(text)

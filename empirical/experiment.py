"""An experiment file: TOML, checked by models that are made from ``Run``'s own fields, into frozen configurations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache, lru_cache, reduce
from operator import or_
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from bounds.document import read_toml, validated
from bounds.errors import DomainError, GossipBoundsError, MissingParameterError, UnknownParameterError
from bounds.topology import GRAPHS, MixingMatrix, load
from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.measuring import Request
from empirical.models.importing import ModelTable
from empirical.problems.own import DataTable, OwnModel
from empirical.problems.registry import problem
from empirical.readings import reading
from empirical.store.identity import canonical_requests

_MAX_CONFIGURATIONS = 100_000
_STRICT = ConfigDict(extra="forbid", strict=True)
_Matrix = list[list[float]]
_PAIRS = 'a list of pairs; write quantities = [["generalization_error", "node_average"]]'


def _label(swept: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in swept.items())


@dataclass(frozen=True)
class Configuration:
    """One run, and the swept values that tell it apart from the others."""

    run: Run
    swept: Mapping[str, Any]

    def label(self) -> str:
        """The swept values as text; empty without a sweep."""
        return _label(self.swept)


@dataclass(frozen=True)
class Experiment:
    """What a file asks for: every configuration is measured for all ``requests``; ``own`` is the user's model, if it has one."""

    configurations: tuple[Configuration, ...]
    requests: tuple[Request, ...]
    own: OwnModel | None = None


def _as_written(hint: Any) -> Any:
    """The type of a field in TOML, where a mixing matrix is a list of rows."""
    options = get_args(hint)
    if MixingMatrix not in options:
        return hint
    return reduce(or_, (_Matrix if option is MixingMatrix else option for option in options))


@lru_cache(maxsize=1)
def _model() -> type[BaseModel]:
    hints = {name: _as_written(hint) for name, hint in get_type_hints(Run).items() if name in {field.name for field in fields(Run)}}
    # Every field may be left out here: which ones are needed is known only when [run] and [sweep] are put together.
    run: dict[str, Any] = {name: (hint, None) for name, hint in hints.items()}
    sweep: dict[str, Any] = {name: (list[hint], Field(None, min_length=1)) for name, hint in hints.items()}  # type: ignore[valid-type]
    quantities = (list[tuple[Quantity, Readout]], Field(min_length=1, description=_PAIRS))
    return create_model(
        "Experiment",
        __config__=_STRICT,
        run=(create_model("Run", __config__=_STRICT, **run), ...),
        sweep=(create_model("Sweep", __config__=_STRICT, **sweep), None),
        measure=(create_model("Measure", __config__=_STRICT, quantities=quantities), ...),
        model=(ModelTable, None),
        data=(DataTable, None),
    )


def _parse(path: Path) -> dict[str, Any]:
    document = read_toml(path)
    found = validated(document, _model(), path).model_dump(exclude_unset=True)
    # In the order of the file, which pydantic replaces by the order of Run's fields.
    return found | {"sweep": {name: found["sweep"][name] for name in document.get("sweep", {})}}


def _own(path: Path, document: Mapping[str, Any]) -> OwnModel | None:
    """The user's model that the tables [model] and [data] describe, None without them."""
    tables = [name for name in ("model", "data") if name in document]
    if not tables:
        return None
    if len(tables) == 1:
        lacking = "data" if tables == ["model"] else "model"
        raise MissingParameterError(f"{str(path)!r}: [{tables[0]}] needs the table [{lacking}] beside it; see docs/measuring.md")
    place = next((where for where in ("run", "sweep") if "problem" in document[where]), None)
    if place is not None:
        raise UnknownParameterError(f"{str(path)!r}: problem is in [{place}], and [model] describes one; leave one of them out")
    return OwnModel.read(document["model"], document["data"], path.parent)


def _check_names(path: Path, run: Mapping[str, Any], sweep: Mapping[str, Any], seed: int | None) -> None:
    twice = sorted(run.keys() & sweep.keys())
    if twice:
        raise UnknownParameterError(f"{str(path)!r}: {twice[0]} is in [run] and in [sweep]; leave it out of one of them")
    if seed is not None and "seed" in sweep:
        raise UnknownParameterError(f"{str(path)!r}: seed is in [sweep] and --seed is given; leave one of them out")
    needed = [field.name for field in fields(Run) if field.default is MISSING and field.default_factory is MISSING]
    lacking = [name for name in needed if name not in run and name not in sweep]
    if lacking:
        raise MissingParameterError(
            f"{str(path)!r}: [run] lacks {', '.join(lacking)}; write {lacking[0]} = VALUE there, or a list of values in [sweep]"
        )


def _points(path: Path, sweep: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    total = math.prod(len(values) for values in sweep.values())
    if total > _MAX_CONFIGURATIONS:
        raise DomainError(f"{str(path)!r}: [sweep] makes {total} configurations; at most {_MAX_CONFIGURATIONS} are allowed: shorten a list")
    return (dict(zip(sweep, point, strict=True)) for point in itertools.product(*sweep.values()))


def _topology(value: Any, folder: Path, nodes: Any) -> Any:
    if isinstance(value, list):
        return MixingMatrix(value, name="matrix")
    if isinstance(value, str) and value not in GRAPHS and Path(value).suffix:
        return load(str(folder / value), nodes)
    return value


# Building a problem reads its data set, and a sweep has thousands of configurations of the same few problems.
_built = cache(problem)


def _configuration(path: Path, values: dict[str, Any], swept: dict[str, Any], requests: tuple[Request, ...]) -> Configuration:
    try:
        matrix = {"topology": _topology(values["topology"], path.parent, values.get("m"))} if "topology" in values else {}
        made = Configuration(Run(**values | matrix), swept)
        for request in requests:
            reading(made.run, _built(made.run.problem), *request)
    except GossipBoundsError as error:
        where = f" at {_label(swept)}" if swept else ""
        raise type(error)(f"{str(path)!r}{where}: {error}") from None
    return made


def read_experiment(path: Path, seed: int | None = None) -> Experiment:
    """The experiment in a TOML file, every configuration checked; the last name of ``[sweep]`` runs fastest.

    Args:
        path: ``[run]`` has :class:`empirical.Run`'s fields, ``[sweep]`` lists of values for some of them, ``[measure]`` the
            quantities. ``topology`` may be a name, a file (its path is relative to this one), or a list of rows. ``[model]`` and
            ``[data]`` describe a model and data of the user's, instead of a problem; importing the model runs the user's code.
        seed: instead of the file's, if given.

    Raises:
        InputFileError: when the file cannot be read or is not TOML.
        GossipBoundsError: one line naming the file and the key, for anything else.
    """
    document = _parse(path)
    own = _own(path, document)
    run, sweep = document["run"] | ({} if own is None else {"problem": own.register()}), document["sweep"]
    _check_names(path, run, sweep, seed)
    base = run if seed is None else run | {"seed": seed}
    requests = canonical_requests(document["measure"]["quantities"])
    try:
        return Experiment(tuple(_configuration(path, base | point, point, requests) for point in _points(path, sweep)), requests, own)
    finally:
        # A problem on a large image set takes gigabytes, which the worker processes need.
        _built.cache_clear()

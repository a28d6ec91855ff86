"""``constants``: the TOML file, the user's module, and the table of constants."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

import bounds
from bounds.errors import DomainError, InputFileError, UnknownNameError
from bounds.files import read_text
from empirical.constants import estimate_constants, load_arrays, recognise
from empirical.constants.estimate import LOSSES


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelTable(_Table):
    """``[model]``: ``module = "package.file:Class"``, its keyword arguments, the folder to import from, loss and radius."""

    module: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    path: str = "."
    loss: str = "cross_entropy"
    radius: float | None = Field(default=None, gt=0)


class DataTable(_Table):
    """``[data]``: an .npz file with x, y and optionally node; ``nodes`` deals the samples when there is no node array."""

    file: str
    nodes: int | None = Field(default=None, ge=1)


class SearchTable(_Table):
    """``[search]``: how hard to look when nothing is proved."""

    groups: int = Field(default=8, ge=2)
    points: int = Field(default=2, ge=1)
    samples: int = Field(default=256, ge=1)


class ConstantsFile(_Table):
    """The whole file."""

    model: ModelTable
    data: DataTable
    search: SearchTable = SearchTable()


def read_constants_file(path: Path) -> ConstantsFile:
    """Parse and check the file.

    Raises:
        InputFileError: one line naming the key.
    """
    try:
        return ConstantsFile.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise InputFileError(f"{str(path)!r} is not TOML ({error}); see docs/own-model.md") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputFileError(f"{str(path)!r} has a bad value at {key}: {first['msg']}; see docs/own-model.md") from None


def _build(table: ModelTable, base: Path) -> nn.Module:
    name, colon, attribute = table.module.partition(":")
    if not colon:
        raise InputFileError(f"model.module is {table.module!r}; write 'package.file:Class'")
    sys.path.insert(0, str((base / table.path).resolve()))
    try:
        factory = getattr(importlib.import_module(name), attribute)
        model = factory(**table.arguments)
    except (ImportError, AttributeError, TypeError) as error:
        raise InputFileError(
            f"cannot build model.module {table.module!r} ({error}); check the name, model.path and model.arguments"
        ) from None
    finally:
        sys.path.pop(0)
    if not isinstance(model, nn.Module):
        raise DomainError(f"model.module {table.module!r} gave a {type(model).__name__}; it must be, or return, a torch.nn.Module")
    return model


def constants(path: Path, seed: int) -> dict[str, Any]:
    """The JSON document of ``constants``: every constant with value, tag, standard error (0 when proved) and source.

    Raises:
        InputFileError, DomainError, UnknownNameError: each one line.
    """
    import torch

    file = read_constants_file(path)
    if file.model.loss not in LOSSES:
        raise UnknownNameError(f"model.loss is {file.model.loss!r}; allowed: {', '.join(LOSSES)}")
    torch.manual_seed(seed)
    model = _build(file.model, path.parent)
    data = load_arrays(path.parent / file.data.file, file.data.nodes)
    known = recognise(model, file.model.loss, data, file.model.radius)
    rows: dict[str, dict[str, Any]] = {}
    if known is None or known.M is None:
        search = file.search
        try:
            found = estimate_constants(model, file.model.loss, data, file.model.radius, seed, search.groups, search.points, search.samples)
        except (RuntimeError, IndexError, ValueError) as error:
            raise DomainError(
                f"the model and the data do not fit ({' '.join(str(error).split())[:200]}); check shapes and model.loss"
            ) from None
        rows = {
            name: {"value": one.constant.value, "tag": "estimated", "standard_error": one.standard_error, "source": one.constant.source}
            for name, one in found.items()
        }
    if known is not None:
        rows |= {n: {"value": k.value, "tag": k.tag, "standard_error": 0.0, "source": k.source} for n, k in known.constants().items()}
    size = int(sum(parameter.numel() for parameter in model.parameters()))
    recognised = None if known is None else known.name
    return {
        "schema_version": 1,
        "model": file.model.module,
        "recognised": recognised,
        "parameters": size,
        "nodes": data.nodes,
        "constants": rows,
    }


def assignments(document: dict[str, Any], bound_id: str | None) -> str:
    """``NAME=VALUE ...`` of the constants (those that the bound takes, when one is named), ready for ``evaluate``."""
    wanted = None if bound_id is None else bounds.get(bound_id).formula.parameters
    pairs = ((name, row["value"]) for name, row in document["constants"].items() if wanted is None or name in wanted)
    return " ".join(f"{name}={value!r}" for name, value in pairs)

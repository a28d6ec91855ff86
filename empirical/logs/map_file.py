"""The TOML file of a column map.

Nothing imports this module before a map is read: pydantic takes longer to load than a folder of logs to read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bounds.document import read_toml, validated
from bounds.errors import DomainError
from empirical.logs.columns import ColumnMap
from empirical.logs.names import ALIASES

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class ValuesTable(BaseModel):
    """``[values]``: the unit of the accuracies, guessed if left out."""

    model_config = _STRICT
    unit: Literal["fraction", "percent"] | None = None


class MapFile(BaseModel):
    """``[columns]``, ``[setting]`` and ``[values]``, see :class:`empirical.logs.columns.ColumnMap`."""

    model_config = _STRICT
    columns: dict[str, str] = Field(description='a table; write [columns] with step = "NAME" and value = "NAME"')
    setting: dict[str, str | int | float] = Field(default_factory=dict)
    values: ValuesTable = ValuesTable()


def read_map(path: Path) -> ColumnMap:
    """The column map in a TOML file.

    Raises:
        InputFileError: when it cannot be read or is not TOML.
        DomainError: one line naming the file and the key.
    """
    told = validated(read_toml(path), MapFile, path)
    lacking = [name for name in ("step", "value") if name not in told.columns]
    if lacking:
        raise DomainError(f'{str(path)!r}: [columns] lacks {" and ".join(lacking)}; write {lacking[0]} = "NAME OF ITS COLUMN" there')
    found = ColumnMap(told.columns, {ALIASES.get(name, name): str(value) for name, value in told.setting.items()}, told.values.unit)
    twice = sorted(set(found.parts) & set(found.fixed))
    if twice:
        raise DomainError(f"{str(path)!r}: {twice[0]} is in [columns] and in [setting]; leave it out of one of them")
    return found

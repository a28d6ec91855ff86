"""A user's module on a user's data as the problem of a sweep: a description that every worker process can build it from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bounds.errors import DomainError
from empirical.constants.data import load_arrays
from empirical.models.importing import ModelTable, check_loss, imported
from empirical.models.losses import LOSSES
from empirical.problems.module import ModuleProblem
from empirical.problems.registry import register


class DataTable(BaseModel):
    """``[data]``: an .npz file with x and y, the population that all samples are drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    file: str = Field(description='the samples, written by numpy.savez(path, x=..., y=...): file = "data.npz"')


@dataclass(frozen=True, slots=True)
class OwnModel:
    """Where the module and the samples are; ``arguments`` is JSON, ``folder`` and ``data`` are absolute paths."""

    module: str
    arguments: str
    folder: str
    loss: str
    data: str

    @classmethod
    def read(cls, model: Mapping[str, object], data: Mapping[str, object], base: Path) -> OwnModel:
        """From the tables ``[model]`` and ``[data]`` of a file in the folder ``base``.

        Raises:
            UnknownNameError: for a loss that does not exist.
        """
        table, samples = ModelTable.model_validate(model), DataTable.model_validate(data)
        check_loss(table.loss)
        arguments = json.dumps(table.arguments, sort_keys=True)
        return cls(table.module, arguments, str((base / table.path).resolve()), table.loss, str((base / samples.file).resolve()))

    def problem(self) -> ModuleProblem:
        """Import the module, read the samples, and put them together; the initial weights are those of torch's seed 0.

        Raises:
            InputFileError, DomainError: each one line.
        """
        module = imported(self.module, json.loads(self.arguments), Path(self.folder))
        samples = load_arrays(Path(self.data), None)
        if samples.node.any():
            raise DomainError(
                f"{self.data!r} has an array 'node', but a run draws each node's samples from all rows; leave it out, and use split for heterogeneity"
            )
        targets = np.asarray(samples.targets)
        if self.loss != "cross_entropy":
            targets = targets.astype(np.float64)
        return ModuleProblem(self.module.rpartition(":")[2], module, samples.features, targets, LOSSES[self.loss])

    def register(self) -> str:
        """Make the problem known to this process, once, and return its name."""
        return _registered(self)


@cache
def _registered(own: OwnModel) -> str:
    return register(own.problem())

"""What a distributed run leaves behind: its models at the reading steps, and what was measured on them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError, InputFileError
from bounds.files import read_bytes, write_bytes, write_text
from empirical.configuration import Run
from empirical.measurement import Measurement
from empirical.measuring import Request, read_off
from empirical.parts import Part
from empirical.problems.base import Problem
from empirical.samples import Samples
from empirical.store.identity import identity, key_of
from empirical.store.seal import sealed, unsealed

_DIGITS = 16
#: Raise it when the layout of the files changes, or the numbers do without a new version of the package.
_FORMAT = 1


def distributed_key(run: Run, requests: Iterable[tuple[str, str]], device: str) -> str:
    """SHA-256 of everything that can change a bit; the backend, the timeout and a throttle cannot."""
    return key_of(identity(run, requests, device) | {"distributed": _FORMAT})


@dataclass(frozen=True)
class Outcome:
    """The files of the run ``key`` in ``folder``: ``KEY.npz`` with the models, ``KEY.json`` with what was measured."""

    folder: Path
    key: str

    @property
    def models(self) -> Path:
        """The arrays ``models`` (replicates, readings, m, P) in the run's precision and ``steps`` (readings,)."""
        return self.folder / f"{self.key[:_DIGITS]}.npz"

    @property
    def document(self) -> Path:
        """The JSON document, written last."""
        return self.folder / f"{self.key[:_DIGITS]}.json"

    def load(self) -> NDArray[np.floating] | None:
        """The models of a finished run; None where there is none, or its files are damaged."""
        try:
            if json.loads(read_bytes(self.document))["key"] != self.key:
                return None
            with np.load(io.BytesIO(unsealed(read_bytes(self.models))), allow_pickle=False) as found:
                return np.asarray(found["models"]) if str(found["key"]) == self.key else None
        except (InputFileError, ValueError, KeyError, TypeError):
            return None

    def write(self, run: Run, models: Tensor, measured: list[Measurement], notes: dict[str, Any]) -> None:
        """Write both files.

        Raises:
            InputFileError: when they cannot be written.
        """
        content = io.BytesIO()
        np.savez(content, models=models.cpu().numpy(), steps=np.array(run.read_at), key=np.array(self.key))
        write_bytes(self.models, sealed(content.getvalue()))
        write_text(self.document, json.dumps(self._document(run, measured) | notes, indent=2) + "\n")

    def _document(self, run: Run, measured: list[Measurement]) -> dict[str, Any]:
        values: dict[str, list[Any]] = {}
        for one in measured:
            values.setdefault(f"{one.quantity.value}_at_{one.readout.value}", []).append(one.values.tolist())
        return {
            "schema_version": 1,
            "key": self.key,
            "models": self.models.name,
            "nodes": run.m,
            "steps": list(run.read_at),
            "values": values,
        }


def measured_off(run: Run, problem: Problem, samples: Samples, requests: tuple[Request, ...], models: Tensor) -> list[Measurement]:
    """The requested quantities of ``models`` (replicates, readings, m, P).

    Raises:
        DomainError: for a run that diverged.
    """
    if not bool(torch.isfinite(models).all()):
        raise DomainError("the run diverged: a weight is not finite; take a smaller eta or a projection radius")
    part = Part(range(run.replicates), slice(0, 0))
    seen = ((part, number, models[:, number, None]) for number in range(len(run.read_at)))
    return read_off(run, problem, samples, requests, models.device, seen, ordered=True)

"""The suite is deterministic: hypothesis draws the same examples on every run. Logs in a published format are made up here."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

settings.register_profile("deterministic", derandomize=True, database=None, deadline=None, print_blob=False)
settings.load_profile("deterministic")

_FIELDS = {
    "prefix": "",
    "host": "host-1",
    "dataset": "CIFAR10",
    "image_size": 56,
    "local_batch": 512,
    "topology": "ring",
    "shuffle": "fixed",
    "nodes": 16,
    "model": "ResNet18_M",
    "pretrained": 1,
    "lr": 0.8,
    "weight_decay": 0.0,
    "gamma": 0.1,
    "momentum": 0.0,
    "warmup": 60,
    "epoch": 6000,
    "early_stop": 6000,
    "seed": 666,
    "amp": False,
}


class LogMaker:
    """Writes made-up runs in the published format into a folder: 120 rows, a steep start, then a level with AR(1) fluctuation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def name(**fields: object) -> str:
        """The published file name of a setting, without suffix."""
        told = _FIELDS | fields
        assert told.keys() == _FIELDS.keys(), told.keys() - _FIELDS.keys()
        first = "-".join(str(told[name]) for name in list(_FIELDS)[4:])
        return f"{told['prefix']}{told['host']}_{told['dataset']}s{told['image_size']}-{first}"

    @staticmethod
    def curve(level: float, spread: float = 0.05, memory: float = 0.0, rows: int = 120, key: str = "") -> NDArray[np.float64]:
        """Accuracies in percent that settle at ``level`` within 40 rows."""
        rng = np.random.default_rng(zlib.crc32(key.encode()))
        noise = rng.standard_normal(rows + 50)
        for k in range(1, rows + 50):
            noise[k] = memory * noise[k - 1] + np.sqrt(1 - memory**2) * noise[k]
        return level - 60 * np.exp(-np.arange(rows) / 3) + spread * noise[50:]

    def write(self, level: float, *, spread: float = 0.05, memory: float = 0.0, rows: int = 120, within: str = "", **fields: object) -> str:
        """Write one run; its name below the folder."""
        name = Path(within, f"{self.name(**fields)}.csv")
        values = self.curve(level, spread, memory, rows, name.stem) / 100
        return self.text(name.as_posix(), self.export(values))

    def text(self, name: str, content: str | bytes) -> str:
        """Write a file as it is given."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    @staticmethod
    def export(values: NDArray[np.float64], every: int = 50) -> str:
        """A scalar export of these values."""
        rows = [f"{1677221340.5 + k},{every * k},{value!r}" for k, value in enumerate(values.tolist())]
        return "\r\n".join(["Wall time,Step,Value", *rows, ""])


@pytest.fixture
def made(tmp_path: Path) -> LogMaker:
    """An empty folder to write made-up logs into."""
    return LogMaker(tmp_path / "logs")

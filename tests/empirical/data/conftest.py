"""Small sets in the published formats, written by hand: nothing here uses the package's own readers."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from empirical.data import SETS, VARIABLE, DataFile, DataSet, Package

Files = dict[str, bytes]


def idx(array: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


def png(pixels: np.ndarray) -> bytes:
    """An RGB PNG file of (rows, columns, 3) bytes, every row unfiltered."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    header = struct.pack(">2I5B", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def described(name: str, layout: str, files: Files, packages: tuple[Package, ...]) -> DataSet:
    """The files as a set: images, labels, test images, test labels being the last four of them, more images before."""
    every = [DataFile(file, len(content), hashlib.sha256(content).hexdigest()) for file, content in files.items()]
    *train, train_labels, test, test_labels = every
    return DataSet(name, layout, tuple(train), train_labels, (test,), test_labels, packages)  # type: ignore[arg-type]


@pytest.fixture
def encoders() -> tuple[Callable[[np.ndarray], bytes], Callable[[np.ndarray], bytes]]:
    """(idx, png)."""
    return idx, png


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """50 + 20 images of 4x3 and of 32x32x3, with labels of all ten classes."""
    rng = np.random.default_rng(7)
    labels = np.concatenate([np.arange(10), rng.integers(0, 10, 40), np.arange(10), rng.integers(0, 10, 10)])
    grey, colour = rng.integers(0, 256, (70, 4, 3)), rng.integers(0, 256, (70, 32, 32, 3))
    return {"grey": grey.astype(np.uint8), "colour": colour.astype(np.uint8), "labels": labels}


@pytest.fixture
def idx_files(arrays: dict[str, np.ndarray]) -> Files:
    """The grey images as the four files of MNIST."""
    grey, labels = arrays["grey"], arrays["labels"]
    return {
        "train-images-idx3-ubyte": idx(grey[:50]),
        "train-labels-idx1-ubyte": idx(labels[:50]),
        "t10k-images-idx3-ubyte": idx(grey[50:]),
        "t10k-labels-idx1-ubyte": idx(labels[50:]),
    }


@pytest.fixture
def strip_files(arrays: dict[str, np.ndarray]) -> Files:
    """The colour images as two strips and one of CIFAR's layout."""
    strips, labels = arrays["colour"].reshape(70, 1024, 3), arrays["labels"].tolist()
    return {
        "data_batch_1.png": png(strips[:30]),
        "data_batch_2.png": png(strips[30:50]),
        "train_lables.json": json.dumps(labels[:50]).encode(),
        "test_batch.png": png(strips[50:]),
        "test_lables.json": json.dumps(labels[50:]).encode(),
    }


@pytest.fixture
def small_sets(monkeypatch: pytest.MonkeyPatch, idx_files: Files, strip_files: Files) -> dict[str, Files]:
    """The known sets replaced by small ones of the same names; by name, their files."""
    npm = Package("npm", "pack", "package/data", "1.0.0", "")
    found = {"fashion-mnist": ("idx", idx_files), "mnist": ("idx", idx_files), "cifar-10": ("strips", strip_files)}
    for name, (layout, files) in found.items():
        monkeypatch.setitem(SETS, name, described(name, layout, files, (npm,)))
    monkeypatch.delenv(VARIABLE, raising=False)
    return {name: files for name, (_, files) in found.items()}


@pytest.fixture
def data_dir(small_sets: dict[str, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the small sets in it, named by the environment; Fashion-MNIST is compressed."""
    for name, files in small_sets.items():
        (tmp_path / "data" / name).mkdir(parents=True)
        for file, content in files.items():
            packed = name == "fashion-mnist"
            (tmp_path / "data" / name / f"{file}{'.gz' * packed}").write_bytes(gzip.compress(content) if packed else content)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"

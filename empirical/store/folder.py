"""The store's folder: its files, its lock, and the leftovers of killed processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from bounds.errors import InputFileError
from bounds.files import TEMPORARY, reason

SUFFIX = ".nc"
_LOCK = ".lock"
_NAME = re.compile(r"[0-9a-f]{64}\.nc")

Stamp = tuple[int, int]


def files(folder: Path) -> dict[str, Stamp]:
    """(bytes, modification time in ns) of every file that is named like a configuration; empty for a folder that is not there.

    Raises:
        InputFileError: when the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat() for entry in entries if _NAME.fullmatch(entry.name)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputFileError(f"cannot list the folder {str(folder)!r} ({reason(error)}); give a folder you may read") from None
    return {name: (found[name].st_size, found[name].st_mtime_ns) for name in sorted(found)}


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, shared with other writers, so that nobody takes a file being written for a leftover.

    Raises:
        InputFileError: when the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputFileError(f"cannot write to the folder {str(folder)!r} ({reason(error)}); choose a folder you may write to") from None
    try:
        # A file system without locks (then clean_leftovers cannot lock either, and removes nothing) is no reason to refuse.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def clean_leftovers(folder: Path) -> int:
    """Remove the temporary files of killed processes and return their number.

    While another process is writing nothing is removed, nor where this one may not: the next start is soon enough.
    """
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(folder) if TEMPORARY.fullmatch(name)]
        if not names:
            return 0
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in names:
                (folder / name).unlink(missing_ok=True)
        finally:
            os.close(handle)
        return len(names)
    return 0

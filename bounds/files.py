"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import uuid
from pathlib import Path

from bounds.errors import InputFileError

TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")
"""Names of the temporary files that a killed process can leave behind."""


def _temporary(folder: Path) -> Path:
    # Not tempfile: its files are readable by their owner only, and the rename would keep that.
    return folder / f".{uuid.uuid4().hex}.tmp"


def reason(error: OSError) -> str:
    """What the system says is wrong, without the path."""
    return error.strerror or str(error)


def _advice(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "free some space, or choose another place" if full else "choose a path you may write to"


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot sync a folder; the file itself is safe there too.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> Path:
    """Create ``folder`` (and parents) and check that files can be written there.

    Raises:
        InputFileError: in one line when they cannot.
    """
    probe = _temporary(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise InputFileError(f"cannot write to the folder {str(folder)!r} ({reason(error)}); choose a folder you may write to") from None
    return folder


def write_bytes(path: Path, content: bytes) -> None:
    """Write through a temporary file, fsync, rename and fsync of the folder, so that a reader sees the old file or the new one.

    Missing parent folders are made.

    Raises:
        InputFileError: in one line when the file cannot be written; nothing is left behind.
    """
    temporary = _temporary(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise InputFileError(f"cannot write {str(path)!r} ({reason(error)}); {_advice(error)}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """:func:`write_bytes` for UTF-8 text."""
    write_bytes(path, text.encode())


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        InputFileError: in one line when it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot read {str(path)!r} ({reason(error)}); give the path of a readable file") from None


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        InputFileError: in one line when it cannot be read as UTF-8 text.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise InputFileError(f"cannot read {str(path)!r} (not UTF-8 text); give the path of a text file") from None

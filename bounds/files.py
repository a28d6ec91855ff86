"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from bounds.errors import InputFileError


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def make_folder(folder: Path) -> Path:
    """Create ``folder`` (and parents) and check that files can be written there.

    Raises:
        InputFileError: in one line when they cannot.
    """
    probe = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputFileError(f"cannot write to the folder {str(folder)!r} ({_reason(error)}); choose a folder you may write to") from None
    return folder


def write_bytes(path: Path, content: bytes) -> None:
    """Write through a temporary file, fsync and rename, so that a reader sees the old file or the new one.

    Missing parent folders are made.

    Raises:
        InputFileError: in one line when the file cannot be written; nothing is left behind.
    """
    # Not tempfile: its files are readable by their owner only, and the rename would keep that.
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise InputFileError(f"cannot write {str(path)!r} ({_reason(error)}); choose a path you may write to") from None
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
        raise InputFileError(f"cannot read {str(path)!r} ({_reason(error)}); give the path of a readable file") from None


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        InputFileError: in one line when it cannot be read as UTF-8 text.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise InputFileError(f"cannot read {str(path)!r} (not UTF-8 text); give the path of a text file") from None

"""Folders that the environment names, so that worker processes know them too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, if any."""
    named = os.environ.get(variable)
    return Path(named) if named else None


@contextmanager
def naming_folder(variable: str, folder: str | Path | None) -> Iterator[None]:
    """Make ``variable`` name ``folder``, also for processes started meanwhile; None changes nothing."""
    before = os.environ.get(variable)
    if folder is not None:
        # Absolute, because a worker process may have another working directory.
        os.environ[variable] = str(Path(folder).absolute())
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before

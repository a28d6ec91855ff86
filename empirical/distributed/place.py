"""Where torchrun has put this process, and the one line that a failed run says."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bounds.errors import DomainError

_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class StoppedError(BaseException):
    """SIGTERM came; no Exception, so that nothing on the way takes it for an error of its own."""


@dataclass(frozen=True)
class Place:
    """This process's node number, how many nodes there are, and its number on this machine."""

    rank: int
    size: int
    local: int


def place(environment: Mapping[str, str]) -> Place:
    """The place that torchrun's variables tell.

    Raises:
        DomainError: when they are not there.
    """
    missing = [name for name in _NAMES if name not in environment]
    if missing:
        raise DomainError(
            f"{missing[0]} is not set; start one process per node with: torchrun --nproc-per-node NODES -m empirical.distributed FILE --out DIR"
        )
    return Place(*(int(environment[name]) for name in _NAMES[:3]))


class Speaker:
    """Sees to it that of all processes that share ``file``'s folder only the first one to fail says so, on stderr and in ``file``."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def forget(self) -> None:
        """Remove what a run before this one has said."""
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)

    def say(self, line: str) -> None:
        """Print the line unless another process has said one."""
        text = f"gossip-bounds: {' '.join(line.split())}\n"
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return
        except OSError:
            handle = None
        sys.stderr.write(text)
        sys.stderr.flush()
        if handle is not None:
            with os.fdopen(handle, "w") as file:
                file.write(text)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM, which torchrun sends to the others when one process has died, into :class:`StoppedError`."""

    def stop(*_: Any) -> None:
        raise StoppedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

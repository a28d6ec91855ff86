"""One node's checkpoints: whole or not there, and of this very run."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bounds.errors import InputFileError
from bounds.files import TEMPORARY, read_bytes, write_bytes
from empirical.store.seal import sealed, unsealed

State = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Models (replicates, 1, P) after a step, and those at the reading steps so far (readings, replicates, 1, P)."""
_DIGITS = 16


class Checkpoints:
    """The checkpoints of node ``node`` of the run ``key`` in ``folder``, a file each; folders need not be shared between machines.

    Args:
        report: called with one line about each damaged file, which is then passed over.
    """

    def __init__(self, folder: Path, key: str, node: int, report: Callable[[str], None]) -> None:
        self.folder, self.key, self.node, self.report = folder, key, node, report
        self._stem = f"{key[:_DIGITS]}.node-{node}.step-"

    def path(self, step: int) -> Path:
        """The file of a step."""
        return self.folder / f"{self._stem}{step}.ckpt"

    def steps(self) -> list[int]:
        """The steps whose files are whole and this run's, ascending."""
        pattern = re.compile(re.escape(self._stem) + r"(\d+)\.ckpt")
        names = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        there = sorted(int(found[1]) for name in names if (found := pattern.fullmatch(name)))
        return [step for step in there if self._whole(step)]

    def _whole(self, step: int) -> bool:
        try:
            self.load(step)
        except InputFileError as error:
            self.report(str(error))
            return False
        return True

    def save(self, step: int, state: State) -> None:
        """Write a step's state, through a temporary file.

        Raises:
            InputFileError: when it cannot be written.
        """
        content = io.BytesIO()
        identity = np.array([self.key, str(self.node), str(step)])
        np.savez(content, models=state[0], readings=state[1], identity=identity)
        write_bytes(self.path(step), sealed(content.getvalue()))

    def load(self, step: int) -> State:
        """The state of a step.

        Raises:
            InputFileError: when it cannot be read, is damaged, or is of another run, node or step.
        """
        path = self.path(step)
        try:
            with np.load(io.BytesIO(unsealed(read_bytes(path))), allow_pickle=False) as found:
                if found["identity"].tolist() != [self.key, str(self.node), str(step)]:
                    raise ValueError("it is of another run, node or step")
                return found["models"], found["readings"]
        except ValueError as error:
            raise InputFileError(f"{str(path)!r} is damaged: {error}; it is not used, the run goes on from an earlier one") from None

    def forget(self, before: int) -> None:
        """Remove the files of steps before ``before``."""
        for path in self.folder.glob(f"{self._stem}*.ckpt"):
            if int(path.stem.rpartition("-")[2]) < before:
                path.unlink(missing_ok=True)


def forget_leftovers(folder: Path) -> None:
    """Remove what killed processes left half-written in ``folder``; nobody may be writing there."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)

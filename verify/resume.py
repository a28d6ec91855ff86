"""What a long verification keeps of the runs that are done, so that the same command goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from empirical.store import Store
from verify.curve_case import asked
from verify.plan import Task


class Kept:
    """Measured runs in a :class:`empirical.store.Store`: checked on reading, and known by everything that can change their numbers.

    Only training runs are kept; what follows from theory alone is found again.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._store = Store(self.folder)

    def find(self, task: Task) -> Any | None:
        """The result of ``task`` if it was kept whole, else None."""
        training = asked(task)
        if training is None:
            return None
        run, requests, device = training
        stored = self._store.get(run, requests, device)
        if stored is None:
            return None
        found = {((one.quantity, one.readout), one.setting.T): one for measured in stored.values() for one in measured}
        wanted = {(request, step) for request in requests for step in run.read_at}
        return found if found.keys() >= wanted else None

    def keep(self, task: Task, result: Any) -> None:
        """Write the result of a training run; other results pass by.

        Raises:
            InputFileError: when the file cannot be written.
        """
        training = asked(task)
        if training is not None:
            run, requests, device = training
            self._store.put(run, requests, list(result.values()), device)

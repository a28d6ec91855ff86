"""Where the published logs lie that ``verify`` looks at."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from empirical.environment import named_folder, naming_folder

VARIABLE = "GOSSIP_BOUNDS_LOGS"
"""The environment variable that names the folder; worker processes inherit it."""


def logs_folder() -> Path | None:
    """The folder named by the environment, if any."""
    return named_folder(VARIABLE)


def use_logs(folder: str | Path | None) -> AbstractContextManager[None]:
    """Make ``folder`` the one that published logs are read from; None changes nothing."""
    return naming_folder(VARIABLE, folder)

"""What happens on a worker of a cluster: it is held to what the caller is, and set up as the local processes are."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bounds.errors import ClusterError
from empirical.environment import naming_folder
from empirical.store.identity import FORMAT, versions

#: The packages of ours that numbers come from.
_SOURCES = ("bounds", "empirical", "verify")
_FOLDERS = ("GOSSIP_BOUNDS_DATA", "GOSSIP_BOUNDS_LOGS")


@lru_cache(maxsize=1)
def source_digest() -> str:
    """A digest of our own source: two states of one development version have the same number."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for package in _SOURCES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def own_facts(dask_worker: Any = None) -> dict[str, str]:
    """Everything about this process that must be the caller's, in words; on workers, which the library passes as ``dask_worker``."""
    return {
        **versions(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "distributed": version("distributed"),
        "file format": str(FORMAT),
        "source of gossip-bounds": source_digest(),
        "threads": "1" if dask_worker is None else str(dask_worker.state.nthreads),
    }


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker must agree with, and the folders that the caller's environment names."""

    known: tuple[tuple[str, str], ...]
    folders: tuple[tuple[str, str], ...]

    @classmethod
    def here(cls) -> Facts:
        """Those of this process."""
        folders = tuple((name, os.environ[name]) for name in _FOLDERS if os.environ.get(name))
        return cls(tuple(own_facts().items()), folders)

    def refuse(self, found: dict[str, str], worker: str) -> None:
        """Nothing, if ``found`` agrees.

        Raises:
            ClusterError: one line naming the worker and the first difference.
        """
        for name, wanted in self.known:
            got = found.get(name, "none")
            if got == wanted:
                continue
            if name == "threads":
                raise ClusterError(f"worker {worker} runs {got} calls at a time, which changes memory and bits; start it with --nthreads 1")
            raise ClusterError(f"worker {worker} has {name} {got}, but {wanted} is here; install the same on both")


def call_here(expected: Facts, call: Callable[[], Any]) -> Any:
    """``call()`` on this worker, after checking it, on one thread, with the allocator's settings and the caller's folders.

    Raises:
        ClusterError: when this worker differs from the caller.
    """
    import torch
    from distributed import get_worker

    from empirical.memory import hold_memory, limit_memory

    worker = get_worker()
    expected.refuse(own_facts(worker), worker.address)
    hold_memory()
    # The number of threads belongs to the thread that sets it, and each call may come in another one.
    torch.set_num_threads(1)
    limit_memory(worker.memory_manager.memory_limit)
    with ExitStack() as stack:
        for variable, folder in expected.folders:
            # A worker on another machine may have the data in a folder of its own.
            if Path(folder).is_dir():
                stack.enter_context(naming_folder(variable, folder))
        return call()

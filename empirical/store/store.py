"""A folder of measured configurations."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import xarray

from bounds.errors import DomainError, InputFileError, UnknownNameError
from bounds.files import read_bytes, write_bytes
from empirical.configuration import Run
from empirical.measurement import Measurement
from empirical.measuring import Request
from empirical.store import dataset as datasets
from empirical.store import folder as folders
from empirical.store.dataset import Stored
from empirical.store.identity import canonical_requests, identity, key_of, run_key
from empirical.store.index import COLUMNS, Index, Row, row_of


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=3)


class Store:
    """One netCDF4 file per configuration in ``folder``, named by its key, and an SQLite index that may be deleted.

    Files appear whole or not at all, so any number of processes may share a folder. The folder is made by the first
    ``put``; opening a store removes what killed processes left half-written.

    Args:
        folder: where the files are.
        report: called with one line about each damaged file that ``get`` passes over; a warning if left out.
    """

    def __init__(self, folder: str | Path, report: Callable[[str], None] = _warn) -> None:
        self.folder = Path(folder)
        self.report = report
        self._index = Index(self.folder)
        self.clean()

    def clean(self) -> int:
        """Remove temporary files of killed processes, unless somebody is writing; returns how many."""
        return folders.clean_leftovers(self.folder)

    def path(self, key: str) -> Path:
        """The file of the configuration ``key``."""
        return self.folder / f"{key}{folders.SUFFIX}"

    def get(self, run: Run, requests: Iterable[tuple[str, str]], device: str = "auto") -> Stored | None:
        """What :func:`empirical.measure` returned for this configuration: by request, one measurement per checkpoint.

        None when it is not here, or its file is damaged (which is reported), so that it must be computed.

        Raises:
            UnknownNameError: for requests or a device that do not exist.
        """
        key = run_key(run, requests, device)
        if not self.path(key).exists():
            return None
        try:
            return datasets.measurements(self._load(key))
        except InputFileError as error:
            self.report(str(error))
        except ValueError:
            self.report(
                f"{str(self.path(key))!r} describes its setting in another layout; its values are not used and must be measured again"
            )
        return None

    def put(self, run: Run, requests: Iterable[tuple[str, str]], measured: Sequence[Measurement], device: str = "auto") -> str:
        """Keep the measurements of a configuration, replacing its file if there is one, and return its key.

        Raises:
            DomainError: when they are not one measurement per request and checkpoint.
            InputFileError: when the file cannot be written; nothing is left behind.
        """
        document = identity(run, requests, device)
        content = datasets.encode(datasets.build(document, _by_request(run, canonical_requests(requests), measured)))
        key = key_of(document)
        with folders.writing(self.folder):
            write_bytes(self.path(key), content)
            stat = self.path(key).stat()
        self._index.update([row_of(key, self.path(key).name, document["run"], (stat.st_size, stat.st_mtime_ns))])
        return key

    def keys(self) -> list[str]:
        """The keys of all files, sorted; whether a file is whole is checked when it is opened.

        Raises:
            InputFileError: when the folder cannot be listed.
        """
        return [name.removesuffix(folders.SUFFIX) for name in folders.files(self.folder)]

    def open(self, key: str) -> xarray.Dataset:
        """The verified dataset of a configuration, in memory.

        Raises:
            UnknownNameError: when there is no such file.
            InputFileError: when it cannot be read or is damaged.
        """
        if not self.path(key).exists():
            raise UnknownNameError(f"no configuration {key!r} in {str(self.folder)!r}; keys() lists the {len(self.keys())} that are there")
        return self._load(key)

    def rows(self) -> list[Row]:
        """One row per file, sorted by key: what ran in short, ``status`` ("complete" or "damaged") and ``bytes``.

        They come from the index where it agrees with the files (name, size, time of change), from the files otherwise.

        Raises:
            InputFileError: when the folder cannot be listed.
        """
        present, known = folders.files(self.folder), self._index.load()
        fresh = {
            name: self._describe(name, stamp)
            for name, stamp in present.items()
            if name not in known or (known[name]["bytes"], known[name]["modified_ns"]) != stamp
        }
        gone = known.keys() - present.keys()
        if fresh or gone:
            self._index.update(fresh.values(), gone)
        rows = [fresh.get(name) or known[name] for name in present]
        return [{name: row[name] for name in COLUMNS if name != "modified_ns"} for row in rows]

    def _describe(self, name: str, stamp: folders.Stamp) -> Row:
        key = name.removesuffix(folders.SUFFIX)
        try:
            run = json.loads(self._load(key).attrs["run"])
        except InputFileError:
            run = None
        return row_of(key, name, run, stamp)

    def _load(self, key: str) -> xarray.Dataset:
        try:
            return datasets.decode(read_bytes(self.path(key)), key)
        except ValueError as error:
            raise InputFileError(
                f"{str(self.path(key))!r} is damaged: {error}; its values are not used and must be measured again"
            ) from None


def _by_request(run: Run, requests: Sequence[Request], measured: Sequence[Measurement]) -> Stored:
    found = {(one.quantity, one.readout, one.setting.T): one for one in measured}
    wanted = {(*request, step) for request in requests for step in run.read_at}
    if not requests or found.keys() != wanted or len(measured) != len(wanted):
        raise DomainError(
            f"got {len(measured)} measurements for {len(requests)} requests at {len(run.read_at)} checkpoints; "
            "the store keeps exactly one measurement per request and checkpoint: give what measure() returned"
        )
    return {request: tuple(found[(*request, step)] for step in run.read_at) for request in requests}

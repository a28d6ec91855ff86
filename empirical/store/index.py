"""An SQLite table of the configurations in a folder: a cache that may be deleted, and never decides what exists."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = "index.sqlite"
_TYPES = {
    "key": "TEXT",
    "file": "TEXT PRIMARY KEY",
    "problem": "TEXT",
    "update_form": "TEXT",
    "m": "INTEGER",
    "n": "INTEGER",
    "T": "INTEGER",
    "eta": "REAL",
    "Q": "INTEGER",
    "topology": "TEXT",
    # Text, because a seed may be larger than SQLite's integers.
    "seed": "TEXT",
    "status": "TEXT",
    "bytes": "INTEGER",
    "modified_ns": "INTEGER",
}
COLUMNS = tuple(_TYPES)
_LAYOUT = 1
_WAIT_SECONDS = 10.0

Row = dict[str, Any]


def row_of(key: str, file: str, run: Mapping[str, Any] | None, stamp: tuple[int, int]) -> Row:
    """The row of one file; ``run`` is its run as JSON, or None when the file is damaged."""
    known = dict(run or {})
    topology = known.get("topology")
    known["topology"] = "matrix" if isinstance(topology, Mapping) else topology
    row = {name: known.get(name) for name in COLUMNS}
    size, modified = stamp
    return row | {"key": key, "file": file, "status": "complete" if run else "damaged", "bytes": size, "modified_ns": modified}


class Index:
    """The table in ``folder``. Every failure of it reads as "not indexed": the files are the truth."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.path, timeout=_WAIT_SECONDS)) as connection, connection:
            # A killed process leaves a journal that SQLite rolls back; only a power cut could hurt, and then the files are read again.
            connection.execute("PRAGMA synchronous = OFF")
            if connection.execute("PRAGMA user_version").fetchone()[0] != _LAYOUT:
                columns = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DROP TABLE IF EXISTS configurations")
                connection.execute(f"CREATE TABLE configurations ({columns})")
                connection.execute(f"PRAGMA user_version = {_LAYOUT}")
            yield connection

    def load(self) -> dict[str, Row]:
        """The rows by file; none when there is no index or it cannot be read."""
        if not self.path.is_file():
            return {}
        try:
            with self._connection() as connection:
                found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM configurations").fetchall()
        except sqlite3.OperationalError:
            return {}
        except sqlite3.DatabaseError:
            self._discard()
            return {}
        rows = [dict(zip(COLUMNS, values, strict=True)) for values in found]
        return {row["file"]: row | {"seed": None if row["seed"] is None else int(row["seed"])} for row in rows}

    def update(self, rows: Iterable[Row], gone: Iterable[str] = ()) -> None:
        """Insert or replace ``rows`` and drop the files in ``gone``; a failure leaves the table as it was."""
        changes = [tuple(str(row[name]) if name == "seed" and row[name] is not None else row[name] for name in COLUMNS) for row in rows]
        marks = ", ".join("?" * len(COLUMNS))
        try:
            with self._connection() as connection:
                connection.executemany("DELETE FROM configurations WHERE file = ?", [(name,) for name in gone])
                connection.executemany(f"INSERT OR REPLACE INTO configurations VALUES ({marks})", changes)
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            self._discard()

    def _discard(self) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

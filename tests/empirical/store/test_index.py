"""The index is a cache: deleted, stale, foreign or broken, it never changes what the store says."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from empirical import Run, measure
from empirical.store import Store
from empirical.store import dataset as datasets
from empirical.store.index import Index

Requests = tuple[tuple[str, str], ...]


@pytest.fixture
def full(store: Store, make_run: Any, requests: Requests) -> Store:
    for seed in range(3):
        run = make_run(seed=seed)
        store.put(run, requests, measure(run, requests))
    return store


def _sql(store: Store, statement: str) -> list[Any]:
    connection = sqlite3.connect(store.folder / "index.sqlite")
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_put_writes_one_row_per_configuration(full: Store) -> None:
    assert [row[0] for row in _sql(full, "SELECT key FROM configurations ORDER BY key")] == full.keys()
    assert sorted(row[0] for row in _sql(full, "SELECT seed FROM configurations")) == ["0", "1", "2"]


def test_an_index_that_agrees_is_believed_without_opening_a_file(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = full.rows()
    monkeypatch.setattr(datasets, "decode", None)
    assert full.rows() == rows


@pytest.mark.parametrize("damage", ["deleted", "emptied", "broken", "foreign", "older"])
def test_it_is_rebuilt_from_the_files(full: Store, damage: str) -> None:
    rows, path = full.rows(), full.folder / "index.sqlite"
    if damage == "deleted":
        path.unlink()
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "broken":
        path.write_bytes(b"SQLite format 3\0" + os.urandom(4096))
    elif damage == "foreign":
        path.write_text("somebody's notes" * 100)
    else:
        _sql(full, "PRAGMA user_version = 99")
    assert Store(full.folder).rows() == rows
    assert full.rows() == rows
    assert len(_sql(full, "SELECT key FROM configurations")) == 3


def test_stale_rows_are_corrected(full: Store, kept: str, make_run: Any, requests: Requests) -> None:
    gone, changed, *rest = full.keys()
    full.path(gone).unlink()
    full.path(changed).write_bytes(full.path(changed).read_bytes()[:-1])
    _sql(full, f"DELETE FROM configurations WHERE key = '{rest[0]}'")
    assert {row["key"]: row["status"] for row in full.rows()} == {changed: "damaged"} | dict.fromkeys(rest, "complete")
    assert len(_sql(full, "SELECT key FROM configurations")) == len(full.keys())


def test_a_lying_row_never_hides_or_invents_values(full: Store, make_run: Any, requests: Requests) -> None:
    _sql(full, "UPDATE configurations SET status = 'damaged', bytes = 1")
    assert full.get(make_run(seed=1), requests) is not None
    keys = full.keys()
    for key in keys:
        full.path(key).unlink()
    assert full.get(make_run(seed=1), requests) is None
    assert full.rows() == []


def test_an_index_that_cannot_be_written_does_not_lose_the_file(store: Store, run: Run, requests: Requests, measured: Any) -> None:
    (store.folder / "index.sqlite").mkdir(parents=True)
    key = store.put(run, requests, measured)
    assert store.get(run, requests) is not None
    assert [row["key"] for row in store.rows()] == [key]


def test_a_locked_index_loses_nothing(full: Store, make_run: Any, requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.store.index._WAIT_SECONDS", 0.0)
    connection = sqlite3.connect(full.folder / "index.sqlite", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    run = make_run(seed=9)
    key = full.put(run, requests, measure(run, requests))
    assert key in [row["key"] for row in full.rows()]
    connection.close()
    assert key not in Index(full.folder).load()
    assert [row["key"] for row in full.rows()] == full.keys()
    assert f"{key}.nc" in Index(full.folder).load()


def test_a_killed_writer_of_the_index_is_rolled_back(full: Store, tmp_path: Path) -> None:
    before = full.rows()
    connection = sqlite3.connect(full.folder / "index.sqlite", isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM configurations")
    copy = tmp_path / "after the kill"
    copy.mkdir()
    for path in full.folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    connection.close()
    assert Store(copy).rows() == before

"""Damaged files, full disks and killed writers: one line, nothing half-written, nothing skipped for ever."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xarray

from bounds.errors import InputFileError
from empirical import Measurement, Run
from empirical.store import Store
from empirical.store import dataset as datasets
from empirical.store.dataset import checksum

Requests = tuple[tuple[str, str], ...]


def _assert_recomputed(store: Store, run: Run, requests: Requests, measured: list[Measurement], key: str) -> None:
    with pytest.warns(UserWarning, match="is damaged") as warned:
        assert store.get(run, requests) is None
    assert len(warned) == 1
    assert "\n" not in str(warned[0].message)
    with pytest.raises(InputFileError, match="is damaged"):
        store.open(key)
    assert [row["status"] for row in store.rows()] == ["damaged"]
    store.put(run, requests, measured)
    assert store.get(run, requests) is not None
    assert [row["status"] for row in store.rows()] == ["complete"]


@pytest.mark.parametrize("keep", [0, 1, 100, -80, -1])
def test_a_truncated_file_is_computed_again(
    store: Store, kept: str, run: Run, requests: Requests, measured: list[Measurement], keep: int
) -> None:
    content = store.path(kept).read_bytes()
    store.path(kept).write_bytes(content[:keep])
    _assert_recomputed(store, run, requests, measured, kept)


def test_every_flipped_bit_is_noticed(store: Store, kept: str, run: Run, requests: Requests) -> None:
    draw = random.Random(0)
    content = store.path(kept).read_bytes()
    lines: list[str] = []
    quiet = Store(store.folder, report=lines.append)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        store.path(kept).write_bytes(damaged)
        assert quiet.get(run, requests) is None
    assert len(lines) == 300


def test_a_file_under_another_name_is_not_believed(store: Store, kept: str, run: Run, requests: Requests) -> None:
    other = "0" * 64
    store.path(other).write_bytes(store.path(kept).read_bytes())
    with pytest.raises(InputFileError, match="not the one it is named after"):
        store.open(other)
    assert [row["status"] for row in store.rows()] == ["damaged", "complete"]


@pytest.mark.parametrize("change", ["value", "attribute", "coordinate", "variable"])
def test_a_resealed_file_with_other_content_is_not_believed(store: Store, kept: str, change: str) -> None:
    found = store.open(kept)
    if change == "value":
        found["l1_stability_at_node_average"][0, 0] += 1e-16
    elif change == "attribute":
        found["l1_stability_at_node_average"].attrs["quantity"] = "l2_stability"
    elif change == "coordinate":
        found = found.assign_coords(step=[4, 11])
    else:
        found = found.drop_vars("l1_stability_at_node_average")
    store.path(kept).write_bytes(datasets.encode(found))
    with pytest.raises(InputFileError, match="checksum"):
        store.open(kept)


@pytest.mark.parametrize(("change", "words"), [("variable", "it holds"), ("replicate", "2 replicates instead of 3"), ("dims", "dims")])
def test_a_file_must_be_complete_even_with_a_right_checksum(store: Store, kept: str, change: str, words: str) -> None:
    found = store.open(kept)
    if change == "variable":
        found = found.drop_vars("l1_stability_at_node_average")
    elif change == "replicate":
        found = found.isel(replicate=slice(2))
    else:
        found = found.transpose("step", "replicate", "node")
    store.path(kept).write_bytes(datasets.encode(found.assign_attrs(checksum=checksum(found))))
    with pytest.raises(InputFileError, match=words):
        store.open(kept)


def test_foreign_files_are_left_alone_or_named(store: Store, kept: str) -> None:
    (store.folder / "notes.nc").write_text("mine")
    xarray.Dataset({"a": 1.0}).to_netcdf(store.path("1" * 64), engine="h5netcdf")
    store.path("2" * 64).write_bytes(datasets.encode(xarray.Dataset({"a": 1.0})))
    assert store.keys() == sorted([kept, "1" * 64, "2" * 64])
    for key, words in (("1" * 64, "not a file of this store"), ("2" * 64, "no attribute 'run'")):
        with pytest.raises(InputFileError, match=words):
            store.open(key)
    assert (store.folder / "notes.nc").read_text() == "mine"


def test_a_setting_in_another_layout_is_reported(
    store: Store, kept: str, run: Run, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = store.open(kept)
    found.attrs["setting"] = found.attrs["setting"].replace('"update_form"', '"form"')
    store.path(kept).write_bytes(datasets.encode(found.assign_attrs(checksum=checksum(found))))
    with pytest.warns(UserWarning, match="another layout"):
        assert store.get(run, requests) is None


def _leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".tmp")]


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    store: Store, kept: str, run: Run, requests: Requests, measured: list[Measurement], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    before = store.path(kept).read_bytes()

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(InputFileError, match="No space left on device") as caught:
            store.put(run, requests, measured)
    assert "\n" not in str(caught.value)
    assert _leftovers(store.folder) == []
    assert store.path(kept).read_bytes() == before
    assert len(store.rows()) == 1


def test_a_real_size_limit(store: Store, kept: str, run: Run, requests: Requests, measured: list[Measurement]) -> None:
    before = store.path(kept).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(InputFileError, match="File too large\\); free some space"):
            store.put(run, requests, measured)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _leftovers(store.folder) == []
    assert store.path(kept).read_bytes() == before


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, run: Run, requests: Requests, measured: list[Measurement]) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputFileError, match="cannot write to the folder"):
            Store(folder).put(run, requests, measured)
    with pytest.raises(InputFileError, match="cannot list"):
        Store(tmp_path / "file").keys()
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_can_be_read(store: Store, kept: str, run: Run, requests: Requests, measured: list[Measurement]) -> None:
    store.folder.chmod(0o555)
    try:
        assert Store(store.folder).get(run, requests) is not None
        assert len(Store(store.folder).rows()) == 1
        with pytest.raises(InputFileError, match="Permission denied"):
            store.put(run, requests, measured)
    finally:
        store.folder.chmod(0o755)


def test_leftovers_of_killed_writers_are_removed_on_the_next_start(store: Store, kept: str) -> None:
    leftover = store.folder / f".{'0' * 32}.tmp"
    (store.folder / ".other.tmp").write_text("not ours")
    code = f"import os, signal\nopen({str(leftover)!r}, 'w').write('x'); os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert leftover.exists()
    Store(store.folder)
    assert _leftovers(store.folder) == [".other.tmp"]


def test_a_file_being_written_is_no_leftover(store: Store, kept: str) -> None:
    (store.folder / f".{'0' * 32}.tmp").touch()
    with (store.folder / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert store.clean() == 0
    assert store.clean() == 1

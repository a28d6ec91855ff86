"""Streams are keyed by their labels only; devices resolve or fail in one line."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from scipy import stats

from bounds.errors import DeviceError, UnknownNameError
from empirical import Run
from empirical.device import one_thread, resolve_device
from empirical.samples import batches
from empirical.streams import stream


def test_equal_labels_give_equal_draws() -> None:
    assert np.array_equal(stream(0, "batch", 2).random(50), stream(0, "batch", 2).random(50))


@pytest.mark.parametrize("other", [(1, "batch", 2), (0, "training", 2), (0, "batch", 3), (0, "batch2", 2)])
def test_any_other_label_gives_other_draws(other: tuple[int, str, int]) -> None:
    assert not np.array_equal(stream(0, "batch", 2).random(50), stream(*other).random(50))


def test_labels_cannot_run_into_each_other() -> None:
    assert stream(1, "1", 1).random() != stream(11, "", 1).random()


def test_key_is_the_digest() -> None:
    digest = hashlib.sha256(b"7|batch|3").digest()
    key = [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")]
    expected = np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64)))
    assert stream(7, "batch", 3).random() == expected.random()


def test_draws_in_blocks_equal_one_draw() -> None:
    whole = stream(0, "batch", 0).random((30, 4, 2))
    blocks = stream(0, "batch", 0)
    assert np.array_equal(whole, np.concatenate([blocks.random((13, 4, 2)), blocks.random((17, 4, 2))]))


def test_devices() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(UnknownNameError, match="did you mean 'cuda'"):
        resolve_device("cude")


def test_absent_cuda_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError) as caught:
        resolve_device("cuda")
    assert "\n" not in str(caught.value)
    assert "use 'cpu'" in str(caught.value)


def test_one_thread_restores() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("n", [5, 300, 70_000])
def test_batches_do_not_depend_on_who_shares_their_blocks(n: int) -> None:
    run = Run(problem="softmax-digits", update_form="atc", m=3, n=n, T=3000, eta=0.1, b=2, replicates=9)  # type: ignore[arg-type]
    every = np.concatenate(list(batches(run, range(9), run.T)))
    alone = np.concatenate([block[:, 0] for block in batches(run, range(4, 5), run.T)])
    assert np.array_equal(every[:, 4], alone)
    assert np.array_equal(np.concatenate(list(batches(run, range(4, 5), 1234)))[:, 0], alone[:1234])
    assert every.min() == 0 <= every.max() < n
    expected = np.bincount(np.arange(n) * 4 // n) * (every.size / n)
    assert stats.chisquare(np.bincount(every.ravel() * 4 // n), expected).pvalue > 1e-4

"""The gallery: the page is what its entries say, and every picture is what its commands draw."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import figures
from benchmarks.gallery import DOCS, FOLDER, MOST, page, picture, prepare
from benchmarks.gallery_entries import ENTRIES, Entry
from gossip_bounds.app import EXAMPLES

#: These take a second or more; the others are done in less.
_FAST = {"ring"}
_NAMES = {entry.name: entry for entry in ENTRIES}


def _pixels(drawn: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(drawn)).convert("L"), dtype=np.float64)


def _agree(entry: Entry, drawn: bytes) -> None:
    """Up to the rendering of another version: a shifted letter, not another curve."""
    kept, fresh = _pixels((DOCS / FOLDER / f"{entry.name}.png").read_bytes()), _pixels(drawn)
    assert kept.shape == fresh.shape
    assert np.abs(kept - fresh).mean() < 1.0


def test_the_page_is_what_its_entries_say() -> None:
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == page()
    assert {path.stem for path in (DOCS / FOLDER).iterdir()} == set(_NAMES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_pictures_are_small_and_entries_name_what_exists(entry: Entry) -> None:
    kept = (DOCS / FOLDER / f"{entry.name}.png").read_bytes()
    assert len(kept) <= MOST
    assert Image.open(io.BytesIO(kept)).mode == "P"
    assert callable(getattr(figures, entry.function))
    assert len(entry.alt) > 60
    assert all(shlex.split(command)[1] in EXAMPLES for command in entry.commands)


@pytest.mark.parametrize("name", sorted(_FAST))
def test_quick_commands_draw_their_pictures(name: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    _agree(_NAMES[name], picture(_NAMES[name], tmp_path, set()))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    folder = tmp_path_factory.mktemp("gallery")
    prepare(folder)
    return folder, set()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in _NAMES if name not in _FAST])
def test_every_command_draws_its_picture(name: str, shared: tuple[Path, set[str]]) -> None:
    folder, done = shared
    _agree(_NAMES[name], picture(_NAMES[name], folder, done))

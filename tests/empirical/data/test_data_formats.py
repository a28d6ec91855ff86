"""IDX files and PNG strips: read exactly, and refused in one line when anything is off."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bounds.errors import InputFileError
from empirical.data.formats import parse_idx, parse_labels, parse_strip

Encode = Callable[[np.ndarray], bytes]
BYTES = arrays(np.uint8, array_shapes(max_dims=4, max_side=5))


def written(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@given(BYTES)
def test_an_idx_file_comes_back(array: np.ndarray) -> None:
    found = parse_idx(written(array), "f")
    assert found.dtype == np.uint8
    assert np.array_equal(found, array)


@given(BYTES, st.data())
def test_an_idx_file_of_another_length_is_refused(array: np.ndarray, data: st.DataObject) -> None:
    content = written(array)
    cut = data.draw(st.integers(0, len(content) - 1))
    for wrong in (content[:cut], content + b"\0"):
        with pytest.raises(InputFileError, match="'f'") as caught:
            parse_idx(wrong, "f")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (bytes([0, 0, 9, 1]), "begins with 00000901"),
        (bytes([0, 0, 8, 0]), "number of axes"),
        (bytes([1, 0, 8, 1]), "no IDX file"),
        (b"\x1f\x8b\x08\x00", "begins with 1f8b0800"),
    ],
)
def test_other_idx_types_are_refused(start: bytes, words: str) -> None:
    with pytest.raises(InputFileError, match=words):
        parse_idx(start + struct.pack(">I", 2) + b"ab", "f")


def test_a_huge_idx_header_costs_no_memory() -> None:
    with pytest.raises(InputFileError, match="header says 79228162458924105385300197391"):
        parse_idx(bytes([0, 0, 8, 3]) + b"\xff" * 12, "f")


def test_a_row_of_a_strip_is_an_image(encoders: tuple[Encode, Encode]) -> None:
    strip = np.random.default_rng(0).integers(0, 256, (6, 1024, 3)).astype(np.uint8)
    images = parse_strip(encoders[1](strip), "s.png")
    assert images.shape == (6, 32, 32, 3)
    for image, y, x in [(0, 0, 0), (5, 31, 31), (2, 1, 0), (3, 0, 1), (4, 17, 9)]:
        assert np.array_equal(images[image, y, x], strip[image, 32 * y + x])


def test_other_pictures_are_refused(encoders: tuple[Encode, Encode]) -> None:
    png = encoders[1]
    good = png(np.zeros((3, 1024, 3)))
    with pytest.raises(InputFileError, match="512 pixels wide; a strip"):
        parse_strip(png(np.zeros((3, 512, 3))), "s.png")
    # The header's colour type 0: the same bytes as grey pixels.
    header = good[12:29].replace(b"\x08\x02", b"\x08\x00")
    grey = good[:12] + header + struct.pack(">I", zlib.crc32(header)) + good[33:]
    with pytest.raises(InputFileError, match=r"'s\.png' is L, 1024 pixels wide; a strip"):
        parse_strip(grey, "s.png")
    for wrong in (good[: len(good) // 2], good[:40], b"", b"GIF89a", good.replace(b"IDAT", b"IDAX")):
        with pytest.raises(InputFileError, match=r"cannot read 's\.png' as PNG"):
            parse_strip(wrong, "s.png")


@pytest.mark.parametrize("content", [b"[0, 1", b"{}", b"[0, -1]", b"[0, 1.5]", b"[true]", b"[256]", b"\xff", b"[" * 100_000, b'["1"]'])
def test_other_labels_are_refused(content: bytes) -> None:
    with pytest.raises(InputFileError, match=r"l\.json"):
        parse_labels(content, "l.json")


def test_labels_are_integers() -> None:
    found = parse_labels(b"[6,9,0]", "l.json")
    assert found.dtype == np.int64
    assert found.tolist() == [6, 9, 0]

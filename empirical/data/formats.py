"""The two formats the sets come in: IDX arrays, and PNG strips with labels in JSON."""

from __future__ import annotations

import io
import json
import math

import numpy as np
from numpy.typing import NDArray

from bounds.errors import InputFileError

_UNSIGNED_BYTE = 0x08
_SIDE = 32


def parse_idx(content: bytes, source: str) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file: two zero bytes, type, number of axes, big-endian sizes, then the entries.

    Args:
        content: the whole file, uncompressed. source: its name, for errors.

    Raises:
        InputFileError: for another type, or a length that differs from what the sizes say.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTE or content[3] == 0:
        start = content[:4].hex() or "nothing"
        raise InputFileError(f"{source!r} begins with {start}, not with 000008 and a number of axes: it is no IDX file of unsigned bytes")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise InputFileError(f"{source!r} ends inside its IDX header, after {len(content)} of {header} bytes; get the file again")
    shape = tuple(int(size) for size in np.frombuffer(content, dtype=">u4", count=content[3], offset=4))
    wanted = header + math.prod(shape)
    if len(content) != wanted:
        raise InputFileError(f"{source!r} has {len(content)} bytes, but its IDX header says {wanted}, for {shape}; get the file again")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def parse_strip(content: bytes, source: str) -> NDArray[np.uint8]:
    """Images (rows, 32, 32, 3) of an RGB PNG file 1024 pixels wide: one image a row, its pixels row by row.

    Raises:
        InputFileError: for a file that is no such PNG or is cut off.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if picture.mode != "RGB" or picture.width != _SIDE * _SIDE:
                got = f"{picture.mode}, {picture.width} pixels wide"
                raise InputFileError(f"{source!r} is {got}; a strip of images is RGB and {_SIDE * _SIDE} pixels wide, one image a row")
            pixels = np.asarray(picture)
    except InputFileError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputFileError(f"cannot read {source!r} as PNG ({type(error).__name__}); get the file again") from None
    return pixels.reshape(-1, _SIDE, _SIDE, 3)


def parse_labels(content: bytes, source: str) -> NDArray[np.int64]:
    """The integers (size,) of a JSON list.

    Raises:
        InputFileError: for anything else.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"cannot read {source!r} as JSON ({type(error).__name__}); get the file again") from None
    if not isinstance(found, list) or not all(type(label) is int and 0 <= label < 256 for label in found):
        raise InputFileError(f"{source!r} is no JSON list of classes, integers from 0 on; get the file again")
    return np.array(found, dtype=np.int64)

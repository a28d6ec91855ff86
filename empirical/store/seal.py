"""The last line of a file: the SHA-256 of all bytes before it."""

from __future__ import annotations

import hashlib


def _line(content: bytes) -> bytes:
    return b"\nsha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n"


def sealed(content: bytes) -> bytes:
    """``content`` followed by its seal."""
    return content + _line(content)


def unsealed(content: bytes) -> bytes:
    """What was sealed.

    Raises:
        ValueError: saying in words that the file is not whole.
    """
    body = content[: -len(_line(b""))]
    if not body or content != sealed(body):
        raise ValueError("it is cut off or changed, or not a file of this store")
    return body

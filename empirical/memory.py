"""How much memory a run may take, and the allocator's settings for many large tensors that come and go."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from pathlib import Path

from bounds.errors import DomainError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_TOP_PAD = 256 << 20
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


_limit: int | None = None


def limit_memory(size: int | None) -> None:
    """Count ``size`` bytes as all the memory there is for this process, None the machine's: a cluster ends workers that take more."""
    global _limit
    _limit = size


def machine_memory() -> int:
    """Bytes of main memory that this process may use: the machine's, its control group's or its own limit, whichever is least."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _LIMITS:
        with contextlib.suppress(OSError, ValueError):
            total = min(total, int(Path(name).read_text()))
    return min(total, _limit or total)


def resident_memory() -> int:
    """Bytes that this process holds now, freed ones handed back first (0 where the system does not say).

    A worker keeps what earlier runs freed (see :func:`hold_memory`), which would otherwise count against the next run.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def parse_memory(text: str | None) -> int:
    """Bytes in a text such as "4GiB", "4G", "512MiB" or "1.5e9" (powers of 1024); None is half the machine.

    >>> parse_memory("1.5G") == 3 << 29
    True

    Raises:
        DomainError: for anything else, or nothing.
    """
    if text is None:
        return machine_memory() // 2
    found = re.fullmatch(r"(\d+(?:\.\d*)?(?:e\d{1,2})?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size < 1:
        raise DomainError(f"got memory={text!r}; write a size such as 4GiB or 512MiB, or leave it out for half the machine")
    return size


def hold_memory() -> None:
    """Keep freed memory in this process instead of handing it back to the system after every step, where glibc allows it.

    By default glibc maps each large tensor anew and the system clears its pages again. For the process that trains, and for
    a launcher to call: a library must not change the allocator of the program that imports it.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, value in ((_M_MMAP_MAX, 0), (_M_TOP_PAD, _TOP_PAD), (_M_TRIM_THRESHOLD, -1)):
            library.mallopt(parameter, value)

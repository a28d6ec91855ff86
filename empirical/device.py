"""Choosing the compute device, and the one-thread rule that keeps CPU results reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bounds.errors import DeviceError, unknown_name

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str = "auto") -> torch.device:
    """The torch device called ``auto`` (CUDA when there is one), ``cpu`` or ``cuda``.

    Raises:
        UnknownNameError: for any other name.
        DeviceError: when ``cuda`` is asked for and this machine has none.
    """
    if name not in DEVICES:
        raise unknown_name("device", name, DEVICES)
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError("got device 'cuda' but torch finds no CUDA device on this machine; use 'cpu' or 'auto'")
    return torch.device("cuda" if name != "cpu" and available else "cpu")


def device_kind(name: str = "auto") -> str:
    """``cpu`` or ``cuda``; unlike :func:`resolve_device` also for a device of another machine, such as a cluster's.

    Raises:
        UnknownNameError: for any other name than those of :data:`DEVICES`.
    """
    return name if name in ("cpu", "cuda") else resolve_device(name).type


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one CPU thread: the order of every sum, hence every bit, is then the same on each machine of one kind.

    Parallel work belongs in processes, one run each: the models here are far too small for threads to pay.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Processes of a distributed run that no torchrun starts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from empirical.distributed.command import process
from empirical.distributed.local import forking

Start = Callable[..., list[ForkServerProcess]]

RUN = """
[run]
problem = "{problem}"
update_form = "cta"
m = {m}
n = 12
T = {T}
eta = 0.7
b = 2
topology = "{topology}"
replicates = 2
checkpoints = [4, {T}]

[measure]
quantities = [["generalization_error", "gradient_point"], ["consensus_distance", "node_average"]]
"""


@pytest.fixture
def toml(tmp_path: Path) -> Callable[..., Path]:
    """toml(m=.., T=..): an experiment file."""

    def write(**changes: object) -> Path:
        path = tmp_path / "run.toml"
        path.write_text(RUN.format(**{"problem": "softmax-digits", "m": 3, "T": 30, "topology": "ring"} | changes))
        return path

    return write


@pytest.fixture
def start() -> Start:
    """start(size, *arguments): one process per node, as torchrun would start them."""

    def begin(size: int, *arguments: str) -> list[ForkServerProcess]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(size)}
        ranks = [where | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]
        processes = [forking().Process(target=process, args=(arguments, one)) for one in ranks]
        for one in processes:
            one.start()
        return processes

    return begin

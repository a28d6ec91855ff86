"""One line for every mistake, throttled sends to the model's second, and torchrun itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bounds.cost import SENDS, Link, busiest_degree
from bounds.errors import DomainError
from bounds.topology import topology
from empirical import Run, trajectory
from empirical.distributed import Outcome, Throttle, distributed_key
from empirical.distributed.command import main
from empirical.distributed.neighbours import route
from empirical.distributed.training import check_run
from empirical.experiment import read_experiment

ROOT = Path(__file__).parents[3]
WHERE = {"RANK": "0", "WORLD_SIZE": "3", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


class _Clock:
    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.mark.parametrize("sends", SENDS)
@pytest.mark.parametrize("name", ["ring", "star", "complete", "exponential_directed"])
def test_the_busiest_node_is_held_back_for_as_long_as_the_model_says(name: str, sends: Any) -> None:
    matrix, link, size = topology(name, 8).matrix, Link(0.5, 100.0, sends), 300
    taken = []
    for node in range(8):
        clock, left = _Clock(), []
        degree = len(route(matrix, node, slice(None)).receivers)
        Throttle(link, clock, clock.sleep).send([size] * degree, [lambda left=left, clock=clock: left.append(clock.now)] * degree)
        assert len(left) == degree
        taken.append(clock.now - 5.0)
    assert max(taken) == pytest.approx(link.seconds(busiest_degree(matrix), size), rel=1e-12)


def test_a_send_that_took_its_time_is_not_held_back_further() -> None:
    clock = _Clock()
    Throttle(Link(1.0, 100.0, "serial"), clock, clock.sleep).send([100, 100], [lambda: clock.sleep(7.0), lambda: None])
    assert clock.now == 5.0 + 2.0 + 7.0


@pytest.mark.parametrize(
    ("changes", "arguments", "words"),
    [
        ({"m": 4}, (), "m=4 nodes in 3 processes; .* torchrun --nproc-per-node 4"),
        ({}, ("--every", "0"), "--every 0"),
        ({}, ("--timeout", "nan"), "--timeout nan"),
        ({}, ("--evry", "3"), "unrecognized arguments: --evry 3"),
        ({}, ("--latency", "-1"), "latency=-1"),
        ({"problem": "softmax-digit"}, (), "did you mean 'softmax-digits'"),
        ({"old": "consensus_distance", "new": "l1_stability"}, (), "l1_stability, which is read from twins"),
        ({"old": "replicates = 2", "new": "replicates = 2\ntwins = 2"}, (), "twins=2; a distributed run has none"),
    ],
)
def test_bad_input_is_one_line(
    changes: Any, arguments: tuple[str, ...], words: str, toml: Any, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = dict(changes)
    old, new = changes.pop("old", ""), changes.pop("new", "")
    path = toml(**changes)
    path.write_text(path.read_text().replace(old, new) if old else path.read_text())
    for rank in ("0", "1"):
        for name, value in (WHERE | {"RANK": rank}).items():
            monkeypatch.setenv(name, value)
        assert main([str(path), "--out", str(tmp_path / "out"), *arguments]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        if rank == "0":
            assert re.fullmatch(rf"gossip-bounds: .*{words}.*\n", said.err), said.err
        else:
            assert said.err == ""


def test_without_torchrun(monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for name in WHERE:
        monkeypatch.delenv(name, raising=False)
    assert main(["x.toml", "--out", "out"]) == 2
    assert re.fullmatch(r"gossip-bounds: RANK is not set; .*torchrun.*\n", capsys.readouterr().err)


def test_nodes_that_never_come(toml: Any, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def nobody(*_: Any, **__: Any) -> None:
        raise RuntimeError("Timed out after 3 seconds waiting for clients. 1/3 clients joined.")

    monkeypatch.setattr("torch.distributed.init_process_group", nobody)
    for rank in ("0", "1"):
        for name, value in (WHERE | {"RANK": rank, "LOCAL_RANK": rank}).items():
            monkeypatch.setenv(name, value)
        assert main([str(toml()), "--out", str(tmp_path / "out"), "--timeout", "3"]) == 1
        line = "gossip-bounds: not all 3 nodes have come (nothing came for 3 s); run the same command again to go on from the last checkpoint\n"
        assert capsys.readouterr().err == (line if rank == "0" else "")


def test_a_centralized_run_has_no_nodes() -> None:
    run = Run(problem="linear", update_form="centralized", m=3, n=4, T=2, eta=0.1, replicates=1)
    with pytest.raises(DomainError, match="no network"):
        check_run(run, 3)


def _torchrun(nodes: int, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(nodes), "-m", "empirical.distributed", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


SWEEP = """
[run]
m = 4
n = 12
T = 6
eta = 0.7
b = 3
replicates = 1

[sweep]
problem = ["softmax-digits", "mlp-digits", "network-digits"]
topology = ["ring", "complete"]
Q = [1, 3]
update_form = ["atc", "cta", "consensus"]

[measure]
quantities = [["consensus_distance", "node_average"]]
"""


@pytest.mark.slow
def test_torchrun_with_four_processes_gives_the_bits_of_the_simulation(tmp_path: Path) -> None:
    path, out = tmp_path / "sweep.toml", tmp_path / "out"
    path.write_text(SWEEP)
    process = _torchrun(4, str(path), "--out", str(out))
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert printed.count("4 nodes, 6 steps") == 36
    experiment = read_experiment(path)
    for one in experiment.configurations:
        found = Outcome(out, distributed_key(one.run, experiment.requests, "cpu")).load()
        expected = trajectory(one.run, device="cpu", ordered=True)
        assert found is not None
        assert np.array_equal(found.reshape(expected.shape), expected), one.label()
    assert _torchrun(4, str(path), "--out", str(out)).communicate(timeout=300)[0].count("nothing to do") == 36


@pytest.mark.slow
def test_torchrun_ends_with_one_line_when_a_process_is_killed(toml: Any, tmp_path: Path) -> None:
    path, out = toml(m=4), tmp_path / "out"
    process = _torchrun(4, str(path), "--out", str(out), "--every", "3", "--latency", "0.05")
    deadline = time.monotonic() + 120
    while len(list(out.glob("checkpoints/*.step-6.ckpt"))) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[2]), signal.SIGKILL)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    ours = [line for line in said.splitlines() if line.startswith("gossip-bounds: ")]
    assert len(ours) == 1
    assert "run the same command again" in ours[0]
    again = _torchrun(4, str(path), "--out", str(out))
    assert "(from step" in again.communicate(timeout=120)[0]
    document = json.loads(next(out.glob("*.json")).read_text())
    assert document["resumed_at"] >= 3
    run = read_experiment(path).configurations[0].run
    expected = trajectory(run, device="cpu", ordered=True)
    found = Outcome(out, document["key"]).load()
    assert found is not None
    assert np.array_equal(found.reshape(expected.shape), expected)

"""SIGKILL at random moments of a running sweep: nothing corrupt, nothing lost but what was under way, and the same bits after a resume."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import gossip_bounds
from empirical.store.dataset import decode

ROOT = Path(str(gossip_bounds.__file__)).parents[1]
PATIENCE = 120.0
TEXT = """
[run]
problem = "linear"
update_form = "consensus"
m = 4
n = 4
T = 10
eta = 0.1
replicates = 4

[sweep]
seed = {seeds}

[measure]
quantities = [["generalization_error", "worst_node"], ["consensus_distance", "node_average"]]
"""


def _mind_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def sweeping(file: Path, out: Path, jobs: int) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "gossip_bounds", "measure", str(file), "--out", str(out), "--jobs", str(jobs), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A suite that runs in the background of a shell ignores Ctrl-C, and so would its children.
    process = subprocess.Popen(command, text=True, env=environment, start_new_session=True, preexec_fn=_mind_ctrl_c, **pipes)
    try:
        yield process
    finally:
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        # Whatever a failing test leaves behind, workers included.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.nc")}


def finished(out: Path) -> int:
    return sum(name.endswith(".nc") for name in os.listdir(out)) if out.is_dir() else 0


def members(group: int) -> list[int]:
    """Processes of a group that still run, by their numbers."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(its_group) == group and state != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition: object, process: subprocess.Popen[str] | None = None) -> None:
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, process.stderr.read() if process and process.stderr else ""
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.004)


def kill_once(file: Path, out: Path, draw: random.Random, total: int) -> int:
    """Start the sweep, kill it while it runs, check what it left, and return the number of leftover temporary files."""
    before = files(out)
    wanted = len(before) + draw.randint(1, 2)
    with sweeping(file, out, jobs=draw.choice((1, 1, 1, 2))) as process:
        wait_until(lambda: finished(out) >= wanted, process)
        time.sleep(draw.uniform(0, 0.05))
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        wait_until(lambda: not members(process.pid))
    after = files(out)
    assert len(before) < len(after) < total
    assert before.items() <= after.items()
    for name in after.keys() - before.keys():
        decode(after[name], name.removesuffix(".nc"))
    return len(list(out.glob(".*.tmp")))


def check_kill_and_resume(tmp_path: Path, kills: int, total: int, seed: int) -> str:
    file, out, draw = tmp_path / "e.toml", tmp_path / "killed", random.Random(seed)
    file.write_text(TEXT.format(seeds=list(range(total))))
    leftovers = [kill_once(file, out, draw, total) for _ in range(kills)]
    kept = files(out)
    with sweeping(file, out, jobs=2) as process:
        printed, complaints = process.communicate()
    status = [row["status"] for row in json.loads(printed)]
    assert complaints == ""
    assert (status.count("reused"), status.count("computed")) == (len(kept), total - len(kept))
    with sweeping(file, tmp_path / "undisturbed", jobs=1) as process:
        process.communicate()
    assert len(files(out)) == total
    assert files(out) == files(tmp_path / "undisturbed")
    assert not list(out.glob(".*.tmp"))
    return f"{kills} kills, {sum(map(bool, leftovers))} during a write, {len(kept)} of {total} kept, {total - len(kept)} resumed, 0 corrupt"


@pytest.mark.slow
def test_two_kills(tmp_path: Path) -> None:
    check_kill_and_resume(tmp_path, kills=2, total=20, seed=1)


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path) -> None:
    print(check_kill_and_resume(tmp_path, kills=50, total=200, seed=2))


def test_ctrl_c_is_one_line_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    file, out = tmp_path / "e.toml", tmp_path / "out"
    file.write_text(TEXT.format(seeds=list(range(500))))
    with sweeping(file, out, jobs=2) as process:
        wait_until(lambda: finished(out) >= 3, process)
        os.killpg(process.pid, signal.SIGINT)
        printed, complaints = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        wait_until(lambda: not members(process.pid))
    assert printed == ""
    assert complaints == "gossip-bounds: interrupted; nothing half-written was left behind\n"
    assert not list(out.glob(".*.tmp"))
    for name, content in files(out).items():
        decode(content, name.removesuffix(".nc"))


@pytest.mark.slow
def test_a_killed_worker_is_one_line_and_the_sweep_resumes(tmp_path: Path) -> None:
    file, out = tmp_path / "e.toml", tmp_path / "out"
    file.write_text(TEXT.format(seeds=list(range(40))))
    with sweeping(file, out, jobs=2) as process:
        wait_until(lambda: finished(out) >= 2, process)
        worker = next(pid for pid in members(process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(worker, signal.SIGKILL)
        printed, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode, printed, len(complaints.splitlines())) == (2, "", 1)
    assert "a worker process was killed" in complaints
    kept = len(files(out))
    assert not list(out.glob(".*.tmp"))
    with sweeping(file, out, jobs=1) as process:
        printed, _ = process.communicate(timeout=PATIENCE)
    assert [row["status"] for row in json.loads(printed)].count("computed") == 40 - kept > 0

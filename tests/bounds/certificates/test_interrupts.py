"""Ctrl-C in the middle of ``certify``: an honest "undecided", nothing half-written, and nothing left behind in the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flint import ctx

import bounds
from bounds.certificates.prover import Prover
from bounds.checker.claims import Claim
from bounds.sampling import Sampler

ROOT = Path(str(bounds.__file__)).parents[1]
PATIENCE = 120.0
#: The command as it is, but that it says when the search for a proof has begun (a proof that takes seconds).
CHILD = """
import sys
from pathlib import Path
from bounds.certificates.prover import Prover
from gossip_bounds.main import run
search = Prover.search
def told(*arguments):
    Path("begun").touch()
    return search(*arguments)
Prover.search = told
sys.exit(run(sys.argv[1:]))
"""


def _interrupting(function: Callable[..., Any], calls: int) -> Callable[..., Any]:
    """The function, with Ctrl-C in that call of it."""
    left = iter(range(calls))

    def wrapped(*arguments: Any, **more: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments, **more)

    return wrapped


@pytest.mark.parametrize(
    ("owner", "name", "calls", "direction"),
    [
        (Prover, "prove", 0, None),
        (Prover, "value_sign", 3, None),
        (Claim, "check", 0, None),
        (Claim, "scope", 1, None),
        (Sampler, "chains", 0, "increasing"),
    ],
)
def test_an_interrupt_is_undecided_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, calls: int, direction: str | None
) -> None:
    bound = bounds.get("dsgd_worst_node_convex")
    undisturbed, precision = bounds.certify(bound, "m", direction, samples=60), ctx.prec
    assert undisturbed.status == ("refuted" if direction else "proved")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, _interrupting(getattr(owner, name), calls))
        stopped = bounds.certify(bound, "m", direction, samples=60)
    assert (stopped.status, stopped.engine) == ("undecided", "stopped by hand")
    assert stopped.reason == "stopped by hand before anything was decided"
    assert (stopped.witness, stopped.proofs, ctx.prec) == (None, (), precision)
    assert bounds.certify(bound, "m", direction, samples=60) == undisturbed


def _mind_ctrl_c() -> None:
    # A suite that runs in the background of a shell ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_ends_the_command_with_an_undecided_certificate(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, "certify", "excess_risk_cta", "eta", "--seconds", "600", "--out", "eta.json", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, preexec_fn=_mind_ctrl_c, start_new_session=True, **pipes) as process:
        try:
            ends = time.monotonic() + PATIENCE
            while not (tmp_path / "begun").exists():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < ends
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            printed, complaints = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    # The command ran: that nothing was decided is what it found.
    assert (process.returncode, complaints) == (0, "")
    document = json.loads(printed)
    assert (document["status"], document["reason"]) == ("undecided", "stopped by hand before anything was decided")
    assert json.loads((tmp_path / "eta.json").read_text()) == document | {"proofs": []}
    assert {file.name for file in tmp_path.iterdir()} == {"begun", "eta.json"}

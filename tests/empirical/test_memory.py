"""The memory budget: sizes as text, parts that fit, refusals, and the peak of a real process."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import DomainError
from bounds.vocabulary import Quantity, Readout
from empirical import Run, measure, measuring
from empirical.memory import hold_memory, machine_memory, parse_memory, resident_memory
from empirical.parts import cut, network_bytes
from empirical.problems import problem

CPU = torch.device("cpu")
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)


def _run(**changes: Any) -> Run:
    base = {"problem": "mlp-digits", "update_form": "atc", "m": 4, "n": 300, "T": 2, "eta": 0.1, "replicates": 3, "twins": 40}
    return Run(**(base | changes))


@pytest.mark.parametrize(
    ("text", "size"), [("4GiB", 4 << 30), ("512MiB", 512 << 20), ("1.5g", 3 << 29), ("2 KB", 2048), ("1.5e9", 1_500_000_000), ("7", 7)]
)
def test_sizes_as_text(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1G", "0", "4 GiB x", "1e999", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(DomainError, match="4GiB"):
        parse_memory(text)


def test_the_default_is_half_the_machine() -> None:
    assert parse_memory(None) == machine_memory() // 2
    assert 0 < resident_memory() < machine_memory()


@pytest.mark.parametrize("twins", [0, 5, 40])
@pytest.mark.parametrize("chunk", [None, 1, 3])
@pytest.mark.parametrize("room", [2, 3, 7, 1000])
def test_parts_fit_and_cover_everything(monkeypatch: pytest.MonkeyPatch, twins: int, chunk: int | None, room: int) -> None:
    monkeypatch.setattr("empirical.parts.resident_memory", lambda: 1 << 20)
    run, described = _run(), problem("mlp-digits")
    each = network_bytes(run, described)
    parts = cut(run, described, twins, chunk, CPU, (1 << 20) + room * each)
    assert max(len(part.replicates) * (1 + part.twins.stop - part.twins.start) for part in parts) <= room
    covered = [(r, k) for part in parts for r in part.replicates for k in range(part.twins.start, part.twins.stop)]
    assert sorted(covered) == [(r, k) for r in range(3) for k in range(twins)]
    assert {r for part in parts for r in part.replicates} == {0, 1, 2}


def test_the_budget_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.parts.resident_memory", lambda: 0)
    run, tight = _run(T=3), network_bytes(_run(), problem("mlp-digits")) * 3
    values = [measure(run, [L1], device="cpu", memory=memory)[0].values for memory in (None, tight)]
    assert np.array_equal(*values)


def test_weights_of_the_population_are_made_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """All replicates at once they could exceed any budget, and each network's share of it has room for its own."""
    real, asked = measuring.contrast, []

    def spy(training: np.ndarray, population: np.ndarray) -> np.ndarray:
        asked.append(len(training))
        return real(training, population)

    run, gap = _run(replicates=5, twins=0), (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
    whole = measure(run, [gap], device="cpu")[0].values
    monkeypatch.setattr(measuring, "contrast", spy)
    assert np.array_equal(measure(run, [gap], device="cpu", chunk=2)[0].values, whole)
    assert asked == [2, 2, 1]
    small, large = problem("mlp-digits"), problem("mlp-digits")
    monkeypatch.setattr(type(large), "size", property(lambda self: 10**6 if self is large else 1797))
    assert network_bytes(run, large) - network_bytes(run, small) >= 3 * 8 * (10**6 - 1797)


def test_a_run_that_cannot_fit_is_refused_in_one_line() -> None:
    with pytest.raises(DomainError, match="allow more memory") as error:
        measure(_run(), [L1], device="cpu", memory=1 << 20)
    assert "\n" not in str(error.value)


_CHILD = """
import sys
import numpy as np
from empirical.memory import hold_memory, parse_memory
hold_memory()
from empirical import Run, measure
from empirical.problems.perceptron import Perceptron
from empirical.problems.registry import PROBLEMS
rng = np.random.default_rng(0)
data = rng.random((2000, 784)), rng.integers(0, 10, 2000)
PROBLEMS["mlp"] = lambda: Perceptron("mlp", *data, hidden=(64,))
run = Run(problem="mlp", update_form="atc", m=16, n=64, T=4, eta=0.1, b=16, replicates=1, twins=1024, precision="float32")
requests = [("l1_stability", "node_average"), ("l2_stability", "node_average"), ("generalization_error", "node_average")]
measure(run, requests, device="cpu", chunk=int(sys.argv[2]) or None, memory=parse_memory(sys.argv[1]))
# Not getrusage, which counts what the process held before it became this program.
print(1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["600MiB", "1GiB"])
def test_the_peak_of_1024_twins_of_the_perceptron_stays_under_the_budget(memory: str) -> None:
    """All networks at once would take 1025 * 16 * 51,280 * 4 bytes = 3.1 GiB for the models alone."""
    path = ":".join(filter(None, sys.path))
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, memory, "0"], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert 100 << 20 < int(child.stdout) < parse_memory(memory)


@pytest.mark.slow
def test_held_memory_is_not_mapped_again() -> None:
    """Twenty tensors of 16 MiB, one after the other, are mapped about once and not twenty times."""
    code = (
        "import resource, torch; from empirical.memory import hold_memory; hold_memory(); hold_memory()\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt; torch.ones(1 << 22); before = faults()\n"
        "for _ in range(20): torch.ones(1 << 22)\nprint(faults() - before)"
    )
    path = ":".join(filter(None, sys.path))
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path})
    assert int(child.stdout) < 4 * (1 << 24) // 4096


def test_what_earlier_runs_freed_does_not_count() -> None:
    hold_memory()
    before, size = resident_memory(), 200 << 20
    large = torch.ones(size // 4)
    assert resident_memory() - before > 0.9 * size
    del large
    assert resident_memory() - before < 0.1 * size

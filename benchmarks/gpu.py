"""Node-steps per second of three models on one device, and the share of its own measured ceilings that they reach.

``python -m benchmarks.gpu`` runs on CUDA where there is one; ``--device cpu`` and ``--tiny`` are for trying it out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.record import seconds
from benchmarks.workloads import CNN, MLP, NODES, RESNET, Workload, engine, run_of
from bounds.files import write_text
from empirical import resolve_device

_ITEM = 4


@dataclass(frozen=True)
class Ceilings:
    """What the device does at best in float32: products, in FLOP/s, and copies, in bytes read and written per second."""

    matrix: float
    memory: float


@dataclass(frozen=True)
class Share:
    """One model's rate, and how much of each ceiling its least work takes: its products, and its weights moved four times."""

    name: str
    device: str
    node_steps_per_second: float
    flop_per_node_step: float
    bytes_per_node_step: float
    of_matrix_ceiling: float
    of_memory_ceiling: float


def _timed(function: Callable[[], object], device: torch.device, repeats: int) -> float:
    def finished() -> None:
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return seconds(finished, repeats)


def ceilings(device: torch.device, side: int, megabytes: int) -> Ceilings:
    """Measured with a product of two ``side`` x ``side`` matrices in full float32, and a copy of ``megabytes`` MB."""
    left, right = torch.rand(2, side, side, device=device)
    source = torch.rand(megabytes * 1_000_000 // _ITEM, device=device)
    target = torch.empty_like(source)
    flops = 2 * side**3 / _timed(lambda: left @ right, device, 10)
    return Ceilings(flops, 2 * source.numel() * _ITEM / _timed(lambda: target.copy_(source), device, 10))


def flop_per_node_step(workload: Workload) -> float:
    """FLOP in the products and convolutions of one forward and backward pass on a batch, as torch counts them."""
    module = workload.module()
    x, y = torch.zeros(workload.b, *workload.shape), torch.zeros(workload.b, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        torch.nn.functional.cross_entropy(module(x), y).backward()
    return float(counter.get_total_flops())


def share(workload: Workload, device: torch.device, limits: Ceilings, steps: int, replicates: int) -> Share:
    """Train D-SGD on a ring of 16 nodes in float32 and compare with the ceilings.

    Bytes: the step and the gossip each read and write every weight once; more would be this engine's own doing.
    """
    run = run_of(workload, steps, replicates)
    rate = NODES * steps * replicates / _timed(lambda: engine(run, device.type), device, 2)
    weights = sum(parameter.numel() for parameter in workload.module().parameters())
    flops, moved = flop_per_node_step(workload), 4.0 * _ITEM * weights
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return Share(workload.name, name, rate, flops, moved, rate * flops / limits.matrix, rate * moved / limits.memory)


def main(arguments: list[str] | None = None) -> list[Share]:
    """Measure, print, and write the JSON document if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--tiny", action="store_true", help="one step, small ceilings: does it run?")
    parser.add_argument("--out", type=Path, help="also write the rows to this JSON file")
    given = parser.parse_args(arguments)
    device = resolve_device(given.device)
    # TF32 would move the ceiling and the numbers alike.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    limits = ceilings(device, *((64, 1) if given.tiny else (4096, 1000)))
    steps, replicates = (1, 1) if given.tiny else (20, 4)
    shares = [share(workload, device, limits, steps, replicates) for workload in (MLP, CNN, RESNET)]
    print(f"ceilings: {limits.matrix:.4g} FLOP/s in products, {limits.memory:.4g} bytes/s in copies")
    for one in shares:
        print(f"{one.name}: {one.node_steps_per_second:.4g} node-steps/s, {one.of_matrix_ceiling:.2%} and {one.of_memory_ceiling:.2%}")
    if given.out:
        write_text(given.out, json.dumps([asdict(limits), *map(asdict, shares)], indent=1) + "\n")
    return shares


if __name__ == "__main__":
    main()

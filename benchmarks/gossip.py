"""Seconds of a gossip step over a pretended slow link, against the cost model: ``python -m benchmarks.gossip``.

Processes of this machine send real messages over gloo, each held back as long as the link would take (20 ms and 250 kB/s).
"""

from __future__ import annotations

from itertools import product

from bounds.cost import SENDS, Link, busiest_degree, message_bytes
from empirical import Run
from empirical.distributed.local import run_locally
from empirical.problems import problem

LATENCY, BANDWIDTH, STEPS = 0.02, 2.5e5, 12


def _run(topology: str, Q: int) -> Run:
    return Run(problem="softmax-digits", update_form="atc", m=4, n=8, T=STEPS, eta=0.5, topology=topology, Q=Q, replicates=1)


def main() -> None:
    """Print one row per graph, number of gossip steps and way of sending."""
    runs = [_run(topology, Q) for topology, Q in product(("ring", "complete", "star"), (1, 3))]
    size = message_bytes(problem("softmax-digits").width, "float64")
    free = run_locally(runs)
    print(
        "| graph | degree | Q | sends | bytes a step | model ms | measured ms | ratio | unthrottled ms |\n|---|---|---|---|---|---|---|---|---|"
    )
    for sends in SENDS:
        link = Link(LATENCY, BANDWIDTH, sends)
        for run, slow, fast in zip(runs, run_locally(runs, link), free, strict=True):
            degree = busiest_degree(run.mixing().matrix)
            said, took, without = run.Q * link.seconds(degree, size), *(_seconds(one.traffic) for one in (slow, fast))
            sent = max(one.sent_bytes for one in slow.traffic) // run.T
            assert sent == run.Q * degree * size
            print(
                f"| {run.topology} | {degree} | {run.Q} | {sends} | {sent} | {1e3 * said:.2f} | {1e3 * took:.2f} | {took / said:.3f} | {1e3 * without:.2f} |"
            )


def _seconds(traffic: tuple) -> float:  # type: ignore[type-arg]
    """Of one training step's gossip, at the slowest node."""
    return max(one.seconds for one in traffic) / STEPS


if __name__ == "__main__":
    main()

"""Run every benchmark and write ``benchmarks/results.json``."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.backward import BACKWARD
from benchmarks.certificates import certified_catalogue
from benchmarks.curvature import exits_rate, product_cost
from benchmarks.engine import late_forking, softmax_rate
from benchmarks.evaluation import GRIDS, closed_form, cold_evaluate, minimised
from benchmarks.topologies import LARGE
from benchmarks.training import TRAINING
from bounds.files import write_text

_BENCHMARKS = (
    cold_evaluate,
    closed_form,
    minimised,
    *GRIDS,
    *BACKWARD,
    certified_catalogue,
    softmax_rate,
    late_forking,
    *TRAINING,
    product_cost,
    exits_rate,
    *LARGE,
)


def main() -> None:
    """Measure, print and write."""
    records = [benchmark() for benchmark in _BENCHMARKS]
    for record in records:
        print(f"{record.name}: {record.ours:.4g} against {record.peer:.4g} ({record.peer_name}), ratio {record.ratio:.3g} [{record.unit}]")
    target = Path(__file__).parent / "results.json"
    write_text(target, json.dumps([record.row() for record in records], indent=1) + "\n")
    print(f"wrote {target.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()

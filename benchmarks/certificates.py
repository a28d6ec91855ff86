"""Certificates: what it takes to decide every declared direction of the catalogue, on one core."""

from __future__ import annotations

import time
from collections import Counter

import bounds
from benchmarks.record import Record, load_note
from bounds.vocabulary import Direction

_ALLOWED = 60.0


def certified_catalogue() -> Record:
    """Processor seconds for all bounds and parameters on the default box, against the minute allowed."""
    statuses: Counter[str] = Counter()
    started = time.process_time()
    for bound in bounds.entries().values():
        for parameter, direction in bound.directions.items():
            if direction is not Direction.UNKNOWN:
                statuses[bounds.certify(bound, parameter, seconds=120).status] += 1
    spent = time.process_time() - started
    note = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    return Record(
        "certify the catalogue", "s of one core", spent, _ALLOWED, "the minute allowed", _ALLOWED / spent, 1.0, f"{note}; {load_note()}"
    )

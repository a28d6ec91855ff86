"""``topology``: what is known of a mixing matrix, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bounds.errors import TopologyError
from bounds.topology import Extremes, MixingMatrix, Spectrum, gossip_steps, network
from gossip_bounds.output import print_json, print_table

_SHOWN = 1024
_ENDS = 8


def _pairs(values: Any) -> list[Any]:
    """Eigenvalues as JSON numbers, complex ones as [real, imaginary]."""
    pairs: list[Any] = (np.stack([values.real, values.imag], axis=1) if np.iscomplexobj(values) else values).tolist()
    return pairs


def _normal(found: MixingMatrix | Spectrum | Extremes) -> bool:
    return not isinstance(found, MixingMatrix) or found.symmetric


def document(found: MixingMatrix | Spectrum | Extremes, decay: float, target: float | None) -> tuple[dict[str, Any], Any]:
    """The JSON object without its spectrum, and the spectrum: None where only its ends are known.

    Raises:
        GossipBoundsError: each one line.
    """
    row: dict[str, Any] = {"schema_version": 1, "name": found.name, "nodes": found.nodes}
    symmetric = True if isinstance(found, Extremes) else found.symmetric
    row |= {"symmetric": symmetric, "doubly_stochastic": True, "gap": found.gap}
    row |= {"lambda_2": found.lambda_2, "lambda_min": found.lambda_min}
    row["effective_neighbours"] = None if isinstance(found, Extremes) else found.effective_neighbours(decay)
    if not isinstance(found, MixingMatrix):
        row["degree"] = found.degree
    if isinstance(found, Extremes):
        row["residual"] = found.residual
    if target is not None:
        # Of a matrix that is not normal the eigenvalues alone do not say how fast it contracts.
        row["gossip_steps"] = gossip_steps(found.gap, target) if _normal(found) else None
    return row, None if isinstance(found, Extremes) else found.spectrum


def draw(found: MixingMatrix | Spectrum | Extremes, output: Path) -> None:
    """Write the picture of a network and its spectrum.

    Raises:
        TopologyError: where only the ends of the spectrum are known.
        DomainError, InputFileError: each one line.
    """
    from figures.networks import topology_figure
    from figures.style import save

    if isinstance(found, Extremes):
        raise TopologyError(
            f"only the ends of the spectrum of {found.name!r} with {found.nodes} nodes are known; leave -o out or take fewer"
        )
    save(topology_figure(found), output)


def report(name: str, nodes: int | None, decay: float, target: float | None, json: bool, output: Path | None = None) -> None:
    """What ``topology`` prints and draws."""
    found = network(name, nodes)
    row, spectrum = document(found, decay, target)
    if output is not None:
        draw(found, output)
    if json:
        print_json(row | {"spectrum": None if spectrum is None else _pairs(spectrum)})
        return
    if output is not None:
        print(f"wrote {output}")
    print_table([{"quantity": key, "value": value} for key, value in row.items() if key != "schema_version"])
    if spectrum is None:
        print("spectrum: only its ends were found, by Lanczos iterations; they are estimates")
    elif len(spectrum) <= _SHOWN:
        print("spectrum: " + " ".join(f"{value:.4g}" for value in spectrum))
    else:
        ends = [" ".join(f"{value:.4g}" for value in part) for part in (spectrum[:_ENDS], spectrum[-_ENDS:])]
        print(f"spectrum: {ends[0]} ... {ends[1]}")

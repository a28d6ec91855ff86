"""The user's data, dealt to nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError, InputFileError


@dataclass(frozen=True, eq=False)
class NodeData:
    """Features (samples, ...), targets (samples, ...) and the node of each sample (samples,), 0..m-1, none of them empty."""

    features: NDArray[np.float64]
    targets: NDArray[np.generic]
    node: NDArray[np.int64]

    @property
    def nodes(self) -> int:
        """Number of nodes m."""
        return int(self.node.max()) + 1


def _dealt(samples: int, nodes: int) -> NDArray[np.int64]:
    if not 1 <= nodes <= samples:
        raise DomainError(f"got nodes={nodes} for {samples} samples; take an integer from 1 to {samples}")
    return np.arange(samples, dtype=np.int64) * nodes // samples


def load_arrays(path: Path, nodes: int | None) -> NodeData:
    """Read ``x``, ``y`` and optionally ``node`` from an .npz file; without ``node`` the samples are dealt in equal blocks.

    Raises:
        InputFileError: when the file cannot be read or lacks an array.
        DomainError: for shapes or values that do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise InputFileError(
            f"cannot read {str(path)!r} as .npz ({type(error).__name__}); write it with numpy.savez(path, x=..., y=...)"
        ) from None
    for name in ("x", "y"):
        if name not in arrays:
            raise InputFileError(
                f"{str(path)!r} has no array {name!r}, only {', '.join(sorted(arrays)) or 'none'}; save x (features) and y (targets)"
            )
    features, targets = np.asarray(arrays["x"], dtype=np.float64), arrays["y"]
    if len(features) != len(targets) or len(features) == 0:
        raise DomainError(f"got {len(features)} rows of x and {len(targets)} of y in {str(path)!r}; both need one row per sample")
    if not np.isfinite(features).all():
        raise DomainError(f"row {int(np.argwhere(~np.isfinite(features))[0][0])} of x in {str(path)!r} is not finite; clean the data first")
    if "node" not in arrays:
        return NodeData(features, targets, _dealt(len(features), nodes or 1))
    node = arrays["node"].astype(np.int64)
    if node.shape != (len(features),) or set(node.tolist()) != set(range(int(node.max(initial=0)) + 1)):
        raise DomainError(f"got a bad array 'node' in {str(path)!r}; it holds each sample's node, 0..m-1, with no node empty")
    return NodeData(features, targets, node)

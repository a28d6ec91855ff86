"""D-SGD and average-direction SAM (Zhu et al. 2023, arXiv 2306.02913), sentence by sentence: paper ``zhu2023``."""

from __future__ import annotations

from verify.claims.averaged_sam import accuracy, batch, edge
from verify.claims.averaged_sam.common import PAPER, Build

__all__ = ["CLAIMS", "PAPER"]

CLAIMS: dict[str, Build] = {
    **batch.CLAIMS,
    **edge.CLAIMS,
    **accuracy.CLAIMS,
}

"""The D-SGD and average-direction SAM paper (Zhu et al. 2023, arXiv 2306.02913), sentence by sentence: paper ``zhu2023``."""

from __future__ import annotations

from verify.claims.averaged_sam import accuracy, batch, edge, equivalence, posterior, smoothing
from verify.claims.averaged_sam.common import PAPER, Build

__all__ = ["CLAIMS", "PAPER"]

CLAIMS: dict[str, Build] = {
    **equivalence.CLAIMS,
    **smoothing.CLAIMS,
    **posterior.CLAIMS,
    **batch.CLAIMS,
    **edge.CLAIMS,
    **accuracy.CLAIMS,
}

"""The D-SGD and average-direction SAM paper (Zhu et al. 2023, arXiv 2306.02913), sentence by sentence: paper ``zhu2023``."""

from __future__ import annotations

from verify.claims.averaged_sam import logged
from verify.claims.averaged_sam.common import PAPER, Build

__all__ = ["CLAIMS", "PAPER"]

CLAIMS: dict[str, Build] = {
    **logged.CLAIMS,
}

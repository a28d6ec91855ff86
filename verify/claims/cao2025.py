"""The flatness paper (Cao et al. 2025, arXiv 2406.20006), sentence by sentence: paper ``cao2025``."""

from __future__ import annotations

from verify.claims.flatness import batch, best_accuracy, escape, escape_risk, excess, minima, order, two_factors
from verify.claims.flatness.common import PAPER, Build

__all__ = ["CLAIMS", "PAPER"]

CLAIMS: dict[str, Build] = {
    **excess.CLAIMS,
    **order.CLAIMS,
    **batch.CLAIMS,
    **escape.CLAIMS,
    **escape_risk.CLAIMS,
    **minima.CLAIMS,
    **two_factors.CLAIMS,
    **best_accuracy.CLAIMS,
}

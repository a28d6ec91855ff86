"""The multi-gossip paper (Li et al. 2025, arXiv 2510.07980), sentence by sentence: paper ``li2025``."""

from __future__ import annotations

from verify.claims.multigossip import centralized, enough, excess, exponents, factors, generalization, gradients, optimization, summary
from verify.claims.multigossip.common import Build

PAPER = "li2025"

CLAIMS: dict[str, Build] = {
    **optimization.CLAIMS,
    **generalization.CLAIMS,
    **centralized.CLAIMS,
    **exponents.CLAIMS,
    **factors.CLAIMS,
    **summary.CLAIMS,
    **excess.CLAIMS,
    **gradients.CLAIMS,
    **enough.CLAIMS,
}

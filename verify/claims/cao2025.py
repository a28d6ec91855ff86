"""The flatness paper (Cao et al. 2025, arXiv 2406.20006), sentence by sentence: paper ``cao2025``."""

from __future__ import annotations

from verify.claims.flatness import escape, escape_risk
from verify.claims.multigossip.common import Build

PAPER = "cao2025"

CLAIMS: dict[str, Build] = {
    **escape.CLAIMS,
    **escape_risk.CLAIMS,
}

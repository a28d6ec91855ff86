"""What the claims of the flatness paper share."""

from __future__ import annotations

from verify.claims.multigossip.common import Build

PAPER = "cao2025"

__all__ = ["PAPER", "Build"]

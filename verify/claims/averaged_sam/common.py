"""What the claims of the paper on D-SGD as average-direction SAM share: the paper's name, and how a claim builds its cases."""

from __future__ import annotations

from verify.claims.multigossip.common import Build

__all__ = ["PAPER", "Build"]

PAPER = "zhu2023"

"""What the claims of the flatness paper share: the paper's name, and how a claim builds its cases."""

from __future__ import annotations

from verify.claims.multigossip.common import Build

__all__ = ["NAMES", "PAPER", "Build"]

PAPER = "cao2025"
#: The update forms in a sentence.
NAMES = {"centralized": "centralized SGD", "atc": "ATC", "cta": "CTA", "consensus": "the consensus form"}

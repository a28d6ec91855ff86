"""An independent check of saved certificates: no code is shared with the search for proofs."""

from bounds.checker.check import Finding, check

__all__ = ["Finding", "check"]

"""Directions of bounds, proved over boxes or refuted by witnesses."""

from bounds.certificates.certificate import Certificate, Status, Witness
from bounds.certificates.certify import certify, claimed_direction
from bounds.certificates.witness import refutation

__all__ = ["Certificate", "Status", "Witness", "certify", "claimed_direction", "refutation"]

"""Measured configurations on disk: one netCDF file each, written whole or not at all and verified on reading."""

from empirical.store.identity import FORMAT, run_key
from empirical.store.store import Store

__all__ = ["FORMAT", "Store", "run_key"]

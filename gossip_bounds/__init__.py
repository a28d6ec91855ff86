"""One name for the whole toolkit: ``from gossip_bounds import bounds, empirical, verify, figures``."""

import importlib
from types import ModuleType

__all__ = ["bounds", "empirical", "figures", "verify"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(name)
    raise AttributeError(f"module 'gossip_bounds' has no attribute {name!r}; it has {', '.join(__all__)}")

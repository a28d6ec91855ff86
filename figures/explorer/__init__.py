"""An interactive page of chosen bounds."""

from figures.explorer.page import explorer_page, write_explorer

__all__ = ["explorer_page", "write_explorer"]

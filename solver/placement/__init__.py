"""Where each buffer lives: one address line by itself, several partitions, and the planner's pools and partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cells import Placement as Placement
    from .cells import place as place
    from .cells import placed_at as placed_at

__all__ = ["Placement", "place", "placed_at"]


def __getattr__(name: str) -> object:
    """Load the planner's side when it is asked for: one address line needs neither tasks nor orders."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import cells

    return getattr(cells, name)

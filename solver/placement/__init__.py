"""Where each buffer lives: addresses for blocks with known lifetimes, and the pool slices around them."""

from .cells import Placement, place

__all__ = ["Placement", "place"]

"""Where the portfolio looks for ``Found``."""

from .answers import Found

__all__ = ["Found"]

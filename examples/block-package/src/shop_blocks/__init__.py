"""Blocks for shops."""

from ._booking import BookOrderBlock
from ._tax import AddTaxBlock

__all__ = ["AddTaxBlock", "BookOrderBlock"]

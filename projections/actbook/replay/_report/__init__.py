"""A report of an execution: one HTML file."""

from actbook.replay._report._page import report

__all__ = ["report"]

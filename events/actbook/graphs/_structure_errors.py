"""The fault of a graph that cannot be run or saved at all."""

from __future__ import annotations

from ._errors import ActbookError


class GraphStructureError(ActbookError, ValueError):
    """The whole graph is refused; faults of single fields are collected per node instead."""

"""Executions whose values were forgotten: they are read, and nothing goes on from them."""

from __future__ import annotations

from actbook.graphs import ActbookError
from actbook.journal import Journal


class ValuesForgottenError(ActbookError, ValueError):
    """The values of an execution were forgotten with their user's key. Its history can be read; start a new run instead."""

    def __init__(self, graph_exec_id: str) -> None:
        super().__init__(
            f"The values of graph execution #{graph_exec_id} were forgotten, so nothing can go on from it."
            " Start a new run instead."
        )
        self.graph_exec_id = graph_exec_id


async def check_remembered(journal: Journal, graph_exec_id: str, user_id: str) -> None:
    """Raises `ValuesForgottenError`, or `PayloadKeyError`."""
    if journal.store.keys is not None and await journal.withheld(graph_exec_id, user_id):
        raise ValuesForgottenError(graph_exec_id)

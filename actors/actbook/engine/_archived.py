"""What is told of an execution that left the store."""

from __future__ import annotations

import asyncio
from contextlib import closing

from actbook.engine._errors import ExecutionNotFoundError, NotFoundError
from actbook.journal import Journal
from actbook.journal._archived import archived_stream


class ExecutionArchivedError(ExecutionNotFoundError):
    """The execution left the store; its row in the views stayed. `file` is empty when it was discarded."""

    def __init__(self, graph_exec_id: str, file: str, text: str) -> None:
        remedy = (
            f"; `actbook archive restore {file}` brings it back." if file else " and can't be brought back."
        )
        NotFoundError.__init__(self, f"Graph execution #{graph_exec_id} was {text}{remedy}")
        self.graph_exec_id = graph_exec_id
        self.file = file


async def absent(journal: Journal, graph_exec_id: str, user_id: str | None) -> ExecutionNotFoundError:
    """Why there is no such execution for the user."""

    def look() -> ExecutionNotFoundError:
        with closing(journal.store.open_views_reader()) as connection:
            found = archived_stream(connection, graph_exec_id)
        if found is None or user_id not in (None, found.user_id):
            return ExecutionNotFoundError(graph_exec_id)
        return ExecutionArchivedError(graph_exec_id, found.file, found.text)

    return await asyncio.to_thread(look)

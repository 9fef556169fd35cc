"""The factory for memory."""

from __future__ import annotations

from actbook.journal._eventsourcing._factory import JournalFactory
from actbook.journal._eventsourcing._memory_rows import MemoryRows
from actbook.journal._eventsourcing._rows import Rows
from actbook.journal._memory import MemoryStore


class MemoryFactory(JournalFactory):
    """Every factory has a store of its own."""

    def open_rows(self) -> Rows:
        return MemoryRows(MemoryStore())

"""Which coordinator a store needs."""

from __future__ import annotations

from actbook.journal._coordination import Coordinator, FileCoordinator, LocalCoordinator
from actbook.journal._memory import MemoryStore
from actbook.journal._sqlite import SQLiteStore
from actbook.journal._store import Store


def coordinator_for(store: Store, worker_id: str, candidate: bool = True, lease: float = 10.0) -> Coordinator:
    """Processes that share a file coordinate through files beside it, those that share a database through that; a store in
    memory has one process anyway. `lease`: seconds that a worker of a database stays one without renewing that.
    """
    if isinstance(store, SQLiteStore):
        return FileCoordinator(store.path, worker_id, candidate)
    if not isinstance(store, MemoryStore):
        from actbook.journal._postgres import PostgresStore
        from actbook.journal._postgres_coordinator import PostgresCoordinator

        if isinstance(store, PostgresStore):
            return PostgresCoordinator(store, worker_id, candidate, lease)
    return LocalCoordinator(worker_id)

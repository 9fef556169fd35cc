"""One relay of a name at a time on a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from actbook.journal import MemoryStore, SQLiteStore, Store
from actbook.journal._coordination import FileCoordinator, LocalCoordinator


class Turn(Protocol):
    """Who is its owner may relay; the others wait until that process lets go or dies."""

    @property
    def is_owner(self) -> bool: ...

    async def start(self, on_bell: Callable[[], None], on_owner: Callable[[], None]) -> None:
        """`on_owner` is called on the loop, unless `is_owner` is true when this returns."""
        ...

    async def close(self) -> None: ...


def turn_for(store: Store, name: str, worker: str) -> Turn:
    """A lock of its own beside the store's, so that relaying and running may be in different processes.

    The epoch in the ledger holds even where a lock does not.
    """
    if isinstance(store, SQLiteStore):
        return FileCoordinator(f"{store.path}-relay-{name}", worker)
    if not isinstance(store, MemoryStore):
        from actbook.journal._postgres import PostgresStore

        if isinstance(store, PostgresStore):
            from actbook.bridge._relay_postgres_turn import PostgresTurn

            return PostgresTurn(store, name)
    return LocalCoordinator(worker)

"""The stores that the conformance suite runs against. A new kind of store joins by one more factory."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from actbook.journal import MemoryStore, SQLiteStore, Store


class StoreFactory(Protocol):
    name: str
    is_shared: bool
    """Does a second store that is opened see what the first one wrote?"""

    @property
    def url(self) -> str: ...

    def open(self) -> Store: ...


class MemoryFactory:
    name = "memory"
    is_shared = False

    def __init__(self, folder: Path) -> None:
        self.url = "memory:"

    def open(self) -> Store:
        return MemoryStore()


class SQLiteFactory:
    name = "sqlite"
    is_shared = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self.url = f"sqlite:///{self.path}"

    def open(self) -> Store:
        return SQLiteStore(str(self.path))


class PostgresFactory:
    name = "postgres"
    is_shared = True

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self) -> Store:
        from actbook.journal._postgres import PostgresStore

        return PostgresStore(self.url)


FACTORIES: list[type[MemoryFactory | SQLiteFactory | PostgresFactory]] = [
    MemoryFactory,
    SQLiteFactory,
    PostgresFactory,
]

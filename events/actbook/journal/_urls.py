"""Which store a URL names."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from actbook.journal._errors import MissingDriverError, StoreUrlError
from actbook.journal._memory import MemoryStore
from actbook.journal._postgres_url import redacted
from actbook.journal._sqlite import SQLiteStore
from actbook.journal._sqlite_schema import Synchronous
from actbook.journal._store import Store

_SQLITE_PREFIX = "sqlite:///"


def _open_memory(url: str, synchronous: Synchronous) -> Store:
    if url not in ("memory:", "memory://"):
        raise StoreUrlError(redacted(url), KNOWN_URLS)
    return MemoryStore()


def _open_sqlite(url: str, synchronous: Synchronous) -> Store:
    path = unquote(url.removeprefix(_SQLITE_PREFIX))
    if not url.startswith(_SQLITE_PREFIX) or "?" in url or path in ("", ":memory:") or path.endswith("/"):
        raise StoreUrlError(redacted(url), KNOWN_URLS)
    return SQLiteStore(path, synchronous=synchronous)


def _open_postgres(url: str, synchronous: Synchronous) -> Store:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise MissingDriverError("PostgreSQL", "postgres") from error
    from actbook.journal._postgres import PostgresStore

    return PostgresStore(url)


_OPENERS: dict[str, Callable[[str, Synchronous], Store]] = {
    "memory": _open_memory,
    "sqlite": _open_sqlite,
    "postgresql": _open_postgres,
    "postgres": _open_postgres,
}

KNOWN_URLS = ["memory:", "sqlite:///PATH", "postgresql://USER@HOST/DATABASE"]


def open_store(url: str, *, synchronous: Synchronous = "FULL") -> Store:
    """Opens the store a URL names; blocks for file access.

    Raises `StoreUrlError`, `StoreFormatError`, `StoreError` or `MissingDriverError`.
    """
    opener = _OPENERS.get(url.partition(":")[0])
    if opener is None:
        raise StoreUrlError(redacted(url), KNOWN_URLS)
    return opener(url, synchronous)

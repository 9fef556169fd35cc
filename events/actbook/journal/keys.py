"""Payload keys: values of users are sealed under a key of each user, and unreadable once it is destroyed.

    with open_payload_keys("sqlite:///actbook.db-keys") as keys:
        async with Engine.open(payload_keys=keys) as engine:
            ...

Needs the extra `credentials`, for AES-GCM.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from actbook.journal._errors import MissingDriverError, PayloadKeyError, StoreUrlError
from actbook.journal._key_ring import KeyRing, KeyRow, KeyRows
from actbook.journal._key_rows_memory import MemoryKeyRows
from actbook.journal._key_rows_sqlite import SqliteKeyRows
from actbook.journal._master_key import (
    MASTER_KEY,
    MASTER_KEY_FILE,
    MasterKey,
    generate_master_key,
    master_key_from,
)
from actbook.journal._payload_keys import DataKey, PayloadKeys
from actbook.journal._sealing import FORGOTTEN, SEALED

__all__ = [
    "FORGOTTEN",
    "MASTER_KEY",
    "MASTER_KEY_FILE",
    "SEALED",
    "DataKey",
    "KeyRing",
    "KeyRow",
    "KeyRows",
    "MasterKey",
    "MemoryKeyRows",
    "PayloadKeyError",
    "PayloadKeys",
    "SqliteKeyRows",
    "generate_master_key",
    "master_key_from",
    "open_payload_keys",
]

_SQLITE = "sqlite:///"


def open_payload_keys(
    url: str, key: MasterKey | bytes | str | None = None, *, key_file: Path | str | None = None
) -> KeyRing:
    """The keys at `memory:`, `sqlite:///relative`, `sqlite:////absolute` or `postgresql://…?schema=…`.

    They have a file of their own, or a schema (`actbook_keys`, or the one that is named with `_keys` behind it), so that no
    copy of the store holds them. The master key is `key`, the content of `key_file`, or found as `master_key_from` says. Checks
    that it is the right one; blocks for that. Raises `PayloadKeyError`, `StoreUrlError` or `MissingDriverError`.
    """
    ring = KeyRing(_rows_at(url), master_key_from(key, key_file))
    try:
        ring.check()
    except BaseException:
        ring.close()
        raise
    return ring


def _rows_at(url: str) -> KeyRows:
    path = unquote(url.removeprefix(_SQLITE))
    if url == "memory:":
        return MemoryKeyRows()
    if url.startswith(_SQLITE) and path:
        return SqliteKeyRows(path)
    if url.partition(":")[0] in ("postgresql", "postgres"):
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            raise MissingDriverError("PostgreSQL", "postgres") from error
        from actbook.journal._key_rows_postgres import PostgresKeyRows
        from actbook.journal._postgres_url import parse_postgres_url

        parsed = parse_postgres_url(url)
        return PostgresKeyRows(parsed._replace(schema=f"{parsed.schema}_keys"))
    raise StoreUrlError(url, ["memory:", "sqlite:///PATH", "postgresql://USER@HOST/DATABASE?schema=NAME"])

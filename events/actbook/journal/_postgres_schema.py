"""The tables and functions of a PostgreSQL store, and how they come into being."""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

from actbook.journal._errors import StoreFormatError
from actbook.journal._postgres_link import Connection
from actbook.journal._postgres_migrations import MIGRATIONS
from actbook.journal._postgres_url import PostgresUrl

SCHEMA_VERSION = len(MIGRATIONS)

_APPEND_LOCK = 0x41637441
_OWNER_LOCK = 0x4163744F
_MIGRATION_LOCK = 0x4163744D
_WORKER_LOCKS = 0x41635700

_LAST_POSITION = (
    "greatest((SELECT coalesce(max(position), 0) FROM {schema}.events), (SELECT upto FROM {schema}.deleted))"
)

_FOUND = (
    "SELECT to_regnamespace(%s) IS NOT NULL, to_regclass(%s) IS NOT NULL,"
    " (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(%s)::oid)"
)


class Names:
    """What a schema's objects are called in SQL, and the numbers of its locks, which are unique in a database."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self._quoted = f'"{schema}"'
        self.channel = f"actbook_{schema}"
        self.key = int.from_bytes(sha256(schema.encode()).digest()[:4], "big", signed=True)
        self.owner_lock = f"{_OWNER_LOCK}, {self.key}"
        self.worker_locks = (_WORKER_LOCKS ^ self.key) & 0xFFFFFFFF

    def sql(self, text: str) -> bytes:
        """A statement with the names filled in. Braces of its own have to be doubled."""
        return text.format(
            schema=self._quoted,
            last_position=_LAST_POSITION.format(schema=self._quoted),
            channel=self.channel,
            append_lock=_APPEND_LOCK,
            owner_lock=self.owner_lock,
            owner_class=_OWNER_LOCK,
            worker_locks=self.worker_locks,
            key=self.key,
        ).encode()


def prepare_schema(connection: Connection, url: PostgresUrl) -> str:
    """Makes the schema a store of the current version unless it is one; the id of the store.

    Waits for other processes that do the same. Raises `StoreFormatError` for what is no store of ours, and errors of the
    client library.
    """
    (encoding,) = _one(connection, b"SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise StoreFormatError(
            url.shown, f"the database is encoded in {encoding}; name one that is encoded in UTF8"
        )
    names = Names(url.schema)
    if schema_version(connection, url, names) < SCHEMA_VERSION:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_MIGRATION_LOCK, names.key))
            _migrate(connection, url, names)
    (store_id,) = _one(connection, names.sql("SELECT value FROM {schema}.meta WHERE key='store_id'"))
    return str(store_id)


def _migrate(connection: Connection, url: PostgresUrl, names: Names) -> None:
    version = schema_version(connection, url, names)
    if version == 0 and not _one(connection, b"SELECT to_regnamespace(%s) IS NOT NULL", f'"{url.schema}"')[0]:
        connection.execute(names.sql("CREATE SCHEMA {schema}"))
    for migration in MIGRATIONS[version:]:
        connection.execute(names.sql(migration))
    if version == 0:
        connection.execute(names.sql("INSERT INTO {schema}.meta VALUES('store_id', %s)"), (uuid4().hex,))
    connection.execute(
        names.sql(
            "INSERT INTO {schema}.meta VALUES('schema_version', %s)"
            " ON CONFLICT(key) DO UPDATE SET value=excluded.value"
        ),
        (str(SCHEMA_VERSION),),
    )


def schema_version(connection: Connection, url: PostgresUrl, names: Names) -> int:
    """0 for a schema that has nothing in it, or is not there."""
    quoted = f'"{url.schema}"'
    exists, has_meta, objects = _one(connection, _FOUND.encode(), quoted, f"{quoted}.meta", quoted)
    if not exists or not objects:
        return 0
    row: tuple[str, ...] | None = None
    if has_meta:
        row = connection.execute(
            names.sql("SELECT value FROM {schema}.meta WHERE key='schema_version'")
        ).fetchone()
    if row is None:
        raise StoreFormatError(
            url.shown, f"schema {url.schema!r} belongs to another application; name another with ?schema="
        )
    version = int(row[0])
    if version > SCHEMA_VERSION:
        raise StoreFormatError(
            url.shown, f"a newer actbook wrote it (schema {version}, known {SCHEMA_VERSION}); upgrade"
        )
    return version


def _one(connection: Connection, sql: bytes, *parameters: object) -> tuple[object, ...]:
    row = connection.execute(sql, parameters).fetchone()
    assert row is not None
    return row

"""What can be said of a PostgreSQL store without opening it: nothing is made, repaired or taken over."""

from __future__ import annotations

from typing import NamedTuple

from actbook.journal._coordination import OwnerInfo
from actbook.journal._postgres_errors import store_errors
from actbook.journal._postgres_leadership import find_owner
from actbook.journal._postgres_link import Connection, connect
from actbook.journal._postgres_schema import Names, schema_version
from actbook.journal._postgres_url import parse_postgres_url


class PostgresFacts(NamedTuple):
    """`version` is that of the schema: 0 when there is no store yet, and then nobody owns it and nothing is in it."""

    shown: str
    server: str
    encoding: str
    schema: str
    version: int
    owner: OwnerInfo | None = None
    events: int = 0
    unfinished: int = 0
    workers: int = 0


def inspect_postgres(url: str, patience: float = 5.0) -> PostgresFacts:
    """Blocks. Raises `StoreUrlError`, `StoreFormatError` and `StoreError`."""
    parsed = parse_postgres_url(url)
    names = Names(parsed.schema)
    with store_errors(parsed.shown):
        connection = connect(parsed, patience)
        try:
            version = schema_version(connection, parsed, names)
            server, encoding = (_setting(connection, name) for name in ("server_version", "server_encoding"))
            facts = PostgresFacts(parsed.shown, server, encoding, parsed.schema, version)
            if not version:
                return facts
            counts = connection.execute(
                names.sql(
                    "SELECT (SELECT count(*) FROM {schema}.events), (SELECT count(*) FROM {schema}.unfinished)"
                )
            ).fetchone()
            events, unfinished = counts or (0, 0)
            return facts._replace(
                owner=find_owner(connection, names),
                events=events,
                unfinished=unfinished,
                workers=_workers(connection, names) if version > 1 else 0,
            )
        finally:
            connection.close()


def _workers(connection: Connection, names: Names) -> int:
    """Those whose lease holds."""
    count = names.sql("SELECT count(*) FROM {schema}.workers WHERE clock_timestamp() <= renewed_at + lease")
    row = connection.execute(count).fetchone()
    return row[0] if row else 0


def _setting(connection: Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    return str(row[0]) if row else ""

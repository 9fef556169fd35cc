"""Stores in a PostgreSQL server, before they are opened."""

from __future__ import annotations

from actbook.cli._problems import MissingError


def check_schema_exists(store: str) -> None:
    """Raises `MissingError` when the server holds no such store, and `JournalError` when it can't be asked."""
    from actbook.journal import MissingDriverError

    try:
        from actbook.journal._postgres_inspection import inspect_postgres
    except ImportError as error:
        raise MissingDriverError("PostgreSQL", "postgres") from error
    facts = inspect_postgres(store)
    if not facts.version:
        raise MissingError(
            f"There is no store in the schema {facts.schema} of {facts.shown}."
            " Name the right one with --store or ACTBOOK_STORE; `actbook run` makes a new one."
        )

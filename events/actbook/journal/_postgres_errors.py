"""What went wrong in PostgreSQL, in the journal's terms: never the fault of whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from actbook.journal._errors import (
    JournalError,
    StoreBusyError,
    StoreConnectionError,
    StoreError,
    StoreFencedError,
    StoreFormatError,
    StoreFullError,
    StoreIOError,
)

FENCED = "AB001"
"""SQLSTATE that our `append` raises for a former owner."""

_LOST = {"57P01", "57P02", "57P03", "57P05", "25006", "53300", "25P03"}
"""The server goes down, comes up, stands by, is crowded, or has hung up: another connection may do."""

_REFUSED = {"28000", "28P01", "3D000", "42501", "0A000"}
_BUSY = {"55P03", "57014", "40001", "40P01"}
_FORMAT = {"42P01", "42883", "42703", "XX001", "XX002", "22021"}


def is_lost(error: psycopg.Error, connection: psycopg.Connection[object] | None) -> bool:
    """Is it the connection that failed, so that nobody knows what became of the last request?"""
    state = error.sqlstate
    if state is not None and (state in _LOST or state.startswith("08")):
        return True
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and (
        connection is None or connection.closed
    )


def as_store_error(shown: str, error: psycopg.Error) -> JournalError:
    state = error.sqlstate or ""
    reason = " ".join((error.diag.message_primary or str(error) or type(error).__name__).split()).rstrip(".?")
    if state in _FORMAT:
        return StoreFormatError(
            shown,
            f"the schema is not as actbook made it ({reason}); restore a backup, or name another schema",
        )
    return _kind(error, state)(shown, reason)


def _kind(error: psycopg.Error, state: str) -> type[StoreError]:
    if state == FENCED:
        return StoreFencedError
    if state in _BUSY:
        return StoreBusyError
    if state.startswith("53") and state != "53300":
        return StoreFullError
    if state in _REFUSED or state in _LOST or state.startswith("08"):
        return StoreConnectionError
    if not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StoreConnectionError
    return StoreIOError


@contextmanager
def store_errors(shown: str) -> Iterator[None]:
    """Turns errors of the database into those of the journal."""
    try:
        yield
    except psycopg.Error as error:
        raise as_store_error(shown, error) from error

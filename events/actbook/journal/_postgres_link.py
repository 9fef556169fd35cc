"""A connection to PostgreSQL that is made again when it is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from threading import Event, RLock
from typing import Any, TypeVar

import psycopg

from actbook.journal._errors import JournalClosedError
from actbook.journal._postgres_errors import as_store_error, is_lost
from actbook.journal._postgres_url import PostgresUrl

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_CONNECT_TIMEOUT = 5
_KEEPALIVES: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SETTINGS = (
    "SELECT set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '3', false),"
    " set_config('tcp_keepalives_count', '3', false), set_config('lock_timeout', %s, false),"
    " set_config('idle_session_timeout', '0', false),"
    " set_config('idle_in_transaction_session_timeout', '0', false), set_config('statement_timeout', '0', false)"
)


def connect(url: PostgresUrl, patience: float) -> Connection:
    """In autocommit mode. Waits for locks of others for `patience` seconds. Raises errors of the client library."""
    connection: Connection = psycopg.connect(
        url.conninfo,
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT,
        application_name="actbook",
        client_encoding="utf8",
        **_KEEPALIVES,
    )
    try:
        connection.execute(_SETTINGS, (str(max(1, int(patience * 1000))),))
    except BaseException:
        connection.close()
        raise
    return connection


class Pauses:
    """Growing random pauses until the patience is over or somebody closes."""

    def __init__(self, patience: float, closing: Event) -> None:
        self._deadline = time.monotonic() + patience
        self._closing = closing
        self._pause = _FIRST_PAUSE

    def rest(self) -> bool:
        """False when there is no more time."""
        left = self._deadline - time.monotonic()
        if left <= 0 or self._closing.wait(min(left, self._pause * (0.5 + random.SystemRandom().random()))):
            return False
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True


class Link:
    """One connection for one piece of work at a time. Opened with the first."""

    def __init__(self, url: PostgresUrl, patience: float, closing: Event) -> None:
        self._url = url
        self._patience = patience
        self._closing = closing
        self._connection: Connection | None = None
        self.lock = RLock()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Result of work that may be done twice: it is repeated when the connection is lost.

        Raises `StoreError` and `JournalClosedError`.
        """
        with self.lock:
            pauses = self.pauses()
            while True:
                try:
                    return work(self.connection())
                except psycopg.Error as error:
                    if not self.forgive(error) or not pauses.rest():
                        raise as_store_error(self._url.shown, error) from error

    def pauses(self) -> Pauses:
        return Pauses(self._patience, self._closing)

    def connection(self) -> Connection:
        """The connection; under `lock`."""
        if self._closing.is_set():
            raise JournalClosedError
        if self._connection is None:
            self._connection = connect(self._url, self._patience)
        return self._connection

    def forgive(self, error: psycopg.Error) -> bool:
        """Whether another connection may do better; this one is given up then."""
        if not is_lost(error, self._connection):
            return False
        self._drop()
        return True

    def close(self) -> None:
        with self.lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

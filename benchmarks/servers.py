"""Servers for the benchmarks: those that the environment names, else private ones of the tests' kind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic, sleep

import psycopg
import pytest
from tests.services import nats, postgres, rabbitmq

_PATIENCE = 60.0


class SyncedServer(postgres.PrivateServer):
    """A PostgreSQL that syncs every commit to the disk, which those of the tests don't."""

    def start(self) -> None:
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}", "-c", "fsync=on"]
        options += ["-c", f"unix_socket_directories={self._folder}", "-c", "max_connections=200"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", self._data, *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._identity(),
            )
        deadline = monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self._folder / 'log').read_text()[-2000:]}")
            sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a server that syncs; one that the environment names is taken as it is."""
    given = os.environ.get(postgres.DSN)
    if given:
        yield given
        return
    binaries = postgres.find_binaries()
    if binaries is None:
        postgres.missing(
            "PostgreSQL is not here: install the group `services`, or name one with " + postgres.DSN
        )
    server = SyncedServer(binaries)
    try:
        server.start()
        yield server.url
    finally:
        server.stop()


RABBITMQ: Callable[[], AbstractContextManager[str]] = rabbitmq.url
NATS: Callable[[], AbstractContextManager[str]] = nats.url


def absent(failure: BaseException) -> str | None:
    """Why a server can't be had, if that is what the failure says."""
    if isinstance(failure, pytest.skip.Exception | pytest.fail.Exception):
        return str(failure.msg)
    return None

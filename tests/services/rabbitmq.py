"""RabbitMQ for tests: the one that the environment names, else a private instance of the distribution's.

A test that breaks things starts an instance of its own with `private_broker`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import aio_pika
import pytest
from tests.services.ports import free_ports

URL = "ACTBOOK_TEST_AMQP_URL"
REQUIRED = "ACTBOOK_REQUIRE_SERVICES"
PATIENCE = 120.0
"""Seconds; only a failing test waits that long."""

_CONFIG = """
listeners.tcp.1 = 127.0.0.1:{port}
disk_free_limit.absolute = 1MB
log.console = false
log.file.level = warning
"""


def server() -> Path | None:
    """The script that starts a server without asking the operating system's service manager."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return found[-1] if found and shutil.which("epmd") else None


def missing() -> None:
    """Skips the test, or fails it where services are required."""
    text = f"There is no RabbitMQ: set {URL}, or apt-get install --no-install-recommends rabbitmq-server."
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(text)
    pytest.skip(text)


class Broker:
    """A RabbitMQ of its own on loopback ports. Its data stay when it is killed, and are there when it starts again."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._script = script
        self._folder = folder
        self.port, self._dist, self._epmd_port = free_ports(3)
        self._server: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.declared = 0.0
        """When its queues were declared, on the monotonic clock, if a test has to know."""

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Returns when it declares queues: it listens long before that."""
        environment = self._environment()
        self._log = (self._folder / "output").open("ab")
        quiet = {"stdout": self._log, "stderr": self._log, "stdin": subprocess.DEVNULL, "env": environment}
        self._epmd = subprocess.Popen(["epmd"], **quiet)  # type: ignore[call-overload]
        server = self._server = subprocess.Popen([self._script], start_new_session=True, **quiet)  # type: ignore[call-overload]
        until = time.monotonic() + PATIENCE
        while not (_listens(self.port) and asyncio.run(_declares(self.url))):
            if server.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(
                    f"RabbitMQ does not start: {(self._folder / 'output').read_text()[-2000:]}"
                )
            time.sleep(0.1)

    def kill(self) -> None:
        """As a power failure would."""
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        if self._log is not None:
            self._log.close()
        self._server = self._epmd = self._log = None

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        config = folder / "rabbitmq.conf"
        config.write_text(_CONFIG.format(port=self.port))
        (folder / "plugins").write_text("[].")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return kept | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"actbook{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
        }


@contextmanager
def private_broker() -> Iterator[Broker]:
    """An instance that the test may kill and start again; skips or fails the test where there is none."""
    script = server()
    if script is None:
        missing()
        raise AssertionError
    folder = Path(tempfile.mkdtemp(prefix="actbook-rabbitmq-"))
    broker = Broker(script, folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def url() -> Iterator[str]:
    """Of the instance that all tests of a session share. They clear away what they find there."""
    given = os.environ.get(URL)
    if given:
        yield given
        return
    with private_broker() as broker:
        yield broker.url


def clear(amqp_url: str) -> None:
    """Takes away what workers declare, so that the next test finds nothing of the one before."""
    asyncio.run(_clear(amqp_url))


async def _clear(amqp_url: str) -> None:
    connection = await aio_pika.connect(amqp_url, timeout=30)
    async with connection:
        channel = await connection.channel()
        for queue in ("graph_execution_queue", "graph_execution_dead_letter_queue"):
            await channel.queue_delete(queue)
        for exchange in ("graph_execution", "graph_execution_cancel", "graph_execution_dead_letter"):
            await channel.exchange_delete(exchange)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


async def _declares(amqp_url: str) -> bool:
    try:
        connection = await aio_pika.connect(amqp_url, timeout=5)
    except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
        return False
    try:
        async with connection:
            channel = await connection.channel()
            await channel.declare_queue("actbook-ready", exclusive=True, timeout=10)
    except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
        return False
    return True

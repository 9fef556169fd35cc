"""Worker processes, seen from the engine: started when needed, read without polling, killed to stop them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextvars import Context
from typing import Protocol

from ._frames import EndFrame, FrameBuffer, OutputFrame, reply_of

_CHUNK = 262_144
_PROGRAM = (
    "import sys; sys.path[:] = {path!r}; "
    "from actbook.actors._bodies._worker import main; main({channel}, {lifeline})"
)


class Client(Protocol):
    """The body that a worker works for."""

    def receive(self, frame: OutputFrame | EndFrame) -> None: ...

    def settle(self) -> None:
        """That was all that had come in."""

    def died(self, how: str) -> None:
        """The process is gone before its end frame came, and has been reaped."""


class Worker:
    """One process, in a process group of its own: what a body starts there ends with it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        home: Context,
        idle: Callable[[Worker], None],
        gone: Callable[[Worker], None],
    ) -> None:
        self.client: Client | None = None
        self.proved = False
        """It worked, or was killed: not a process that cannot even start."""
        self._loop = loop
        self._home = home
        self._idle = idle
        self._gone = gone
        self._killed = False
        self._buffer = FrameBuffer()
        self._outgoing = bytearray()
        self._start()

    def run(self, frame: bytes, client: Client) -> None:
        self.client = client
        self._send(frame)

    def kill(self) -> None:
        """`died` follows when the process is gone."""
        self._killed = self.proved = True
        self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # gone already
            return

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        their_end, self._lifeline = os.pipe()
        program = _PROGRAM.format(path=sys.path, channel=theirs.fileno(), lifeline=their_end)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=(theirs.fileno(), their_end),
                process_group=0,
            )
        except BaseException:
            self._socket.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(their_end)
        self._socket.setblocking(False)
        self._exit_fd = os.pidfd_open(self._process.pid) if hasattr(os, "pidfd_open") else None
        self._home.copy().run(self._listen)

    def _listen(self) -> None:
        self._loop.add_reader(self._socket, self._readable)
        if self._exit_fd is not None:
            self._loop.add_reader(self._exit_fd, self._exited)

    def _send(self, data: bytes) -> None:
        if not self._outgoing:
            data = data[self._sent(data) :]
            if data:
                self._home.copy().run(self._loop.add_writer, self._socket, self._writable)
        self._outgoing += data

    def _sent(self, data: bytes | bytearray) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:  # it is gone: its exit is noticed on its own
            return len(data)

    def _writable(self) -> None:
        del self._outgoing[: self._sent(self._outgoing)]
        if not self._outgoing:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received(data)
        elif self._exit_fd is None:
            self._exited()
        else:
            self._loop.remove_reader(self._socket)
            self._kill_group()

    def _received(self, data: bytes) -> None:
        self.proved = True
        client = self.client
        for frame in self._buffer.feed(data):
            reply = reply_of(frame)
            if client is not None:
                client.receive(reply)
            if isinstance(reply, EndFrame):
                self.client = None
        if client is None:
            return
        if self.client is None and not self._killed:
            self._idle(self)
        client.settle()

    def _exited(self) -> None:
        self._receive_rest()
        self._kill_group()  # what it left behind in its group; its id is not free before `wait`
        code = self._process.wait()
        self._release()
        self._gone(self)
        client, self.client = self.client, None
        if client is not None:
            client.died(_how(code))

    def _receive_rest(self) -> None:
        while True:
            try:
                data = self._socket.recv(_CHUNK)
            except OSError:
                return
            if not data:
                return
            self._received(data)

    def _release(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if self._exit_fd is not None:
            self._loop.remove_reader(self._exit_fd)
            os.close(self._exit_fd)
        self._socket.close()
        os.close(self._lifeline)


class Workers:
    """The pool. The caller counts slots. `warm` processes are kept ready, others start when needed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, home: Context, warm: int) -> None:
        self._loop = loop
        self._home = home
        self._warm = warm
        self._alive: set[Worker] = set()
        self._free: list[Worker] = []
        self._closing: asyncio.Future[None] | None = None
        self._warm_up()

    def run(self, frame: bytes, client: Client) -> Worker:
        """Raises OSError when no process can be started."""
        worker = self._free.pop() if self._free else self._spawn()
        worker.run(frame, client)
        return worker

    async def close(self, seconds: float) -> None:
        """Kill and reap all of them."""
        if self._closing is None:
            self._closing = self._loop.create_future()
        for worker in self._alive:
            worker.kill()
        if self._alive:
            await asyncio.wait([self._closing], timeout=seconds)

    def _warm_up(self) -> None:
        while len(self._alive) < self._warm:
            self._free.append(self._spawn())

    def _spawn(self) -> Worker:
        worker = Worker(self._loop, self._home, self._free.append, self._left)
        self._alive.add(worker)
        return worker

    def _left(self, worker: Worker) -> None:
        self._alive.discard(worker)
        if worker in self._free:
            self._free.remove(worker)
        if self._closing is None:
            if worker.proved:
                self._warm_up()
        elif not self._alive and not self._closing.done():
            self._closing.set_result(None)


def _environment() -> dict[str, str]:
    """Without the credentials that may be in this process's environment: a body gets its own, and no others."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ACTBOOK_CREDENTIALS_")}


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"

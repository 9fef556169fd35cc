"""The connections over which one process rings and hears bells."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Final

_BELL: Final = b"\a"
_READ: Final = 4096
_SMALLEST_BUFFER: Final = 1  # the kernel rounds up to a handful of bells
_QUIET: Final = getattr(
    socket, "MSG_NOSIGNAL", 0
)  # programs that restore SIGPIPE must not die of a lost peer


class Bells:
    """Connected sockets on which any byte is a bell.

    Bells coalesce in the peer's socket buffer, kept as small as the kernel allows: when it is full a bell is
    already waiting there, and one more would say nothing new.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_bell: Callable[[socket.socket], None],
        on_gone: Callable[[socket.socket], None],
    ) -> None:
        self._loop = loop
        self._on_bell = on_bell
        self._on_gone = on_gone
        self._sockets: tuple[socket.socket, ...] = ()
        self._using = (
            threading.Lock()
        )  # a socket must not be closed, and its number reused, while another thread sends

    def add(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALLEST_BUFFER)
        with self._using:
            self._sockets = (*self._sockets, sock)
        self._loop.add_reader(sock, self._read, sock)

    def welcome(self, sock: socket.socket) -> None:
        """Add a peer that connected some time ago: what was committed since then rang without it."""
        self.add(sock)
        with self._using:
            _send(sock)

    def ring(self, but: socket.socket | None = None) -> None:
        """Ring at every peer except one. From any thread, never blocks."""
        if not self._sockets:
            return
        with self._using:
            for sock in self._sockets:
                if sock is not but:
                    _send(sock)

    def close(self) -> None:
        for sock in self._sockets:
            self._remove(sock)

    def abandon(self) -> None:
        sockets, self._sockets = self._sockets, ()
        for sock in sockets:
            sock.close()

    def _read(self, sock: socket.socket) -> None:
        try:
            heard = bool(sock.recv(_READ))
        except BlockingIOError:
            return
        except OSError:
            heard = False
        if heard:
            self._on_bell(sock)
        else:
            self._remove(sock)
            self._on_gone(sock)

    def _remove(self, sock: socket.socket) -> None:
        self._loop.remove_reader(sock)
        with self._using:
            self._sockets = tuple(each for each in self._sockets if each is not sock)
            sock.close()


def _send(sock: socket.socket) -> None:
    try:
        sock.send(_BELL, _QUIET)
    except OSError:
        pass  # full: a bell is waiting there; broken: the reader finds out

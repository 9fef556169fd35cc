"""A socket file that an event loop listens at."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from ._address import Address
from ._forks import no_fork

_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_EXHAUSTED_PAUSE: Final = 1.0  # seconds; accepting at once would only spin until a descriptor is free


class Door:
    """Open from construction to close. The guest is non-blocking and belongs to whom it is handed."""

    def __init__(
        self, address: Address, loop: asyncio.AbstractEventLoop, on_guest: Callable[[socket.socket], None]
    ) -> None:
        self.address = address
        self._loop = loop
        self._on_guest = on_guest
        self._pause: asyncio.TimerHandle | None = None
        self._shown = True
        self._socket = address.listen()
        self._attend()

    def hide(self) -> None:
        """Take the socket file away; those already knocking are still heard."""
        if self._shown:
            self._shown = False
            self.address.remove()

    def close(self) -> None:
        self.hide()
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def abandon(self) -> None:
        self._socket.close()

    def _attend(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        with no_fork:
            try:
                guest, _ = self._socket.accept()
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._loop.remove_reader(self._socket)
                    self._pause = self._loop.call_later(_EXHAUSTED_PAUSE, self._attend)
                return
            guest.setblocking(False)
            self._on_guest(guest)

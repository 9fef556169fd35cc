"""Where processes wait, without asking again and again, while there is no owner to connect to."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from typing import Final

from ._address import Address, Silence
from ._door import Door
from ._errors import BellError

_SUFFIX: Final = "-wait-"


class WaitingRoom:
    """One socket file per waiting process, beside the journal; who has news knocks at all of them."""

    def __init__(self, base: Address, loop: asyncio.AbstractEventLoop, on_knock: Callable[[], None]) -> None:
        self._base = base
        self._loop = loop
        self._on_knock = on_knock
        self._door: Door | None = None

    @property
    def is_entered(self) -> bool:
        """Whether a knock would be heard: not if an owner swept the file away before it was listened at."""
        return self._door is not None and self._door.address.exists()

    def enter(self) -> None:
        self.leave()
        address = self._base.sibling(_SUFFIX + os.urandom(8).hex())
        self._door = Door(address, self._loop, self._knocked)

    def leave(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None

    def knock(self, *, sweep: bool = False) -> None:
        """Let everybody who waits look again; `sweep`, for the owner alone, removes what the dead left."""
        for address in self._others():
            try:
                _knock_at(address, sweep)
            except BellError:
                pass  # another user waits there: not one of ours

    def abandon(self) -> None:
        if self._door is not None:
            self._door.abandon()

    def _others(self) -> Iterator[Address]:
        own = self._door.address.name if self._door is not None else None
        prefix = self._base.name + _SUFFIX
        try:
            names = os.listdir(self._base.directory)
        except OSError as error:
            raise BellError(self._base.directory, error.strerror or str(error)) from error
        for name in names:
            if name.startswith(prefix) and name != own:
                yield Address(self._base.directory, name)

    def _knocked(self, guest: socket.socket) -> None:
        guest.close()
        self._on_knock()


def _knock_at(address: Address, sweep: bool) -> None:
    answer = address.dial()
    if isinstance(answer, socket.socket):
        answer.close()
    elif sweep and answer is Silence.NOBODY:
        address.remove()

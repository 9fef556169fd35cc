"""One process's place among those that open the same journal file."""

import asyncio
import logging
import os
import socket
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from ._address import Silence, address_beside
from ._bells import Bells
from ._door import Door
from ._errors import CoordinationError
from ._forks import no_fork, register, unregister
from ._notices import Notices
from ._owner_lock import OwnerLock
from ._port import OwnerInfo
from ._waiting_room import WaitingRoom

_FIRST_PAUSE: Final = 0.005  # seconds
_LONGEST_PAUSE: Final = 0.5

_log = logging.getLogger("actbook.journal")


class Place(Enum):
    ASTRAY = "no owner found yet"
    FOLLOWER = "connected to the owner"
    OWNER = "owner"
    LEFT = "closed"


class Membership:
    """Moves between places as events of the loop arrive; every step is short and none waits.

    A connection that ends counts as a bell, as does one that begins: its process may have committed and then
    died before it rang, or rung while it had nobody to ring at.
    """

    def __init__(
        self, path: str, worker_id: str, candidate: bool, loop: asyncio.AbstractEventLoop, notices: Notices
    ) -> None:
        base = address_beside(path)
        self.place = Place.ASTRAY
        self.owner: OwnerInfo | None = None
        self._worker_id = worker_id
        self._candidate = candidate
        self._loop = loop
        self._notices = notices
        self._lock = OwnerLock(path + "-owner")
        self._bell = base.sibling("-bell")
        self._bells = Bells(loop, self._heard, self._gone)
        self._room = WaitingRoom(base, loop, self._knocked)
        self._door: Door | None = None
        self._silence = Silence.NOBODY
        self._retry: asyncio.TimerHandle | None = None
        self._pause = _FIRST_PAUSE
        self._complained = False
        self._knock_due = False
        register(self)

    def seek(self) -> None:
        """Become the owner, else follow it, else wait for one. Raises CoordinationError."""
        with no_fork:
            if not self._settle():
                self._wait()

    def ring(self) -> None:
        """From any thread, never blocks."""
        self._bells.ring()
        if self.place is Place.ASTRAY and not self._knock_due:
            self._knock_due = True
            try:
                self._loop.call_soon_threadsafe(self._knock)
            except RuntimeError:
                pass  # the loop is closed: nobody is left to knock

    def leave(self) -> None:
        """Give the lock back before the connections end, so that whoever sees one end finds it free."""
        if self.place is Place.LEFT:
            return
        self._knock()
        self.place = Place.LEFT
        self.owner = None
        self._notices.silence()
        self._cancel_retry()
        self._room.leave()
        if self._door is not None:
            self._door.hide()
        self._lock.release()
        if self._door is not None:
            self._door.close()
        self._bells.close()
        unregister(self)

    def abandon(self) -> None:
        self.place = Place.LEFT
        self.owner = None
        self._lock.abandon()
        self._room.abandon()
        if self._door is not None:
            self._door.abandon()
        self._bells.abandon()

    def _settle(self) -> bool:
        if self._candidate and self._lead():
            return True
        answer = self._bell.dial()
        if isinstance(answer, Silence):
            self._silence = answer
            return False
        self._follow(answer)
        return True

    def _lead(self) -> bool:
        info = OwnerInfo(os.getpid(), self._worker_id, datetime.now(UTC))
        if not self._lock.take(info):
            return False
        try:
            self._door = Door(self._bell, self._loop, self._bells.welcome)
            self._room.knock(sweep=True)
        except CoordinationError:
            self._step_back()
            raise
        self._take(Place.OWNER, info)
        self._notices.owner()
        return True

    def _step_back(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        self._lock.release()

    def _follow(self, sock: socket.socket) -> None:
        self._bells.add(sock)
        self._take(Place.FOLLOWER, self._lock.holder())
        self._bells.ring()
        self._notices.bell()

    def _take(self, place: Place, owner: OwnerInfo | None) -> None:
        self.place = place
        self.owner = owner
        self._cancel_retry()
        self._pause = _FIRST_PAUSE
        self._complained = False
        self._room.leave()

    def _wait(self) -> None:
        if not self._room.is_entered:
            self._room.enter()
            if self._settle():  # an owner that came meanwhile may not have seen us to knock
                return
        if self._candidate or self._silence is Silence.BUSY or not self._room.is_entered:
            self._retry_later()

    def _retry_later(self) -> None:
        self._cancel_retry()
        if self._pause == _LONGEST_PAUSE:
            self._complain(
                f"The owner of the journal does not answer at {self._bell.path!r}: {self._lock.holder()}."
            )
        self._retry = self._loop.call_later(self._pause, self._seek_again)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _seek_again(self) -> None:
        try:
            self.seek()
        except CoordinationError as error:
            self._complain(str(error))
            self._retry_later()

    def _complain(self, message: str) -> None:
        if not self._complained:
            self._complained = True
            _log.warning(message)

    def _heard(self, peer: socket.socket) -> None:
        if self.place is Place.OWNER:
            self._bells.ring(but=peer)
        self._notices.bell()

    def _gone(self, peer: socket.socket) -> None:
        if self.place is Place.OWNER:
            self._heard(peer)
            return
        self.place = Place.ASTRAY
        self.owner = None
        self._knock_due = True  # a bell we rang may have died with the owner
        self._notices.bell()
        self._seek_again()
        self._knock()

    def _knocked(self) -> None:
        self._notices.bell()
        self._seek_again()

    def _knock(self) -> None:
        due, self._knock_due = self._knock_due, False
        if not due or self.place is not Place.ASTRAY:
            return
        try:
            with no_fork:
                self._room.knock()
        except CoordinationError as error:
            self._complain(str(error))

"""The coordinator of processes that open the same journal file."""

import asyncio
import os
from collections.abc import Callable

from ._membership import Membership, Place
from ._notices import Notices
from ._port import OwnerInfo


class FileCoordinator:
    """Coordinates the processes on the journal file at `path`, through files beside it.

    The owner holds a lock on `<path>-owner` and listens at the socket `<path>-bell`. The others stay
    connected to it: a byte is a bell, which the owner passes on to the rest; the end of the connection means
    the owner is gone, and the candidates try the lock at once. Whoever finds no owner waits at a socket of
    its own (`<path>-wait-…`) until one knocks. Nothing polls; only a candidate that finds the lock taken and
    nobody listening, because its holder is about to or died just then, tries again with growing pauses up to
    half a second.

    With `candidate=False` the process never becomes the owner and hears bells all the same.

    A process that is stopped (SIGSTOP, a debugger, a suspended machine) is alive and keeps its ownership: it
    is never robbed, and while the owner is stopped the others hear no bells of each other. A forked child
    owns nothing: its copy of this object is closed. Several coordinators in one process coordinate as several
    processes do.
    """

    def __init__(self, path: str | os.PathLike[str], worker_id: str, candidate: bool = True) -> None:
        self._path = os.path.realpath(os.fspath(path))
        self._worker_id = worker_id
        self._candidate = candidate
        self._membership: Membership | None = None

    @property
    def is_owner(self) -> bool:
        return self._membership is not None and self._membership.place is Place.OWNER

    @property
    def leads(self) -> bool:
        return self.is_owner

    @property
    def owner(self) -> OwnerInfo | None:
        return self._membership.owner if self._membership is not None else None

    async def start(
        self,
        on_bell: Callable[[], None],
        on_owner: Callable[[], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        loop = asyncio.get_running_loop()
        notices = Notices(loop, on_bell, on_owner)
        membership = Membership(self._path, self._worker_id, self._candidate, loop, notices)
        try:
            membership.seek()
        except BaseException:
            membership.leave()
            raise
        self._membership = membership

    def ring(self) -> None:
        if self._membership is not None:
            self._membership.ring()

    def rejoin(self, worker_id: str) -> None:
        """Its place can't be lost."""

    async def close(self) -> None:
        if self._membership is not None:
            self._membership.leave()

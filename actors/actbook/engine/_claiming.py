"""Claiming: takes executions from a store that workers share, no more than there is room for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from actbook.journal import Journal, JournalError, StoreFencedError

BATCH = 64
"""Executions claimed at once: few, so that workers which hear of many at the same time share them."""

Claimed = Sequence[tuple[str, int]]
"""Ids and priorities."""


class Claiming:
    """Implements the actors' `Claims` for one of many workers.

    `begin` gets what was claimed, and whether it is to stop.
    `only_asked`: claims only what somebody here asks for. Nothing polls: it looks when a bell
    rings, when room becomes free after there was more than fitted, and when it is told to.
    """

    def __init__(
        self,
        journal: Journal,
        begin: Callable[[Claimed, bool], None],
        *,
        background: Callable[[Awaitable[None]], object],
        insist: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]],
        only_asked: bool = False,
    ) -> None:
        self._journal = journal
        self._begin = begin
        self._background = background
        self._insist = insist
        self._only_asked = only_asked
        self._room: Callable[[], int] = int
        self._owned: set[str] = set()
        self._urgent: dict[str, None] = {}
        self._asked: dict[str, None] = {}
        self._reserved = 0
        self._coming: set[str] = set()
        self._looking = False
        self._look_again = False
        self._more = False
        self._doubt = False
        self._open = False

    @property
    def is_open(self) -> bool:
        """Whether this process is a worker, as far as it knows."""
        return self._open

    def connect(self, room: Callable[[], int]) -> None:
        self._room = room

    def owns(self, execution_id: str) -> bool:
        return execution_id in self._owned

    def add(self, execution_id: str) -> None:
        self._owned.add(execution_id)

    def drop(self, execution_id: str) -> None:
        self._owned.discard(execution_id)

    def want(self, execution_id: str, urgent: bool) -> None:
        if urgent:
            self._urgent[execution_id] = None
        elif self._only_asked:
            self._asked[execution_id] = None
        self.look()

    def taken(self) -> int:
        return self._reserved + len(self._coming)

    def came(self, execution_id: str) -> None:
        if self._coming:
            self._coming.discard(execution_id)
            if not self._coming:
                self.room()

    def room(self) -> None:
        if self._more:
            self.look()

    def open(self) -> None:
        """This process is a worker now."""
        self._open = True
        self.look()

    def close(self) -> None:
        """It claims nothing more, and is not the owner of anything."""
        self._open = False
        self._owned.clear()
        self._coming.clear()
        self._urgent.clear()
        self._asked.clear()

    def stop(self) -> None:
        """It claims nothing more; what it has it keeps."""
        self._open = False

    def look(self) -> None:
        """Claims in the background what is free, as far as there is room."""
        self._look_again = True
        if not self._looking and self._open:
            self._looking = True
            self._background(self._look())

    async def _look(self) -> None:
        try:
            while self._look_again and self._open:
                self._look_again = False
                await self._insist(self._take)
        finally:
            self._looking = False

    async def _take(self) -> None:
        try:
            if self._doubt:
                self._accept(await self._journal.claimed())
                self._doubt = False
            await self._take_named(self._urgent)
            await self._take_named(self._asked)
            await self._take_free()
        except StoreFencedError:
            # Whoever looks after the lease finds out, and tells.
            return
        except JournalError:
            self._doubt = True
            raise

    async def _take_named(self, names: dict[str, None]) -> None:
        while names and self._open:
            wanted = list(names)[:BATCH]
            self._accept(await self._journal.claim(len(wanted), wanted))
            for execution_id in wanted:
                names.pop(execution_id, None)

    async def _take_free(self) -> None:
        self._more = False
        while self._open and not self._only_asked:
            count = min(BATCH, self._room() - len(self._coming))
            if count <= 0:
                self._more = True
                return
            self._reserved = count
            try:
                claimed = await self._journal.claim(count)
            finally:
                self._reserved = 0
            self._accept(claimed)
            if len(claimed) < count:
                return

    def _accept(self, claimed: Claimed) -> None:
        """What was claimed for a worker that is none any more is free again, or will be."""
        new = [
            (execution_id, priority) for execution_id, priority in claimed if execution_id not in self._owned
        ]
        if new and self._open:
            ids = {execution_id for execution_id, _ in new}
            self._owned |= ids
            self._coming |= ids
            for urgent in (True, False):
                self._begin([each for each in new if (each[0] in self._urgent) is urgent], urgent)

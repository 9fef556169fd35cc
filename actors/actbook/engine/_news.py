"""News: what other processes write to the journal, and whom it concerns here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from actbook.engine._accounts import ACCOUNT_NEWS
from actbook.engine._clockwork import SCHEDULE_NEWS
from actbook.engine._watch import ENDS, REQUESTS, OwnPositions, concerned, is_over
from actbook.events import (
    CancelRequested,
    Envelope,
    ExecutionQueued,
    ResumeRequested,
    RetryRequested,
)
from actbook.journal import Recorded

if TYPE_CHECKING:
    from actbook.engine._host import Host

PAGE = 1000
PACE = 0.003
"""Seconds from one look to the next where other workers commit all the time."""
_NEW = {ExecutionQueued.TOPIC}
_REVIVALS = frozenset({ResumeRequested.TOPIC, RetryRequested.TOPIC})


class News:
    """Reads the log from where it was read last, each time a bell rings; what this process wrote as the owner is left out."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._seen = 0
        self._looking = False
        self._look_again = False
        self.own_positions = OwnPositions()

    async def start(self) -> None:
        """What is written from now on is news."""
        self._seen = await self._host.journal.last_position()
        self._host.journal.on_recorded(self._note_own)

    def _note_own(self, events: Recorded) -> None:
        # What it wrote before it was the owner was asked of somebody else, who may be gone.
        if self._host.is_owner:
            self.own_positions.add(events.first_position, events.last_position)

    def heard(self) -> None:
        """Somebody rang: reads in the background what was written since the last look."""
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        self._look_again = True
        self._host.environment.background(self._look())

    async def _look(self) -> None:
        """Reads what other processes wrote: requests for what runs here, ends of what somebody here waits for."""
        try:
            while self._look_again and not self._host.closed:
                self._look_again = False
                await self._host.insist(self._host.journal.heard)
                await self._host.insist(self._read_news)
                if self._look_again and self._host.journal.store.many_workers:
                    await asyncio.sleep(PACE)
        finally:
            self._looking = False

    async def _read_news(self) -> None:
        last = await self._host.journal.last_position()
        topics = (*REQUESTS, *ENDS, *SCHEDULE_NEWS, *ACCOUNT_NEWS)
        while True:
            read = await self._host.journal.read_log(self._seen, PAGE, topics, upto=last)
            # What this process wrote can be read before it is told: as if others had written it.
            await self._host.journal.answered()
            news = [event for event in read if event.position not in self.own_positions]
            await self._pass_on(news)
            if self._host.accounts is not None:
                self._host.accounts.heard(news)
            self._host.clockwork.heard(event for event in news if event.topic in SCHEDULE_NEWS)
            for execution_id in dict.fromkeys(e.stream_id for e in news if e.topic in ENDS):
                if execution_id in self._host.executions.waiters:
                    state = await self._host.executions.state(execution_id)
                    if state is not None and is_over(state):
                        self._host.executions.waiters.resolve(state)
            self._seen = last if len(read) < PAGE else read[-1].position
            self.own_positions.forget(self._seen)
            if len(read) < PAGE:
                return

    async def _pass_on(self, news: list[Envelope]) -> None:
        """Tells the executions here what was asked of them; one that is over only hears that it should go on."""
        asked: dict[str, set[str]] = {}
        for event in news:
            if event.topic in REQUESTS:
                asked.setdefault(concerned(event), set()).add(event.topic)
        if not asked or not self._host.is_owner:
            return
        if self._host.journal.store.many_workers:
            # One that belongs to nobody is claimed then; what is new rings a bell of its own.
            for execution_id, topics in asked.items():
                if topics != _NEW:
                    self._host.executions.notify(execution_id, urgent=CancelRequested.TOPIC in topics)
            return
        unfinished = set(await self._host.journal.unfinished(list(asked)))
        for execution_id, priority in (await self._host.journal.priorities(list(asked))).items():
            self._host.environment.rank(execution_id, priority)
        for execution_id, topics in asked.items():
            if execution_id in unfinished or not topics.isdisjoint(_REVIVALS):
                self._host.executions.notify(execution_id, urgent=CancelRequested.TOPIC in topics)

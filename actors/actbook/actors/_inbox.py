"""Reading executions' inboxes beside their actors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from actbook.actors import _messages as msg
from actbook.actors._runtime import ActorRef
from actbook.events import Envelope, inbox_of
from actbook.journal import Journal

_Wanted = tuple[str, int, ActorRef[Any]]


class InboxReads:
    """What the actors of one turn of the loop want to read is one visit to the store: a cascade reaches many at once."""

    def __init__(self, journal: Journal, background: Callable[[Awaitable[None]], object]) -> None:
        self.journal = journal
        self._background = background
        self._wanted: list[_Wanted] = []

    def want(self, stream: str, after: int, ref: ActorRef[Any]) -> None:
        """The actor gets an `InboxRead`."""
        self._wanted.append((stream, after, ref))
        if len(self._wanted) == 1:
            self._background(self._read())

    async def _read(self) -> None:
        wanted, self._wanted = self._wanted, []
        answers: list[list[Envelope] | Exception]
        try:
            answers = await self.journal.read_streams([(stream, after) for stream, after, _ in wanted])
        except Exception as error:
            answers = [error] * len(wanted)
        for (_, _, ref), answer in zip(wanted, answers, strict=True):
            if isinstance(answer, Exception):
                ref.tell_system(msg.InboxRead([], answer))
            else:
                ref.tell_system(msg.InboxRead(answer))


class InboxReader:
    """One read at a time, another one when news came meanwhile.

    `reading` while an answer is on its way to the actor as an `InboxRead`.
    """

    def __init__(self, reads: InboxReads, execution_id: str) -> None:
        self._reads = reads
        self._stream = inbox_of(execution_id)
        self._seen = 0
        self._stale = False
        self.reading = False

    async def catch_up(self, after: int) -> Sequence[Envelope]:
        """What stands after the last handled message; the actor is being rebuilt."""
        self._seen = after
        self._stale = False
        messages = await self._reads.journal.read_stream(self._stream, after=after)
        return self.take(messages)

    def fits(self, news: Sequence[Envelope]) -> bool:
        """Whether this is all that came since the last read, so that there is nothing to read."""
        return bool(news) and not self.reading and news[0].version == self._seen + 1

    def changed(self, ref: ActorRef[Any], *, ready: bool = True) -> None:
        """News: reads, unless the actor is not `ready` or a read is on its way; then it is remembered."""
        if self.reading or not ready:
            self._stale = True
            return
        self.reading, self._stale = True, False
        self._reads.want(self._stream, self._seen, ref)

    def take(self, messages: Sequence[Envelope]) -> Sequence[Envelope]:
        """Takes note of what was read."""
        self.reading = False
        if messages:
            self._seen = messages[-1].version
        return messages

    @property
    def stale(self) -> bool:
        """News came since the last read began."""
        return self._stale

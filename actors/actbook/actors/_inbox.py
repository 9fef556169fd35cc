"""Reading an execution's inbox beside the actor: one read at a time, another one when news came meanwhile."""

from __future__ import annotations

from typing import Any

from actbook.actors import _messages as msg
from actbook.actors._environment import Environment
from actbook.actors._runtime import ActorRef
from actbook.events import Envelope, inbox_of


class InboxReader:
    """`reading` while an answer is on its way to the actor as an `InboxRead`."""

    def __init__(self, env: Environment, execution_id: str) -> None:
        self._env = env
        self._stream = inbox_of(execution_id)
        self._seen = 0
        self._stale = False
        self.reading = False

    async def catch_up(self, after: int) -> list[Envelope]:
        """What stands after the last handled message; the actor is being rebuilt."""
        self._seen = after
        self._stale = False
        messages = await self._env.journal.read_stream(self._stream, after=after)
        return self.take(messages)

    def changed(self, ref: ActorRef[Any], *, ready: bool = True) -> None:
        """News: reads, unless the actor is not `ready` or a read is on its way; then it is remembered."""
        if self.reading or not ready:
            self._stale = True
            return
        self.reading, self._stale = True, False
        self._env.background(self._read(ref))

    def take(self, messages: list[Envelope]) -> list[Envelope]:
        """Takes note of what was read."""
        self.reading = False
        if messages:
            self._seen = messages[-1].version
        return messages

    @property
    def stale(self) -> bool:
        """News came since the last read began."""
        return self._stale

    async def _read(self, ref: ActorRef[Any]) -> None:
        try:
            messages = await self._env.journal.read_stream(self._stream, after=self._seen)
        except Exception as error:
            ref.tell_system(msg.InboxRead([], error))
        else:
            ref.tell_system(msg.InboxRead(messages))

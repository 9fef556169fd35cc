"""Events as they were committed, made into envelopes only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from actbook.events._envelope import Envelope
from actbook.journal._plan import Plan


class Recorded(Sequence[Envelope]):
    """The events of one transaction, in position order and without gaps.

    The loop that commits only passes it on; whoever needs the envelopes makes them, on its own thread. Their payloads
    are the objects that were appended.
    """

    __slots__ = ("_events", "_plan", "first_position", "last_position")

    def __init__(self, plan: Plan) -> None:
        self.first_position = plan.first_position
        self.last_position = plan.last_position
        self._plan = plan
        self._events: list[Envelope] | None = None

    @property
    def events(self) -> list[Envelope]:
        """All of them; made once."""
        if self._events is None:
            self._events = self._plan.envelopes()
        return self._events

    def __len__(self) -> int:
        return self.last_position - self.first_position + 1

    @overload
    def __getitem__(self, index: int) -> Envelope: ...

    @overload
    def __getitem__(self, index: slice) -> list[Envelope]: ...

    def __getitem__(self, index: int | slice) -> Envelope | list[Envelope]:
        return self.events[index]

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self.events)

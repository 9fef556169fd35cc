"""A whole tree of executions: parents, sub-graphs, their inboxes; what caused what in it, and its state at one moment."""

from __future__ import annotations

from collections.abc import Iterable

from actbook.events import (
    ChildFinished,
    ChildOutput,
    ChildStarted,
    Envelope,
    ExecutionCreated,
    GraphExecution,
    execution_of,
    fold,
    inbox_of,
)
from actbook.journal import Journal


class Kinship:
    """The events of an execution, of its sub-graphs' executions at any depth and of all their inboxes, by position."""

    def __init__(self, events: Iterable[Envelope]) -> None:
        self.events = tuple(sorted(events, key=lambda event: event.position))
        self._by_version = {(event.stream_id, event.version): event for event in self.events}
        self._by_id = {event.event_id: event for event in self.events}
        self._across = _across(self.events)
        self._effects: dict[int, list[Envelope]] = {}
        for event in self.events:
            cause = self.cause(event)
            if cause is not None:
                self._effects.setdefault(cause.position, []).append(event)

    @classmethod
    async def load(cls, journal: Journal, execution_id: str) -> Kinship:
        """Reads the streams of the execution and of everything below it. Raises `UndecodableError`."""
        found: list[Envelope] = []
        seen: set[str] = set()
        waiting = [execution_id]
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            events = await journal.read_stream(each)
            found += events + await journal.read_stream(inbox_of(each))
            waiting += [e.payload.execution_id for e in events if isinstance(e.payload, ChildStarted)]
        return cls(found)

    def cause(self, event: Envelope) -> Envelope | None:
        """The event that caused this one; None when nothing recorded here did.

        What leads from a parent to its child and back follows from what the events name: a child's first event from the
        parent's `child.started`, `child.finished` from the child's last event, `child.output` from the newest one before
        it that feeds that output.
        """
        if isinstance(event.cause, int):
            return self._by_version.get((event.stream_id, event.cause))
        if event.cause is not None:
            return self._by_id.get(event.cause)
        return self._across.get(event.position)

    def causes(self, event: Envelope) -> list[Envelope]:
        """Why an event came about: its cause, the cause of that, and so on back to the first."""
        chain: list[Envelope] = []
        cause = self.cause(event)
        while cause is not None:
            chain.append(cause)
            cause = self.cause(cause)
        return chain

    def effects(self, event: Envelope) -> tuple[Envelope, ...]:
        """The events that this one caused directly, by position."""
        return tuple(self._effects.get(event.position, ()))

    def roots(self) -> tuple[Envelope, ...]:
        """The events without a cause here."""
        return tuple(event for event in self.events if self.cause(event) is None)

    def states(self, position: int | None = None) -> dict[str, GraphExecution]:
        """The state of every execution that existed at a global position (now, without one), by id."""
        streams: dict[str, list[Envelope]] = {}
        for event in self.events:
            if (position is None or event.position <= position) and execution_of(event.stream_id) is None:
                streams.setdefault(event.stream_id, []).append(event)
        return {each: fold(events, retain=True) for each, events in streams.items()}


def _across(events: Iterable[Envelope]) -> dict[int, Envelope]:
    """Causes in another stream that the events do not carry themselves, by position."""
    last: dict[str, Envelope] = {}
    started: dict[str, Envelope] = {}
    feeding: dict[tuple[str, str], Envelope] = {}
    found: dict[int, Envelope] = {}
    for event in events:
        payload = event.payload
        cause: Envelope | None = None
        if isinstance(payload, ExecutionCreated):
            cause = started.get(event.stream_id)
        elif isinstance(payload, ChildOutput):
            cause = feeding.get((payload.child_id, payload.name))
        elif isinstance(payload, ChildFinished):
            cause = last.get(payload.child_id)
        elif isinstance(payload, ChildStarted):
            started[payload.execution_id] = event
        if cause is not None:
            found[event.position] = cause
        feeds = getattr(payload, "graph_output", None)
        if feeds is not None:
            feeding[event.stream_id, feeds] = event
        last[event.stream_id] = event
    return found

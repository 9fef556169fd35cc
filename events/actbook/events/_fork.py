"""Which past a forked execution takes over from its origin, and what of it may be edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from actbook.events import _execution_events as ex
from actbook.events import _node_events as nx
from actbook.events import _revival_events as rv
from actbook.events._envelope import Draft, Envelope
from actbook.events._propagation import bound_exceeded

Edits: TypeAlias = Mapping[int, Mapping[str, Any]]
"""New data by number of the node execution."""

_ENDS = (ex.ExecutionCompleted, ex.ExecutionFailed, ex.ExecutionTerminated)
_REVIVALS = (ex.ExecutionResumed, rv.ExecutionRetried, rv.ExecutionForked)
_QUEUES = (nx.NodeQueued, rv.NodeRetried)
_USES = (nx.NodeOutput, nx.NodeCompleted, nx.NodeFailed, nx.NodeSkipped, nx.NodeReviewRequested)


class ForkPoints:
    """The versions of a history at which another execution can go on.

    An execution goes on after a whole decision only: its events have one time and stand together. An end is left out,
    and so is a decision that a bound cut short.
    """

    def __init__(self, events: Sequence[Envelope]) -> None:
        self._events = events
        created = next((e.version for e in events if type(e.payload) is ex.ExecutionQueued), 1)
        self.first = self._end_of_decision(created)

    def usable(self, position: int) -> int:
        """The version to go on from for a position from 1 on: the end of its decision, before an end of the execution."""
        version = max(self.first, self._end_of_decision(position))
        while (end := self._end_before(version)) is not None:
            version = end
        return max(self.first, version)

    def before_use_of(self, numbers: Iterable[int], version: int) -> int:
        """The highest such version, up to `version`, at which none of these node executions has told anything yet."""
        wanted = set(numbers)
        for event in self._events[:version]:
            if isinstance(event.payload, _USES) and event.payload.node_exec in wanted:
                return self.usable(self._begin_of_decision(event.version) - 1)
        return version

    def starting(self) -> dict[str, int]:
        """Node id → number of the node executions that the execution began with."""
        begun = (event.payload for event in self._events[: self.first])
        return {each.node_id: each.node_exec for each in begun if type(each) is nx.NodeQueued}

    def queued(self, version: int) -> dict[int, nx.NodeQueued | rv.NodeRetried]:
        """What was queued up to a version, by number."""
        queued = (event.payload for event in self._events[:version])
        return {each.node_exec: each for each in queued if isinstance(each, _QUEUES)}

    def _end_of_decision(self, version: int) -> int:
        events = self._events
        while version < len(events) and events[version].at == events[version - 1].at:
            version += 1
        return version

    def _begin_of_decision(self, version: int) -> int:
        events = self._events
        while version > 1 and events[version - 2].at == events[version - 1].at:
            version -= 1
        return version

    def _end_before(self, version: int) -> int | None:
        """The version before the end that the execution had come to, or was coming to, at `version`."""
        bound = self._bound_of(self._events[0].payload)
        for event in reversed(self._events[self.first : version]):
            payload = event.payload
            if isinstance(payload, _REVIVALS):
                return None
            if _why(payload) == bound:
                return self._begin_of_decision(event.version) - 1
            if isinstance(payload, _ENDS):
                return event.version - 1
        return None

    @staticmethod
    def _bound_of(created: Any) -> str:
        bound = created.limits.node_executions if isinstance(created, ex.ExecutionCreated) else 0
        return bound_exceeded(bound) if bound else "no bound"


def _why(payload: Any) -> str:
    if isinstance(payload, ex.ExecutionStopping):
        return payload.reason
    return payload.error if isinstance(payload, ex.ExecutionFailed) else ""


def forked(
    events: Sequence[Envelope],
    created: ex.ExecutionCreated,
    edits: Edits,
    forked: rv.ExecutionForked,
    at: int,
) -> list[Draft]:
    """The stream of a fork: `events` of the origin under their versions, with another beginning and edited data."""
    drafts = [Draft(created, events[0].at)]
    drafts += (Draft(_edited(event.payload, edits), event.at, event.cause) for event in events[1:])
    drafts.append(Draft(forked, at))
    return drafts


def _edited(payload: Any, edits: Edits) -> Any:
    if isinstance(payload, _QUEUES) and payload.node_exec in edits:
        return msgspec.structs.replace(payload, data=dict(edits[payload.node_exec]))
    return payload


def created_as_fork(
    origin: ex.ExecutionCreated,
    version: int,
    execution_id: str,
    inputs: Mapping[str, Any],
    limits: ex.Limits | None,
) -> ex.ExecutionCreated:
    """How a fork begins: like its origin up to `version`, as an execution of its own."""
    return msgspec.structs.replace(
        origin,
        execution_id=execution_id,
        inputs={**origin.inputs, **inputs},
        parent=None,
        root_id=None,
        limits=limits or origin.limits,
        idempotency_key=None,
        start_at=0,
        origin=ex.Origin(origin.execution_id, version),
    )

"""How an execution is forked: which past is taken over, what of it is edited, one append."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from actbook.actors import wall_clock
from actbook.engine._errors import ForkRefusedError
from actbook.events import (
    Append,
    Envelope,
    ExecutionCreated,
    ExecutionForked,
    ForkPoints,
    GraphExecution,
    Limits,
    created_as_fork,
    fold,
    forked,
)
from actbook.graphs import BlockType

if TYPE_CHECKING:
    from actbook.engine._host import Host
    from actbook.engine._preparation import Prepared


class ForkRequest(NamedTuple):
    """`position` None: the last version at which what is edited has told nothing yet."""

    position: int | None
    inputs: Mapping[str, Any]
    data: Mapping[int, Mapping[str, Any]]
    limits: Limits | None
    actor: str
    reason: str


async def fork_execution(host: Host, state: GraphExecution, request: ForkRequest) -> GraphExecution:
    """Records the fork and wakes the owner. Raises `ForkRefusedError` or `ValueError`."""
    events = await host.journal.read_stream(state.id)
    prepared = await host.preparation.prepared(state.graph_id, state.graph_version, state.simulation)
    prepared.warn_of_unknown(request.inputs, state.user_id)
    version, edits = _Fork(state, prepared, events, request).planned()
    origin = events[0].payload
    assert isinstance(origin, ExecutionCreated)
    execution_id = str(uuid4())
    created = created_as_fork(origin, version, execution_id, request.inputs, request.limits)
    how = ExecutionForked(request.actor, request.reason)
    drafts = forked(events[:version], created, edits, how, wall_clock())
    await host.journal.append(Append(execution_id, 0, drafts, state.user_id, execution_id, lifecycle="open"))
    host.executions.notify(execution_id)
    return fold(drafts)


class _Fork:
    """Where a fork begins, and the new data of the node executions that it edits."""

    def __init__(
        self, state: GraphExecution, prepared: Prepared, events: Sequence[Envelope], request: ForkRequest
    ) -> None:
        self._state = state
        self._prepared = prepared
        self._request = request
        self._head = len(events)
        self._points = ForkPoints(events)

    def planned(self) -> tuple[int, dict[int, dict[str, Any]]]:
        """The version, and new data by number."""
        given = self._given()
        version = self._version({*given, *self._request.data})
        edits = self._of_inputs(given)
        queued = self._points.queued(version)
        for number, pins in self._request.data.items():
            if number not in queued:
                raise self._refused(f"node execution {number} is not queued by then", None)
            data = {**queued[number].data, **edits.get(number, {}), **pins}
            accepted, text, _ = self._prepared.plan.accept(queued[number].node_id, data)
            if accepted is None:
                raise self._refused(text, version)
            edits[number] = accepted
        return version, edits

    def _given(self) -> dict[int, str]:
        """Number → node id of the node executions that began with one of the edited inputs."""
        plan, starting = self._prepared.plan, self._points.starting()
        return {
            number: node_id
            for node_id, number in starting.items()
            if plan.nodes[node_id].block_type is BlockType.INPUT
            and plan.nodes[node_id].node.input_default.get("name") in self._request.inputs
        }

    def _version(self, edited: set[int]) -> int:
        points, position = self._points, self._request.position
        if position is not None and not 1 <= position <= self._head:
            raise self._refused(f"its history goes from 1 to {self._head}", points.usable(self._head))
        version = points.usable(self._head if position is None else position)
        highest = points.before_use_of(edited, version)
        if highest < version and position is not None:
            raise self._refused("what is to be edited was used before", highest)
        return highest

    def _of_inputs(self, given: Mapping[int, str]) -> dict[int, dict[str, Any]]:
        if not given:
            return {}
        state = self._state
        starting = self._prepared.starting({**state.inputs, **self._request.inputs}, state.masks)
        data = dict(starting)
        return {number: data[node_id] for number, node_id in given.items()}

    def _refused(self, reason: str, usable: int | None) -> ForkRefusedError:
        return ForkRefusedError(self._state.id, self._request.position, reason, usable)

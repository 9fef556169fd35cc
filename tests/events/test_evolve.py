"""What each event changes in the state, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from actbook.events import (
    ChildStarted,
    Draft,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionParked,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionStatus,
    ExecutionStopping,
    ExecutionTerminated,
    GraphExecution,
    GraphSaved,
    IllegalTransitionError,
    InboxHandled,
    LinkLatched,
    NodeCompleted,
    NodeCreated,
    NodeFailed,
    NodeInput,
    NodeOutput,
    NodeQueued,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeSkipped,
    NodeStarted,
    NodeStats,
    NodeTerminated,
    WarningRecorded,
    evolve,
    fold,
)
from actbook.events._topics import registered_topics

S = ExecutionStatus

BEGUN = [
    ExecutionCreated("run", "u", "g", 3, {"x": 1}),
    NodeQueued(1, "a", "block", {"in": 0}),
    ExecutionQueued(),
    ExecutionClaimed("w", 1),
    ExecutionStarted(),
]
RUNNING = [*BEGUN, NodeStarted(1, 1, 1)]
WAITING = [*RUNNING, NodeCreated(2, "b", "block", {"p": 1})]
REVIEW = [*RUNNING, NodeReviewRequested(1, "look", "draft", True)]
STOPPED = [*RUNNING, NodeTerminated((1,), "enough"), ExecutionTerminated("ada", "enough")]

Look = Callable[[GraphExecution], Any]


def after(*events: Any, retain: bool = False) -> GraphExecution:
    return fold([Draft(event, at) for at, event in enumerate(events, 1)], retain=retain)


def node(number: int, *fields: str) -> Look:
    return lambda state: tuple(getattr(state.node_executions[number], field) for field in fields)


def of(*fields: str) -> Look:
    return lambda state: tuple(getattr(state, field) for field in fields)


@pytest.mark.parametrize(
    ("events", "look", "expected"),
    [
        (BEGUN[:1], of("id", "user_id", "graph_id", "graph_version", "inputs"), ("run", "u", "g", 3, {"x": 1})),
        (BEGUN[:1], of("status", "created_at", "queued_at"), (S.INCOMPLETE, 1, 0)),
        (BEGUN[:2], node(1, "status", "data", "queued_at", "attempt"), (S.QUEUED, {"in": 0}, 2, 0)),
        (BEGUN[:2], of("ready", "last_number"), ({1: None}, 1)),
        (BEGUN[:3], of("status", "queued_at"), (S.QUEUED, 3)),
        (BEGUN[:4], of("status", "worker", "epoch", "claims"), (S.QUEUED, "w", 1, 1)),
        (BEGUN, of("status", "started_at", "wall"), (S.RUNNING, 5, 0.0)),
        (RUNNING, node(1, "status", "attempt", "epoch", "started_at"), (S.RUNNING, 1, 1, 6)),
        (RUNNING, of("ready", "running"), ({}, {1: None})),
        ([*RUNNING, ChildStarted(1, "child")], node(1, "child_id"), ("child",)),
        ([*RUNNING, NodeOutput(1, (("out", 1),))], of("claims", "outputs"), (0, {})),
        ([*RUNNING, NodeOutput(1, (("output", 1),), "name")], of("outputs"), ({"name": [1]},)),
        ([*RUNNING, NodeOutput(1, (("out", 1),))], node(1, "yielded"), ({"out": 1},)),
        ([*RUNNING, NodeCompleted(1)], of("running", "node_executions", "lanes"), ({}, {}, {})),
        ([*RUNNING, NodeFailed(1, "broken")], of("node_executions", "error"), ({}, "")),
        ([*BEGUN, NodeSkipped(1)], of("ready", "node_executions"), ({}, {})),
        (WAITING, node(2, "status", "inputs"), (S.INCOMPLETE, {"p": 1})),
        (WAITING, of("waiting", "last_number"), ({"b": {2: None}}, 2)),
        ([*WAITING, NodeInput(2, "q", 2)], node(2, "inputs"), ({"p": 1, "q": 2},)),
        ([*WAITING, LinkLatched("b", "q", 3)], node(2, "inputs"), ({"p": 1, "q": 3},)),
        ([*WAITING, LinkLatched("b", "p", 3)], node(2, "inputs"), ({"p": 1},)),
        ([*WAITING, LinkLatched("b", "q", 3)], of("latches"), ({"b": {"q": 3}},)),
        ([*WAITING, NodeQueued(2, "b", "block", {"p": 9})], node(2, "status", "inputs"), (S.QUEUED, {})),
        ([*WAITING, NodeQueued(2, "b", "block", {"p": 9})], node(2, "data", "queued_at"), ({"p": 9}, 8)),
        ([*WAITING, NodeQueued(2, "b", "block", {})], of("waiting", "ready", "last_number"), ({}, {2: None}, 2)),
        (REVIEW, node(1, "status"), (S.REVIEW,)),
        (REVIEW, of("running", "reviews"), ({}, {1: None})),
        ([*REVIEW, ExecutionParked()], of("status", "claims"), (S.REVIEW, 0)),
        ([*REVIEW, NodeReviewDecided(1, True, "d", "m", "bob")], node(1, "status"), (S.RUNNING,)),
        ([*REVIEW, NodeReviewDecided(1, True, "d", "m", "bob")], of("reviews", "interrupted"), ({}, (1,))),
        ([*RUNNING, NodeTerminated((1,), "why")], node(1, "status", "reason", "ended_at"), (S.TERMINATED, "why", 7)),
        ([*RUNNING, ExecutionStopping("FAILED", "ada", "why")], of("status"), (S.RUNNING,)),
        (STOPPED, of("status", "actor", "reason", "ended_at", "error"), (S.TERMINATED, "ada", "enough", 8, "")),
        ([*STOPPED, ExecutionResumed("bob")], of("status", "ready", "ended_at"), (S.QUEUED, {1: None}, 0)),
        ([*STOPPED, ExecutionResumed("bob")], of("actor", "reason", "claims"), ("", "", 0)),
        ([*STOPPED, ExecutionResumed("bob")], node(1, "status", "queued_at", "reason"), (S.QUEUED, 9, "")),
        ([*RUNNING, NodeCompleted(1), ExecutionCompleted()], of("status", "ended_at"), (S.COMPLETED, 8)),
        ([*BEGUN, ExecutionFailed("broke", "billing")], of("status", "error", "actor"), (S.FAILED, "broke", "billing")),
        ([*BEGUN, InboxHandled(7, "did it")], of("inbox_version", "claims"), (7, 0)),
        ([*BEGUN, WarningRecorded("look")], of("status", "version"), (S.RUNNING, 6)),
    ],
)  # fmt: skip
def test_an_event_changes(events: list[Any], look: Look, expected: tuple[Any, ...]) -> None:
    assert look(after(*events)) == expected


def test_stopping_is_remembered_until_the_end() -> None:
    events = [*RUNNING, ExecutionStopping("TERMINATED", "ada", "why")]
    stopping = after(*events).stopping
    assert stopping is not None
    assert (stopping.target, stopping.actor, stopping.reason) == (S.TERMINATED, "ada", "why")
    assert after(*events, NodeTerminated((1,), "why"), ExecutionTerminated("ada", "why")).stopping is None


def test_stats_add_up() -> None:
    stats = NodeStats(wall=1.5, cpu=0.5)
    state = after(
        *RUNNING,
        NodeQueued(2, "a", "block", {}),
        NodeStarted(2, 1, 1),
        NodeCompleted(1, (), stats),
        NodeFailed(2, "broken", (), stats),
    )
    assert msgspec.to_builtins(state.stats) == {
        "node_exec_count": 2,
        "node_error_count": 1,
        "node_wall": 3.0,
        "node_cpu": 1.0,
        "cost": 0.0,
    }


def test_the_wall_time_of_a_run_is_in_seconds() -> None:
    history = [Draft(event, at * 1_000_000) for at, event in enumerate([*BEGUN, ExecutionFailed("x")], 1)]
    assert fold(history).wall == 1.0


def test_retained_executions_keep_data_outputs_and_error() -> None:
    events = [
        *RUNNING,
        NodeOutput(1, (("out", 1), ("item", 2))),
        NodeFailed(1, "broken", (("error", "broken"),)),
    ]
    kept = after(*events, retain=True).node_executions[1]
    assert (kept.status, kept.data, kept.error) == (S.FAILED, {"in": 0}, "broken")
    assert kept.pins == {"out": [1], "item": [2], "error": ["broken"]}


def test_an_event_of_another_stream_moves_the_version_only() -> None:
    state = after(*BEGUN)
    before = msgspec.to_builtins(state, enc_hook=list)
    evolve(state, Draft(GraphSaved("g", 1, "u", "", "", {}), 99))
    assert msgspec.to_builtins(state, enc_hook=list) == {**before, "version": before["version"] + 1}


def test_the_events_inputs_are_not_shared_with_the_state() -> None:
    created = NodeCreated(2, "b", "block", {"p": 1})
    after(*RUNNING, created, NodeInput(2, "q", 2))
    assert created.inputs == {"p": 1}


@pytest.mark.parametrize(
    "events",
    [
        [*BEGUN, ExecutionQueued()],
        [*BEGUN, ExecutionCompleted(), ExecutionStarted()],
        [*BEGUN, ExecutionFailed("x"), ExecutionResumed("ada")],
        [*BEGUN, NodeCompleted(1)],
        [*RUNNING, NodeTerminated((1,), ""), NodeCompleted(1)],
        [*REVIEW, NodeCompleted(1)],
        [*WAITING, NodeStarted(2, 1, 1), NodeReviewRequested(2, "", 0), NodeStarted(2, 2, 1), NodeSkipped(2)],
    ],
)
def test_an_illegal_move_is_refused(events: list[Any]) -> None:
    with pytest.raises(IllegalTransitionError):
        after(*events)


def test_every_event_of_an_execution_survives_the_store() -> None:
    for event in (
        *RUNNING,
        *WAITING[-1:],
        *REVIEW[-1:],
        *STOPPED[-2:],
        NodeOutput(1, (("a", None),), "n", ("a",)),
    ):
        packed = msgspec.msgpack.encode(event)
        assert msgspec.msgpack.decode(packed, type=registered_topics()[event.TOPIC]) == event

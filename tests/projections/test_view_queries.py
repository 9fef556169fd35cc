"""Outputs, reviews, latency, what waits, schedules and workers can be asked for, each user's own only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.projections.test_queries import ask, created, fill

from actbook.events import (
    Event,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionParked,
    ExecutionQueued,
    ExecutionStarted,
    ExecutionStatus,
    GraphSaved,
    NodeCompleted,
    NodeFailed,
    NodeOutput,
    NodeQueued,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeStarted,
    NodeStats,
    Parent,
    ScheduleAdded,
    ScheduleFired,
    ScheduleMissed,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleSpec,
    Settings,
    graph_stream,
    schedule_stream,
)
from actbook.journal import MemoryStore
from actbook.projections import Queries
from actbook.projections._latency import RELATIVE_ERROR
from actbook.projections._node_executions import WAITING
from actbook.projections._view_sql import queue_sql

S = ExecutionStatus
Stream = tuple[str, int, list[Event]]
HOUR = 3_600_000_000
DAY = 24 * HOUR

OUTPUTS: list[Stream] = [
    (
        "a",
        0,
        [
            created("a"),
            NodeQueued(1, "o", "b", {}),
            NodeQueued(2, "o", "b", {}),
            NodeOutput(2, (("output", "c"),), "sum"),
            NodeOutput(1, (("output", "a"), ("other", 0), ("output", None)), "sum"),
            NodeCompleted(2, (("output", {"d": [1]}),), NodeStats(), "sum"),
            NodeCompleted(1, (("output", "x" * 20_000),), NodeStats(), "sum"),
            NodeQueued(3, "p", "b", {}),
            NodeCompleted(3, (("output", 5),), NodeStats(), "total"),
        ],
    )
]


def test_outputs_come_by_node_execution_and_then_in_yield_order() -> None:
    async def question(queries: Queries) -> None:
        rows = [*(page := await queries.outputs("a", limit=2))]
        while page.next:
            rows += (page := await queries.outputs("a", limit=2, cursor=page.next))
        assert [(row.name, row.number, row.value, row.complete) for row in rows] == [
            ("sum", 1, "a", True),
            ("sum", 1, None, True),
            ("sum", 1, None, False),
            ("sum", 2, "c", True),
            ("sum", 2, {"d": [1]}, True),
            ("total", 3, 5, True),
        ]
        assert [row.value for row in await queries.outputs("a", "total", user_id="u")] == [5]
        assert list(await queries.outputs("a", user_id="v")) == []

    ask(OUTPUTS, question)


REVIEWS: list[Stream] = [
    (graph_stream("g"), 0, [GraphSaved("g", 3, "u", "Weekly report", "00", {})]),
    *(
        (
            name,
            100 * place,
            [
                created(name, user),
                ExecutionQueued(),
                ExecutionStarted(),
                *(NodeQueued(number, f"n{number}", "ask", {}) for number in (1, 2)),
                *(NodeReviewRequested(number, "look", {"n": number}, number == 1) for number in (1, 2)),
                *([NodeReviewDecided(1, False, {"n": 1}, "no", "eve")] if name == "b" else []),
            ],
        )
        for place, (name, user) in enumerate([("a", "u"), ("b", "u"), ("c", "v")], 1)
    ),
]


def test_reviews_come_in_the_order_in_which_they_were_asked_for() -> None:
    async def question(queries: Queries) -> None:
        waiting = await queries.reviews()
        assert [row.id for row in waiting] == ["a.1", "a.2", "b.2", "c.1", "c.2"]
        first = await queries.reviews("u", limit=2)
        rest = await queries.reviews("u", limit=2, cursor=first.next)
        assert [row.id for row in (*first, *rest)] == ["a.1", "a.2", "b.2"]
        row = first[0]
        assert (row.node_id, row.block_id, row.graph_id, row.graph_name) == (
            "n1",
            "ask",
            "g",
            "Weekly report",
        )
        assert (row.user_id, row.name, row.data, row.editable, row.requested_at) == (
            "u",
            "look",
            {"n": 1},
            True,
            105,
        )
        [decided] = await queries.reviews(status="REJECTED")
        assert (decided.id, decided.reviewer, decided.message, decided.decided_at) == (
            "b.1",
            "eve",
            "no",
            207,
        )
        assert [row.id for row in await queries.reviews(status=None, execution_id="b")] == ["b.1", "b.2"]
        assert list(await queries.reviews("v", execution_id="a")) == []
        assert list(await queries.reviews(graph_id="h")) == []

    ask(REVIEWS, question)


def ended(name: str, at: int, walls: list[float], block: str = "b", error: str = "") -> Stream:
    events: list[Event] = [created(name)]
    for number, wall in enumerate(walls, 1):
        stats = NodeStats(wall)
        end = NodeFailed(number, error, stats=stats) if error else NodeCompleted(number, stats=stats)
        events += [NodeQueued(number, "n", block, {}), NodeStarted(number, 1, 1), end]
    return name, at, events


def test_latency_tells_how_many_and_how_long() -> None:
    walls = [number / 100 for number in range(1, 101)]
    streams = [
        ended("a", 0, walls[:50]),
        ended("b", DAY, walls[50:]),
        ended("c", 0, [3.0], "c", "broken"),
    ]

    async def question(queries: Queries) -> None:
        rows = await queries.latency()
        assert [(row.day, row.block_id, row.completed, row.failed) for row in rows] == [
            ("1970-01-01", "b", 50, 0),
            ("1970-01-01", "c", 0, 1),
            ("1970-01-02", "b", 50, 0),
        ]
        [row] = await queries.latency("u", by=(), block_id="b")
        assert (row.user_id, row.day, row.block_id, row.completed) == ("", "", "", 100)
        for found, exact in ((row.run.p50, 0.5), (row.run.p90, 0.9), (row.run.p99, 0.99)):
            assert abs(found - exact) <= exact * RELATIVE_ERROR
        assert row.run.mean == pytest.approx(0.505)
        assert row.wait.p99 == row.wait.mean == pytest.approx(1e-6)
        [row] = await queries.latency(by=("user_id", "block_id"), since="1970-01-02")
        assert (row.user_id, row.block_id, row.completed) == ("u", "b", 50)
        assert [row.block_id for row in await queries.latency(until="1970-01-02")] == ["b", "c"]
        assert await queries.latency("v", by=()) == []
        with pytest.raises(ValueError, match="colour"):
            await queries.latency(by=("colour",))

    ask(streams, question)


def waiting(
    name: str, at: int, *events: Event, user: str = "u", priority: int = 0, start_at: int = 0
) -> Stream:
    settings = Settings(priority=priority)
    begin = ExecutionCreated(name, user, "g", 1, settings=settings, start_at=start_at)
    return name, at, [begin, *events]


QUEUE: list[Stream] = [
    waiting("new", 10),
    waiting("q1", 100, ExecutionQueued()),
    waiting("q2", 50, ExecutionQueued()),
    waiting("urgent", 60, ExecutionQueued(), priority=5),
    waiting("later", 70, ExecutionQueued(), start_at=5_000),
    waiting("done", 1, ExecutionQueued(), ExecutionStarted(), ExecutionCompleted()),
    waiting("v", 5, ExecutionQueued(), user="v"),
    waiting(
        "run",
        200,
        ExecutionQueued(),
        ExecutionStarted(),
        *(NodeQueued(number, "n", "b", {}) for number in (1, 2, 3)),
        NodeStarted(1, 1, 1),
        NodeReviewRequested(1, "look", None),
    ),
    waiting("parked", 300, ExecutionQueued(), ExecutionStarted(), ExecutionParked()),
]


def test_the_queue_tells_what_waits_and_since_when() -> None:
    async def question(queries: Queries) -> None:
        rows = [
            (row.kind, row.status, row.priority, row.count, row.oldest_at, row.oldest_id)
            for row in await queries.queue("u", at=1_000)
        ]
        assert rows == [
            ("execution", S.QUEUED, 5, 1, 61, "urgent"),
            ("execution", S.INCOMPLETE, 0, 1, 10, "new"),
            ("execution", S.QUEUED, 0, 2, 51, "q2"),
            ("execution", S.REVIEW, 0, 1, 303, "parked"),
            ("node", S.QUEUED, 0, 2, 204, "run.2"),
            ("node", S.REVIEW, 0, 1, 207, "run.1"),
        ]
        everybody = await queries.queue(at=1_000)
        assert [(row.count, row.oldest_id) for row in everybody if row.status == S.QUEUED][1] == (3, "v")
        late = await queries.queue("u", at=datetime.fromtimestamp(0.005, UTC))
        assert [(row.count, row.oldest_id) for row in late if row.status == S.QUEUED][1] == (3, "q2")
        assert [row.count for row in await queries.queue("v")] == [1]
        assert await queries.queue("nobody") == []

    ask(QUEUE, question)


SCHEDULED: list[Stream] = [
    (
        schedule_stream("s"),
        0,
        [
            ScheduleAdded("s", "u", "hourly", ScheduleSpec("g", "@hourly")),
            ScheduleMissed(HOUR, 2 * HOUR, 2),
            ScheduleFired(3 * HOUR, "e"),
        ],
    ),
    (
        schedule_stream("p"),
        0,
        [ScheduleAdded("p", "u", "", ScheduleSpec("h", "@daily")), SchedulePaused("u")],
    ),
    (
        schedule_stream("r"),
        0,
        [ScheduleAdded("r", "u", "", ScheduleSpec("g", "@daily")), ScheduleRemoved("u")],
    ),
    (schedule_stream("x"), 0, [ScheduleAdded("x", "v", "", ScheduleSpec("g", "@daily", "Mars/Olympus"))]),
]


def test_schedules_tell_what_was_and_what_comes() -> None:
    async def question(queries: Queries) -> None:
        hourly, paused = await queries.schedules("u")
        assert (hourly.id, hourly.next_due, hourly.last_due, hourly.last_execution_id) == (
            "s",
            4 * HOUR,
            3 * HOUR,
            "e",
        )
        assert (hourly.fired, hourly.missed, hourly.last_missed) == (1, 2, 2 * HOUR)
        assert (paused.id, paused.status, paused.next_due, paused.last_due) == ("p", "paused", None, None)
        assert [row.id for row in await queries.schedules(graph_id="g")] == ["s", "x"]
        assert [row.id for row in await queries.schedules("u", removed=True)] == ["s", "p", "r"]
        [unknown] = await queries.schedules("v")
        assert (unknown.status, unknown.next_due) == ("active", None)

    ask(SCHEDULED, question)


WORK: list[Stream] = [
    ("a", 100, [created("a"), ExecutionQueued(), ExecutionClaimed("w1", 1), ExecutionStarted()]),
    ("b", 200, [created("b"), ExecutionClaimed("w1", 1), ExecutionStarted(), ExecutionCompleted()]),
    ("c", 300, [created("c", "v"), ExecutionClaimed("w2", 1), ExecutionStarted()]),
    ("d", 400, [created("d", "v"), ExecutionClaimed("w1", 1), ExecutionStarted()]),
]


def test_workers_tell_what_they_have_and_users_only_of_their_own() -> None:
    def shown(rows: list[Any]) -> list[tuple[Any, ...]]:
        return [
            (
                row.worker,
                row.first_seen_at,
                row.last_seen_at,
                row.claims,
                row.ended,
                row.last_execution_id,
                row.running,
                row.since,
            )
            for row in rows
        ]

    async def question(queries: Queries) -> None:
        assert shown(await queries.workers()) == [
            ("w1", 102, 401, 3, 1, "d", 2, 102),
            ("w2", 301, 301, 1, 0, "c", 1, 301),
        ]
        assert shown(await queries.workers("u")) == [("w1", 102, 203, 2, 1, "b", 1, 102)]
        assert [row.worker for row in await queries.workers("v")] == ["w1", "w2"]
        assert await queries.workers("nobody") == []

    ask(WORK, question)


def test_ancestors_lead_from_the_top() -> None:
    streams: list[Stream] = [
        ("top", 0, [created("top")]),
        ("mid", 1, [created("mid", parent=Parent("top", 1), root_id="top")]),
        ("low", 2, [created("low", parent=Parent("mid", 1), root_id="top")]),
    ]

    async def question(queries: Queries) -> None:
        assert [row.id for row in await queries.ancestors("low")] == ["top", "mid"]
        assert await queries.ancestors("top") == []
        assert await queries.ancestors("low", "v") == []
        assert [row.id for row in await queries.executions(root_id="top")] == ["low", "mid"]

    ask(streams, question)


QUESTIONS: list[Callable[[Queries, str], Awaitable[Any]]] = [
    lambda queries, user: queries.executions(user),
    lambda queries, user: queries.execution("a", user),
    lambda queries, user: queries.counts(user),
    lambda queries, user: queries.node_executions("a", user_id=user),
    lambda queries, user: queries.outputs("a", user_id=user),
    lambda queries, user: queries.reviews(user, status=None),
    lambda queries, user: queries.usage(user),
    lambda queries, user: queries.latency(user),
    lambda queries, user: queries.queue(user),
    lambda queries, user: queries.schedules(user, removed=True),
    lambda queries, user: queries.workers(user),
    lambda queries, user: queries.tree("a", user),
    lambda queries, user: queries.ancestors("a", user),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_stranger_is_told_nothing(question: Callable[[Queries, str], Awaitable[Any]]) -> None:
    everything = [*OUTPUTS, *REVIEWS[2:], *QUEUE, *SCHEDULED]
    found = ask(everything, lambda queries: question(queries, "stranger"))
    assert not found
    if found is not None:
        assert not list(found)


def test_every_question_is_in_the_list_of_strangers() -> None:
    asked = {name for name in vars(Queries) if not name.startswith("_") and name != "close"}
    assert {function.__code__.co_names[0] for function in QUESTIONS} == asked


def test_what_waits_is_found_through_an_index() -> None:
    store = MemoryStore()
    fill(store, *QUEUE)
    connection = store.open_views_reader()
    for sql, values in (
        (f"SELECT * FROM node_executions WHERE {WAITING}", {}),
        (queue_sql(of_user=False), {"at": 0}),
        ("SELECT * FROM reviews WHERE status='WAITING' ORDER BY requested", {}),
    ):
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        scanned = [line for line in plan if line.startswith("SCAN") and "USING INDEX" not in line]
        assert [
            line for line in scanned if line.split()[1] in ("node_executions", "executions", "e", "reviews")
        ] == []
    connection.close()
    store.close()

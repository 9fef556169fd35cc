"""Queries find the rows that fit, in order, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.events import (
    Append,
    Draft,
    Event,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionStarted,
    ExecutionStatus,
    GraphSaved,
    NodeCompleted,
    NodeQueued,
    NodeSkipped,
    NodeStarted,
    Parent,
    graph_stream,
)
from actbook.journal import MemoryStore, Store
from actbook.projections import BUILT_IN, CursorError, ExecutionRow, Page, Queries, SortError
from actbook.projections._applying import Applying
from actbook.projections._lanes import Lanes
from actbook.projections._tracking import Tracking

S = ExecutionStatus


def fill(store: Store, *streams: tuple[str, int, list[Event]]) -> None:
    """Records streams (id, time of the first event, events one µs apart) and applies the built-in projections."""
    for stream_id, at, events in streams:
        drafts = [Draft(event, at + number) for number, event in enumerate(events)]
        store.write([Append(stream_id, None, drafts, "u")])
    connection = store.open_views_writer()
    tracking = Tracking(connection, store.write_lock)
    lanes = Lanes([projection() for projection in BUILT_IN], tracking)
    lanes.ensure()
    (group,) = lanes.groups()
    log = store.read_log(group.position, None)
    if log:
        Applying(tracking).apply(group.lanes, log, log[-1].position)
    connection.close()


def run_with(
    streams: Iterable[tuple[str, int, list[Event]]], work: Callable[[Store, Queries], Awaitable[Any]]
) -> Any:
    """What `work` does with a store that holds the streams."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Store, Queries]]:
        store = MemoryStore()
        queries = Queries(store)
        try:
            fill(store, *streams)
            yield store, queries
        finally:
            await queries.close()
            store.close()

    async def main() -> Any:
        async with opened() as (store, queries):
            return await work(store, queries)

    return asyncio.run(main())


def ask(
    streams: Iterable[tuple[str, int, list[Event]]], question: Callable[[Queries], Awaitable[Any]]
) -> Any:
    return run_with(streams, lambda _, queries: question(queries))


def created(run: str, user: str = "u", graph: str = "g", **more: Any) -> ExecutionCreated:
    return ExecutionCreated(run, user, graph, 3, **more)


RUNS: list[tuple[str, int, list[Event]]] = [
    (graph_stream("g"), 5, [GraphSaved("g", 3, "u", "Weekly report", "00", {})]),
    ("a", 100, [created("a", inputs={"n": 1}), ExecutionQueued(), ExecutionStarted(), ExecutionCompleted()]),
    ("b", 200, [created("b", graph="h"), ExecutionQueued()]),
    ("c", 300, [created("c"), ExecutionFailed("Disk is 100% full", "engine")]),
    ("d", 400, [created("d", user="v"), ExecutionQueued(), ExecutionStarted()]),
    ("e", 500, [created("e", parent=Parent("a", 2), root_id="a"), ExecutionFailed("disk_broken")]),
    ("f", 600, [created("f", parent=Parent("e", 1), root_id="a"), ExecutionQueued()]),
]


def ids(**conditions: Any) -> str:
    page = ask(RUNS, lambda queries: queries.executions(**conditions))
    return "".join(row.id for row in page)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, "fedcba"),
        ({"sort": "created"}, "abcdef"),
        ({"user_id": "u"}, "fecba"),
        ({"status": S.QUEUED}, "fb"),
        ({"status": "FAILED"}, "ec"),
        ({"status": [S.QUEUED, "RUNNING"]}, "fdb"),
        ({"graph_id": "h"}, "b"),
        ({"parent_id": "a"}, "e"),
        ({"text": "disk"}, "ec"),
        ({"text": "100%"}, "c"),
        ({"text": "k_b"}, "e"),
        ({"since": 300}, "fedc"),
        ({"since": 200, "until": 400}, "cb"),
        ({"until": datetime.fromtimestamp(0.0003, UTC)}, "ba"),
        ({"user_id": "v", "status": S.QUEUED}, ""),
        ({"limit": 2}, "fe"),
        ({"limit": 0}, ""),
        ({"sort": "-ended", "limit": 3}, "eca"),
        ({"sort": "-wall", "limit": 1}, "a"),
    ],
)
def test_conditions(conditions: dict[str, Any], expected: str) -> None:
    assert ids(**conditions) == expected


def test_rows_are_typed() -> None:
    row: ExecutionRow = ask(RUNS, lambda queries: queries.execution("a"))
    assert row.status is S.COMPLETED
    assert (row.created_at, row.queued_at, row.started_at, row.ended_at) == (100, 101, 102, 103)
    assert (row.graph_id, row.graph_version, row.graph_name) == ("g", 3, "Weekly report")
    assert (row.inputs, row.inputs_complete, row.outputs) == ({"n": 1}, True, {})
    assert row.wall == pytest.approx(1e-6)
    with pytest.raises(AttributeError):
        row.status = S.FAILED  # type: ignore[misc]


def test_another_users_execution_is_not_found() -> None:
    for question in (
        lambda queries: queries.execution("a", "v"),
        lambda queries: queries.tree("a", "v"),
        lambda queries: queries.execution("nothing"),
        lambda queries: queries.tree("nothing"),
    ):
        assert ask(RUNS, question) is None
    assert list(ask(RUNS, lambda queries: queries.node_executions("a", user_id="v"))) == []


def test_counts() -> None:
    assert ask(RUNS, lambda queries: queries.counts()) == {
        S.COMPLETED: 1,
        S.QUEUED: 2,
        S.FAILED: 2,
        S.RUNNING: 1,
    }
    assert ask(RUNS, lambda queries: queries.counts("v")) == {S.RUNNING: 1}


def test_a_tree_holds_children_below_their_parents() -> None:
    tree = ask(RUNS, lambda queries: queries.tree("a"))
    assert [tree.execution.id, tree.children[0].execution.id] == ["a", "e"]
    assert tree.children[0].children[0].execution.id == "f"
    assert tree.children[0].children[0].children == ()
    below = ask(RUNS, lambda queries: queries.tree("e"))
    assert (below.execution.id, [child.execution.id for child in below.children]) == ("e", ["f"])


NODES: list[tuple[str, int, list[Event]]] = [
    (
        "a",
        0,
        [
            created("a"),
            *(NodeQueued(number, f"n{number}", "block", {}) for number in range(1, 6)),
            NodeStarted(2, 1, 1),
            NodeCompleted(2),
            NodeSkipped(4),
        ],
    )
]


def test_node_executions_come_by_number_and_page_by_page() -> None:
    async def question(queries: Queries) -> None:
        first = await queries.node_executions("a", limit=2)
        rest = await queries.node_executions("a", limit=10, cursor=first.next)
        assert [row.number for row in first] == [1, 2]
        assert [row.number for row in rest] == [3, 4, 5]
        assert rest.next is None
        assert [(row.id, row.status, row.skipped) for row in rest[1:]] == [
            ("a.4", S.COMPLETED, True),
            ("a.5", S.QUEUED, False),
        ]
        done = await queries.node_executions("a", status=S.COMPLETED, user_id="u")
        assert [row.number for row in done] == [2, 4]

    ask(NODES, question)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12),
    st.sampled_from(["created", "started", "ended", "wall", "cost", "nodes"]),
    st.booleans(),
    st.integers(1, 4),
)
def test_pages_together_are_the_whole_in_order(
    runs: list[tuple[int, bool]], sort: str, descending: bool, limit: int
) -> None:
    streams: list[tuple[str, int, list[Event]]] = []
    for number, (length, done) in enumerate(runs):
        nodes: list[Event] = [NodeQueued(n + 1, "n", "b", {}) for n in range(length)]
        end: list[Event] = [ExecutionCompleted()] if done else []
        streams.append((f"run {number}", 50, [created(f"run {number}"), ExecutionStarted(), *nodes, *end]))
    order = "-" + sort if descending else sort

    async def question(queries: Queries) -> None:
        whole = await queries.executions(sort=order, limit=100)
        pages: list[ExecutionRow] = []
        cursor = None
        while True:
            page = await queries.executions(sort=order, limit=limit, cursor=cursor)
            assert len(page) <= limit
            pages += page
            cursor = page.next
            if cursor is None:
                break
        assert pages == list(whole)
        assert whole.next is None
        keys = [(value(row, sort), row.seq) for row in whole]
        assert keys == sorted(keys, reverse=descending)

    ask(streams, question)


def value(row: ExecutionRow, sort: str) -> float:
    by: dict[str, float | None] = {
        "created": row.seq,
        "started": row.started_at,
        "ended": row.ended_at,
        "wall": row.wall,
        "cost": row.cost,
        "nodes": row.node_exec_count,
    }
    return by[sort] or 0


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "bnVsbA", "W10", "WyJjcmVhdGVkIiwxLDJd", "\u00e9", "a" * 5000]
)
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError, match="start again without"):
        ask(RUNS, lambda queries: queries.executions(cursor=cursor))


def test_a_cursor_of_another_order_is_refused() -> None:
    async def question(queries: Queries) -> None:
        page = await queries.executions(limit=1)
        assert page.next is not None
        with pytest.raises(CursorError):
            await queries.executions(limit=1, sort="created", cursor=page.next)

    ask(RUNS, question)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SortError, match="created, queued, started"):
        ids(sort="name")
    with pytest.raises(ValueError, match="LOST"):
        ids(status="LOST")
    with pytest.raises(ValueError, match="aware"):
        ids(since=datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="limit"):
        ids(limit=-1)


def test_a_page_is_a_sequence() -> None:
    page = Page(["a", "b"], "more")
    assert list(page) == ["a", "b"]
    assert (page[0], page[-1], page[:1], len(page), "b" in page) == ("a", "b", ("a",), 2, True)
    assert repr(page) == "Page(['a', 'b'], next='more')"
    assert not Page([])


def test_usual_questions_use_an_index() -> None:
    store = MemoryStore()
    fill(store, *RUNS)
    connection = store.open_views_reader()
    for condition in ("user_id='u'", "status='QUEUED'", "graph_id='g'", "parent_id='a'"):
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT * FROM executions WHERE {condition} ORDER BY seq DESC LIMIT 50"
        ).fetchall()
        assert "USING INDEX" in plan[0][3], condition
    connection.close()
    store.close()

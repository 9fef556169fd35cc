"""Any conditions, any order, any page size: what the pages hold is what a filter over a plain list finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projections.test_queries import created, fill, run_with

from actbook.events import (
    Event,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionStarted,
    ExecutionTerminated,
    NodeQueued,
    Settings,
    UsageCharged,
)
from actbook.journal import Store
from actbook.projections import ExecutionRow, Queries

Stream = tuple[str, int, list[Event]]

ERRORS = ("", "Disk full", "disk broken", "100% gone", "a_b", "ä")
NUMBERS: dict[str, Callable[[ExecutionRow], Any]] = {
    "created": lambda row: row.seq,
    "queued": lambda row: row.queued_at or 0,
    "started": lambda row: row.started_at or 0,
    "ended": lambda row: row.ended_at or 0,
    "wall": lambda row: row.wall,
    "cost": lambda row: row.cost,
    "nodes": lambda row: row.node_exec_count,
    "status": lambda row: str(row.status),
    "user": lambda row: row.user_id,
    "graph": lambda row: row.graph_id,
    "error": lambda row: row.error,
}


@st.composite
def streams(draw: st.DrawFn, prefix: str = "run") -> list[Stream]:
    found: list[Stream] = []
    for number in range(draw(st.integers(0, 12))):
        name = f"{prefix} {number}"
        settings_ = Settings(priority=draw(st.integers(0, 2)))
        events: list[Event] = [
            created(name, draw(st.sampled_from("uv")), draw(st.sampled_from("gh")), settings=settings_)
        ]
        events += draw(st.sampled_from([[], [ExecutionQueued()], [ExecutionQueued(), ExecutionStarted()]]))
        if draw(st.booleans()):
            events.append(ExecutionClaimed(draw(st.sampled_from(["w1", "w2"])), 1))
        events += [NodeQueued(n + 1, "n", "b", {}) for n in range(draw(st.integers(0, 2)))]
        events += [UsageCharged(0, "EXECUTION", 0.5, {}, f"k{n}") for n in range(draw(st.integers(0, 3)))]
        ends: list[Event] = [ExecutionCompleted(), ExecutionTerminated("ada", "no")]
        ends += [ExecutionFailed(error) for error in ERRORS]
        events += draw(st.lists(st.sampled_from(ends), max_size=1))
        found.append((name, draw(st.integers(0, 30)), events))
    return found


MOMENTS = st.integers(0, 40)
CONDITIONS: dict[str, tuple[st.SearchStrategy[Any], Callable[[ExecutionRow, Any], bool]]] = {
    "user_id": (st.sampled_from("uvx"), lambda row, it: row.user_id == it),
    "status": (
        st.lists(st.sampled_from(["COMPLETED", "FAILED", "QUEUED", "RUNNING"]), max_size=3),
        lambda row, it: row.status in it,
    ),
    "graph_id": (st.sampled_from("gh"), lambda row, it: row.graph_id == it),
    "worker": (st.sampled_from(["w1", "w2"]), lambda row, it: row.worker == it),
    "text": (
        st.sampled_from(["disk", "DISK", "%", "_", "ä", ""]),
        lambda row, it: it.lower() in row.error.lower(),
    ),
    "since": (MOMENTS, lambda row, it: row.created_at >= it),
    "until": (MOMENTS, lambda row, it: row.created_at < it),
    "started_since": (MOMENTS, lambda row, it: row.started_at is not None and row.started_at >= it),
    "started_until": (MOMENTS, lambda row, it: row.started_at is not None and row.started_at < it),
    "ended_since": (MOMENTS, lambda row, it: row.ended_at is not None and row.ended_at >= it),
    "ended_until": (MOMENTS, lambda row, it: row.ended_at is not None and row.ended_at < it),
    "min_wall": (
        st.sampled_from([0, 1e-6, 2e-6, 4e-6]),
        lambda row, it: row.ended_at is not None and row.wall >= it,
    ),
    "max_wall": (
        st.sampled_from([0, 1e-6, 2e-6, 4e-6]),
        lambda row, it: row.ended_at is not None and row.wall <= it,
    ),
    "min_cost": (st.sampled_from([0, 0.5, 1]), lambda row, it: row.cost >= it),
    "max_cost": (st.sampled_from([0, 0.5, 1]), lambda row, it: row.cost <= it),
}
QUESTIONS = st.fixed_dictionaries({}, optional={name: strategy for name, (strategy, _) in CONDITIONS.items()})
SORTS = st.tuples(st.sampled_from(["", "-"]), st.sampled_from(list(NUMBERS)))
WALKS = settings(max_examples=40, deadline=None)


def expected(rows: list[ExecutionRow], question: dict[str, Any], sort: tuple[str, str]) -> list[ExecutionRow]:
    fitting = [row for row in rows if all(CONDITIONS[name][1](row, it) for name, it in question.items())]
    by = NUMBERS[sort[1]]
    return sorted(fitting, key=lambda row: (by(row), row.seq), reverse=sort[0] == "-")


@WALKS
@given(streams(), QUESTIONS, SORTS, st.integers(1, 5))
def test_pages_are_the_filtered_and_sorted_list(
    runs: list[Stream], question: dict[str, Any], sort: tuple[str, str], limit: int
) -> None:
    async def walk(store: Store, queries: Queries) -> None:
        everything = list(await queries.executions(limit=1000))
        pages: list[ExecutionRow] = []
        cursor = None
        while True:
            page = await queries.executions(sort="".join(sort), limit=limit, cursor=cursor, **question)
            pages += page
            cursor = page.next
            if cursor is None:
                break
            assert len(page) == limit
        wanted = expected(everything, question, sort)
        assert pages == wanted
        found = await queries.counts(**question)
        assert found == {
            status: [row.status for row in wanted].count(status) for status in {row.status for row in wanted}
        }

    run_with(runs, walk)


@WALKS
@given(streams(), streams("new"), QUESTIONS, SORTS, st.integers(1, 3))
def test_what_comes_meanwhile_neither_hides_nor_repeats_a_row(
    runs: list[Stream], more: list[Stream], question: dict[str, Any], sort: tuple[str, str], limit: int
) -> None:
    async def walk(store: Store, queries: Queries) -> None:
        wanted = expected(list(await queries.executions(limit=1000)), question, sort)
        arriving, cursor = list(more), None
        pages: list[ExecutionRow] = []
        while True:
            page = await queries.executions(sort="".join(sort), limit=limit, cursor=cursor, **question)
            pages += page
            cursor = page.next
            if cursor is None:
                break
            if arriving:
                fill(store, arriving.pop())
        assert [row.id for row in pages if row.id.startswith("run")] == [row.id for row in wanted]
        assert len({row.id for row in pages}) == len(pages)

    run_with(runs, walk)


def test_the_walks_know_all_conditions() -> None:
    from actbook.projections import ExecutionConditions

    elsewhere = {"graph_version", "parent_id", "root_id"}
    assert set(CONDITIONS) | elsewhere == {*ExecutionConditions.__annotations__, "user_id"}

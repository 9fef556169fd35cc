"""The smaller views say what the events say, whatever the batches, and a fork counts nothing twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.harness import GraphOutputBlock, Run, SourceBlock, plan_of
from tests.events.test_fork import Fork, fork_of
from tests.events.test_history import Act, Chaos, acts, plans
from tests.events.test_review import asked
from tests.events.test_schedule import ADDED, HOUR, START
from tests.projections.recording import Tables, append_all, recorded
from tests.projections.running import running, table
from tests.projections.test_agreement import FAST, history_of

from actbook.events import (
    CancelRequested,
    Draft,
    Event,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionForked,
    ExecutionStatus,
    NodeCompleted,
    NodeExecution,
    NodeQueued,
    NodeStarted,
    NodeTerminated,
    Report,
    ReviewDecided,
    ScheduleAdded,
    ScheduleChanged,
    ScheduleFired,
    ScheduleMissed,
    SchedulePaused,
    ScheduleRefused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSkipped,
    ScheduleSpec,
    fold,
    fold_schedule,
    schedule_stream,
)
from actbook.graphs import Plan
from actbook.projections import BUILT_IN, Executions, Projection, compare_views

FEW = settings(FAST, max_examples=25)
BATCHES = st.sampled_from([1, 3, 1000])
ENDED = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED)


def rows_after(history: Sequence[Draft], table: str, batch: int = 1000) -> list[dict[str, Any]]:
    with Tables() as tables:
        tables.apply(recorded(("run", history)), batch=batch)
        return tables.rows(table)


def given_out(history: Iterable[Draft]) -> list[tuple[str, int, int, int, Any]]:
    found = []
    for position, draft in enumerate(history, 1):
        payload: Any = draft.payload
        name = getattr(payload, "graph_output", None)
        if name is not None:
            values = [value for pin, value in payload.outputs if pin == "output"]
            found += [(name, payload.node_exec, position, item, value) for item, value in enumerate(values)]
    return found


@FEW
@given(plans(), acts, BATCHES)
def test_outputs_are_all_values_in_order(plan: Plan, todo: list[Act], batch: int) -> None:
    history = history_of(plan, todo)
    rows = rows_after(history, "outputs", batch)
    shown = [
        (row["name"], row["number"], row["position"], row["item"], json.loads(row["value"])) for row in rows
    ]
    assert shown == given_out(history)
    assert [row["at"] for row in rows] == [history[row["position"] - 1].at for row in rows]


def test_a_long_value_is_left_to_the_events_and_the_next_one_is_not() -> None:
    run = Run(plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value"))
    run.step(1, ("out", 1))
    run.start()
    values = ["x" * 16_382, "x" * 16_383, None, "after"]
    run.complete(2, *(("output", value) for value in values))
    rows = rows_after(run.history, "outputs")
    assert [None if row["value"] is None else json.loads(row["value"]) for row in rows] == [
        "x" * 16_382,
        None,
        None,
        "after",
    ]
    assert [row["value"] is None for row in rows] == [False, True, False, False]


@FEW
@given(plans(), acts, BATCHES)
def test_pending_reviews_are_those_of_the_state(plan: Plan, todo: list[Act], batch: int) -> None:
    history = history_of(plan, todo)
    state = fold(history, retain=True)
    rows = rows_after(history, "reviews", batch)
    assert {row["number"] for row in rows if row["status"] == "WAITING"} == set(state.reviews)
    for row in rows:
        review = state.node_executions[row["number"]].review
        assert review is not None
        assert (row["name"], bool(row["editable"])) == (review.name, review.editable)
        judged = row["data"] if row["decided_at"] is None else row["decided_data"]
        assert json.loads(judged) == review.data
        decided = {"APPROVED": True, "REJECTED": False}.get(row["status"])
        if decided is not None:
            assert (decided, row["message"], row["reviewer"]) == (
                review.approved,
                review.message,
                review.reviewer,
            )


def test_a_decision_is_kept_with_what_was_asked_and_what_was_answered() -> None:
    run = asked()
    run.handle(ReviewDecided(2, True, "eve", "yes", edited=True, data="better"))
    [row] = rows_after(run.history, "reviews", 1)
    assert (row["id"], row["status"], row["data"], row["decided_data"]) == (
        "run.2",
        "APPROVED",
        '"draft"',
        '"better"',
    )
    assert (row["reviewer"], row["message"]) == ("eve", "yes")
    assert row["requested_at"] < row["decided_at"]


def test_a_review_that_was_stopped_does_not_wait() -> None:
    run = asked()
    run.handle(CancelRequested("ada"))
    [row] = rows_after(run.history, "reviews")
    assert (row["status"], row["reviewer"]) == ("REJECTED", "ada")


def test_many_that_are_stopped_at_once_undecided_do_not_wait() -> None:
    history = [*asked().history]
    history.append(Draft(NodeTerminated(tuple(range(2, 40)), "enough"), history[-1].at))
    with Tables((Executions, *_only("reviews"))) as tables:
        tables.apply(recorded(("run", history)))
        [row] = tables.rows("reviews")
    assert row["status"] == "TERMINATED"


def _only(name: str) -> Iterable[type[Projection]]:
    return [projection for projection in BUILT_IN if projection.table.name == name]


def counted(nodes: Iterable[NodeExecution]) -> Counter[tuple[str, str]]:
    found = [node for node in nodes if node.status in ENDED and node.started_at and not node.skipped]
    return Counter((node.block_id, str(node.status)) for node in found)


def shown(rows: Iterable[dict[str, Any]], measure: str) -> Counter[tuple[str, str]]:
    total: Counter[tuple[str, str]] = Counter()
    for row in rows:
        assert row["count"] > 0
        if row["measure"] == measure:
            total[row["block_id"], row["status"]] += row["count"]
    return total


@FEW
@given(plans(), acts, st.booleans(), BATCHES)
def test_latency_counts_each_end_once(plan: Plan, todo: list[Act], skip: bool, batch: int) -> None:
    history = history_of(plan, todo, skip=skip)
    state = fold(history, retain=True)
    with Tables() as tables:
        tables.apply(recorded(("run", history)), batch=batch)
        rows, nodes = tables.rows("latency"), tables.rows("node_executions")
    assert shown(rows, "run") == shown(rows, "wait") == counted(state.node_executions.values())
    ended = [node for node in nodes if node["status"] in ENDED and node["started_at"] and not node["skipped"]]
    for measure, column in (("wait", "waited"), ("run", "wall")):
        total = sum(row["total"] for row in rows if row["measure"] == measure)
        assert total == sum(round(node[column] * 1e6) for node in ended)


@FEW
@given(plans(), acts, acts, acts, st.integers(0, 1000), st.integers(0, 1000), BATCHES)
def test_a_fork_of_a_fork_counts_what_it_ran_itself(
    plan: Plan, todo: list[Act], more: list[Act], most: list[Act], cut: int, second: int, batch: int
) -> None:
    chaos = Chaos(plan)
    origin = history_of(plan, todo)
    for share, rest in ((cut, more), (second, most)):
        chaos.run = Fork(plan, fork_of(origin, share % len(origin) + 1))
        for act in rest:
            chaos.act(act)
        origin = chaos.run.history
    forked = max(at for at, draft in enumerate(origin) if type(draft.payload) is ExecutionForked)
    before = {
        node.number
        for node in fold(origin[:forked], retain=True).node_executions.values()
        if node.status in ENDED
    }
    nodes = fold(origin, retain=True).node_executions.values()
    own = counted(node for node in nodes if node.number not in before)
    with Tables() as tables:
        tables.apply(recorded(("run", origin)), batch=batch)
        rows = tables.rows("latency")
        inherited = {row["number"] for row in tables.rows("node_executions") if row["inherited"]}
        workers = tables.rows("workers")
    assert shown(rows, "run") == shown(rows, "wait") == own
    assert inherited == before
    claims = [draft for draft in origin[forked:] if type(draft.payload) is ExecutionClaimed]
    assert sum(row["claims"] for row in workers) == len(claims)


def test_a_batch_that_was_given_up_counts_its_good_ends_once() -> None:
    good = [
        ExecutionCreated("good", "u", "g", 1),
        NodeQueued(1, "n", "b", {}),
        NodeStarted(1, 1, 1),
        NodeCompleted(1),
    ]
    bad = [NodeQueued(1, "n", "b", {}), NodeStarted(1, 1, 1), NodeCompleted(1), NodeCompleted(7)]
    log = recorded(
        *((name, [Draft(event, 5) for event in events]) for name, events in (("good", good), ("bad", bad)))
    )
    with Tables() as tables:
        tables.apply(log)
        rows = tables.rows("latency")
    assert shown(rows, "run") == {("b", "COMPLETED"): 2}


def test_a_rebuild_fills_further_tables_too_and_verification_looks_at_them(url: str) -> None:
    async def main() -> None:
        async with running(url, BUILT_IN) as (journal, runner):
            run = Run(plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value"))
            run.drive({"s": lambda _: [("out", n) for n in range(30)], "o": lambda _: [("output", 1)]})
            await runner.wait(append_all(journal.store, "run", run.history))
            tables = {each.name: table(journal, each.name) for view in BUILT_IN for each in view.tables()}
            assert sum(row["count"] for row in tables["latency"]) == 2 * 31
            writer = journal.store.open_views_writer()
            with journal.store.write_lock:
                writer.execute("UPDATE latency SET count = count + 1")
                writer.execute("DELETE FROM workers")
            faults = compare_views(writer, journal.store.read_log(0, None))
            assert {fault.message.split(",")[0].split(" ")[1] for fault in faults} == {"latency", "workers"}
            writer.close()
            for name in ("node_executions", "executions"):
                await runner.rebuild(name)
            assert tables == {name: table(journal, name) for name in tables}

    asyncio.run(main())


def test_waiting_is_the_time_in_the_queue_of_all_attempts() -> None:
    run = Run(plan_of({"a": SourceBlock}))
    run.at += 2_000_000
    run.start(1)
    run.cancel()
    run.stopped(1)
    run.resume()
    run.claim()
    queued = run.at
    run.at += 3_000_000
    run.start(1)
    started = run.at
    run.do(Report(1, 2, (), "completed"))
    [node] = rows_after(run.history, "node_executions")
    first = next(draft.at for draft in run.history if type(draft.payload).__name__ == "NodeStarted")
    begun = run.history[0].at
    assert node["waited"] * 1e6 >= (first - begun) + 3_000_000
    assert node["waited"] * 1e6 <= (first - begun) + (started - queued) + 100
    [row] = [row for row in rows_after(run.history, "latency") if row["measure"] == "wait"]
    assert row["total"] == round(node["waited"] * 1e6)


def test_workers_are_known_by_what_they_claimed_and_ended() -> None:
    streams = [
        (name, [Draft(event, at + number) for number, event in enumerate(events)])
        for name, at, events in (
            (
                "a",
                100,
                [
                    ExecutionCreated("a", "u", "g", 1),
                    ExecutionClaimed("w1", 1),
                    ExecutionClaimed("w2", 2),
                    ExecutionCompleted(),
                ],
            ),
            ("b", 50, [ExecutionCreated("b", "u", "g", 1), ExecutionClaimed("w1", 1)]),
        )
    ]
    with Tables() as tables:
        tables.apply(recorded(*streams), batch=2)
        rows = tables.rows("workers")
    assert [
        (row["worker"], row["claims"], row["ended"], row["last_execution_id"], row["last_seen_at"])
        for row in rows
    ] == [("w1", 2, 0, "b", 101), ("w2", 1, 1, "a", 103)]


SPECS = st.builds(
    ScheduleSpec,
    st.sampled_from(["g", "h"]),
    st.sampled_from(["@hourly", "*/7 * * * *"]),
    st.sampled_from(["UTC", "Europe/Berlin"]),
    st.none() | st.integers(1, 3),
)
MOMENTS = st.integers(0, 50).map(lambda hours: START + hours * HOUR)
HAPPENINGS: st.SearchStrategy[Event] = st.one_of(
    st.builds(ScheduleChanged, st.just("ada"), st.sampled_from(["x", "y"]), SPECS),
    st.sampled_from([SchedulePaused("a"), ScheduleResumed("a"), ScheduleRemoved("a")]),
    st.builds(ScheduleFired, MOMENTS, st.sampled_from(["e1", "e2"])),
    st.builds(ScheduleMissed, MOMENTS, MOMENTS, st.integers(1, 9)),
    st.builds(ScheduleSkipped, MOMENTS, st.just("e1")),
    st.builds(ScheduleRefused, MOMENTS, st.just("no such graph")),
)


@FEW
@given(st.lists(st.tuples(HAPPENINGS, MOMENTS), max_size=20), BATCHES)
def test_schedules_agree_with_the_folded_state(happened: list[tuple[Event, int]], batch: int) -> None:
    added: ScheduleAdded = ADDED
    drafts = [Draft(added, START), *(Draft(event, at) for event, at in happened)]
    log = recorded((schedule_stream("s"), drafts))
    state = fold_schedule(log)
    with Tables() as tables:
        tables.apply(log, batch=batch)
        [row] = tables.rows("schedules")
    wanted = {
        "id": state.id,
        "user_id": state.user_id,
        "name": state.name,
        "status": state.status,
        "graph_id": state.spec.graph_id,
        "graph_version": state.spec.graph_version,
        "cron": state.spec.cron,
        "timezone": state.spec.timezone,
        "missed_policy": state.spec.missed,
        "overlap": state.spec.overlap,
        "created_at": state.created_at,
        "settled_at": state.settled,
        "fired": state.fired,
        "missed": state.missed,
        "skipped": state.skipped,
        "refused": state.refused,
        "last_due": state.last_due or None,
        "last_execution_id": state.last_execution,
        "last_error": state.last_error,
        "position": len(log),
    }
    assert {**row, **wanted} == row

"""Schedules through an engine: what is accepted, who may do what, and that due ones really run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, World, block, echo, play, pure, sqlite, when

from actbook.engine import Engine, GraphNotFoundError, NotFoundError, ScheduleError, ScheduleNotFoundError
from actbook.engine._scheduling import ScheduledRuns
from actbook.events import (
    CronError,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionStatus,
    Schedule,
    ScheduleAdded,
    ScheduleFired,
    ScheduleSpec,
    TimezoneError,
    as_datetime,
)
from actbook.graphs import Graph

NEVER_SOON = "0 0 29 2 *"
OTHER = "eve"


def world() -> World:
    return World(Echo=pure(echo))


def simple(here: World, called: str = "graph") -> Graph:
    return here.graph("x:Input a:Echo y:Output", "x.result > a.value", "a.out > y.value", called=called)


async def overdue(engine: Engine, graph: Graph, **spec: Any) -> Schedule:
    """A schedule, as one that was added an hour ago would be found by the next owner."""
    store = engine._host.schedules
    clock = store._clock
    store._clock = lambda: clock() - 3600 * 1_000_000
    try:
        return await store.add(ScheduleAdded("s", USER, "", ScheduleSpec(graph.id, "*/5 * * * *", **spec)))
    finally:
        store._clock = clock


async def fired(engine: Engine) -> ScheduleFired:
    """The first run that a schedule began."""
    event = (await when(engine, lambda event: isinstance(event.payload, ScheduleFired))).payload
    assert isinstance(event, ScheduleFired)
    return event


def test_a_new_owner_runs_what_is_due(tmp_path: Path) -> None:
    async def test() -> None:
        here = world()
        async with here.open(sqlite(tmp_path), candidate=False) as engine:
            graph = await engine.save_graph(simple(here), USER)
            await overdue(engine, graph, inputs={"x": 7})
        async with here.open(sqlite(tmp_path)) as engine:
            event = await fired(engine)
            done = await engine.wait(event.execution_id, PATIENCE)
            assert (done.status, done.outputs, done.user_id) == (ExecutionStatus.COMPLETED, {"y": [7]}, USER)
            [created] = await engine.journal.read_stream(done.id, limit=1)
            assert isinstance(created.payload, ExecutionCreated)
            due = as_datetime(event.due)
            assert created.payload.idempotency_key == f"schedule:s:{due:%Y-%m-%dT%H:%M:%SZ}"
            [schedule] = await engine.schedules(USER)
            assert (schedule.fired, schedule.missed, schedule.last_execution) == (1, 11, done.id)

    play(test())


def test_an_owner_hears_of_schedules_that_others_add(tmp_path: Path) -> None:
    async def test() -> None:
        here = world()
        async with here.open(sqlite(tmp_path)) as owner, here.open(sqlite(tmp_path)) as other:
            graph = await other.save_graph(simple(here), USER)
            assert not other.is_owner
            await overdue(other, graph, inputs={"x": 7})
            event = await fired(owner)
            assert (await owner.wait(event.execution_id, PATIENCE)).outputs == {"y": [7]}

    play(test())


def test_a_run_that_was_begun_before_a_crash_counts_also_when_the_schedule_changed() -> None:
    async def test() -> None:
        here = world()
        async with here.open() as engine:
            await engine.save_graph(simple(here), USER)
            schedule = await engine.add_schedule("graph", USER, cron=NEVER_SOON, inputs={"x": 1})
            runs, due = ScheduledRuns(engine), schedule.created_at
            begun = await runs.submit(schedule, due)
            changed = await engine.change_schedule(USER, schedule.id, inputs={"x": 2})
            assert await runs.submit(changed, due) == begun
            assert (await engine.wait(begun, PATIENCE)).outputs == {"y": [1]}
            assert await runs.is_over(begun)
            assert await runs.is_over("gone")

    play(test())


def test_an_engine_that_takes_nothing_over_runs_no_schedule(tmp_path: Path) -> None:
    async def test() -> None:
        here = world()
        async with here.open(sqlite(tmp_path), take_over=False) as engine:
            graph = await engine.save_graph(simple(here), USER)
            await overdue(engine, graph)
            await engine.schedules()
            assert len(engine._host.clockwork._alarms) == 0
            assert not engine._host.clockwork._going

    play(test())


def test_the_newest_version_runs_unless_one_is_named(tmp_path: Path) -> None:
    async def test() -> None:
        here = World(Echo=pure(echo))
        twice = here.graph("x:Input y:Output z:Output", "x.result > y.value", "x.result > z.value")
        for pinned, outputs in ((None, {"y": [1], "z": [1]}), (1, {"y": [1]})):
            url = sqlite(tmp_path, f"{pinned}.db")
            async with here.open(url, candidate=False) as engine:
                first = await engine.save_graph(simple(here), USER)
                await overdue(engine, first, inputs={"x": 1}, graph_version=pinned)
                await engine.save_graph(twice, USER)
            async with here.open(url) as engine:
                ended = await when(engine, lambda event: isinstance(event.payload, ExecutionCompleted))
                assert (await engine.get_graph_execution(ended.stream_id)).outputs == outputs

    play(test())


def test_adding_tells_what_will_run_and_sets_an_alarm() -> None:
    async def test() -> None:
        here = world()
        async with here.open() as engine:
            await engine.save_graph(simple(here), USER)
            schedule = await engine.add_schedule(
                "graph", USER, cron=NEVER_SOON, timezone="Europe/Berlin", inputs={"x": 1}, name="leap"
            )
            assert (schedule.name, schedule.status, schedule.user_id) == ("leap", "active", USER)
            assert schedule.spec.inputs == {"x": 1}
            assert engine._host.clockwork._alarms.due(schedule.id) == schedule.next_due()
            assert await engine.schedule(schedule.id, USER) == schedule
            assert await engine.schedules(USER) == [schedule]

    play(test())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"cron": "nonsense"}, CronError),
        ({"timezone": "Mars/Olympus"}, TimezoneError),
        ({"missed": "later"}, ScheduleError),
        ({"overlap": "maybe"}, ScheduleError),
        ({"catch_up": 0}, ScheduleError),
        ({"catch_up": 1001}, ScheduleError),
        ({"graph_id": "nobody"}, GraphNotFoundError),
        ({"graph_version": 9}, GraphNotFoundError),
        ({"inputs": {}}, ValueError),
    ],
)
def test_what_could_not_be_submitted_is_refused_at_once(
    change: dict[str, Any], error: type[Exception]
) -> None:
    async def test() -> None:
        here = World(Echo=pure(echo), Strict=block(echo))
        async with here.open() as engine:
            graph = here.graph("x:Input y:Output", "x.result > y.value", x={"title": "needed"})
            saved = await engine.save_graph(graph, USER)
            good = {"graph_id": saved.id, "cron": "@daily", "inputs": {"x": 1}}
            if change == {"inputs": {}}:
                change["nodes_input_masks"] = {"x": {"name": None}}
            with pytest.raises(error):
                await engine.add_schedule(user_id=USER, **{**good, **change})
            assert await engine.schedules() == []
            schedule = await engine.add_schedule(user_id=USER, **good)
            with pytest.raises(error):
                await engine.change_schedule(USER, schedule.id, **change)
            assert await engine.schedule(schedule.id) == schedule

    play(test())


def test_a_change_counts_from_then_on_and_keeps_the_rest() -> None:
    async def test() -> None:
        here = world()
        async with here.open() as engine:
            await engine.save_graph(simple(here), USER)
            schedule = await engine.add_schedule("graph", USER, cron="@daily", inputs={"x": 1}, name="n")
            changed = await engine.change_schedule(USER, schedule.id, cron=NEVER_SOON, name="m")
            assert (changed.spec.cron, changed.spec.inputs, changed.name) == (NEVER_SOON, {"x": 1}, "m")
            assert engine._host.clockwork._alarms.due(schedule.id) == changed.next_due()
            with pytest.raises(TypeError, match="no colour"):
                await engine.change_schedule(USER, schedule.id, colour="red")

    play(test())


def test_pausing_resuming_and_removing_are_repeatable() -> None:
    async def test() -> None:
        here = world()
        async with here.open() as engine:
            await engine.save_graph(simple(here), USER)
            schedule = await engine.add_schedule("graph", USER, cron="@daily")
            alarms = engine._host.clockwork._alarms
            for act, status, armed in (
                (engine.pause_schedule, "paused", 0),
                (engine.resume_schedule, "active", 1),
                (engine.remove_schedule, "removed", 0),
            ):
                first, second = await act(USER, schedule.id), await act(USER, schedule.id)
                assert (first.status, len(alarms)) == (status, armed)
                assert second.version == first.version
            assert await engine.schedules(USER) == []
            assert (await engine.schedule(schedule.id, USER)).status == "removed"
            with pytest.raises(ScheduleNotFoundError):
                await engine.change_schedule(USER, schedule.id, name="x")

    play(test())


def test_another_user_neither_sees_nor_changes_a_schedule() -> None:
    async def test() -> None:
        here = world()
        async with here.open() as engine:
            await engine.save_graph(simple(here), USER)
            mine = await engine.add_schedule("graph", USER, cron="@daily")
            calls: list[Callable[[str, str], Awaitable[object]]] = [
                engine.pause_schedule,
                engine.resume_schedule,
                engine.remove_schedule,
                engine.change_schedule,
                lambda user, schedule: engine.schedule(schedule, user),
            ]
            for call in calls:
                with pytest.raises(NotFoundError, match=f"Schedule #{mine.id} not found."):
                    await call(OTHER, mine.id)
            assert await engine.schedules(OTHER) == []
            assert await engine.schedule(mine.id, USER) == mine
            assert [each.id for each in await engine.schedules()] == [mine.id]

    play(test())


def test_the_operator_may_change_any_schedule() -> None:
    async def test() -> None:
        here = world()
        async with here.open() as engine:
            await engine.save_graph(simple(here), USER)
            schedule = await engine.add_schedule("graph", USER, cron="@daily")
            assert (await engine.pause_schedule(None, schedule.id)).status == "paused"

    play(test())

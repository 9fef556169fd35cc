"""Executions that wait for a person cost a start nothing, and no request for one of them is missed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.engine.kit import PATIENCE, USER, World, finish, play, sqlite, when
from tests.engine.test_review import judged, parked

from actbook.actors import wall_clock
from actbook.engine import Engine
from actbook.events import (
    Append,
    CancelRequested,
    Draft,
    Event,
    ExecutionStatus,
    GraphExecution,
    InboxHandled,
    ResumeRequested,
    ReviewDecided,
    inbox_of,
)

REVIEW, COMPLETED, TERMINATED = ExecutionStatus.REVIEW, ExecutionStatus.COMPLETED, ExecutionStatus.TERMINATED


async def _post(engine: Engine, state: GraphExecution, message: Event) -> None:
    """Straight into the inbox, as a program does that only knows the store."""
    draft = Draft(message, wall_clock())
    await engine.journal.append(Append(inbox_of(state.id), None, [draft], USER, state.id))


def test_a_start_loads_no_parked_execution(tmp_path: Path) -> None:
    async def test() -> None:
        world, url = World(), sqlite(tmp_path)
        async with world.open(url) as engine:
            states = [(await parked(engine, judged(world)))[0] for _ in range(3)]
            assert await engine.journal.unfinished() == []
        async with world.open(url) as engine:
            before = await engine.journal.last_position()
            assert await engine.journal.unfinished() == []
            assert [engine._host.system.find(state.id) for state in states] == [None] * 3
            (number,) = states[1].reviews
            await engine.review(USER, f"{states[1].id}.{number}", True)
            assert (await engine.wait(states[1].id, PATIENCE)).status is COMPLETED
            after = {event.stream_id for event in await engine.journal.read_log(before)}
            assert after == {states[1].id, inbox_of(states[1].id)}

    play(test())


@pytest.mark.parametrize("take", ["approve", "cancel", "resume"])
def test_what_was_asked_while_nobody_owned_the_store_is_done_by_the_next_owner(
    tmp_path: Path, take: str
) -> None:
    async def test() -> None:
        world, url = World(), sqlite(tmp_path)
        async with world.open(url) as engine:
            state, _ = await parked(engine, judged(world))
            other, _ = await parked(engine, judged(world))
        (number,) = state.reviews
        message: Event = {
            "approve": ReviewDecided(number, True, USER),
            "cancel": CancelRequested(USER, "enough"),
            "resume": ResumeRequested(USER),
        }[take]
        async with world.open(url, candidate=False) as engine:
            await _post(engine, state, message)
            assert await engine.journal.unfinished() == [state.id]
        async with world.open(url) as engine:
            event = await when(engine, lambda e: e.stream_id == state.id and e.topic == "inbox.handled")
            assert isinstance(event.payload, InboxHandled)
            assert event.payload.outcome in ("approved", "stopped", "resumed")
            now = await engine.wait(state.id, PATIENCE)
            assert now.status is {"approve": COMPLETED, "cancel": TERMINATED, "resume": REVIEW}[take]
            assert (await engine.get_graph_execution(other.id)).status is REVIEW
            assert await engine.journal.unfinished() == []

    play(test())


def test_a_process_that_may_not_own_decides_and_a_later_owner_acts(tmp_path: Path) -> None:
    async def test() -> None:
        world, url = World(), sqlite(tmp_path)
        async with world.open(url) as engine:
            state, review = await parked(engine, judged(world))
        async with world.open(url, candidate=False) as engine:
            await engine.review(USER, review, False, message="no")
        async with world.open(url) as engine:
            done = await engine.wait(state.id, PATIENCE)
            assert (done.status, done.outputs) == (COMPLETED, {"no": [{"sum": 5}], "said": ["no"]})

    play(test())


def test_a_message_that_changes_nothing_lets_it_sleep_on(tmp_path: Path) -> None:
    async def test() -> None:
        world, url = World(), sqlite(tmp_path)
        async with world.open(url) as engine:
            state, _ = await parked(engine, judged(world))
            await _post(engine, state, ReviewDecided(99, True, USER))
            engine._host.executions.notify(state.id)
            await when(engine, lambda e: e.stream_id == state.id and e.topic == "inbox.handled")
            assert (await engine.wait(state.id, PATIENCE)).status is REVIEW
            assert await engine.journal.unfinished() == []

    play(test())


def test_a_request_that_was_written_before_this_process_owned_the_store_is_acted_on(tmp_path: Path) -> None:
    """What it wrote as the owner it has told its actors; what it wrote earlier was asked of an owner that is gone."""

    async def test() -> None:
        world, url = World(), sqlite(tmp_path)
        first = world.open(url)
        owner = await first.__aenter__()
        state, _ = await parked(owner, judged(world))
        async with world.open(url) as guest:
            assert not guest.is_owner
            # The owner is deaf: the request is recorded, and it dies before it hears of it.
            owner._host.news.heard = _nothing
            owner._host._coordinator._on_bell = _nothing
            (number,) = state.reviews
            await _post(guest, state, ReviewDecided(number, True, USER, "late"))
            position = await guest.journal.last_position()
            assert position not in guest._host.news.own_positions
            await first.__aexit__(None, None, None)
            done = await guest.wait(state.id, PATIENCE)
            assert (done.status, guest.is_owner) == (COMPLETED, True)
            assert done.outputs["said"] == ["late"]

    play(test())


def _nothing() -> None:
    """Hears nothing."""


def test_ten_thousand_parked_executions_delay_no_start(tmp_path: Path) -> None:
    """Their rows are made by hand: running them is another test's work."""

    async def test() -> None:
        world, url = World(), sqlite(tmp_path)
        async with world.open(url) as engine:
            await parked(engine, judged(world))
        with closing(sqlite3.connect(tmp_path / "runs.db")) as connection, connection:
            connection.executemany(
                "INSERT INTO unfinished(stream_id, position, waits_on, waits_beyond) VALUES(?, ?, ?, 0)",
                ((f"run-{n}", n + 1000, f"inbox:run-{n}") for n in range(10_000)),
            )
        async with world.open(url) as engine:
            assert await engine.journal.unfinished() == []
            assert not engine._host.system.find("run-1")
            done = await finish(
                engine, world.graph("x:Input y:Output", "x.result > y.value"), inputs={"x": 1}
            )
            assert done.outputs == {"y": [1]}

    play(test())

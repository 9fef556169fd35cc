"""History: states at any point, differences, and what verification finds in a store that somebody edited."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.kit import Gate, World, begin, effect, finish, play, pure, sqlite

from actbook.events import ExecutionStatus, GraphExecution, as_datetime
from actbook.graphs import Graph
from actbook.replay import Change, History
from actbook.replay._difference import difference

COMPLETED = ExecutionStatus.COMPLETED


async def slowly(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
    yield "out", input.value
    await asyncio.sleep(0.005)
    yield "out", -input.value


def world() -> tuple[World, Graph]:
    made = World(Slow=effect(slowly), Echo=pure())
    graph = made.graph(
        "x:Input s:Slow e:Echo y:Output", "x.result > s.value", "s.out > e.value", "e.out > y.value"
    )
    return made, graph


async def history_of(url: str) -> tuple[History, Any]:
    made, graph = world()
    async with made.open(url) as engine:
        state = await finish(engine, graph, inputs={"x": 5})
        return await engine.history(state.id), state


def plain(state: GraphExecution) -> Any:
    return msgspec.to_builtins(msgspec.msgpack.decode(state.encode()))


def recorded(url: str = "memory:") -> tuple[History, Any]:
    found: tuple[History, Any] = play(history_of(url))
    return found


def test_the_last_state_is_what_the_engine_says() -> None:
    history, state = recorded()
    replayed = history.state()
    assert (replayed.status, replayed.outputs) == (COMPLETED, {"y": [5, -5]}) == (state.status, state.outputs)
    assert replayed.version == len(history.events)
    assert replayed.stats == state.stats


def test_finished_node_executions_keep_their_inputs_and_outputs() -> None:
    history, _ = recorded()
    nodes = history.state().node_executions
    slow = next(node for node in nodes.values() if node.node_id == "s")
    assert (slow.status, slow.data, slow.pins) == (COMPLETED, {"value": 5}, {"out": [5, -5]})
    assert len(nodes) == 6


def test_the_state_at_every_version_is_a_step_on_the_way() -> None:
    history, _ = recorded()
    assert history.state(0).id == ""
    statuses = [history.state(version).status for version in range(1, len(history.events) + 1)]
    assert statuses[:3] == [ExecutionStatus.INCOMPLETE, ExecutionStatus.INCOMPLETE, ExecutionStatus.QUEUED]
    assert statuses[-1] is COMPLETED
    assert set(statuses[4:-1]) == {ExecutionStatus.RUNNING}
    lengths = [len(history.state(v).outputs.get("y", [])) for v in range(len(history.events) + 1)]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 2


def test_looking_changes_nothing() -> None:
    history, _ = recorded()
    before = history.state().encode()
    history.state(3)
    history.diff(1)
    history.verify()
    assert history.state().encode() == before


def test_the_state_at_a_moment_and_at_a_position() -> None:
    history, _ = recorded()
    for event in history.events:
        same_time = [e for e in history.events if e.at <= event.at]
        assert history.state(as_datetime(event.at)).version == len(same_time)
        assert history.state(position=event.position).version == event.version
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert history.state(long_ago).version == 0
    assert history.state(datetime.now(UTC) + timedelta(days=1)).status is COMPLETED


def test_the_difference_of_two_points_names_what_changed() -> None:
    history, _ = recorded()
    last = len(history.events)
    assert history.diff(last) == []
    changes = {change.path: change for change in history.diff(last - 1)}
    assert changes[("status",)] == Change(("status",), "RUNNING", "COMPLETED")
    backwards = {change.path: change for change in history.diff(last, last - 1)}
    assert backwards[("status",)] == Change(("status",), "COMPLETED", "RUNNING")
    paths = {change.path for change in history.diff(0)}
    assert ("id",) in paths
    assert ("outputs", "y") in paths


def test_a_difference_is_that_of_the_two_whole_states_from_every_version_to_every_other() -> None:
    history, _ = recorded()
    states = [plain(history.state(version)) for version in range(len(history.events) + 1)]
    for a, before in enumerate(states):
        for b, after in enumerate(states):
            assert history.diff(a, b) == difference(before, after), (a, b)


def test_moments_between_which_the_clock_went_back_have_a_difference() -> None:
    history, _ = recorded()
    events = list(history.events)
    events[-1] = msgspec.structs.replace(events[-1], at=events[0].at - 1)
    odd, moment = History(events), as_datetime(events[-2].at - 1)
    assert odd.diff(moment) == difference(plain(odd.state(moment)), plain(odd.state())) != []


def test_the_history_of_a_run_that_goes_on() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        graph = made.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with made.open() as engine:
            run = await begin(engine, graph, inputs={"x": 5})
            await gate.reached()
            history = await engine.history(run.id)
            assert history.verify() == []
            assert history.state().status is ExecutionStatus.RUNNING
            gate.open()
            await engine.wait(run.id, 10)
            assert len((await engine.history(run.id)).events) > len(history.events)

    play(test())


def test_an_empty_history_is_sound() -> None:
    history = History([])
    assert history.verify() == []
    assert history.state().version == 0


# -- edits made with other tools -------------------------------------------------------------------------------------

Edit = Callable[[sqlite3.Connection, str], Any]


def change(sql: str) -> Edit:
    return lambda connection, stream: connection.execute(sql, {"stream": stream})


def flip(version: int, at: int) -> Edit:
    """Changes one byte of an event."""

    def edit(connection: sqlite3.Connection, stream: str) -> None:
        query = "SELECT state FROM events WHERE stream_id = ? AND version = ?"
        (data,) = connection.execute(query, (stream, version)).fetchone()
        changed = bytearray(data)
        changed[at] ^= 1
        update = "UPDATE events SET state = ? WHERE stream_id = ? AND version = ?"
        connection.execute(update, (bytes(changed), stream, version))

    return edit


EDITS: list[tuple[str, Edit]] = [
    (
        "a value in a payload",
        flip(2, -1),
    ),
    (
        "the structure of a payload",
        flip(2, 0),
    ),
    (
        "the time of an event",
        change("UPDATE events SET at = at + 1 WHERE stream_id = :stream AND version = 4"),
    ),
    (
        "the topic of an event",
        change("UPDATE events SET topic = 'execution.failed' WHERE stream_id = :stream AND version = 5"),
    ),
    ("an event is gone", change("DELETE FROM events WHERE stream_id = :stream AND version = 6")),
    ("the first event is gone", change("DELETE FROM events WHERE stream_id = :stream AND version = 1")),
    (
        "a hash",
        change("UPDATE events SET hash = zeroblob(32) WHERE stream_id = :stream AND version = 7"),
    ),
]


@pytest.mark.parametrize(("what", "edit"), EDITS, ids=[what for what, _ in EDITS])
def test_an_edit_in_the_file_is_found(tmp_path: Path, what: str, edit: Edit) -> None:
    url = sqlite(tmp_path)
    history, state = recorded(url)
    assert history.verify() == []
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection, connection:
        before = connection.total_changes
        edit(connection, state.id)
        assert connection.total_changes == before + 1, what

    async def test() -> None:
        made, _ = world()
        async with made.open(url, candidate=False) as engine:
            edited = await History.load(engine.journal, state.id)
            assert edited.verify() != []
            assert len(edited.events) <= len(history.events)

    play(test())


def test_events_that_changed_places_are_found(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    _, state = recorded(url)
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection, connection:
        for old, new in ((5, 1005), (6, 5), (1005, 6)):
            connection.execute(
                "UPDATE events SET version = ? WHERE stream_id = ? AND version = ?", (new, state.id, old)
            )

    async def test() -> None:
        made, _ = world()
        async with made.open(url, candidate=False) as engine:
            faults = (await History.load(engine.journal, state.id)).verify()
            assert faults
            assert min(fault.version for fault in faults) <= 6

    play(test())


def test_a_state_that_became_text_is_a_fault_and_no_failure_of_the_store(tmp_path: Path) -> None:
    async def test() -> None:
        made, graph = world()
        url = sqlite(tmp_path)
        async with made.open(url) as engine:
            done = await finish(engine, graph, inputs={"x": 1})
        for text in ("'some text'", "CAST(x'96ff00fe' AS TEXT)"):
            with closing(sqlite3.connect(tmp_path / "runs.db")) as connection, connection:
                connection.execute(
                    f"UPDATE events SET state={text} WHERE stream_id=? AND version=6", (done.id,)
                )
            async with made.open(url, candidate=False) as engine:
                faults = (await History.load(engine.journal, done.id)).verify()
                assert {(fault.version, fault.kind) for fault in faults} >= {(6, "edited")}
                assert (await History.load(engine.journal, done.id)).events[-1].version == 5

    play(test())

"""CloudEvents out of one store and into another: the identical history, and nothing of a damaged file."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import begin, play
from tests.journal.factories import FACTORIES, PostgresFactory, StoreFactory
from tests.replay.exported import everything, graph_of_bob, recorded, world, written

from actbook.journal import ConflictError, MemoryStore, Row, SQLiteStore, Store
from actbook.replay import History
from actbook.replay.export import (
    DamagedExportError,
    ImportConflictError,
    Selection,
    export_cloudevents,
    import_cloudevents,
)

ALL = Selection()


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.name)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: StoreFactory
    if request.param is PostgresFactory:
        made = PostgresFactory(request.getfixturevalue("postgres_url"))
    else:
        (tmp_path / "target").mkdir()
        made = request.param(tmp_path / "target")
    store = made.open()
    yield store
    store.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SQLiteStore, list[str]]]:
    store, executions = recorded(tmp_path_factory.mktemp("source"))
    yield store, executions
    store.close()


@pytest.fixture
def exported(source: tuple[SQLiteStore, list[str]], tmp_path: Path) -> Path:
    return written(tmp_path / "all.jsonl", export_cloudevents(source[0], ALL))


def events_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_every_line_is_a_cloud_event(exported: Path) -> None:
    for event in events_of(exported):
        assert event["specversion"] == "1.0"
        assert all(isinstance(event[name], str) and event[name] for name in ("id", "source", "type"))
        assert all(re.fullmatch(r"[a-z0-9_]{1,20}", name) for name in event)
        extensions = {name: value for name, value in event.items() if name.startswith("actbook")}
        assert all(isinstance(value, str) or -(2**31) <= value < 2**31 for value in extensions.values())


def test_ids_are_unique_within_their_source(exported: Path) -> None:
    keys = [(event["source"], event["id"]) for event in events_of(exported)]
    assert len(keys) == len(set(keys))


def test_content_can_be_read_by_name(exported: Path, source: tuple[SQLiteStore, list[str]]) -> None:
    created = next(
        event
        for event in events_of(exported)
        if event["type"] == "actbook.execution.created" and event["actbookstream"] == source[1][2]
    )
    assert created["data"]["inputs"] == {"x": 1}
    assert created["data"]["settings"]["user_timezone"] == "UTC"
    assert (created["actbookuser"], created["dataschema"]) == ("bob", "urn:actbook:event:execution.created:1")


def test_import_gives_the_identical_history(
    exported: Path, source: tuple[SQLiteStore, list[str]], target: Store
) -> None:
    store, ids = source
    done = import_cloudevents(target, exported)
    assert everything(target) == everything(store)
    assert done.events == store.last_position()
    assert set(ids) < set(done.executions)
    for execution in done.executions:
        there, here = store.read_stream(execution), target.read_stream(execution)
        assert [event.payload for event in there] == [event.payload for event in here]
        assert [event.cause for event in there] == [event.cause for event in here]
        rows = target.read_rows(execution)
        assert History(here).state().encode() == History(there).state().encode()
        assert [row.version for row in rows] == list(range(1, len(rows) + 1))


def test_an_export_of_the_import_says_the_same(exported: Path, target: Store, tmp_path: Path) -> None:
    import_cloudevents(target, exported)
    again = written(tmp_path / "again.jsonl", export_cloudevents(target, ALL))
    assert again.read_bytes() == exported.read_bytes()


def test_twice_is_once(exported: Path, target: Store) -> None:
    first = import_cloudevents(target, exported)
    before = everything(target)
    second = import_cloudevents(target, exported)
    assert (second.events, second.known, second.executions) == (0, first.events, ())
    assert everything(target) == before


def test_what_was_unfinished_stays_as_it_is_and_can_be_forked(tmp_path: Path) -> None:
    made, graph = world()
    left = f"sqlite:///{tmp_path / 'left.db'}"

    async def leave() -> tuple[str, int]:
        async with made.open(left, candidate=False) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            return run.id, await engine.journal.head(run.id)

    async def go_on(execution: str, head: int) -> None:
        async with made.open(f"sqlite:///{tmp_path / 'right.db'}") as engine:
            assert await engine.journal.unfinished() == []
            fork = await engine.fork(execution)
            assert (await engine.wait(fork.id, 20)).status == "COMPLETED"
            assert await engine.journal.head(execution) == head

    execution, head = play(leave())
    source, target = SQLiteStore(str(tmp_path / "left.db")), SQLiteStore(str(tmp_path / "right.db"))
    path = written(tmp_path / "left.jsonl", export_cloudevents(source, ALL))
    import_cloudevents(target, path)
    assert target.unfinished() == []
    play(go_on(execution, head))


def test_the_views_show_what_was_imported(
    exported: Path, source: tuple[SQLiteStore, list[str]], tmp_path: Path
) -> None:
    import_cloudevents(SQLiteStore(str(tmp_path / "views.db")), exported)
    made, _ = world()

    async def look(path: str) -> list[Any]:
        async with made.open(f"sqlite:///{path}") as engine:
            await engine.catch_up()
            rows = await engine.queries.executions()
            return sorted((row.id, str(row.status), row.user_id) for row in rows)

    assert play(look(str(tmp_path / "views.db"))) == play(look(source[0].path))


def test_a_longer_export_adds_what_is_new(
    exported: Path, source: tuple[SQLiteStore, list[str]], target: Store, tmp_path: Path
) -> None:
    execution = source[1][0]
    rows = source[0].read_rows(execution)
    target.copy_in(rows[:5])
    done = import_cloudevents(
        target, written(tmp_path / "one.jsonl", export_cloudevents(source[0], Selection((execution,))))
    )
    assert done.known == 5
    assert target.read_rows(execution)[-1].hash == rows[-1].hash


def test_something_else_at_that_place_is_a_conflict(
    exported: Path, source: tuple[SQLiteStore, list[str]], target: Store
) -> None:
    execution = source[1][2]
    other = source[0].read_rows(source[1][0], 0, 1)[0]
    target.copy_in([other._replace(stream_id=execution)])
    with pytest.raises(ImportConflictError) as caught:
        import_cloudevents(target, exported)
    assert (caught.value.stream_id, caught.value.version) == (execution, 1)
    line = exported.read_bytes().splitlines()[caught.value.line - 1]
    assert json.loads(line)["actbookstream"] == execution
    assert list(everything(target)) == [execution]


def test_an_execution_that_goes_on_in_the_other_store_is_left_alone(tmp_path: Path) -> None:
    made, graph = world()

    async def begun() -> str:
        async with made.open(f"sqlite:///{tmp_path / 'a.db'}", candidate=False) as engine:
            return (await begin(engine, graph, inputs={"x": 1})).id

    async def finished() -> None:
        async with made.open(f"sqlite:///{tmp_path / 'b.db'}") as engine:
            await engine.wait(execution, 20)

    execution = play(begun())
    for ending in ("", "-wal"):
        if (tmp_path / f"a.db{ending}").exists():
            (tmp_path / f"b.db{ending}").write_bytes((tmp_path / f"a.db{ending}").read_bytes())
    play(finished())
    path = written(tmp_path / "b.jsonl", export_cloudevents(SQLiteStore(str(tmp_path / "b.db")), ALL))
    with pytest.raises(ImportConflictError, match="goes on in this store"):
        import_cloudevents(SQLiteStore(str(tmp_path / "a.db")), path)


def test_rows_that_do_not_follow_are_refused(source: tuple[SQLiteStore, list[str]], target: Store) -> None:
    rows: list[Row] = source[0].read_rows(source[1][0])
    with pytest.raises(ConflictError):
        target.copy_in([*rows[:3], rows[4]])
    assert target.last_position() == 0
    assert target.stream_ids() == []


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_file_that_was_cut_off_is_refused(exported: Path, target: Store, cut: int) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:-cut]))
    with pytest.raises(DamagedExportError) as caught:
        import_cloudevents(target, exported)
    assert caught.value.line == len(lines) - cut + 1
    assert target.last_position() == 0


def test_half_a_line_is_refused(exported: Path, target: Store) -> None:
    exported.write_bytes(exported.read_bytes()[:-20])
    with pytest.raises(DamagedExportError, match="cut off"):
        import_cloudevents(target, exported)


def test_an_empty_file_is_refused(target: Store, tmp_path: Path) -> None:
    with pytest.raises(DamagedExportError):
        import_cloudevents(target, written(tmp_path / "none.jsonl", []))


def test_a_missing_line_is_named(exported: Path, target: Store) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    for number in range(len(lines) - 1):
        exported.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        with pytest.raises(DamagedExportError):
            import_cloudevents(target, exported)
    assert target.last_position() == 0


def test_swapped_lines_of_a_stream_are_named(exported: Path, target: Store) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    lines[4], lines[5] = lines[5], lines[4]
    exported.write_bytes(b"".join(lines))
    with pytest.raises(DamagedExportError):
        import_cloudevents(target, exported)


def test_any_changed_byte_is_refused(exported: Path) -> None:
    target = MemoryStore()
    chance = random.Random(7)
    whole = exported.read_bytes()
    lines = whole.splitlines(keepends=True)
    short = [number for number, line in enumerate(lines) if len(line) < 5_000]
    for _ in range(200):
        number = chance.choice(short)
        at = chance.randrange(len(lines[number]) - 1)
        byte = chance.choice([each for each in range(32, 127) if each != lines[number][at]])
        changed = lines[number][:at] + bytes([byte]) + lines[number][at + 1 :]
        exported.write_bytes(b"".join([*lines[:number], changed, *lines[number + 1 :]]))
        with pytest.raises(DamagedExportError) as caught:
            import_cloudevents(target, exported)
        assert caught.value.line >= number + 1 or b'"actbook.export' in changed
    assert target.last_position() == 0


def test_two_exports_in_one_file_are_both_read(
    source: tuple[SQLiteStore, list[str]], target: Store, tmp_path: Path
) -> None:
    store, ids = source
    both = [line for each in ids for line in export_cloudevents(store, Selection((each,)))]
    done = import_cloudevents(target, written(tmp_path / "both.jsonl", both))
    assert set(ids) < set(done.executions)


def test_an_execution_comes_with_its_sub_graphs_inboxes_and_graphs(
    source: tuple[SQLiteStore, list[str]],
) -> None:
    store, ids = source
    streams = {row.stream_id for row in Selection((ids[0],)).rows(store)}
    (child,) = [each for each in streams if ":" not in each and each != ids[0]]
    assert streams == {ids[0], child, f"inbox:{ids[0]}", "graph:parent", "graph:child"}
    assert list(Selection((ids[0],)).execution_ids(store)) == [ids[0], child]


def test_a_user_gets_what_is_his_and_nothing_else(source: tuple[SQLiteStore, list[str]]) -> None:
    store, ids = source
    assert {row.stream_id for row in Selection(user="bob").rows(store)} == {ids[2], "graph:bobs"}
    streams = {row.stream_id for row in Selection(user="ada").rows(store)}
    assert streams & {ids[2], "graph:bobs"} == set()
    assert {ids[0], ids[1], f"inbox:{ids[0]}", "graph:parent"} < streams


def test_a_graph_that_others_saved_too_is_not_given_to_one_of_them(tmp_path: Path) -> None:
    made, _ = world()

    async def save() -> None:
        async with made.open(f"sqlite:///{tmp_path / 's.db'}") as engine:
            await begin(engine, graph_of_bob(), user="bob", inputs={"x": 1})
            await engine.save_graph(graph_of_bob(), "eve")

    play(save())
    store = SQLiteStore(str(tmp_path / "s.db"))
    assert "graph:bobs" not in {row.stream_id for row in Selection(user="bob").rows(store)}
    assert "graph:bobs" in {row.stream_id for row in ALL.rows(store)}


def test_positions_are_in_order_and_the_export_of_one_reads_no_other(
    source: tuple[SQLiteStore, list[str]],
) -> None:
    positions = [row.position for row in Selection((source[1][1],)).rows(source[0])]
    assert positions == sorted(positions)


def test_an_event_of_another_application_is_kept_too(
    source: tuple[SQLiteStore, list[str]], tmp_path: Path
) -> None:
    store, ids = recorded(tmp_path)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("DELETE FROM events WHERE stream_id<>?", (ids[2],))
        connection.execute("UPDATE events SET topic='elsewhere.made' WHERE version=2")
    lines = [json.loads(line) for line in export_cloudevents(store, ALL)]
    (strange,) = [line for line in lines if line["type"] == "actbook.elsewhere.made"]
    assert "data" not in strange


def test_a_big_value_that_the_store_has_lost_is_missed_by_the_import(target: Store, tmp_path: Path) -> None:
    store, _ = recorded(tmp_path)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("DELETE FROM blobs")
    path = written(tmp_path / "lost.jsonl", export_cloudevents(store, ALL))
    with pytest.raises(DamagedExportError, match="big value"):
        import_cloudevents(target, path)

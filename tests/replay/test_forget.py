"""A user is forgotten: nothing of what was his can be read any more, and the log still proves itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, AsyncPairs, World, begin, effect, finish
from tests.replay.evidence import KEY, chain

from actbook.engine import Engine, ExecutionArchivedError
from actbook.projections import compare_views
from actbook.replay import (
    ArchiveError,
    Checkpoints,
    Choice,
    UserBusyError,
    archive_executions,
    ended_trees,
    recorded_events,
    restore_archive,
    verify_store,
    views_of,
)
from actbook.replay.proof import Checkpoint

CANARY = "canary-7f3a9c"
BIG = CANARY + " sings " * 30_000


def world() -> World:
    async def fail(input: Any, context: Any) -> AsyncPairs:
        yield "out", input.value
        raise ValueError(f"{input.value} fell")

    async def store(input: Any, context: Any) -> AsyncPairs:
        yield "out", await context.storage.set(context.user_id, "key", input.value)

    return World(Echo=effect(), Paid=effect(fail))


async def run_as(engine: Engine, here: World, user: str, value: str) -> str:
    saved = await engine.save_graph(chain(here, f"graph-of-{user}"), user)
    accepted = await engine.add_graph_execution(saved.id, user, {"x": value})
    await engine.wait(accepted.id, PATIENCE)
    return accepted.id


def sign(engine: Engine) -> Checkpoint:
    with Checkpoints(engine.journal.store) as checkpoints:
        return checkpoints.write(KEY)


def found_in(folder: Path, text: str) -> list[str]:
    """Files that hold the text, as text or in UTF-16, whole or as the beginning of it."""
    return [each.name for each in folder.rglob("*") if each.is_file() and text.encode() in each.read_bytes()]


def test_no_byte_of_a_forgotten_user_is_left_and_the_log_still_verifies(tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        path = tmp_path / "s.db"
        async with here.open(f"sqlite:///{path}", snapshot_every=2) as engine:
            his = [await run_as(engine, here, "eve", value) for value in (CANARY, BIG, CANARY + "2")]
            kept = await run_as(engine, here, "ada", "stays")
            signed = sign(engine)
            await engine.catch_up(PATIENCE)
            assert "s.db" in found_in(tmp_path, CANARY) or "s.db-wal" in found_in(tmp_path, CANARY)
            before = await engine.get_graph_execution(kept)
            forgotten = await engine.forget("eve")
            assert sorted(forgotten.executions) == sorted(his)
            assert found_in(tmp_path, CANARY) == []
            for each in his:
                with pytest.raises(ExecutionArchivedError, match="can't be brought back"):
                    await engine.get_graph_execution(each)
            assert [row.id for row in await engine.queries.executions()] == [kept]
            assert (await engine.get_graph_execution(kept)).outputs == before.outputs
            checked = verify_store(path, keys=[KEY.public], checkpoints=[signed])
            assert [fault for one in checked for fault in one.faults] == []
            with views_of(path) as connection:
                assert compare_views(connection, recorded_events(path)) == []
            later = await run_as(engine, here, "ada", "later")
            assert sign(engine).size > signed.size
            await engine.get_graph_execution(later)
            assert await engine.forget("eve") == ((), 0, 0)
        assert found_in(tmp_path, CANARY) == []

    asyncio.run(run())


def test_what_goes_on_is_named_and_can_be_stopped_first(tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        asked = here.graph(
            "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
        )
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            waiting = await begin(engine, asked, inputs={"x": CANARY})
            await engine.wait(waiting.id, PATIENCE)
            ended = await finish(engine, chain(here), inputs={"x": 1})
            user = ended.user_id
            with pytest.raises(UserBusyError) as told:
                await engine.forget(user)
            assert told.value.executions == (waiting.id,)
            await engine.get_graph_execution(ended.id)
            schedule = await engine.add_schedule(ended.graph_id, user, cron="0 0 1 1 *", inputs={"x": CANARY})
            await engine.stop_graph_execution(user, waiting.id)
            with pytest.raises(UserBusyError) as told:
                await engine.forget(user)
            assert told.value.schedules == (schedule.id,)
            forgotten = await engine.forget(user, stop=True)
            assert set(forgotten.executions) == {waiting.id, ended.id}
            assert found_in(tmp_path, CANARY) == []

    asyncio.run(run())


def test_archives_of_the_user_have_to_come_back_first(tmp_path: Path) -> None:
    async def run() -> None:
        here, file = world(), tmp_path / "one.archive"
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            await run_as(engine, here, "eve", CANARY)
            await engine.catch_up(PATIENCE)
            store = engine.journal.store
            archive_executions(store, ended_trees(store, Choice()), file, 1)
            with pytest.raises(ArchiveError, match=str(file)):
                await engine.forget("eve")
            restore_archive(store, file)
            file.unlink()
            assert len((await engine.forget("eve")).executions) == 1
            assert found_in(tmp_path, CANARY) == []

    asyncio.run(run())


def test_stored_values_go_along(tmp_path: Path) -> None:
    from actbook.engine._storage import JournalStorage

    async def run() -> None:
        here = world()
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            storage = JournalStorage(engine.journal)
            await storage.set("eve", "note", CANARY)
            await storage.set("ada", "note", "stays")
            assert (await engine.forget("eve")).streams == 1
            assert await storage.get("eve", "note") is None
            assert await storage.get("ada", "note") == "stays"
            assert found_in(tmp_path, CANARY) == []

    asyncio.run(run())


def test_another_process_than_the_owner_can_do_it(tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        url = f"sqlite:///{tmp_path}/s.db"
        async with here.open(url) as owner, here.open(url, candidate=False) as other:
            gone = await run_as(owner, here, "eve", CANARY)
            kept = await run_as(owner, here, "ada", "stays")
            assert (await other.forget("eve")).executions == (gone,)
            assert found_in(tmp_path, CANARY) == []
            after = await run_as(owner, here, "ada", "later")
            await owner.catch_up(PATIENCE)
            assert {row.id for row in await owner.queries.executions()} == {kept, after}
            with pytest.raises(ExecutionArchivedError):
                await owner.get_graph_execution(gone)

    asyncio.run(run())


def test_a_paused_view_is_made_anew_too(tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            await run_as(engine, here, "eve", CANARY)
            await engine.catch_up(PATIENCE)
            await engine.projections.pause("executions")
            async with asyncio.timeout(60):
                await engine.forget("eve")
            assert found_in(tmp_path, CANARY) == []

    asyncio.run(run())

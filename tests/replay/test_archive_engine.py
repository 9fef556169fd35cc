"""What an engine does about executions that left its store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, World, finish, pure
from tests.replay.evidence import chain, world

from actbook.engine import Engine, ExecutionArchivedError, ExecutionNotFoundError, RetentionPolicy
from actbook.engine._retention import Archivist
from actbook.projections import compare_views
from actbook.replay import Choice, archive_executions, ended_trees, recorded_events, restore_archive, views_of


async def archived(engine: Engine, file: Path) -> list[str]:
    await engine.catch_up(PATIENCE)
    store = engine.journal.store
    chosen = ended_trees(store, Choice())
    archive_executions(store, chosen, file, 1)
    return chosen


def test_an_execution_that_left_is_told_with_its_file_and_only_to_its_user(tmp_path: Path) -> None:
    async def run() -> None:
        here, file = world(), tmp_path / "one.archive"
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            run = await finish(engine, chain(here), inputs={"x": 1}, idempotency_key="once")
            await archived(engine, file)
            asked: list[Any] = [
                engine.get_graph_execution(run.id),
                engine.wait(run.id, PATIENCE),
                engine.stop_graph_execution(USER, run.id),
                engine.retry(USER, run.id),
                engine.history(run.id),
                finish(engine, chain(here), inputs={"x": 1}, idempotency_key="once"),
            ]
            for each in asked:
                with pytest.raises(ExecutionArchivedError, match="archive restore") as told:
                    await each
                assert told.value.file == str(file)
            with pytest.raises(ExecutionNotFoundError) as hidden:
                await engine.get_graph_execution(run.id, "eve")
            assert "archive" not in str(hidden.value)
            [row] = await engine.queries.executions()
            assert row.id == run.id
            restore_archive(engine.journal.store, file)
            again = await finish(engine, chain(here), inputs={"x": 1}, idempotency_key="once")
            assert (again.id, again.version) == (run.id, run.version)

    asyncio.run(run())


def test_a_rebuild_reads_the_archives(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def rebuild(engine: Engine) -> None:
        for status in await engine.projections.status():
            await engine.projections.rebuild(status.name)
        await engine.catch_up(PATIENCE)

    async def run() -> None:
        here, file = world(), tmp_path / "one.archive"
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            for number in range(3):
                await finish(engine, chain(here), inputs={"x": number})
            await finish(engine, chain(here), inputs={"x": "big" * 50_000})
            await archived(engine, file)
            await finish(engine, chain(here), inputs={"x": "after"})
            await engine.catch_up(PATIENCE)
            before = _views(tmp_path)
            await rebuild(engine)
            assert _views(tmp_path) == before
            assert len(before) > 4
            with views_of(tmp_path / "s.db") as connection:
                assert compare_views(connection, recorded_events(tmp_path / "s.db")) == []
            file.rename(tmp_path / "elsewhere")
            with caplog.at_level(logging.WARNING):
                await rebuild(engine)
            assert "is not there" in caplog.text
            assert len(await engine.queries.executions()) == 1

    asyncio.run(run())


def _views(folder: Path) -> list[Any]:
    import sqlite3
    from contextlib import closing

    found = []
    with closing(sqlite3.connect(folder / "s.db")) as connection:
        for table in ("executions", "node_executions", "usage"):
            found += sorted(map(repr, connection.execute(f"SELECT * FROM {table}")))
    return found


def test_a_policy_lets_what_is_old_enough_leave(tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        folder = tmp_path / "old"
        async with here.open(f"sqlite:///{tmp_path}/s.db") as engine:
            first = await finish(engine, chain(here), inputs={"x": 1})
            store, runner = engine.journal.store, engine.projections
            young = Archivist(store, runner, RetentionPolicy(older_than=3600.0, to=folder))
            assert await young.apply() == 0
            assert not folder.exists()
            old = Archivist(store, runner, RetentionPolicy(older_than=0.0, to=folder))
            assert await old.apply() == 1
            [file] = folder.iterdir()
            assert restore_archive(store, file).executions == (first.id,)
            gone = Archivist(store, runner, RetentionPolicy(older_than=0.0, discard=True))
            assert await gone.apply() == 1
            with pytest.raises(ExecutionArchivedError, match="can't be brought back"):
                await engine.get_graph_execution(first.id)

    asyncio.run(run())


def test_the_owner_applies_its_policy_by_itself(tmp_path: Path) -> None:
    async def run() -> None:
        here = World(Echo=pure(), Paid=pure())
        policy = RetentionPolicy(older_than=0.0, discard=True, every=0.05)
        async with here.open(f"sqlite:///{tmp_path}/s.db", retention=policy) as engine:
            run = await engine.add_graph_execution(
                (await engine.save_graph(chain(here), USER)).id, USER, {"x": 1}
            )
            async with asyncio.timeout(60):
                while True:
                    try:
                        await engine.get_graph_execution(run.id)
                    except ExecutionArchivedError:
                        return
                    await asyncio.sleep(0.01)

    asyncio.run(run())


@pytest.mark.parametrize("wrong", [{}, {"to": Path("x"), "discard": True}])
def test_a_policy_has_one_way_to_go(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not both"):
        RetentionPolicy(older_than=1.0, **wrong)


@pytest.fixture(autouse=True)
def logs_are_read(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    logger = logging.getLogger("actbook")
    before, logger.propagate = logger.propagate, True
    yield
    logger.propagate = before

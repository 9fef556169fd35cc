"""An engine keeps projections of its host up, which are read with SQL through a read-only connection."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from tests.projections.letters import Letters
from tests.projections.running import write

from actbook.engine import Engine
from actbook.journal import Journal
from actbook.projections import BUILT_IN, Executions, ProjectionDefinitionError, Runner


def test_an_engine_fills_the_projections_it_was_given(url: str) -> None:
    async def main() -> None:
        async with Engine.open(url, projections=(Letters,)) as engine:
            last = await write(engine.journal, "aab")
            await engine.projections.wait(last, timeout=60.0)
            with closing(engine.projections.connect()) as connection:
                rows = connection.execute("SELECT letter, count FROM letters ORDER BY letter").fetchall()
                assert rows == [("a", 2), ("b", 1)]
                with pytest.raises(sqlite3.OperationalError):
                    connection.execute("DELETE FROM letters")
            names = {status.name for status in await engine.projections.status()}
            assert names == {"letters"} | {projection.table.name for projection in BUILT_IN}

    asyncio.run(main())


def test_an_engine_without_the_class_leaves_its_table_and_the_next_goes_on(file_url: str) -> None:
    async def main() -> None:
        async with Engine.open(file_url, projections=(Letters,)) as engine:
            await engine.projections.wait(await write(engine.journal, "a"), timeout=60.0)
        async with Engine.open(file_url) as engine:
            await engine.projections.wait(await write(engine.journal, "b"), timeout=60.0)
        async with Engine.open(file_url, projections=(Letters,)) as engine:
            await engine.projections.wait(await engine.journal.last_position(), timeout=60.0)
            with closing(engine.projections.connect()) as connection:
                rows = connection.execute("SELECT letter FROM letters ORDER BY letter").fetchall()
        assert rows == [("a",), ("b",)]

    asyncio.run(main())


def test_two_projections_of_one_table_are_refused() -> None:
    async def main() -> None:
        journal = await Journal.open("memory:")
        with pytest.raises(ProjectionDefinitionError, match="executions"):
            Runner(journal, (*BUILT_IN, Executions))
        await journal.close()

    asyncio.run(main())

"""An event that a projection cannot process stands aside with what follows it in its stream; nothing else does."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest
from tests.projections.letters import Letters, LetterSeen
from tests.projections.running import counts, running, table, write

from actbook.events import Envelope
from actbook.projections import Column, Projection, Rows, Table, handles


def test_the_event_and_what_follows_it_in_its_stream_are_parked(url: str) -> None:
    async def main() -> None:
        Letters.broken.add("x")
        async with running(url) as (journal, runner):
            await write(journal, "abxab", "bad")
            await runner.wait(await write(journal, "ab", "good"))
            assert counts(journal) == {"a": 2, "b": 2}
            parked = await runner.parked("letters")
            assert [(each.stream_id, each.version, each.attempts) for each in parked] == [
                ("bad", 3, 2),
                ("bad", 4, 0),
                ("bad", 5, 0),
            ]
            assert parked[0].error == "ValueError: cannot read x"
            assert parked[0].topic == "letter.seen"
            (status,) = await runner.status()
            assert status.parked == 3
            await runner.wait(await write(journal, "a", "bad"))
            assert len(await runner.parked()) == 4

    asyncio.run(main())


def test_parked_events_can_be_replayed(url: str) -> None:
    async def main() -> None:
        Letters.broken.add("x")
        async with running(url) as (journal, runner):
            await write(journal, "xa", "one")
            await write(journal, "xb", "two")
            await runner.wait(await write(journal, "c", "three"))
            assert await runner.replay_parked("letters") == 0
            assert [each.attempts for each in await runner.parked()] == [3, 0, 3, 0]
            Letters.broken.clear()
            assert await runner.replay_parked("letters", "two") == 2
            assert counts(journal) == {"b": 1, "c": 1, "x": 1}
            assert await runner.replay_parked("letters") == 2
            assert await runner.parked() == []
            await runner.wait(await write(journal, "d", "one"))
            assert counts(journal) == {"a": 1, "b": 1, "c": 1, "d": 1, "x": 2}
            before = {row["letter"]: row["count"] for row in table(journal)}
            await runner.rebuild("letters")
            assert counts(journal) == before

    asyncio.run(main())


def test_parked_streams_stay_parked_after_a_restart(file_url: str) -> None:
    async def main() -> None:
        Letters.broken.add("x")
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "x"))
        Letters.broken.clear()
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "a"))
            assert counts(journal) == {}
            assert await runner.replay_parked("letters") == 2
            assert counts(journal) == {"x": 1, "a": 1}

    asyncio.run(main())


def test_a_rebuild_of_repaired_code_leaves_nothing_parked(url: str) -> None:
    async def main() -> None:
        Letters.broken.add("x")
        async with running(url) as (journal, runner):
            await runner.wait(await write(journal, "axa"))
            Letters.broken.clear()
            await runner.rebuild("letters")
            assert counts(journal) == {"a": 2, "x": 1}
            assert await runner.parked() == []

    asyncio.run(main())


class Odd(Projection):
    """Writes values that the database refuses for some letters, and wrong columns for others."""

    table: ClassVar[Table] = Table(
        "odd", "", (Column("letter", "TEXT", "", ""), Column("value", "INTEGER", "", 0)), ("letter",)
    )
    VALUES: ClassVar[dict[str, object]] = {"n": None, "d": {}, "h": 2**70, "s": "\ud800"}

    @handles(LetterSeen)
    def seen(self, event: Envelope, payload: LetterSeen, rows: Rows) -> None:
        rows[payload.letter] = {**self.table.blank(), "letter": payload.letter}
        if payload.letter == "c":
            rows[payload.letter]["color"] = 1
        rows[payload.letter]["value"] = self.VALUES.get(payload.letter, 1)


@pytest.mark.parametrize("letter", ["n", "d", "h", "s", "c"])
def test_values_that_the_database_refuses_park_their_event_only(url: str, letter: str) -> None:
    async def main() -> None:
        async with running(url, (Letters, Odd)) as (journal, runner):
            await runner.wait(await write(journal, f"ab{letter}", "bad"))
            await runner.wait(await write(journal, "e", "good"))
            assert [row["letter"] for row in table(journal, "odd")] == ["a", "b", "e"]
            assert [each.name for each in await runner.parked()] == ["odd"]
            assert counts(journal) == {"a": 1, "b": 1, letter: 1, "e": 1}

    asyncio.run(main())

"""An event that this version can't decode stands aside with what follows it in its stream; the views go on."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, ClassVar

import pytest
from tests.projections.letters import Letters, LetterSeen
from tests.projections.running import counts, table, write

from actbook.events import Append, Draft, Envelope, Event, topic
from actbook.events._topics import _TYPES
from actbook.journal import Journal, Row
from actbook.journal._codec import _decoders
from actbook.projections import Column, Projection, Rows, Runner, Table, handles


@topic("letter.later")
class LetterLater(Event, frozen=True):
    """Of a newer version, for most of these tests."""

    letter: str


class Later(Letters):
    """The same view as a newer version has it."""

    @handles(LetterLater)
    def later(self, event: Envelope, payload: LetterLater, rows: Rows) -> None:
        self.seen(event, LetterSeen(payload.letter), rows)


class Streams(Projection):
    """Asks for nothing but the topic that nobody can read."""

    table: ClassVar[Table] = Table("streams", "", (Column("id", "TEXT", "", ""),), ("id",))

    @handles(LetterLater)
    def later(self, event: Envelope, payload: LetterLater, rows: Rows) -> None:
        rows[event.stream_id] = {"id": event.stream_id}


def _forget(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(_TYPES, LetterLater.TOPIC)
    patch.delitem(_decoders, LetterLater.TOPIC, raising=False)


async def _later(journal: Journal, stream_id: str) -> None:
    await journal.append(Append(stream_id, None, [Draft(LetterLater("z"), 1)]))


def _damage(journal: Journal, position: int) -> None:
    store: Any = journal.store
    if hasattr(store, "path"):
        connection = sqlite3.connect(store.path)
        with connection:
            connection.execute("UPDATE events SET state=x'c1' WHERE position=?", (position,))
        connection.close()
    else:
        row: Row = store._log[position - 1]
        store._log[position - 1] = row._replace(state=b"\xc1")


async def _started(journal: Journal, *projections: type[Projection]) -> Runner:
    runner = Runner(journal, projections or (Letters,))
    await runner.start()
    return runner


def test_an_unknown_topic_parks_its_stream_until_a_version_knows_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        journal = await Journal.open(url)
        await write(journal, "ab", "bad")
        await _later(journal, "bad")
        await write(journal, "c", "bad")
        last = await write(journal, "abb", "good")
        with monkeypatch.context() as patch:
            _forget(patch)
            runner = await _started(journal, Later)
            await runner.wait(last)
            assert counts(journal) == {"a": 2, "b": 3}
            parked = await runner.parked("letters")
            assert [(each.stream_id, each.version, each.topic, each.attempts) for each in parked] == [
                ("bad", 3, "letter.later", 2),
                ("bad", 4, "letter.seen", 0),
            ]
            assert parked[0].error.startswith("UnknownTopicError: Unknown event topic 'letter.later'")
            assert await runner.replay_parked("letters") == 0
            assert [each.attempts for each in await runner.parked()] == [3, 0]
            (status,) = await runner.status()
            assert (status.state, status.parked, status.position) == ("running", 2, last)
        assert await runner.replay_parked("letters") == 2
        assert counts(journal) == {"a": 2, "b": 3, "c": 1, "z": 1}
        assert await runner.parked() == []
        await runner.close()
        await journal.close()

    asyncio.run(main())


def test_every_view_parks_what_may_be_for_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        journal = await Journal.open(url)
        await _later(journal, "one")
        last = await write(journal, "a", "two")
        _forget(monkeypatch)
        runner = await _started(journal, Letters, Streams)
        await runner.wait(last)
        assert [(each.name, each.stream_id) for each in await runner.parked()] == [
            ("letters", "one"),
            ("streams", "one"),
        ]
        await runner.close()
        await journal.close()

    asyncio.run(main())


def test_damaged_bytes_park_the_stream_in_the_views_that_want_the_topic(url: str) -> None:
    async def main() -> None:
        journal = await Journal.open(url)
        await write(journal, "abc", "bad")
        last = await write(journal, "abc", "good")
        _damage(journal, 2)
        runner = await _started(journal, Letters, Streams)
        await runner.wait(last)
        assert counts(journal) == {"a": 2, "b": 1, "c": 1}
        parked = await runner.parked()
        assert [(each.name, each.position, each.attempts) for each in parked] == [
            ("letters", 2, 2),
            ("letters", 3, 0),
        ]
        assert parked[0].error.startswith("UndecodableError: ")
        await runner.rebuild("letters")
        assert counts(journal) == {"a": 2, "b": 1, "c": 1}
        assert len(await runner.parked()) == 2
        await runner.close()
        await journal.close()

    asyncio.run(main())


def test_an_unknown_schema_version_parks_the_stream(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        journal = await Journal.open(url)
        await write(journal, "a", "bad")
        with monkeypatch.context() as patch:
            patch.setattr(LetterSeen, "SCHEMA_VERSION", 9)
            await write(journal, "b", "bad")
        last = await write(journal, "c", "good")
        runner = await _started(journal)
        await runner.wait(last)
        assert counts(journal) == {"a": 1, "c": 1}
        (parked,) = await runner.parked()
        assert parked.error.startswith("UpcastError: ")
        await runner.close()
        await journal.close()

    asyncio.run(main())


def test_the_lag_is_told_though_the_next_event_is_unreadable(url: str) -> None:
    async def main() -> None:
        journal = await Journal.open(url)
        await write(journal, "ab", "bad")
        _damage(journal, 1)
        runner = Runner(journal, (Letters,), active=False)
        await runner.start()
        (status,) = await runner.status()
        assert (status.lag.events, status.position) == (2, 0)
        assert table(journal) == []
        await runner.close()
        await journal.close()

    asyncio.run(main())

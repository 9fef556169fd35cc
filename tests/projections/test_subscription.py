"""Subscriptions with a filter: from history into live, once each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.projections.letters import LetterSeen
from tests.projections.recording import envelope
from tests.projections.running import write

from actbook.engine import Engine
from actbook.events import Draft, Envelope
from actbook.journal import Journal
from actbook.projections import EventFilter, subscribe


async def take(events: AsyncGenerator[Envelope, None], count: int) -> list[Envelope]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


@pytest.mark.parametrize("store", ["memory:", "sqlite:///{folder}/s.db"])
def test_history_goes_on_into_what_is_committed_meanwhile(
    store: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def follow() -> list[tuple[int, str]]:
        journal = await Journal.open(store.format(folder=tmp_path_factory.mktemp("store")))
        try:
            skipped = await write(journal, "ab", "mine")
            await write(journal, "cd", "mine")
            await write(journal, "xy", "other")
            async with aclosing(subscribe(journal, EventFilter(streams=("mine",)), skipped)) as events:
                got = await take(events, 1)
                await write(journal, "ef", "mine")
                got += await take(events, 3)
                waiting = asyncio.ensure_future(take(events, 1))
                await write(journal, "z", "other")
                await write(journal, "g", "mine")
                got += await waiting
            return [(each.position - skipped, each.payload.letter) for each in got]  # type: ignore[attr-defined]
        finally:
            await journal.close()

    assert asyncio.run(follow()) == [(1, "c"), (2, "d"), (5, "e"), (6, "f"), (8, "g")]


def test_an_engine_subscribes_and_ends_it_when_it_closes() -> None:
    async def follow() -> tuple[list[int], int]:
        async with Engine.open("memory:") as engine:
            await write(engine.journal, "abc")
            events = engine.subscribe(EventFilter(topics=("letter.seen",)), after=0)
            got = await take(events, 3)
            rest = asyncio.ensure_future(take_all(events))
        return [each.version for each in got], len(await rest)

    async def take_all(events: AsyncGenerator[Envelope, None]) -> list[Envelope]:
        return [event async for event in events]

    assert asyncio.run(follow()) == ([1, 2, 3], 0)


NAMES = st.sampled_from(["a", "b", "letter.seen", "u"])


@given(
    NAMES,
    st.lists(NAMES, max_size=2),
    st.lists(NAMES, max_size=2),
    st.one_of(st.just(""), NAMES),
    st.one_of(st.none(), NAMES),
)
def test_everything_asked_for_must_hold(
    stream: str, topics: list[str], streams: list[str], root: str, user: str | None
) -> None:
    event = envelope(Draft(LetterSeen("x"), 1), stream, 1, 1)
    wanted = EventFilter(topics=tuple(topics), streams=tuple(streams), root_id=root, user_id=user)
    refusals = [
        topics and "letter.seen" not in topics,
        streams and stream not in streams,
        root and root != stream,
        user not in (None, "u"),
    ]
    assert wanted.accepts(event) == (not any(refusals))

"""The asynchronous journal over every store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from tests.journal.factories import StoreFactory
from tests.journal.samples import append, counted, noted, texts, written

from actbook.events._envelope import Append, Appended, Envelope
from actbook.journal import (
    ConflictError,
    Journal,
    JournalClosedError,
    StoreIOError,
    UnencodableError,
    verify_chain,
)
from actbook.journal._plan import Outcome


def in_journal(factory: StoreFactory, work: Callable[[Journal], Awaitable[None]]) -> None:
    async def run() -> None:
        journal = await Journal.open(factory.url)
        try:
            await work(journal)
        finally:
            await journal.close()

    asyncio.run(run())


def test_append_and_read(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        assert await journal.append(append("s", 0, "1", "2", lifecycle="open")) == Appended(2, 2)
        with pytest.raises(ConflictError):
            await journal.append(append("s", 0, "x"))
        await journal.append(append("s", None, "3"))
        assert texts(await journal.read_stream("s", after=1)) == ["2", "3"]
        assert texts(await journal.read_log(after=1, limit=1)) == ["2"]
        assert (await journal.head("s"), await journal.last_position()) == (3, 3)
        assert await journal.unfinished() == ["s"]

    in_journal(factory, work)


def test_streams_are_read_together_and_one_that_fails_alone(
    factory: StoreFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(journal: Journal) -> None:
        await journal.append(append("a", 0, "1", "2"))
        await journal.append(append("b", 0, "3"))
        read, broken = journal.store.read_stream, StoreIOError("b", "broken")

        def reading(stream_id: str, after: int = 0, limit: int | None = None) -> list[Envelope]:
            if stream_id == "b":
                raise broken
            return read(stream_id, after, limit)

        first, second = await journal.read_streams([("a", 1), ("b", 0)])
        assert isinstance(first, list)
        assert isinstance(second, list)
        assert (texts(first), texts(second)) == (["2"], ["3"])
        monkeypatch.setattr(journal.store, "read_stream", reading)
        first, second = await journal.read_streams([("a", 0), ("b", 0)])
        assert isinstance(first, list)
        assert texts(first) == ["1", "2"]
        assert second is broken

    in_journal(factory, work)


def test_snapshots(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        await journal.put_snapshot("s", 5, b"state", b"hash")
        snapshot = await journal.latest_snapshot("s")
        assert snapshot == ("s", 5, b"state", b"hash")
        assert await journal.latest_snapshot("s", at_most=4) is None
        assert await journal.drop_snapshots("s") == 1

    in_journal(factory, work)


def test_answers_come_in_submission_order_on_the_loop(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        loop_thread = threading.get_ident()
        answered: list[tuple[int, bool]] = []
        finished = asyncio.get_running_loop().create_future()

        def done(number: int) -> Callable[[Outcome], None]:
            def answer(outcome: Outcome) -> None:
                written(outcome)
                answered.append((number, threading.get_ident() == loop_thread))
                if number == 499:
                    finished.set_result(None)

            return answer

        for number in range(500):
            journal.submit(
                append(f"s-{number % 10}", number // 10, f"{number}"), done(number), lead=number % 3 == 0
            )
            if number % 50 == 0:
                await asyncio.sleep(0)
        await finished
        assert answered == [(number, True) for number in range(500)]

    in_journal(factory, work)


def test_a_leader_is_answered_before_submit_returns(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        answers: list[Outcome] = []
        if not journal.store.can_lead:
            journal.submit(append("s", 0, "1"), answers.append, lead=True)
            assert answers == []
            return
        journal.submit(append("s", 0, "1"), answers.append, lead=True)
        assert answers == [Appended(1, 1)]
        journal.submit(append("s", 0, "x"), answers.append, lead=True)
        assert isinstance(answers[1], ConflictError)

    in_journal(factory, work)


def test_a_chain_of_leaders_neither_recurses_nor_starves_the_loop(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        finished = asyncio.get_running_loop().create_future()
        turns_between = 0

        def done(outcome: Outcome) -> None:
            version = written(outcome).version
            if version == 600:
                finished.set_result(None)
            else:
                journal.submit(append("s", version, "next"), done, lead=True)

        async def count_turns() -> None:
            nonlocal turns_between
            while not finished.done():
                turns_between += 1
                await asyncio.sleep(0)

        journal.submit(append("s", 0, "first"), done, lead=True)
        await asyncio.gather(finished, count_turns())
        assert turns_between >= 500
        assert await journal.head("s") == 600

    in_journal(factory, work)


def test_what_is_submitted_behind_a_deferred_leader_stays_behind(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        order: list[str] = []
        finished = asyncio.get_running_loop().create_future()

        def first(outcome: Outcome) -> None:
            journal.submit(append("s", 1, "2"), lambda o: order.append("2"), lead=True)
            journal.submit(append("s", 2, "3"), lambda o: order.append("3"), lead=True)
            journal.submit(append("s", 3, "4"), finished.set_result)

        journal.submit(append("s", 0, "1"), first, lead=True)
        assert written(await finished).version == 4
        assert order == ["2", "3"]
        assert texts(await journal.read_stream("s")) == ["1", "2", "3", "4"]

    in_journal(factory, work)


def test_a_callback_that_raises_harms_nobody(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        reported: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        error = RuntimeError("mine")

        def done(outcome: Outcome) -> None:
            raise error

        def listener(position: int) -> None:
            raise error

        journal.on_commit(listener)
        journal.submit(append("s", 0, "1"), done)
        await journal.append(append("s", 1, "2"))
        assert reported.count(error) >= 2

    in_journal(factory, work)


def test_a_value_that_cannot_be_encoded_is_refused_at_once(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        with pytest.raises(UnencodableError):
            journal.submit(append("s", 0, noted("x", object())), lambda outcome: None)
        with pytest.raises(UnencodableError):
            await journal.append(append("s", 0, noted("x", object())))
        assert await journal.append(append("s", 0, "1")) == Appended(1, 1)

    in_journal(factory, work)


def test_listeners_hear_positions_and_events(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        positions: list[int] = []
        events: list[Envelope] = []
        await journal.append(append("s", 0, "before anybody listened"))
        deaf = journal.on_recorded(lambda envelopes: events.extend(envelopes))
        remove = journal.on_commit(positions.append)
        companions = append("s", 1, noted("1", {"k": 1}), "2", also=(append("inbox", None, counted(3)),))
        await asyncio.gather(journal.append(companions), journal.append(append("t", 0, "4")))
        await journal.append(append("t", 1, "5"))
        assert positions[-1] == 6
        assert positions == sorted(set(positions))
        assert events == await journal.read_log(after=1)
        remove()
        deaf()
        await journal.append(append("t", 2, "unheard"))
        assert positions[-1] == 6
        assert len(events) == 5

    in_journal(factory, work)


def test_failed_appends_are_not_announced(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        positions: list[int] = []
        events: list[Envelope] = []
        journal.on_commit(positions.append)
        journal.on_recorded(events.extend)
        with pytest.raises(ConflictError):
            await journal.append(append("s", 7, "x"))
        journal.submit(append("s", 7, "x"), lambda outcome: None, lead=True)
        assert (positions, events) == ([], [])

    in_journal(factory, work)


def test_every_commit_rings(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        rings: list[int] = []
        journal.ring = lambda: rings.append(threading.get_ident())
        if journal.store.can_lead:
            journal.submit(append("s", 0, "1"), lambda outcome: None, lead=True)
            assert rings == [threading.get_ident()]
        else:
            await journal.append(append("s", 0, "1"))
        await journal.append(append("s", 1, "2"))
        assert len(rings) == 2
        assert rings[1] != threading.get_ident()
        with pytest.raises(ConflictError):
            await journal.append(append("s", 1, "x"))
        assert len(rings) == 2

    in_journal(factory, work)


def test_hearing_of_other_processes(shared: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        positions: list[int] = []
        journal.on_commit(positions.append)
        await journal.heard()
        assert positions == []
        other = shared.open()
        other.write([append("s", 0, "1", "2")])
        await journal.heard()
        await journal.heard()
        assert positions == [2]
        other.close()

    in_journal(shared, work)


def test_a_subscription_goes_from_history_to_live(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        for number in range(1203):
            journal.submit(append("s", None, counted(number)), lambda outcome: None)
        subscription = journal.subscribe(after=3)
        seen = [(await anext(subscription)).position for _ in range(700)]
        for number in range(300):
            journal.submit(append("t", None, counted(number)), lambda outcome: None)
        seen += [(await anext(subscription)).position for _ in range(800)]
        waiting = asyncio.ensure_future(anext(subscription))
        await journal.append(append("u", 0, "live"))
        seen.append((await waiting).position)
        assert seen == list(range(4, 1505))
        await subscription.aclose()

    in_journal(factory, work)


def test_a_subscription_to_topics_passes_over_the_rest(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        subscription = journal.subscribe(topics=["test.counted"])
        await journal.append(append("s", 0, "no", counted(1), "no"))
        assert (await anext(subscription)).position == 2
        waiting = asyncio.ensure_future(anext(subscription))
        await journal.append(append("s", 3, "no"))
        await journal.append(append("s", 4, counted(2)))
        assert (await waiting).position == 5
        await subscription.aclose()

    in_journal(factory, work)


def test_subscribers_miss_nothing_while_many_write(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        async def follow() -> list[int]:
            positions = []
            async for envelope in journal.subscribe():
                positions.append(envelope.position)
                if len(positions) == 400:
                    break
            return positions

        async def write(stream: str) -> None:
            for version in range(40):
                await journal.append(append(stream, version, "x"))

        followers = [asyncio.ensure_future(follow()) for _ in range(3)]
        await asyncio.gather(*(write(f"s-{n}") for n in range(10)))
        assert await asyncio.gather(*followers) == [list(range(1, 401))] * 3

    in_journal(factory, work)


def test_closing_ends_subscriptions_and_refuses_more(factory: StoreFactory) -> None:
    async def run() -> None:
        journal = await Journal.open(factory.url)
        subscription = journal.subscribe()
        waiting = asyncio.ensure_future(anext(subscription, None))
        await asyncio.sleep(0)
        await journal.close()
        await journal.close()
        assert await waiting is None
        with pytest.raises(JournalClosedError):
            await journal.append(append("s", 0, "x"))
        with pytest.raises(JournalClosedError):
            await journal.read_log()

    asyncio.run(run())


def test_closing_writes_and_answers_what_is_queued(factory: StoreFactory) -> None:
    async def run() -> None:
        journal = await Journal.open(factory.url)
        answers: list[Outcome] = []
        for number in range(5000):
            journal.submit(append("s", number, "x"), answers.append)
        store = journal.store
        await journal.close()
        assert [written(answer).version for answer in answers] == list(range(1, 5001))
        assert not [t for t in threading.enumerate() if t.name.startswith("actbook-journal")]
        if factory.is_shared:
            store = factory.open()
            assert store.head("s") == 5000
            assert verify_chain(store.read_rows("s")) == []
            store.close()

    asyncio.run(run())


def test_cancelling_an_appender_does_not_take_the_append_back(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        task = asyncio.ensure_future(journal.append(append("s", 0, "1")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await journal.append(append("s", 1, "2")) == Appended(2, 2)

    in_journal(factory, work)


def test_back_pressure_holds_appenders_until_there_is_room(
    factory: StoreFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actbook.journal._commits.MAX_WAITING", 8)

    async def work(journal: Journal) -> None:
        most = 0

        async def write(stream: str) -> None:
            nonlocal most
            for version in range(5):
                await journal.append(append(stream, version, "x"))
                most = max(most, journal._commits._waiting)

        await asyncio.gather(*(write(f"s-{n}") for n in range(40)))
        assert most <= 8
        for number in range(9):
            journal.submit(append("t", number, "x"), lambda outcome: None)
        assert journal.is_full
        await journal.room()
        assert not journal.is_full

    in_journal(factory, work)


def test_concurrent_writers_to_one_inbox_all_get_a_version(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        answers = await asyncio.gather(*(journal.append(append("inbox", None, f"{n}")) for n in range(200)))
        assert [answer.version for answer in answers] == list(range(1, 201))
        assert texts(await journal.read_stream("inbox")) == [f"{n}" for n in range(200)]

    in_journal(factory, work)


def test_racing_owners_of_one_stream_never_share_a_version(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        won: list[int] = []
        lost: list[int] = []

        async def own(name: str) -> None:
            for _ in range(30):
                head = await journal.head("s")
                try:
                    won.append((await journal.append(append("s", head, name))).version)
                except ConflictError:
                    lost.append(head)

        await asyncio.gather(*(own(f"{n}") for n in range(5)))
        assert len(won) + len(lost) == 150
        assert sorted(won) == list(range(1, len(won) + 1))
        assert await journal.head("s") == len(won)

    in_journal(factory, work)


def test_payloads_may_change_after_submitting(factory: StoreFactory) -> None:
    async def work(journal: Journal) -> None:
        data = {"k": 1}
        waiting = asyncio.ensure_future(journal.append(append("s", 0, noted("x", data))))
        await asyncio.sleep(0)
        data["k"] = 2
        await waiting
        (envelope,) = await journal.read_stream("s")
        assert envelope.payload == noted("x", {"k": 1}).payload

    in_journal(factory, work)


def test_an_append_is_one_event_loop_turn_of_work_for_many_streams(factory: StoreFactory) -> None:
    """Independent appends of one turn share transactions: far fewer announcements than appends."""

    async def work(journal: Journal) -> None:
        batches: list[int] = []
        journal.on_commit(batches.append)
        appends: list[Append] = [append(f"s-{n}", 0, "x") for n in range(1000)]
        await asyncio.gather(*map(journal.append, appends))
        assert batches[-1] == 1000
        assert len(batches) < 100

    in_journal(factory, work)

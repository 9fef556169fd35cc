"""The relay and the consumer on a real JetStream; every trap of the client has a test."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import nats
import pytest
from tests.bridge.nats_kit import (
    LONG,
    caught_up,
    check_whole,
    drafts,
    fill,
    journal_at,
    relaying,
    stored,
    tenant,
)
from tests.services import nats as service

from actbook.bridge import BusUnavailableError, Ledger, RefusedError, Relay
from actbook.bridge._nats_connection import Connection, ensure_stream
from actbook.bridge.nats import BusConfig, BusEvent, NatsPublisher, bus_config, consume
from actbook.events import Append, Draft, WarningRecorded
from actbook.journal import Journal


def config_at(url: str, **query: object) -> tuple[str, BusConfig]:
    given = {"tenant": tenant(), **query}
    full = f"{url}?" + "&".join(f"{name}={value}" for name, value in given.items())
    return full, bus_config(full)


def relay_to(journal: Journal, config: BusConfig) -> Relay:
    return Relay(journal, NatsPublisher(config), name="nats")


def test_every_event_is_in_jetstream_once_and_in_stream_order(nats_url: str, tmp_path: Path) -> None:
    async def main() -> None:
        _, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 10, 10)
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
                await fill(journal, 10, 2)
                await caught_up(relay, journal)
        check_whole(await stored(config), 120)

    asyncio.run(main())


def test_a_repeated_event_is_stored_once(nats_url: str, tmp_path: Path) -> None:
    async def main() -> None:
        _, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 1, 2)
            publisher = NatsPublisher(config)
            for event in [*await journal.read_log(), *await journal.read_log()]:
                await publisher.publish(event)
            await publisher.close()
        check_whole(await stored(config), 2)

    asyncio.run(main())


def test_nothing_is_published_again_that_the_bus_has_though_its_window_is_over(
    nats_url: str, tmp_path: Path
) -> None:
    """As after a crash before the position was recorded, longer ago than JetStream knows ids."""

    async def main() -> None:
        _, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 3, 3)
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
            client = await nats.connect(list(config.servers))
            jetstream = client.jetstream()
            info = await jetstream.stream_info(config.stream_name)
            await jetstream.update_stream(info.config, duplicate_window=0.1)
            await asyncio.sleep(0.3)  # what is tested is that time has passed
            ledger = Ledger(journal.store)
            ledger.rewind("nats", 0)
            ledger.close()
            await fill(journal, 3, 1)
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
                assert (await relay.status()).repeated == 9
            await client.close()
        check_whole(await stored(config), 12)

    asyncio.run(main())


def test_the_stream_is_made_and_kept_with_a_window_of_half_an_hour_or_more(nats_url: str) -> None:
    async def main() -> None:
        full, config = config_at(nats_url)
        client = await nats.connect(list(config.servers))
        jetstream = client.jetstream()
        for each, age in (
            (config, 7 * 86_400),
            (bus_config(full + "&max_age=7200&duplicate_window=3600"), 7200),
        ):
            await ensure_stream(jetstream, each)
            await ensure_stream(jetstream, each)
            kept = (await jetstream.stream_info(each.stream_name)).config
            assert kept.subjects == [f"actbook.events.{each.tenant}.>"]
            assert (kept.max_age, kept.duplicate_window) == (age, each.duplicate_window)
            assert kept.duplicate_window is not None
            assert kept.duplicate_window >= 1800
        await client.close()

    asyncio.run(main())


def test_what_the_server_would_cut_the_connection_for_is_refused_here(nats_url: str, tmp_path: Path) -> None:
    """Headers count too: a body just below the limit is over it with them."""

    async def main() -> None:
        _, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 1, 1)
            await journal.append(Append("big", 0, [Draft(WarningRecorded("x" * 2_000_000), 1)], "u"))
            await journal.append(Append("big", None, drafts(1), "u"))
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
                assert (await relay.status()).set_aside == 1
            [small, big, _] = await journal.read_log()
            publisher = NatsPublisher(config)
            await publisher.publish(small)
            with pytest.raises(RefusedError, match="bytes"):
                await publisher.publish(big)
            limit = publisher._connection.max_payload
            rest = len(_body_of(small)) - 2
            text = "x" * (limit - rest - 20)
            await journal.append(Append("edge", 0, [Draft(WarningRecorded(text), 1)], "u"))
            edge = (await journal.read_stream("edge"))[0]
            assert limit - 200 < len(_body_of(edge)) <= limit
            with pytest.raises(RefusedError):
                await publisher.publish(edge)
            await publisher.publish(small)
            await publisher.close()
        assert sorted(each[1:] for each in await stored(config)) == [("big", 2), ("s0", 1)]

    asyncio.run(main())


def _body_of(event: object) -> bytes:
    from actbook.bridge._nats_message import headers_and_body
    from actbook.events import Envelope

    assert isinstance(event, Envelope)
    return headers_and_body(event)[1]


def test_a_bus_that_is_not_there_is_told_of_and_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actbook.bridge._nats_connection._CONNECT", 0.5)

    async def main() -> None:
        with service.private() as server:
            config = bus_config(f"{server.url}?tenant=later&timeout=1")
            server.kill()
            async with journal_at(tmp_path / "store.db") as journal:
                await fill(journal, 2, 3)
                publisher = NatsPublisher(config)
                with pytest.raises(BusUnavailableError):
                    await publisher.last_version("s0")
                async with relaying(Relay(journal, publisher, name="nats")) as relay:
                    await asyncio.to_thread(server.start)
                    await caught_up(relay, journal)
            check_whole(await stored(config), 6)

    asyncio.run(main())


def test_the_connection_never_gives_up_and_its_callbacks_can_be_awaited(nats_url: str) -> None:
    async def main() -> None:
        _, config = config_at(nats_url)
        connection = Connection(config, "test")
        await connection.jetstream()
        client = connection._client
        assert client is not None
        assert client.options["max_reconnect_attempts"] == -1
        assert inspect.iscoroutinefunction(client._error_cb)
        await connection.close()

    asyncio.run(main())


def test_futures_of_the_client_that_may_never_resolve_are_not_used() -> None:
    import actbook.bridge.nats as door

    folder = Path(door.__file__).parent
    assert not [path for path in folder.glob("*nats*.py") if ".publish_async(" in path.read_text("utf-8")]


def test_a_consumer_gets_every_event_once_and_goes_on_where_it_was(nats_url: str, tmp_path: Path) -> None:
    async def main() -> None:
        url, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 4, 5)
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
        first, second = await _take(url, 12), await _take(url, 9)
        # The last one of the first call was not acknowledged before it left.
        assert second[0].id == first[-1].id
        assert second[0].deliveries == 2
        assert len({event.id for event in first + second}) == 20
        heads: dict[str, int] = {}
        for event in first[:-1] + second:
            assert event.version == heads.get(event.stream_id, 0) + 1
            heads[event.stream_id] = event.version
        assert all(isinstance(event.payload, WarningRecorded) for event in first + second)

    asyncio.run(main())


async def _take(url: str, count: int, topics: Sequence[str] = ()) -> list[BusEvent]:
    found: list[BusEvent] = []
    async with asyncio.timeout(LONG), aclosing(consume(url, "listener", topics=topics, batch=5)) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


def test_a_consumer_sees_only_the_topics_it_asks_for(nats_url: str, tmp_path: Path) -> None:
    from actbook.events import CancelRequested

    async def main() -> None:
        url, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 1, 2)
            await journal.append(Append("inbox:7", None, [Draft(CancelRequested("u", "", True), 1)], "u"))
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
        [found] = await _take(url, 1, topics=["cancel.*"])
        assert found.payload == CancelRequested("u", "", True)
        assert found.stream_id == "inbox:7"

    asyncio.run(main())


def test_the_bus_is_killed_and_comes_back_while_events_flow(tmp_path: Path) -> None:
    """5,000 events; every one is there once and in order, and a consumer gets each of them."""

    async def main() -> None:
        with service.private() as server:
            url = f"{server.url}?tenant=fault&timeout=2"
            config = bus_config(url)
            async with (
                journal_at(tmp_path / "store.db") as journal,
                relaying(relay_to(journal, config)) as relay,
            ):
                writing = asyncio.ensure_future(_write(journal, 50, 100))
                for share in (0.15, 0.5):
                    await relay.wait(int(5000 * share), LONG)
                    server.kill()
                    await asyncio.to_thread(server.start)
                await writing
                listened = await _listen(url, 5000)
                await caught_up(relay, journal)
            check_whole(await stored(config), 5000)
            assert len(listened) == 5000

    asyncio.run(main())


async def _write(journal: Journal, streams: int, each: int) -> None:
    for _ in range(each):
        appends = (journal.append(Append(f"s{n}", None, drafts(1), "u")) for n in range(streams))
        await asyncio.gather(*appends)


async def _listen(url: str, count: int) -> set[str]:
    ids: set[str] = set()
    async with asyncio.timeout(LONG), aclosing(consume(url, "all")) as events:
        async for event in events:
            ids.add(event.id)
            if len(ids) == count:
                break
    return ids


def test_figures(nats_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Events per second into JetStream beside the client's limit: told, not judged."""

    async def main() -> tuple[float, float]:
        _, config = config_at(nats_url)
        async with journal_at(tmp_path / "store.db") as journal:
            await asyncio.gather(*(journal.append(Append(f"s{n}", 0, drafts(20), "u")) for n in range(200)))
            begin = time.perf_counter()
            async with relaying(relay_to(journal, config)) as relay:
                await caught_up(relay, journal)
            relayed = 4000 / (time.perf_counter() - begin)
        return relayed, await _bare(config, 4000)

    relayed, bare = asyncio.run(main())
    with capsys.disabled():
        print(f"\nJetStream: relay {relayed:,.0f} events/s, client alone {bare:,.0f}/s")
    assert relayed > 0


async def _bare(config: BusConfig, count: int) -> float:
    client = await nats.connect(list(config.servers))
    jetstream, todo = client.jetstream(), iter(range(count))

    async def work() -> None:
        for number in todo:
            subject = f"actbook.events.{config.tenant}.bare.warning.recorded"
            await jetstream.publish(subject, b"x" * 400, headers={"Nats-Msg-Id": f"bare{number}"})

    begin = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(config.in_flight)))
    rate = count / (time.perf_counter() - begin)
    await client.close()
    return rate

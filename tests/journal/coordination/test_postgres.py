"""Processes on one PostgreSQL journal: workers, who leads them, bells, leases, and what a dismissed one may do."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from tests.journal.samples import append, child_environment, failed, written
from tests.services import postgres
from tests.services.proxy import Proxy

from actbook.journal import CoordinationError, StoreFencedError, _postgres_coordinator, coordinator_for
from actbook.journal._plan import Outcome
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_coordinator import PostgresCoordinator
from actbook.journal._postgres_link import Connection

PATIENCE = 60.0


class Member:
    """A process's part, played in this one."""

    def __init__(self, url: str, name: str, candidate: bool, lease: float = 60.0) -> None:
        self.store = PostgresStore(url, patience=0.5)
        coordinator = coordinator_for(self.store, name, candidate, lease)
        assert isinstance(coordinator, PostgresCoordinator)
        self.coordinator = coordinator
        self.bells = 0
        self.elections = 0
        self.changes = 0
        self._changed = asyncio.Event()

    async def start(self) -> None:
        await self.coordinator.start(self._rung, self._chosen, self._told)
        # The bell that everybody hears at the beginning.
        await self.until(lambda: self.bells > 0)
        self.bells = 0

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def write(self, stream: str, **more: Any) -> Outcome:
        (outcome,) = await asyncio.to_thread(self.store.write, [append(stream, None, "x", **more)])
        return outcome

    async def claims(self) -> list[str]:
        return [stream for stream, _ in await asyncio.to_thread(self.store.claim, 100)]

    def _rung(self) -> None:
        self.bells += 1
        self._changed.set()

    def _told(self) -> None:
        self.changes += 1
        self._changed.set()

    def _chosen(self) -> None:
        self.elections += 1
        self._changed.set()


@asynccontextmanager
async def member(
    url: str, name: str = "w", candidate: bool = True, lease: float = 60.0
) -> AsyncIterator[Member]:
    made = Member(url, name, candidate, lease)
    try:
        await made.start()
        yield made
    finally:
        await made.coordinator.close()
        made.store.close()


def test_one_leads_and_everybody_hears_of_every_commit_but_their_own(postgres_url: str) -> None:
    async def run() -> None:
        async with (
            member(postgres_url, "first") as first,
            member(postgres_url, "second") as second,
            member(postgres_url, "reader", candidate=False) as reader,
        ):
            assert [m.coordinator.is_owner for m in (first, second, reader)] == [True, True, False]
            assert [m.coordinator.leads for m in (first, second, reader)] == [True, False, False]
            for each in (first, second, reader):
                assert each.coordinator.owner is not None
                assert (each.coordinator.owner.worker_id, each.coordinator.owner.pid) == (
                    "first",
                    os.getpid(),
                )
            written(await first.write("s"))
            await second.until(lambda: second.bells > 0)
            await reader.until(lambda: reader.bells > 0)
            written(await second.write("s"))
            await first.until(lambda: first.bells > 0)
            assert first.elections == 1

    asyncio.run(run())


def test_who_misses_a_notification_looks_after_a_while(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notifications only wake up: nothing depends on them but time."""

    async def run() -> None:
        async with (
            member(postgres_url, "deaf", candidate=False) as deaf,
            member(postgres_url, "other") as other,
        ):
            written(await other.write("s"))
            await deaf.until(lambda: deaf.bells > 0)

    monkeypatch.setattr(_postgres_coordinator, "POLL", 0.05)
    monkeypatch.setattr(PostgresCoordinator, "_heard", lambda self: (False, False))
    asyncio.run(run())


def test_notifications_that_arrive_during_a_query_are_heard(postgres_url: str) -> None:
    async def run() -> None:
        async with member(postgres_url, "deaf", candidate=False) as deaf:
            other = PostgresStore(postgres_url)
            looking = deaf.coordinator._look

            def slowly(connection: Connection) -> bool:
                other.write([append("s", None, "x")])
                connection.execute("SELECT pg_sleep(0.01)")
                return looking(connection)

            deaf.coordinator._look = slowly  # type: ignore[method-assign]
            other.query(other.names.sql("SELECT pg_notify('{channel}', 'owner')"))
            await deaf.until(lambda: deaf.bells > 0)
            other.close()

    asyncio.run(run())


def test_the_next_one_leads_when_the_leader_lets_go(postgres_url: str) -> None:
    async def run() -> None:
        async with member(postgres_url, "second", candidate=False) as reader:
            async with member(postgres_url, "first") as first:
                assert first.coordinator.leads
            async with member(postgres_url, "second") as second:
                assert second.coordinator.leads
                assert second.store.fence == 2
                async with member(postgres_url, "third") as third:
                    await second.coordinator.close()
                    await third.until(lambda: third.coordinator.leads)
                    assert third.elections == 1
            assert not reader.coordinator.is_owner

    asyncio.run(run())


def test_of_many_that_start_at_once_one_leads(postgres_url: str) -> None:
    async def run() -> None:
        members = [Member(postgres_url, f"w-{number}", True) for number in range(6)]
        await asyncio.gather(*(each.start() for each in members))
        assert all(each.coordinator.is_owner for each in members)
        assert sum(each.coordinator.leads for each in members) == 1
        for each in members:
            await each.coordinator.close()
            each.store.close()

    asyncio.run(run())


def test_a_worker_whose_lease_holds_goes_on_after_a_lost_connection(postgres_url: str) -> None:
    async def run() -> None:
        proxy = Proxy(postgres_url)
        async with (
            member(proxy.url, "owner") as owner,
            member(postgres_url, "reader", candidate=False) as other,
        ):
            proxy.cut()
            written(await other.write("s"))
            proxy.is_open = True
            await owner.until(lambda: owner.bells > 0)
            assert owner.coordinator.is_owner
            written(await owner.write("s"))
            before = owner.bells
            written(await other.write("s"))
            await owner.until(lambda: owner.bells > before)
            assert owner.store.fence == 1
            assert owner.elections == 1
        proxy.close()

    asyncio.run(run())


def test_a_worker_without_connection_for_too_long_is_dismissed_and_comes_back_as_another(
    postgres_url: str,
) -> None:
    async def run() -> None:
        proxy = Proxy(postgres_url)
        async with member(proxy.url, "old", lease=2.0) as old, member(postgres_url, "new", lease=2.0) as new:
            assert old.coordinator.leads
            written(await old.write("mine", lifecycle="open", claim=True))
            assert await new.claims() == []
            proxy.cut()
            await new.until(lambda: new.coordinator.leads)
            before = new.changes
            while not (claimed := await new.claims()):
                await new.until(lambda: new.changes > before)
            assert claimed == ["mine"]
            proxy.is_open = True
            assert isinstance(failed(await old.write("s")), StoreFencedError)
            await old.until(lambda: not old.coordinator.is_owner)
            assert old.coordinator.owner is not None
            assert old.coordinator.owner.worker_id == "new"
            assert isinstance(failed(await old.write("s")), StoreFencedError)
            written(await new.write("s"))
            old.coordinator.rejoin("old again")
            await old.until(lambda: old.elections == 2)
            written(await old.write("s"))
            assert await old.claims() == []
            await new.coordinator.close()
            await old.until(lambda: old.coordinator.leads)
            assert await old.claims() == ["mine"]
            assert old.coordinator.owner.worker_id == "old again"
        proxy.close()

    asyncio.run(run())


def test_while_the_event_loop_stands_no_lease_is_renewed(postgres_url: str) -> None:
    async def run() -> None:
        async with member(postgres_url, "stuck", lease=1.0) as stuck:
            other = PostgresStore(postgres_url)
            seconds = "SELECT extract(epoch FROM clock_timestamp() - renewed_at) FROM {schema}.workers"
            (first,) = other.query(other.names.sql(seconds))
            while other.query(other.names.sql(seconds))[0][0] < 2.0:
                pass
            await stuck.until(lambda: bool(stuck.changes) or stuck.coordinator.is_owner)
            other.close()
            assert first[0] < 1.0

    asyncio.run(run())

    asyncio.run(run())


def test_nobody_coordinates_at_a_server_that_is_gone() -> None:
    async def run() -> None:
        with postgres.private_server() as server:
            store = PostgresStore(server.url, patience=0.2)
            server.kill()
            coordinator = PostgresCoordinator(store, "w")
            with pytest.raises(CoordinationError) as raised:
                await coordinator.start(lambda: None, lambda: None)
            assert postgres.PASSWORD not in str(raised.value)
            await coordinator.close()
            store.close()

    asyncio.run(run())


FORKING = """
import asyncio, os, sys
from actbook.journal._plan import Outcome
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_coordinator import PostgresCoordinator
from actbook.journal._postgres_link import Connection

async def main():
    coordinator = PostgresCoordinator(PostgresStore(sys.argv[1]), "forking")
    await coordinator.start(lambda: None, lambda: None)
    assert coordinator.is_owner
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    print("forked", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_forked_child_does_not_keep_its_parents_leadership_alive(postgres_url: str) -> None:
    async def run() -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-c", FORKING, postgres_url),
            env=child_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        assert await process.stdout.readline() == b"forked\n"
        async with member(postgres_url, "heir") as heir:
            assert not heir.coordinator.leads
            os.kill(process.pid, signal.SIGKILL)
            await heir.until(lambda: heir.coordinator.leads)
        process.stdin.close()
        await process.stdout.read()  # to its end: that of the child
        await process.wait()

    asyncio.run(run())


def test_an_idle_member_holds_no_transaction_open(postgres_url: str) -> None:
    """It would keep the server from clearing away dead rows."""

    async def run() -> None:
        async with member(postgres_url, "owner"), member(postgres_url, "heir"):
            with psycopg.connect(postgres_url.partition("?")[0]) as connection:
                states = connection.execute(
                    "SELECT DISTINCT state FROM pg_stat_activity WHERE application_name='actbook'"
                    " AND datname=current_database() AND pid<>pg_backend_pid()"
                ).fetchall()
            assert states == [("idle",)]

    asyncio.run(run())

"""Whatever a coordinator is doing, closing it leaves nothing behind and lets the next one in."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.journal.coordination.ear import Ear, listening, open_descriptors, quiet

from actbook.journal._coordination import Coordinator, FileCoordinator, LocalCoordinator


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def names(journal: Path) -> set[str]:
    return {path.name for path in journal.parent.iterdir()}


def test_closing_in_any_place_leaves_no_descriptor_and_no_socket(journal: Path) -> None:
    async def scenario() -> None:
        await Ear(journal).coordinator.close()
        before = open_descriptors()
        async with listening(journal, candidate=False), listening(journal, candidate=False):
            assert len(names(journal)) == 2
        assert open_descriptors() == before
        assert names(journal) == set()
        async with listening(journal), listening(journal), listening(journal, candidate=False):
            assert names(journal) == {"runs.db-owner", "runs.db-bell"}
        await quiet()
        assert open_descriptors() == before
        assert names(journal) == {"runs.db-owner"}

    asyncio.run(scenario())


def test_closing_twice_is_closing_once(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as ear:
            await ear.coordinator.close()
            assert not ear.coordinator.is_owner
            assert ear.coordinator.owner is None

    asyncio.run(scenario())


def test_no_callback_comes_after_close(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as owner, listening(journal) as other:
            assert owner.coordinator.is_owner
            assert owner.ownerships == other.bells == 0
        await quiet()
        assert owner.ownerships == other.bells == other.ownerships == 0

    asyncio.run(scenario())


def test_two_coordinators_of_one_process_hand_over_like_two_processes(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as first, listening(journal) as second:
            await first.until_owner()
            assert not second.coordinator.is_owner
            assert second.coordinator.owner == first.coordinator.owner
            first.coordinator.ring()
            await second.until_bell()
            await first.coordinator.close()
            await second.until_owner()

    asyncio.run(scenario())


def test_rings_before_start_and_after_close_do_nothing(journal: Path) -> None:
    async def scenario() -> FileCoordinator:
        ear = Ear(journal, candidate=False)
        ear.coordinator.ring()
        await ear.start()
        await ear.coordinator.close()
        ear.coordinator.ring()
        return ear.coordinator

    asyncio.run(scenario()).ring()


def test_rings_that_nobody_took_in_yet_are_heard_once(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as owner, listening(journal) as other:
            await quiet()
            heard = other.bells
            for _ in range(1000):
                owner.coordinator.ring()
            await other.until_bell()
            await quiet()
            assert other.bells == heard + 1

    asyncio.run(scenario())


def test_bells_of_several_at_once_are_told_once(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as owner, listening(journal) as one, listening(journal) as other:
            await quiet()
            heard = owner.bells
            one.coordinator.ring()
            other.coordinator.ring()
            await owner.until_bell()
            await quiet()
            assert owner.bells == heard + 1

    asyncio.run(scenario())


def test_a_ring_right_before_close_is_heard_even_without_an_owner(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal, candidate=False) as guest:
            async with listening(journal, candidate=False) as writer:
                writer.coordinator.ring()
            await guest.until_bell()

    asyncio.run(scenario())


def test_a_thread_may_ring_while_others_come_and_go(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as owner:
            over = threading.Event()
            failures: list[BaseException] = []

            def ring() -> None:
                try:
                    while not over.is_set():
                        owner.coordinator.ring()
                except BaseException as error:
                    failures.append(error)

            thread = threading.Thread(target=ring)
            thread.start()
            for _ in range(50):
                async with listening(journal, candidate=False) as guest:
                    await guest.until_bell()  # having found the owner
                    await guest.until_bell()
            over.set()
            thread.join()
            assert failures == []

    asyncio.run(scenario())


def test_the_local_coordinator_owns_from_start_to_close() -> None:
    async def scenario() -> None:
        calls: list[str] = []
        local = LocalCoordinator("worker")
        coordinator: Coordinator = local
        await coordinator.start(lambda: calls.append("bell"), lambda: calls.append("owner"))
        assert coordinator.is_owner
        assert coordinator.owner is not None
        assert coordinator.owner.worker_id == "worker"
        assert calls == []
        coordinator.ring()
        await quiet()
        assert calls == ["owner"]
        await coordinator.close()
        await coordinator.close()
        assert not local.is_owner

    asyncio.run(scenario())


def test_the_local_coordinator_calls_nobody_after_close() -> None:
    async def scenario() -> None:
        calls: list[str] = []
        coordinator = LocalCoordinator("worker")
        await coordinator.start(lambda: calls.append("bell"), lambda: calls.append("owner"))
        await coordinator.close()
        await quiet()
        assert calls == []

    asyncio.run(scenario())

"""The narrow places: an owner that is just coming, just going, or can't come."""

import asyncio
import errno
import fcntl
import logging
import os
import socket
from pathlib import Path

import pytest
from tests.journal.coordination.ear import Ear, listening, open_descriptors, quiet

from actbook.journal._coordination import _door, _membership
from actbook.journal._coordination._owner_lock import OwnerLock
from actbook.journal._coordination._waiting_room import WaitingRoom


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def take_lock(journal: Path) -> int:
    """Be a process that took the lock and got no further."""
    lock = os.open(f"{journal}-owner", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def test_a_candidate_tries_again_when_the_owner_died_before_it_listened(journal: Path) -> None:
    async def scenario() -> None:
        lock = take_lock(journal)
        async with listening(journal) as ear:
            assert not ear.coordinator.is_owner
            assert ear.coordinator.owner is None
            os.close(lock)
            await ear.until_owner()

    asyncio.run(scenario())


def test_an_owner_nobody_can_reach_is_reported_once(
    journal: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_membership, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(_membership, "_LONGEST_PAUSE", 0.002)
    tries = 0
    count = asyncio.Event()
    take = OwnerLock.take

    def counted(self: OwnerLock, info: object) -> bool:
        nonlocal tries
        tries += 1
        if tries == 10:
            count.set()
        return take(self, info)  # type: ignore[arg-type]

    async def scenario() -> None:
        lock = take_lock(journal)
        monkeypatch.setattr(OwnerLock, "take", counted)
        async with listening(journal):
            await asyncio.wait_for(count.wait(), 30)
        os.close(lock)

    with caplog.at_level(logging.WARNING, "actbook.journal"):
        asyncio.run(scenario())
    assert [record.name for record in caplog.records] == ["actbook.journal"]
    assert "does not answer" in caplog.text


def test_an_owner_that_came_while_the_door_was_being_opened_is_found(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        owner = Ear(journal)
        enter = WaitingRoom.enter

        def enter_late(self: WaitingRoom) -> None:
            with pytest.raises(StopIteration):
                owner.start().send(None)
            enter(self)

        monkeypatch.setattr(WaitingRoom, "enter", enter_late)
        async with listening(journal, candidate=False) as guest:
            assert guest.coordinator.owner == owner.coordinator.owner
            await owner.coordinator.close()

    asyncio.run(scenario())


def test_a_guest_whose_door_was_swept_away_finds_the_owner_all_the_same(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        enter = WaitingRoom.enter

        def enter_swept(self: WaitingRoom) -> None:
            enter(self)
            for path in journal.parent.glob("*-wait-*"):
                path.unlink()

        with monkeypatch.context() as patch:
            patch.setattr(WaitingRoom, "enter", enter_swept)
            guest = Ear(journal, candidate=False)
            await guest.start()
        async with listening(journal):
            while guest.coordinator.owner is None:
                await guest.until_bell()
            await guest.coordinator.close()

    asyncio.run(scenario())


def test_a_bell_rung_at_an_owner_just_gone_reaches_those_who_wait_already(journal: Path) -> None:
    async def scenario() -> None:
        async with listening(journal) as owner:
            guest, writer = Ear(journal, candidate=False), Ear(journal, candidate=False)
            await guest.start()
            await writer.start()
            await owner.until_bell()
            membership = writer.coordinator._membership
            assert membership is not None
            (connection,) = membership._bells._sockets
            asyncio.get_running_loop().remove_reader(connection)
        while guest.coordinator.owner is not None:
            await guest.until_bell()
        await quiet()
        writer.coordinator.ring()
        membership._bells._read(connection)
        await guest.until_bell()
        await guest.coordinator.close()
        await writer.coordinator.close()

    asyncio.run(scenario())


def test_a_takeover_that_fails_is_reported_and_tried_again(
    journal: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: socket.socket, address: str) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    async def scenario() -> None:
        async with listening(journal) as first, listening(journal) as second:
            with monkeypatch.context() as patch:
                patch.setattr(socket.socket, "bind", refuse)
                await first.coordinator.close()
                await second.until_bell()
                assert not second.coordinator.is_owner
            await second.until_owner()

    with caplog.at_level(logging.WARNING, "actbook.journal"):
        asyncio.run(scenario())
    assert "Operation not supported" in caplog.text


def test_an_owner_does_not_mind_those_of_other_users_who_wait(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(self: socket.socket, address: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    async def scenario() -> None:
        async with listening(journal, candidate=False):
            monkeypatch.setattr(socket.socket, "connect", forbid)
            async with listening(journal) as owner:
                await owner.until_owner()

    asyncio.run(scenario())


def test_an_owner_that_accepts_nobody_yet_is_tried_again(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: socket.socket, address: str) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    async def scenario() -> None:
        async with listening(journal) as owner:
            with monkeypatch.context() as patch:
                patch.setattr(socket.socket, "connect", refuse)
                guest = Ear(journal, candidate=False)
                await guest.start()
                assert guest.coordinator.owner is None
            await guest.until_bell()
            assert guest.coordinator.owner == owner.coordinator.owner
            await guest.coordinator.close()

    asyncio.run(scenario())


def test_an_owner_out_of_descriptors_takes_guests_in_when_it_has_some_again(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_door, "_EXHAUSTED_PAUSE", 0.001)
    refused = 0
    accept = socket.socket.accept

    def exhausted(self: socket.socket) -> tuple[socket.socket, object]:
        nonlocal refused
        refused += 1
        if refused < 5:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    async def scenario() -> None:
        before = open_descriptors()
        async with listening(journal) as owner:
            await owner.until_owner()
            monkeypatch.setattr(socket.socket, "accept", exhausted)
            async with listening(journal, candidate=False):
                await owner.until_bell()
        assert refused == 5
        await quiet()
        assert open_descriptors() == before

    asyncio.run(scenario())


def test_closing_while_out_of_descriptors_leaves_nothing(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()

    def exhausted(self: socket.socket) -> tuple[socket.socket, object]:
        refused.set()
        raise OSError(errno.EMFILE, "Too many open files")

    async def scenario() -> None:
        before = open_descriptors()
        async with listening(journal):
            monkeypatch.setattr(socket.socket, "accept", exhausted)
            async with listening(journal, candidate=False):
                await asyncio.wait_for(refused.wait(), 30)
        assert open_descriptors() == before

    asyncio.run(scenario())

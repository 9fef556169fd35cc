"""The lock file: whose it is, what it tells, and what is said where it can't be had."""

import asyncio
import errno
import fcntl
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.journal.coordination.ear import Ear, open_descriptors

from actbook.graphs import ActbookError
from actbook.journal._coordination import BellError, CoordinationError, OwnerInfo, OwnerLockError
from actbook.journal._coordination._owner_lock import OwnerLock

INFO = OwnerInfo(42, "worker-1", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "runs.db-owner")


def test_one_holder_at_a_time_within_a_process_too(path: str) -> None:
    first, second = OwnerLock(path), OwnerLock(path)
    assert first.take(INFO)
    assert not second.take(INFO)
    first.release()
    assert second.take(INFO)
    second.release()


def test_the_file_tells_who_holds_it_and_only_this_user_may_read_it(path: str) -> None:
    lock = OwnerLock(path)
    assert lock.holder() is None
    assert lock.take(INFO)
    assert OwnerLock(path).holder() == INFO
    assert os.stat(path).st_mode & 0o777 == 0o600
    lock.release()
    assert lock.holder() is None


def test_a_shorter_owner_leaves_nothing_of_a_longer_one(path: str) -> None:
    Path(path).write_text("x" * 1000)
    lock = OwnerLock(path)
    assert lock.holder() is None
    assert lock.take(INFO)
    assert lock.holder() == INFO
    lock.release()


def replace(path: str) -> None:
    os.rename(path, path + "-old")
    Path(path).touch()


def test_a_lock_on_a_file_that_was_replaced_meanwhile_is_no_lock(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    replacements: list[Callable[[str], object]] = [os.unlink, replace]

    def lock_late(file: int, operation: int) -> None:
        if replacements:
            replacements.pop()(path)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    before = open_descriptors()
    first = OwnerLock(path)
    assert first.take(INFO)
    assert not OwnerLock(path).take(INFO)
    first.release()
    assert open_descriptors() == before


def test_a_child_that_abandons_its_copy_leaves_the_lock_with_its_parent(path: str) -> None:
    lock = OwnerLock(path)
    assert lock.take(INFO)
    child = os.fork()
    if child == 0:
        lock.abandon()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not OwnerLock(path).take(INFO)
    lock.release()


def test_a_full_disk_gives_the_lock_back(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, content: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    lock = OwnerLock(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OwnerLockError, match="No space left"):
            lock.take(INFO)
    assert OwnerLock(path).holder() is None
    assert lock.take(INFO)
    lock.release()


def refusal(path: Path, *, candidate: bool = True) -> CoordinationError:
    async def scenario() -> CoordinationError:
        ear = Ear(path, candidate=candidate)
        with pytest.raises(CoordinationError) as caught:
            await ear.start()
        assert not ear.coordinator.is_owner
        await ear.coordinator.close()
        return caught.value

    before = open_descriptors()
    error = asyncio.run(scenario())
    assert open_descriptors() == before
    return error


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path / "missing" / "runs.db")
    assert isinstance(error, OwnerLockError)
    assert isinstance(error, ActbookError)
    assert error.path == str(tmp_path / "missing" / "runs.db-owner")
    assert error.reason == "No such file or directory"
    assert "existing folder" in str(error)


def test_a_missing_folder_is_named_to_a_guest(tmp_path: Path) -> None:
    assert isinstance(refusal(tmp_path / "missing" / "runs.db", candidate=False), BellError)


def test_a_file_system_without_locks_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(file: int, operation: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    error = refusal(tmp_path / "runs.db")
    assert isinstance(error, OwnerLockError)
    assert "local file system that supports flock" in str(error)


@pytest.mark.parametrize("candidate", [True, False])
def test_a_file_system_without_sockets_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candidate: bool
) -> None:
    def unsupported(self: socket.socket, address: str) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(socket.socket, "bind", unsupported)
    error = refusal(tmp_path / "runs.db", candidate=candidate)
    assert isinstance(error, BellError)
    assert "supports Unix sockets" in str(error)
    lock = OwnerLock(str(tmp_path / "runs.db-owner"))
    assert lock.take(INFO)
    lock.release()


def test_a_folder_that_can_not_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: str) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", forbidden)
        error = refusal(tmp_path / "runs.db")
    assert isinstance(error, BellError)
    assert error.path == str(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs.db-owner"]
    lock = OwnerLock(str(tmp_path / "runs.db-owner"))
    assert lock.take(INFO)
    lock.release()


def test_a_journal_of_another_user_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(self: socket.socket, address: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    error = refusal(tmp_path / "runs.db", candidate=False)
    assert isinstance(error, BellError)
    assert "as the same user" in str(error)

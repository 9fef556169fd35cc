"""Socket files are found by everybody, however long the path of the journal."""

import asyncio
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.coordination.ear import listening
from tests.journal.coordination.peer import Peer

from actbook.journal._coordination import BellError, _address
from actbook.journal._coordination._address import Address, Silence, address_beside

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(st.lists(names, max_size=5), names)
def test_every_address_is_short_enough_beside_the_journal(folders: list[str], name: str) -> None:
    directory = "/" + "/".join(folders)
    address = address_beside(os.path.join(directory, name)).sibling("-wait-0123456789abcdef")
    assert address.directory == os.path.dirname(os.path.join(directory, name))
    assert len(os.fsencode(f"/proc/self/fd/1234567/{address.name}")) <= 103


@given(names, names)
def test_two_journals_of_one_folder_never_share_an_address(one: str, other: str) -> None:
    assert (address_beside("/data/" + one) == address_beside("/data/" + other)) == (one == other)


def long_folder(tmp_path: Path) -> Path:
    folder = tmp_path / ("folder" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", ["runs.db", "r" * 150 + ".db"])
def test_processes_meet_beside_a_long_path(tmp_path: Path, name: str) -> None:
    journal = long_folder(tmp_path) / name
    with Peer(journal, candidate=False) as guest, Peer(journal) as owner, Peer(journal) as other:
        other.ask("commit", "a")
        owner.hear("saw", "a")
        guest.hear("saw", "a")
        owner.kill()
        other.hear("owner")
        other.ask("commit", "b")
        guest.hear("saw", "b")


def test_processes_that_use_different_links_to_one_file_meet(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("runs.db")
    with Peer(tmp_path / "runs.db") as owner, Peer(tmp_path / "link.db") as other:
        assert other.ask("who") == ["other", str(owner.pid)]


def test_a_system_without_descriptor_paths_uses_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # Not below `tmp_path`, which may itself be too long for a socket.
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    request.addfinalizer(lambda: shutil.rmtree(short))
    monkeypatch.setattr(_address, "_DESCRIPTORS", "/nowhere")
    monkeypatch.setattr(_address, "_TEMPORARY", str(short))
    journal = long_folder(tmp_path) / "runs.db"

    async def scenario() -> None:
        async with listening(journal) as owner, listening(journal) as other:
            other.coordinator.ring()
            await owner.until_bell()
            (private,) = short.iterdir()
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
            assert [path.name.rpartition("-")[2] for path in private.iterdir()] == ["bell"]

    asyncio.run(scenario())


def test_a_private_folder_that_others_may_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_address, "_DESCRIPTORS", "/nowhere")
    monkeypatch.setattr(_address, "_TEMPORARY", str(tmp_path))
    private = tmp_path / f"actbook-{os.getuid()}"
    private.mkdir(0o755)
    with pytest.raises(BellError, match="only this user") as caught:
        address_beside("/" + "long" * 50 + "/runs.db")
    assert caught.value.path == str(private)


def test_a_private_folder_that_can_not_be_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_address, "_DESCRIPTORS", "/nowhere")
    monkeypatch.setattr(_address, "_TEMPORARY", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    with pytest.raises(BellError):
        address_beside("/" + "long" * 50 + "/runs.db")


def test_only_this_user_may_connect(tmp_path: Path) -> None:
    address = Address(str(tmp_path), "bell")
    with address.listen():
        assert stat.S_IMODE(os.stat(address.path).st_mode) == 0o600


def test_a_stale_socket_is_silent_and_gives_way(tmp_path: Path) -> None:
    address = Address(str(tmp_path), "bell")
    assert address.dial() is Silence.NOBODY
    address.listen().close()
    assert address.exists()
    assert address.dial() is Silence.NOBODY
    with address.listen():
        guest = address.dial()
        assert isinstance(guest, socket.socket)
        guest.close()
    address.remove()
    address.remove()
    assert not address.exists()


def test_a_file_that_can_not_be_removed_is_named(tmp_path: Path) -> None:
    (tmp_path / "bell").mkdir()
    with pytest.raises(BellError) as caught:
        Address(str(tmp_path), "bell").remove()
    assert caught.value.path == str(tmp_path / "bell")


def test_a_socket_file_that_is_swept_away_before_it_listens_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Address(str(tmp_path), "bell")
    change, swept = os.chmod, 0

    def sweep_first(path: str, mode: int) -> None:
        nonlocal swept
        if swept < 3:
            swept += 1
            address.remove()
        change(path, mode)

    monkeypatch.setattr(os, "chmod", sweep_first)
    with address.listen() as sock:
        assert sock.getsockname() == address.path
        assert swept == 3
        assert stat.S_IMODE(os.stat(address.path).st_mode) == 0o600
    with pytest.raises(BellError):
        Address(str(tmp_path / "nowhere"), "bell").listen()

"""Key rings: one key per user, wrapped, shared by processes, destroyed for good."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from actbook.journal import PayloadKeyError, StoreUrlError, _key_rows_postgres
from actbook.journal.keys import (
    KeyRing,
    MasterKey,
    generate_master_key,
    master_key_from,
    open_payload_keys,
)

MASTER = MasterKey(generate_master_key())

Open = Callable[[], KeyRing]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (
        f"sqlite:///{tmp_path}/k.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )


@pytest.fixture
def open_ring(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(_key_rows_postgres, "_LOOK_EVERY", 0.05)
    opened: list[KeyRing] = []

    def make(master: MasterKey = MASTER) -> KeyRing:
        opened.append(open_payload_keys(url, master))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_processes_share_the_key_of_a_user(open_ring: Open) -> None:
    one, two = open_ring(), open_ring()
    key, same, other = one.to_seal("ada"), two.to_seal("ada"), two.to_seal("bob")
    assert key.id == same.id != other.id
    assert two.to_open(key.id) is not None
    assert same.open(key.seal(b"text", b"place"), b"place") == b"text"
    with pytest.raises(ValueError, match="edited or moved"):
        same.open(key.seal(b"text", b"place"), b"elsewhere")


def test_after_a_retirement_no_process_seals_with_the_key_any_more(open_ring: Open) -> None:
    one, two = open_ring(), open_ring()
    old = one.to_seal("ada").id
    assert two.to_seal("ada").id == old
    assert two.retire("ada") == 1
    new = one.to_seal("ada").id
    assert new != old
    assert two.to_seal("ada").id == new
    assert two.to_open(old) is not None
    two.destroy("ada")
    assert two.destroyed("ada") == [old]
    assert two.to_open(old) is None
    assert two.to_open(new) is not None
    assert open_ring().to_open(old) is None


def test_a_retirement_is_taken_back(open_ring: Open) -> None:
    keys = open_ring()
    key = keys.to_seal("ada").id
    keys.retire("ada")
    keys.restore("ada")
    assert keys.to_seal("ada").id == key
    keys.destroy("ada")
    assert keys.destroyed("ada") == []


def test_who_retires_a_user_without_keys_finds_none(open_ring: Open) -> None:
    keys = open_ring()
    assert keys.retire("ada") == 0
    keys.restore("ada")
    keys.destroy("ada")
    assert keys.destroyed("ada") == []


def test_another_master_key_is_refused_at_once_and_named(open_ring: Callable[..., KeyRing]) -> None:
    open_ring().to_seal("ada")
    other = MasterKey(generate_master_key())
    with pytest.raises(PayloadKeyError, match=f"{MASTER.id}; given is {other.id}"):
        open_ring(other)


def test_the_master_key_can_be_changed(open_ring: Callable[..., KeyRing]) -> None:
    keys, new = open_ring(), MasterKey(generate_master_key())
    sealed = keys.to_seal("ada").seal(b"text", b"")
    assert keys.rotate(new) == 1
    assert keys.to_seal("ada").open(sealed, b"") == b"text"
    with pytest.raises(PayloadKeyError):
        open_ring()
    assert open_ring(new).to_seal("ada").open(sealed, b"") == b"text"


def test_unknown_keys_are_no_forgotten_ones(open_ring: Open) -> None:
    with pytest.raises(PayloadKeyError, match="not among these payload keys"):
        open_ring().to_open(bytes(16))


def test_no_byte_of_a_destroyed_key_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "k.db"
    with open_payload_keys(f"sqlite:///{path}", MASTER) as keys:
        for user in range(20):
            keys.to_seal(f"user {user}")
        keys.to_seal("ada")
        with closing(sqlite3.connect(path)) as connection:
            wrapped = connection.execute("SELECT wrapped FROM payload_keys WHERE user_id='ada'").fetchone()[0]
        assert wrapped in path.read_bytes()
        keys.retire("ada")
        keys.destroy("ada")
        assert not any(wrapped in each.read_bytes() for each in tmp_path.iterdir())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_keys_of_a_postgres_store_are_in_a_schema_of_their_own(postgres_url: str) -> None:
    with open_payload_keys(postgres_url, MASTER) as keys:
        keys.to_seal("ada")
    schema = postgres_url.rpartition("schema=")[2].partition("&")[0]
    with psycopg.connect(postgres_url.partition("?")[0]) as connection:
        sql = "SELECT table_schema FROM information_schema.tables WHERE table_name='payload_keys'"
        found = [row[0] for row in connection.execute(sql)]
        connection.execute(f'DROP SCHEMA "{schema}_keys" CASCADE'.encode())
    assert f"{schema}_keys" in found


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "k.db"
    with open_payload_keys(f"sqlite:///{path}", MASTER) as keys:
        keys.to_seal("ada")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE payload_keys SET wrapped=zeroblob(60)")
    with pytest.raises(PayloadKeyError, match="was damaged"):
        open_payload_keys(f"sqlite:///{path}", MASTER)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(PayloadKeyError, match="can't be used"):
        open_payload_keys(f"sqlite:///{path}", MASTER)


def test_where_the_master_key_comes_from(tmp_path: Path) -> None:
    text = generate_master_key()
    file = tmp_path / "master.key"
    file.write_text(text + "\n")
    file.chmod(0o600)
    same = MasterKey(text).id
    assert master_key_from(text).id == same
    assert master_key_from(key_file=file).id == same
    assert master_key_from(environ={"ACTBOOK_PAYLOAD_KEY": text}).id == same
    assert master_key_from(environ={"ACTBOOK_PAYLOAD_KEY_FILE": str(file)}).id == same
    assert text not in repr(MasterKey(text))
    file.chmod(0o644)
    for wrong in (
        {},
        {"ACTBOOK_PAYLOAD_KEY": "short"},
        {"ACTBOOK_PAYLOAD_KEY": "ä"},
        {"ACTBOOK_PAYLOAD_KEY_FILE": str(file)},
    ):
        with pytest.raises(PayloadKeyError):
            master_key_from(environ=wrong)
    with pytest.raises(PayloadKeyError):
        MasterKey(os.urandom(31))


def test_urls_of_keys(tmp_path: Path) -> None:
    with open_payload_keys("memory:", MASTER) as keys:
        assert keys.to_seal("ada").id == keys.to_seal("ada").id
    for wrong in ("redis://x", "sqlite:///", "keys.db"):
        with pytest.raises(StoreUrlError):
            open_payload_keys(wrong, MASTER)


def test_what_a_crash_left_retired_is_destroyed_with_the_rest(open_ring: Open) -> None:
    keys = open_ring()
    old = keys.to_seal("ada").id
    keys.retire("ada")
    new = keys.to_seal("ada").id
    assert keys.retire("ada") == 2
    keys.destroy("ada")
    assert set(keys.destroyed("ada")) == {old, new}

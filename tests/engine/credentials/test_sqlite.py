"""Credentials encrypted in a file."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.engine.credentials.kit import api_key, every_kind

from actbook.engine.credentials import (
    CredentialsKeyError,
    CredentialsStoreError,
    Key,
    SqliteCredentials,
    generate_key,
    key_from,
)

CANARY = "canary-8c1d-in-a-vault"
KEY = generate_key()


def vault(folder: Path, key: str = KEY, **options: Any) -> SqliteCredentials:
    return SqliteCredentials(folder / "vault.db", key, **options)


def edit(folder: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute(statement, values)


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_no_secret_is_in_the_file_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    store = vault(tmp_path)
    for each in every_kind(CANARY):
        asyncio.run(store.put("ada", each))
    assert CANARY.encode() not in bytes_in(tmp_path)
    assert b"github" in bytes_in(tmp_path)
    assert stat.S_IMODE((tmp_path / "vault.db").stat().st_mode) == 0o600


def test_the_same_secret_is_never_encrypted_the_same(tmp_path: Path) -> None:
    store = vault(tmp_path)
    for name in ("a", "b"):
        asyncio.run(store.put("ada", api_key("same", name)))
    with closing(sqlite3.connect(tmp_path / "vault.db")) as connection:
        sealed = connection.execute("SELECT nonce, sealed FROM credentials").fetchall()
    assert len({nonce for nonce, _ in sealed}) == len({text for _, text in sealed}) == 2


@pytest.mark.parametrize(
    "change", ["user_id = 'eve'", "id = 'other'", "sealed = substr(sealed, 2)", "nonce = zeroblob(12)"]
)
def test_a_row_that_was_moved_or_changed_is_refused(tmp_path: Path, change: str) -> None:
    store = vault(tmp_path)
    asyncio.run(store.put("ada", api_key(CANARY)))
    edit(tmp_path, f"UPDATE credentials SET {change}")
    user, name = ("eve" if "eve" in change else "ada"), ("other" if "other" in change else "gh")
    with pytest.raises(CredentialsStoreError, match="damaged or were moved"):
        asyncio.run(store.get(user, name))


def test_the_metadata_that_counts_is_encrypted_too(tmp_path: Path) -> None:
    store = vault(tmp_path)
    asyncio.run(store.put("ada", api_key(CANARY)))
    edit(tmp_path, "UPDATE credentials SET provider = 'evil'")
    found = asyncio.run(store.get("ada", "gh"))
    assert found is not None
    assert found.provider == "github"


def test_another_key_is_told_by_its_id_and_is_no_fault_of_the_request(tmp_path: Path) -> None:
    asyncio.run(vault(tmp_path).put("ada", api_key(CANARY)))
    other = generate_key()
    with pytest.raises(CredentialsKeyError, match=Key(KEY).id) as refused:
        asyncio.run(vault(tmp_path, other).get("ada", "gh"))
    assert not isinstance(refused.value, ValueError)
    assert KEY not in str(refused.value)


def test_rotation_encrypts_everything_anew_and_forgets_the_old(tmp_path: Path) -> None:
    store = vault(tmp_path)
    for name in ("a", "b", "c"):
        asyncio.run(store.put("ada", api_key(CANARY, name)))
    with closing(sqlite3.connect(tmp_path / "vault.db")) as connection:
        before = [row[0] for row in connection.execute("SELECT sealed FROM credentials")]
    new = generate_key()
    assert asyncio.run(store.rotate(new)) == 3
    assert asyncio.run(store.get("ada", "b")) == api_key(CANARY, "b")
    assert asyncio.run(vault(tmp_path, new).get("ada", "c")) == api_key(CANARY, "c")
    with pytest.raises(CredentialsKeyError):
        asyncio.run(vault(tmp_path).get("ada", "a"))
    assert not any(sealed in bytes_in(tmp_path) for sealed in before)


def test_a_rotation_that_cannot_open_something_changes_nothing(tmp_path: Path) -> None:
    asyncio.run(vault(tmp_path, generate_key()).put("ada", api_key("x", "z")))
    store = vault(tmp_path)
    asyncio.run(store.put("ada", api_key(CANARY, "a")))
    with pytest.raises(CredentialsKeyError):
        asyncio.run(store.rotate(generate_key()))
    assert asyncio.run(vault(tmp_path).get("ada", "a")) == api_key(CANARY, "a")


def test_old_keys_still_open_what_they_sealed(tmp_path: Path) -> None:
    asyncio.run(vault(tmp_path).put("ada", api_key(CANARY)))
    new = generate_key()
    store = vault(tmp_path, new, old_keys=[KEY])
    assert asyncio.run(store.get("ada", "gh")) == api_key(CANARY)
    assert asyncio.run(store.rotate(new)) == 1
    assert asyncio.run(vault(tmp_path, new).get("ada", "gh")) == api_key(CANARY)


def test_a_file_that_fails_is_a_failing_store(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(CredentialsStoreError, match="not a database") as refused:
        asyncio.run(vault(tmp_path).get("ada", "gh"))
    assert not isinstance(refused.value, ValueError)
    with pytest.raises(CredentialsStoreError):
        asyncio.run(SqliteCredentials(tmp_path / "no" / "folder.db", KEY).list("ada"))


def test_the_key_comes_from_an_argument_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    expected = Key(KEY).id
    assert key_from(KEY).id == key_from(Key(KEY)).id == key_from(Key(KEY).reveal()).id == expected
    assert key_from(key_file=file).id == expected
    assert key_from(environ={"ACTBOOK_CREDENTIALS_KEY": KEY}).id == expected
    assert key_from(environ={"ACTBOOK_CREDENTIALS_KEY_FILE": str(file)}).id == expected
    assert KEY not in repr(Key(KEY))


@pytest.mark.parametrize("wrong", ["short", "€", "", b"x" * 31])
def test_what_is_no_key_is_refused_without_showing_it(wrong: Any) -> None:
    with pytest.raises(CredentialsKeyError, match="generate_key") as refused:
        key_from(wrong)
    assert "short" not in str(refused.value)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)
    with pytest.raises(CredentialsKeyError, match="chmod 600"):
        key_from(key_file=file)
    with pytest.raises(CredentialsKeyError, match="can't be read"):
        key_from(key_file=tmp_path / "none")


def test_without_a_key_the_variables_are_named() -> None:
    with pytest.raises(CredentialsKeyError, match="ACTBOOK_CREDENTIALS_KEY"):
        key_from(environ={})

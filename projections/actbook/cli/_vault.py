"""The credentials of a store as the command line finds them: an encrypted file beside it, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actbook.cli._problems import MissingError, UsageError
from actbook.cli._session import path_of

if TYPE_CHECKING:
    from actbook.engine.credentials import CredentialsStore, Key, SqliteCredentials
    from actbook.graphs import Credentials, CredentialsMetaInput, Graph

_SUFFIX = "-credentials"


class Vault:
    """A store of credentials. The file and its key are looked for when they are needed, and anew each time."""

    def __init__(self, store: str) -> None:
        """`store`: the URL of the executions' store."""
        from actbook.engine.credentials import EnvironmentCredentials

        beside = path_of(store)
        self.path = beside and beside.with_name(beside.name + _SUFFIX)
        self._environment = EnvironmentCredentials()

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        return await self._stores().get(user_id, credentials_id)

    async def list(self, user_id: str) -> Sequence[CredentialsMetaInput]:
        return await self._stores().list(user_id)

    async def put(self, user_id: str, credentials: Credentials) -> None:
        await self.file().put(user_id, credentials)

    async def delete(self, user_id: str, credentials_id: str) -> bool:
        return await self.file().delete(user_id, credentials_id)

    def file(self) -> SqliteCredentials:
        """The encrypted file. Raises `UsageError` when this store has no place for one, or `CredentialsKeyError`."""
        from actbook.engine.credentials import SqliteCredentials

        if self.path is None:
            raise UsageError(
                "A store in memory keeps no credentials. Name a file with --store or ACTBOOK_STORE."
            )
        return SqliteCredentials(self.path, _key())

    def _stores(self) -> CredentialsStore:
        from actbook.engine.credentials import FirstOf

        if self.path is None or not self.path.exists():
            return self._environment
        return FirstOf(self.file(), self._environment)


def key_file() -> Path:
    """Where the key is when no variable says it: in the user's own folder, not beside what it opens."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "actbook" / "credentials.key"


def ensure_key() -> Path | None:
    """Makes a key where there is none; the file it made."""
    from actbook.engine.credentials import KEY, KEY_FILE, write_key

    path = key_file()
    if os.environ.get(KEY) or os.environ.get(KEY_FILE) or path.exists():
        return None
    write_key(path)
    return path


async def chosen(vault: Vault, user: str, graph: Graph, given: Sequence[str]) -> Mapping[str, Any] | None:
    """What `--credentials KEY=ID` says: the metadata by group. Raises `UsageError` or `MissingError`."""
    from actbook.engine.credentials import aggregate_credentials_inputs

    if not given:
        return None
    known = {each.id: each for each in await vault.list(user)}
    groups = aggregate_credentials_inputs(graph)
    found: dict[str, Any] = {}
    for text in given:
        key, equals, name = text.partition("=")
        if not equals or key not in groups:
            asked = ", ".join(groups) or "none"
            raise UsageError(f"--credentials {text!r}: write KEY=ID. What this graph asks for: {asked}.")
        if name not in known:
            raise MissingError(
                f"There are no credentials {name!r}. `actbook credentials ls` lists them.", id=name
            )
        found[key] = known[name]
    return found


def _key() -> Key:
    from actbook.engine.credentials import KEY, KEY_FILE, key_from

    path = key_file()
    by_variable = os.environ.get(KEY) or os.environ.get(KEY_FILE)
    return key_from(key_file=None if by_variable or not path.exists() else path)

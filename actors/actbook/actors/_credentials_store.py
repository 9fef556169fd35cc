"""What the engine needs of a store of credentials, and how it asks one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from actbook.graphs import ActbookError, Credentials, CredentialsMetaInput

PATIENCE = 30.0
"""Seconds. A store that does not answer for so long has failed."""


class CredentialsStore(Protocol):
    """Keeps credentials by user and id. Implementations raise `CredentialsStoreError` when they fail, and nothing else.

    All methods may wait, for a database or for a service; none blocks the loop. The engine only calls `get`.
    """

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        """The credentials, or None when this user has none of that id, whoever else has."""
        ...

    async def list(self, user_id: str) -> Sequence[CredentialsMetaInput]:
        """What the user has, by id, without the secrets."""
        ...

    async def put(self, user_id: str, credentials: Credentials) -> None:
        """Keeps them under their id, in place of what was there."""
        ...

    async def delete(self, user_id: str, credentials_id: str) -> bool:
        """Forgets them; whether there were any."""
        ...


class CredentialsStoreError(ActbookError):
    """The store of credentials failed, not the request. Try again once the cause, this error's `__cause__`, is gone."""


async def look_up(
    store: CredentialsStore, user_id: str, ids: Iterable[str]
) -> Mapping[str, Credentials | None]:
    """Each distinct id once, all at the same time. Raises `CredentialsStoreError`, whatever the store raised."""
    wanted = list(dict.fromkeys(ids))
    try:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            tasks = [group.create_task(_get(store, user_id, each)) for each in wanted]
    except TimeoutError:
        raise CredentialsStoreError(
            f"The credentials store did not answer within {PATIENCE:g} seconds."
        ) from None
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from failed.exceptions[0].__cause__
    return {each: task.result() for each, task in zip(wanted, tasks, strict=True)}


async def _get(store: CredentialsStore, user_id: str, credentials_id: str) -> Credentials | None:
    try:
        return await store.get(user_id, credentials_id)
    except CredentialsStoreError:
        raise
    except Exception as error:
        # What it says is not passed on: it may hold an address with a password.
        raise CredentialsStoreError(f"The credentials store failed: {type(error).__name__}.") from error

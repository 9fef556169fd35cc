"""Several stores as one."""

from __future__ import annotations

from collections.abc import Sequence

from actbook.actors._credentials_store import CredentialsStore
from actbook.graphs import Credentials, CredentialsMetaInput


class FirstOf:
    """Looks in one store after the other; writes to the first."""

    def __init__(self, first: CredentialsStore, *others: CredentialsStore) -> None:
        self._stores = (first, *others)

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        for store in self._stores:
            found = await store.get(user_id, credentials_id)
            if found is not None:
                return found
        return None

    async def list(self, user_id: str) -> Sequence[CredentialsMetaInput]:
        found: dict[str, CredentialsMetaInput] = {}
        for store in self._stores:
            for each in await store.list(user_id):
                found.setdefault(each.id, each)
        return [found[name] for name in sorted(found)]

    async def put(self, user_id: str, credentials: Credentials) -> None:
        await self._stores[0].put(user_id, credentials)

    async def delete(self, user_id: str, credentials_id: str) -> bool:
        return await self._stores[0].delete(user_id, credentials_id)

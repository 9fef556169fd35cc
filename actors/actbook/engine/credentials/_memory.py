"""Credentials in the memory of this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actbook.graphs import Credentials, CredentialsMetaInput


class MemoryCredentials:
    """Forgotten with the process: for tests, and for programs that get credentials from elsewhere."""

    def __init__(self, given: Iterable[tuple[str, Credentials]] = ()) -> None:
        """`given`: pairs of a user id and credentials."""
        self._kept: dict[tuple[str, str], Credentials] = {}
        for user_id, credentials in given:
            self._kept[user_id, credentials.id] = credentials

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        return self._kept.get((user_id, credentials_id))

    async def list(self, user_id: str) -> Sequence[CredentialsMetaInput]:
        return [each.meta for (owner, _), each in sorted(self._kept.items()) if owner == user_id]

    async def put(self, user_id: str, credentials: Credentials) -> None:
        self._kept[user_id, credentials.id] = credentials

    async def delete(self, user_id: str, credentials_id: str) -> bool:
        return self._kept.pop((user_id, credentials_id), None) is not None

    def __repr__(self) -> str:
        return f"<MemoryCredentials of {len(self._kept)}>"

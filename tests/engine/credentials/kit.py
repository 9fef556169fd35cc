"""Blocks that use credentials, credentials of every kind, and stores that count, wait or fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
from tests.engine.kit import block

from actbook.engine.credentials import CredentialsStore, CredentialsStoreError, MemoryCredentials
from actbook.graphs import (
    ApiKeyCredentials,
    Block,
    Credentials,
    CredentialsMetaInput,
    HostScopedCredentials,
    OAuth2Credentials,
    Secret,
    UserPasswordCredentials,
    credentials_meta,
)

USER = "ada"
GITHUB = {"id": "gh", "provider": "github", "type": "api_key"}


class Asking(msgspec.Struct, kw_only=True):
    credentials: Annotated[CredentialsMetaInput, credentials_meta("github", types=["api_key"])]
    value: Any = None


class AskingBoth(msgspec.Struct, kw_only=True):
    credentials: Annotated[CredentialsMetaInput, credentials_meta("github")]
    other_credentials: Annotated[CredentialsMetaInput, credentials_meta("github")]


class AskingMaybe(msgspec.Struct, kw_only=True):
    credentials: Annotated[CredentialsMetaInput | None, credentials_meta("github")] = None
    value: Any = None


class AskingAny(msgspec.Struct, kw_only=True):
    credentials: Annotated[CredentialsMetaInput, credentials_meta()]
    value: Any = None


class Keyed(msgspec.Struct):
    out: Any = None
    error: str = ""


def length(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    """Uses the secret and tells only its length."""
    yield "out", len(context.credentials["credentials"].api_key.reveal())


def asking(run: Any = length, input: type[msgspec.Struct] = Asking, **attributes: Any) -> type[Block]:
    return block(run, Input=input, Output=Keyed, **attributes)


class CpuLength(Block):
    id = "5b0c8f32-2d0e-4c5f-8f57-9d7f4f5b8a01"
    Input = Asking
    Output = Keyed
    execution = "cpu"

    def run(self, input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        yield "out", len(context.credentials["credentials"].api_key.reveal())


class CpuLeak(Block):
    """Fails with its secrets in the message, in the worker process."""

    id = "5b0c8f32-2d0e-4c5f-8f57-9d7f4f5b8a02"
    Input = AskingAny
    Output = Keyed
    execution = "cpu"

    def run(self, input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        yield from ()
        leak(context)


class CpuEnvironment(Block):
    """Which variables of the environment its process sees."""

    id = "5b0c8f32-2d0e-4c5f-8f57-9d7f4f5b8a03"
    Input = Asking
    Output = Keyed
    execution = "cpu"

    def run(self, input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        import os

        yield "out", sorted(name for name in os.environ if name.startswith("ACTBOOK_CREDENTIALS"))


def leak(context: Any) -> None:
    texts = [secret.reveal() for each in context.credentials.values() for secret in each.secrets()]
    raise RuntimeError(f"refused: {' '.join(texts)} {texts!r}")


def api_key(text: str = "s3cret-key", name: str = "gh", provider: str = "github") -> ApiKeyCredentials:
    return ApiKeyCredentials(id=name, provider=provider, api_key=Secret(text))


def every_kind(secret: str) -> list[Credentials]:
    """One credential of each kind, with the secret in every secret field."""
    hidden = Secret(secret)
    return [
        ApiKeyCredentials(id="a", provider="github", api_key=hidden, title="Work"),
        OAuth2Credentials(
            id="o", provider="github", access_token=hidden, refresh_token=hidden, scopes=("r",)
        ),
        UserPasswordCredentials(id="u", provider="github", username=hidden, password=hidden),
        HostScopedCredentials(id="h", provider="github", host="h.example", headers={"Authorization": hidden}),
    ]


def memory(*credentials: Credentials, user: str = USER) -> MemoryCredentials:
    return MemoryCredentials((user, each) for each in credentials)


class CountingStore(MemoryCredentials):
    """Counts what is looked up, and answers nobody before `together` lookups are under way."""

    def __init__(self, *credentials: Credentials, together: int = 1) -> None:
        super().__init__((USER, each) for each in credentials)
        self.asked: list[tuple[str, str]] = []
        self._barrier = asyncio.Barrier(together)

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        self.asked.append((user_id, credentials_id))
        async with asyncio.timeout(5):
            await self._barrier.wait()
        return await super().get(user_id, credentials_id)


class FailingStore(MemoryCredentials):
    """Fails a number of times, in its own words or with whatever its database said."""

    def __init__(
        self, *credentials: Credentials, failures: int = 10**9, error: Exception | None = None
    ) -> None:
        super().__init__((USER, each) for each in credentials)
        self.failures = failures
        self.asked = 0
        self.error = error or CredentialsStoreError("The vault is sealed.")

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        self.asked += 1
        if self.asked <= self.failures:
            raise self.error
        return await super().get(user_id, credentials_id)


class SlowStore(MemoryCredentials):
    """Holds every lookup until it is released."""

    def __init__(self, *credentials: Credentials) -> None:
        super().__init__((USER, each) for each in credentials)
        self.asked = asyncio.Event()
        self.released = asyncio.Event()

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        self.asked.set()
        await self.released.wait()
        return await super().get(user_id, credentials_id)


class Handover(MemoryCredentials):
    """The first lookup, that of the submission, is answered by itself; every other one by another store."""

    def __init__(self, then: CredentialsStore, *credentials: Credentials) -> None:
        super().__init__((USER, each) for each in credentials)
        self._then = then
        self._submitted = False

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        if self._submitted:
            return await self._then.get(user_id, credentials_id)
        self._submitted = True
        return await super().get(user_id, credentials_id)


async def async_length(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
    await asyncio.sleep(0)
    yield "out", len(context.credentials["credentials"].api_key.reveal())

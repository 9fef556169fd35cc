"""What every store of credentials does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.credentials.kit import api_key, every_kind

from actbook.engine.credentials import (
    CredentialsStore,
    EnvironmentCredentials,
    FirstOf,
    MemoryCredentials,
    ReadOnlyCredentialsError,
    SqliteCredentials,
    generate_key,
)
from actbook.graphs import Credentials
from actbook.graphs._stored_credentials import revealed

Given = list[tuple[str, Credentials]]
Make = Callable[[Given], CredentialsStore]


@pytest.fixture(params=["memory", "environment", "sqlite", "first of"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """A store that holds what it is given: pairs of a user and credentials."""

    def sqlite(given: Given) -> CredentialsStore:
        store = SqliteCredentials(tmp_path / "vault.db", generate_key())
        asyncio.run(_put_all(store, given))
        return store

    def environment(given: Given) -> CredentialsStore:
        variables = {}
        for number, (user, each) in enumerate(given):
            document = {**msgspec.msgpack.decode(revealed(each)), "user_id": user}
            variables[f"ACTBOOK_CREDENTIALS_N{number}"] = msgspec.json.encode(document).decode()
        return EnvironmentCredentials(variables)

    makers: dict[str, Make] = {
        "memory": MemoryCredentials,
        "environment": environment,
        "sqlite": sqlite,
        "first of": lambda given: FirstOf(MemoryCredentials(), sqlite(given)),
    }
    return makers[request.param]


async def _put_all(store: CredentialsStore, given: Given) -> None:
    for user, each in given:
        await store.put(user, each)


def test_what_it_holds_comes_back_whole(make: Make) -> None:
    given = every_kind("s3cret ü \"'\\")
    store = make([("ada", each) for each in given])

    async def test() -> None:
        for each in given:
            assert await store.get("ada", each.id) == each

    asyncio.run(test())


def test_nobody_gets_what_another_has(make: Make) -> None:
    store = make([("ada", api_key("hers")), ("eve", api_key("his"))])

    async def test() -> list[Any]:
        return [await store.get(user, "gh") for user in ("ada", "eve", "bob", "")]

    hers, his, *others = asyncio.run(test())
    assert (hers.api_key.reveal(), his.api_key.reveal()) == ("hers", "his")
    assert others == [None, None]


def test_what_is_unknown_is_none(make: Make) -> None:
    assert asyncio.run(make([("ada", api_key())]).get("ada", "other")) is None


def test_a_list_is_metadata_by_id(make: Make) -> None:
    given = every_kind("s3cret")
    store = make([*(("ada", each) for each in given), ("eve", api_key())])
    listed = asyncio.run(store.list("ada"))
    assert list(listed) == [each.meta for each in sorted(given, key=lambda each: each.id)]
    assert asyncio.run(store.list("bob")) == []


def test_concurrent_lookups_all_get_an_answer(make: Make) -> None:
    store = make([("ada", api_key())])

    async def test() -> list[Any]:
        return await asyncio.gather(*(store.get("ada", "gh") for _ in range(50)))

    assert asyncio.run(test()) == [api_key()] * 50


def test_it_shows_no_secret(make: Make) -> None:
    assert "s3cret" not in repr(make([("ada", api_key("s3cret"))]))


def test_what_is_put_replaces_and_what_is_deleted_is_gone(make: Make) -> None:
    store = make([])

    async def test() -> None:
        await store.put("ada", api_key("old"))
        await store.put("ada", api_key("new"))
        await store.put("eve", api_key("his"))
        assert await store.get("ada", "gh") == api_key("new")
        assert [each.id for each in await store.list("ada")] == ["gh"]
        assert await store.delete("ada", "gh") is True
        assert await store.delete("ada", "gh") is False
        assert await store.get("ada", "gh") is None
        assert await store.get("eve", "gh") == api_key("his")

    if isinstance(store, EnvironmentCredentials):
        with pytest.raises(ReadOnlyCredentialsError, match="ACTBOOK_CREDENTIALS_"):
            asyncio.run(store.put("ada", api_key()))
        with pytest.raises(ReadOnlyCredentialsError, match="unset"):
            asyncio.run(store.delete("ada", "gh"))
    else:
        asyncio.run(test())

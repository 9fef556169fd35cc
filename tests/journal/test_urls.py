"""Store URLs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from actbook.journal import Journal, MemoryStore, SQLiteStore, StoreUrlError, open_store


def test_memory() -> None:
    store = open_store("memory:")
    assert isinstance(store, MemoryStore)
    store.close()


def test_relative_absolute_and_quoted_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, name in (
        ("sqlite:///relative.db", "relative.db"),
        (f"sqlite:///{tmp_path}/absolute.db", "absolute.db"),
        ("sqlite:///with%20space%3F.db", "with space?.db"),
    ):
        store = open_store(url)
        assert isinstance(store, SQLiteStore)
        store.close()
        assert (tmp_path / name).exists()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x.db",
        "mysql://x",
        "sqlite:x.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///x.db?a=b",
        "sqlite:///folder/",
        "memory:x",
    ],
)
def test_what_is_not_understood_is_answered_with_what_is(url: str) -> None:
    with pytest.raises(StoreUrlError, match="sqlite:///relative") as raised:
        open_store(url)
    assert raised.value.url == url


def test_the_journal_takes_them_too(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(StoreUrlError):
            await Journal.open("redis://x")
        journal = await Journal.open(f"sqlite:///{tmp_path}/x.db", synchronous="NORMAL", worker_id="w")
        assert journal.worker_id == "w"
        await journal.close()

    asyncio.run(run())

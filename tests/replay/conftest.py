"""Stores that a test of the exports opened are closed when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actbook.journal import SQLiteStore


@pytest.fixture(autouse=True)
def stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[SQLiteStore] = []
    begin = SQLiteStore.__init__

    def remembered(store: SQLiteStore, *args: Any, **options: Any) -> None:
        begin(store, *args, **options)
        opened.append(store)

    monkeypatch.setattr(SQLiteStore, "__init__", remembered)
    yield
    for store in opened:
        store.close()

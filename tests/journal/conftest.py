from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journal.factories import FACTORIES, PostgresFactory, StoreFactory

from actbook.journal import Store


@pytest.fixture(params=FACTORIES, ids=lambda kind: str(kind.name))
def factory(request: pytest.FixtureRequest, tmp_path: Path) -> StoreFactory:
    if request.param is PostgresFactory:
        return PostgresFactory(request.getfixturevalue("postgres_url"))
    made: StoreFactory = request.param(tmp_path)
    return made


@pytest.fixture
def store(factory: StoreFactory) -> Iterator[Store]:
    opened = factory.open()
    yield opened
    opened.close()


@pytest.fixture
def shared(factory: StoreFactory) -> StoreFactory:
    """Only stores that several processes can open."""
    if not factory.is_shared:
        pytest.skip(f"a {factory.name} store belongs to one process")
    return factory

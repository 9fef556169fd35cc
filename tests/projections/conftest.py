from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.projections.letters import Letters


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a new store of each kind."""
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """Of a store that can be opened more than once."""
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture(autouse=True)
def _letters_work() -> Iterator[None]:
    yield
    Letters.broken.clear()

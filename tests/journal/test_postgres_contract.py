"""The `eventsourcing` library's own reusable test cases against our recorders and factory for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from eventsourcing.utils import Environment
from tests.journal import contract_cases

from actbook.journal import postgres
from actbook.journal._eventsourcing._factory import JournalFactory
from actbook.journal._eventsourcing._postgres_factory import PostgresFactory


def settings(url: str) -> dict[str, str]:
    """The library's environment variables for the store of a URL."""
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "actbook.journal.postgres",
        "POSTGRES_DBNAME": parts.path.removeprefix("/"),
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
        "POSTGRES_SCHEMA": parse_qs(parts.query)["schema"][0],
    }


class Fresh(contract_cases.Backend):
    """Mixed in before a backend: its store is a fresh schema."""

    originator_id_type = "uuid"
    url = ""

    @pytest.fixture(autouse=True)
    def _schema(self, postgres_url: str) -> None:
        self.url = postgres_url

    @pytest.fixture(autouse=True)
    def _fresh_store(self, _schema: None) -> Iterator[None]:
        self.factory = self._open(Path())
        yield
        self.factory.close()

    def _open(self, folder: Path) -> JournalFactory:
        return PostgresFactory(
            Environment("contract", {**settings(self.url), "ORIGINATOR_ID_TYPE": self.originator_id_type})
        )


class TestPostgresAggregates(Fresh, contract_cases.Aggregates):
    pass


class TestPostgresApplications(Fresh, contract_cases.Applications):
    pass


class TestPostgresTracking(Fresh, contract_cases.Tracking):
    pass


class TestPostgresProcesses(Fresh, contract_cases.Processes):
    pass


class TestPostgresPositions(Fresh, contract_cases.Positions):
    pass


class TestPostgresTextAggregates(Fresh, contract_cases.Aggregates):
    originator_id_type = "text"


class TestPostgresTextApplications(Fresh, contract_cases.Applications):
    originator_id_type = "text"


class TestPostgresTextProcesses(Fresh, contract_cases.Processes):
    originator_id_type = "text"


class TestPostgresFactory(contract_cases.Factories):
    module = postgres

    environment: dict[str, str]

    @pytest.fixture(autouse=True)
    def _schema(self, postgres_url: str) -> None:
        self.environment = settings(postgres_url)

    def settings(self, folder: str) -> dict[str, str]:
        return self.environment


def test_a_database_has_to_be_named() -> None:
    with pytest.raises(OSError, match="POSTGRES_DBNAME"):
        PostgresFactory(Environment("wrong", {"PERSISTENCE_MODULE": "actbook.journal.postgres"}))

"""Servers that tests of all folders share, started when the first test asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.services import nats, postgres, rabbitmq


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A PostgreSQL database of this session's own."""
    with postgres.url() as server, postgres.fresh_database(server) as dsn:
        yield dsn


@pytest.fixture
def postgres_url(postgres_dsn: str) -> Iterator[str]:
    """The URL of a store in a fresh schema."""
    with postgres.fresh_schema(postgres_dsn) as url:
        yield url


@pytest.fixture(scope="session")
def shared_amqp_url() -> Iterator[str]:
    """A RabbitMQ that lives as long as the session."""
    with rabbitmq.url() as url:
        yield url


@pytest.fixture
def amqp_url(shared_amqp_url: str) -> str:
    """The same, with nothing left in it by another test."""
    rabbitmq.clear(shared_amqp_url)
    return shared_amqp_url


@pytest.fixture(scope="session")
def nats_url() -> Iterator[str]:
    """A NATS server with JetStream; every test takes a tenant of its own."""
    with nats.url() as url:
        yield url

"""Claims on a PostgreSQL journal: many ask at once, and each stream goes to one."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
from msgspec import structs
from tests.journal.samples import append

from actbook.journal._postgres import PostgresStore

CLAIMERS = 8
STREAMS = 500
BATCH = 7


def test_of_many_claimers_each_stream_gets_one_and_the_urgent_go_first(postgres_url: str) -> None:
    source = PostgresStore(postgres_url)
    source.write(
        [
            structs.replace(append(f"s-{number}", 0, "x", lifecycle="open"), priority=number % 3)
            for number in range(STREAMS)
        ]
    )
    stores = [PostgresStore(postgres_url) for _ in range(CLAIMERS)]
    bare = postgres_url.partition("?")[0]
    with psycopg.connect(bare, autocommit=True) as connection:
        for number, store in enumerate(stores, 1):
            join = "INSERT INTO {schema}.workers VALUES(%s, %s, 'here', 1, 1, clock_timestamp(), '1 hour')"
            connection.execute(source.names.sql(join), (number, f"w-{number}"))
            store.fence = number

    def take(store: PostgresStore) -> list[tuple[str, int]]:
        taken: list[tuple[str, int]] = []
        while batch := store.claim(BATCH):
            assert len(batch) <= BATCH
            assert [priority for _, priority in batch] == sorted((p for _, p in batch), reverse=True)
            taken += batch
        return taken

    try:
        assert {priority for _, priority in source_claims(stores[0])} == {2}
        with ThreadPoolExecutor(CLAIMERS) as threads:
            taken = list(threads.map(take, stores))
        counts = Counter(stream for store in stores for stream, _ in store.claimed())
        assert counts == {f"s-{number}": 1 for number in range(STREAMS)}
        for store, mine in zip(stores[1:], taken[1:], strict=True):
            assert dict(store.claimed()) == dict(mine)
    finally:
        for store in (source, *stores):
            store.close()


def source_claims(store: PostgresStore) -> list[tuple[str, int]]:
    """What one alone gets first."""
    return store.claim(BATCH)

"""The hash chain that every store keeps."""

from __future__ import annotations

from hashlib import sha256

from tests.journal.factories import StoreFactory
from tests.journal.samples import append

from actbook.journal import Row, Store, canonical, verify_chain
from actbook.journal._chain import GENESIS


def test_each_hash_covers_the_one_before(store: Store) -> None:
    store.write([append("s", 0, "1", "2"), append("t", 0, "x")])
    store.write([append("s", 2, "3")])
    previous = GENESIS
    for row in store.read_rows("s"):
        covered = canonical(row.stream_id, row.version, row.topic, row.event_id, row.at, row.state)
        assert row.hash == sha256(previous + covered).digest()
        previous = row.hash
    assert store.read_rows("t")[0].version == 1
    assert verify_chain([*store.read_rows("s"), *store.read_rows("t")]) == []


def test_the_chain_goes_on_after_reopening(shared: StoreFactory) -> None:
    for version in range(4):
        store = shared.open()
        store.write([append("s", version, f"{version}")])
        store.close()
    store = shared.open()
    rows = store.read_rows("s")
    assert len(rows) == 4
    assert verify_chain(rows) == []
    assert verify_chain(rows[2:], previous=rows[1]) == []
    store.close()


def rows_of(store: Store, count: int = 5) -> list[Row]:
    store.write([append("s", 0, *(f"{n}" for n in range(count)))])
    return store.read_rows("s")


def kinds(rows: list[Row]) -> list[tuple[int, str]]:
    return [(fault.version, fault.kind) for fault in verify_chain(rows)]


def test_an_edited_event_is_found_where_it_is(store: Store) -> None:
    rows = rows_of(store)
    rows[2] = rows[2]._replace(state=rows[2].state[:-1] + b"?")
    assert kinds(rows) == [(3, "edited")]


def test_an_event_with_a_forged_hash_breaks_the_next_one(store: Store) -> None:
    rows = rows_of(store)
    row = rows[2]._replace(state=rows[2].state[:-1] + b"?")
    forged = sha256(rows[1].hash + canonical(*row[1:6], row.state)).digest()
    rows[2] = row._replace(hash=forged)
    assert kinds(rows) == [(4, "edited")]


def test_a_removed_event_leaves_a_gap(store: Store) -> None:
    rows = rows_of(store)
    assert kinds(rows[:2] + rows[3:]) == [(4, "removed")]
    assert kinds(rows[1:]) == [(2, "removed")]


def test_a_removed_event_with_renumbered_followers_is_found(store: Store) -> None:
    rows = rows_of(store)
    renumbered = [row._replace(version=row.version - 1) for row in rows[3:]]
    assert kinds(rows[:2] + renumbered) == [(3, "edited"), (4, "edited")]


def test_reordered_events_are_found(store: Store) -> None:
    rows = rows_of(store)
    swapped = [rows[0], rows[2]._replace(version=2), rows[1]._replace(version=3), *rows[3:]]
    assert (2, "edited") in kinds(swapped)
    assert kinds([rows[0], rows[2], rows[1]]) == [(3, "removed"), (2, "reordered")]
    moved = rows[1]._replace(position=rows[0].position)
    assert kinds([rows[0], moved, *rows[2:]]) == [(2, "reordered")]

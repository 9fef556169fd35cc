"""Big values lie beside the event, once."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from tests.journal.samples import append, noted

from actbook.journal import Store, verify_chain
from actbook.journal._blobs import BLOB_LIMIT

BIG = "ä" * BLOB_LIMIT


def state_of(store: Store, version: int = 1) -> list[Any]:
    state: list[Any] = msgspec.msgpack.decode(store.read_rows("s")[version - 1].state)
    return state


@pytest.mark.parametrize(
    "data",
    [
        {"big": BIG, "small": 1},
        [BIG, b"b" * BLOB_LIMIT, list(range(BLOB_LIMIT))],
        [["result", BIG], ["other", {"deep": {"deeper": [BIG]}}]],
        BIG,
        ["x" * 100] * 2000,
        {str(n): n for n in range(20_000)},
        {"nested": {str(n): "y" * 60_000 for n in range(4)}},
    ],
)
def test_big_values_come_back_as_they_were(store: Store, data: Any) -> None:
    store.write([append("s", 0, noted("big", data), "small")])
    assert store.read_stream("s")[0].payload == noted("big", data).payload
    assert all(len(row.state) <= BLOB_LIMIT for row in store.read_rows("s"))
    assert verify_chain(store.read_rows("s")) == []


def test_the_event_keeps_digest_size_and_media_type(store: Store) -> None:
    store.write([append("s", 0, noted("x", {"big": BIG}))])
    payload, references = state_of(store)[5:]
    reference = payload[1]["big"]
    digest = sha256(BIG.encode()).digest()
    assert reference.code == 1
    assert msgspec.msgpack.decode(reference.data) == [digest, len(BIG.encode()), "text/plain"]
    assert references == [digest]
    assert store.blob(digest) == BIG.encode()


def test_small_events_carry_no_list_of_references(store: Store) -> None:
    store.write([append("s", 0, "small")])
    assert len(state_of(store)) == 6


def test_text_and_bytes_of_the_same_content_stay_what_they_are(store: Store) -> None:
    data = {"text": "x" * BLOB_LIMIT, "bytes": b"x" * BLOB_LIMIT}
    store.write([append("s", 0, noted("x", data))])
    payload: Any = store.read_stream("s")[0].payload
    assert payload.data == data


def test_many_middling_values_make_one_blob_of_the_payload(store: Store) -> None:
    store.write([append("s", 0, noted("x" * 40_000, "y" * 40_000))])
    payload, references = state_of(store)[5:]
    assert payload.code == 1
    assert len(references) == 1
    assert store.read_stream("s")[0].payload == noted("x" * 40_000, "y" * 40_000).payload


def test_an_unknown_digest_is_a_key_error(store: Store) -> None:
    with pytest.raises(KeyError):
        store.blob(bytes(32))


def test_the_same_value_is_stored_once(store: Store) -> None:
    for number in range(3):
        store.write([append("s", None, noted(f"{number}", {"big": BIG})) for _ in range(2)])
    views = store.open_views_reader()
    try:
        counted = views.execute("SELECT count(*) FROM blobs").fetchone()
    except sqlite3.OperationalError:
        counted = (1,)
    views.close()
    assert counted == (1,)
    assert len(store.read_stream("s")) == 6


def test_values_of_a_refused_append_are_not_needed_to_go_on(store: Store) -> None:
    store.write([append("s", 0, "there")])
    store.write([append("s", 0, noted("x", {"big": BIG}))])
    with pytest.raises(KeyError):
        store.blob(sha256(BIG.encode()).digest())

"""Events to bytes and back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.samples import AT, Noted, append

from actbook.events._envelope import Append, Draft, Envelope
from actbook.events._topics import Event, UnknownTopicError, topic
from actbook.journal import MemoryStore, Row, UndecodableError, UpcastError, check_upcasters, upcaster
from actbook.journal import _blobs as blobs
from actbook.journal._codec import decode
from actbook.journal._upcast import _UPCASTERS

_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=25,
)
_texts = st.text(max_size=20)
_causes = st.none() | st.integers(1, 2**60) | st.binary(min_size=16, max_size=16)


@settings(max_examples=150, deadline=None)
@given(
    data=_plain,
    user=_texts,
    root=_texts,
    trace=_texts,
    cause=_causes,
    at=st.integers(0, 2**60),
    limit=st.sampled_from([16, 64, 300, blobs.BLOB_LIMIT]),
)
def test_round_trip(data: Any, user: str, root: str, trace: str, cause: Any, at: int, limit: int) -> None:
    """With every limit for big values, so most examples have some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blobs, "BLOB_LIMIT", limit)
        patch.setattr("actbook.journal._plan.BLOB_LIMIT", limit)
        store = MemoryStore()
        store.write([Append("s", 0, [Draft(Noted("t", data), at, cause)], user, root, trace)])
        (read,) = store.read_stream("s")
    assert read.payload == Noted("t", data)
    assert (read.user_id, read.correlation_id, read.traceparent) == (user, root, trace)
    assert (read.cause, read.at) == (cause, at)


@settings(max_examples=100, deadline=None)
@given(state=st.binary(max_size=60))
def test_damaged_bytes_are_a_typed_error(state: bytes) -> None:
    row = Row(1, "s", 1, "test.noted", b"", 0, b"", state)
    with suppress(UndecodableError, UpcastError):
        assert isinstance(decode(row, bytes), Envelope)


def test_a_missing_big_value_is_named() -> None:
    store = MemoryStore()
    store.write([append("s", 0, Draft(Noted("t", "x" * 100_000), AT))])
    store._blobs.clear()
    with pytest.raises(UndecodableError) as raised:
        store.read_stream("s")
    assert (raised.value.stream_id, raised.value.version, raised.value.topic) == ("s", 1, "test.noted")


def test_a_topic_of_a_newer_version_is_named() -> None:
    row = Row(1, "s", 1, "test.never_registered", b"", 0, b"", b"\x96")
    with pytest.raises(UnknownTopicError, match="never_registered"):
        decode(row, bytes)


def test_state_is_an_array_of_six() -> None:
    store = MemoryStore()
    store.write([append("s", 0, Draft(Noted("t", 1), AT, 7))])
    state = msgspec.msgpack.decode(store.read_rows("s")[0].state)
    assert state == [1, "user", "root", 7, "00-trace-01", ["t", 1]]


def test_values_nested_deeper_than_the_splitter_looks() -> None:
    value: Any = "x" * 70_000
    for _ in range(50):
        value = [value]
    store = MemoryStore()
    store.write([append("s", 0, Draft(Noted("t", value), AT))])
    assert store.read_stream("s")[0].payload == Noted("t", value)


@topic("test.renamed", schema_version=3)
class Renamed(Event, frozen=True):
    label: str
    amount: int = 0


@upcaster("test.renamed", 1)
def _one(fields: list[Any]) -> list[Any]:
    return [fields[0].upper()]


@upcaster("test.renamed", 2)
def _two(fields: list[Any]) -> list[Any]:
    return [*fields, 42]


def recorded(schema_version: int, *fields: Any) -> Row:
    state = msgspec.msgpack.encode([schema_version, "u", "c", None, "", list(fields)])
    return Row(1, "s", 1, "test.renamed", b"", 0, b"", state)


@pytest.mark.parametrize(
    ("row", "payload"),
    [
        (recorded(1, "a"), Renamed("A", 42)),
        (recorded(2, "a"), Renamed("a", 42)),
        (recorded(3, "a", 7), Renamed("a", 7)),
        (recorded(3, "a"), Renamed("a", 0)),
    ],
)
def test_older_payloads_are_lifted(row: Row, payload: Renamed) -> None:
    read = decode(row, bytes)
    assert read.payload == payload
    assert read.schema_version == msgspec.msgpack.decode(row.state)[0]


def test_a_payload_of_a_newer_version_asks_for_an_upgrade() -> None:
    with pytest.raises(UpcastError, match="upgrade"):
        decode(recorded(4, "a"), bytes)


def test_the_chain_of_upcasters_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    check_upcasters()
    with pytest.raises(ValueError, match="two upcasters"):
        upcaster("test.renamed", 1)(_one)
    monkeypatch.delitem(_UPCASTERS, ("test.renamed", 1))
    monkeypatch.setitem(_UPCASTERS, ("test.renamed", 3), _two)
    monkeypatch.setitem(_UPCASTERS, ("test.gone", 1), _two)
    with pytest.raises(UpcastError) as raised:
        check_upcasters()
    assert raised.value.problems == [
        "test.renamed has no upcaster from version 1",
        "test.gone has a stray upcaster from version 1",
        "test.renamed has a stray upcaster from version 3",
    ]
    with pytest.raises(UpcastError, match="no upcaster from version 1"):
        decode(recorded(1, "a"), bytes)

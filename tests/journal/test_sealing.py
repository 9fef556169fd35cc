"""Sealed events: what is read is what was written, nothing of it stands in the bytes, and the hash is over those bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.events import (
    Append,
    ChildOutput,
    Draft,
    Event,
    ExecutionCreated,
    NodeCompleted,
    NodeFailed,
    NodeInput,
    NodeQueued,
    NodeReviewDecided,
    ReviewDecided,
    ScheduleAdded,
    ScheduleSpec,
    ValueStored,
    registered_topics,
)
from actbook.events import _user_values as user_values
from actbook.journal import (
    MemoryStore,
    Row,
    SQLiteStore,
    Store,
    UndecodableError,
    UnencodableError,
    verify_chain,
)
from actbook.journal._codec import decode
from actbook.journal._errors import PayloadKeyError
from actbook.journal._payload_keys import DataKey
from actbook.journal._sealing import SEALED
from actbook.journal.keys import (
    FORGOTTEN,
    KeyRing,
    MasterKey,
    MemoryKeyRows,
    generate_master_key,
)

MASTER = MasterKey(generate_master_key())
SECRET = "secret-c4f1"


def ring() -> KeyRing:
    return KeyRing(MemoryKeyRows(), MASTER)


def sealing(keys: KeyRing) -> MemoryStore:
    store = MemoryStore()
    store.keys = keys
    return store


def put(store: Store, *payloads: Event, stream: str = "s", user: str = "ada") -> None:
    drafts = [Draft(payload, 7) for payload in payloads]
    (outcome,) = store.write([Append(stream, store.head(stream), drafts, user, stream)])
    assert not isinstance(outcome, Exception), outcome


texts = st.text(max_size=8).map(lambda text: SECRET + text)
values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
items = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
pairs = st.lists(st.tuples(st.sampled_from("abc"), values), max_size=3).map(tuple)
payloads: Any = st.one_of(
    st.builds(ExecutionCreated, st.just("s"), st.just("ada"), st.just("g"), st.just(1), items, items),
    st.builds(NodeQueued, st.just(1), st.just("n"), st.just("b"), items),
    st.builds(NodeInput, st.just(1), st.just("a"), values),
    st.builds(NodeCompleted, st.just(1), pairs),
    st.builds(NodeFailed, st.just(1), texts, pairs),
    st.builds(NodeReviewDecided, st.just(1), st.booleans(), values, texts, st.just("bob")),
    st.builds(ReviewDecided, st.just(1), st.booleans(), st.just("bob"), texts, st.booleans(), values),
    st.builds(ChildOutput, st.just("c"), st.just(1), st.just("y"), values),
    st.builds(ValueStored, st.just("ada"), st.just("k"), values),
    st.builds(
        lambda inputs, masks: ScheduleAdded(
            "i", "ada", "n", ScheduleSpec("g", "* * * * *", inputs=inputs, masks={"n": masks})
        ),
        items,
        items,
    ),
)


@given(st.lists(payloads, min_size=1, max_size=5))
@settings(deadline=None)
def test_what_is_read_is_what_was_written_until_it_is_forgotten(events: list[Event]) -> None:
    keys = ring()
    store = sealing(keys)
    put(store, *events)
    rows = store.log_rows(0, None)
    assert [event.payload for event in store.read_stream("s")] == events
    assert not any(SECRET.encode() in row.state for row in rows)
    assert verify_chain(rows) == []
    structure = [decode(row, store.blob).payload for row in rows]
    assert structure == [user_values.without_values(event, SEALED) for event in events]
    keys.retire("ada")
    keys.destroy("ada")
    forgotten = [event.payload for event in store.read_stream("s")]
    assert forgotten == [user_values.without_values(event, FORGOTTEN) for event in events]
    assert store.log_rows(0, None) == rows


def test_every_field_that_may_hold_a_value_is_known() -> None:
    """A new event that holds free values or texts has to say whether they are a user's."""
    structure = {
        "balance.topped_up": {"reason"},
        "execution.created": {"skip", "preset_id", "idempotency_key"},
        "graph.saved": {"definition", "name", "content"},
        "inbox.handled": {"outcome"},
        "node.failed": {"error_type"},
        "node.retry_scheduled": {"error_type"},
        "node.review_requested": {"name"},
        "schedule.added": {"name"},
        "schedule.changed": {"name"},
        "usage.charged": {"matched_filter"},
        "user.forgotten": {"reason"},
    }
    free = {
        "value",
        "data",
        "inputs",
        "outputs",
        "error",
        "message",
        "reason",
        "text",
        "masks",
        "simulation",
        "spec",
    }
    for name, kind in registered_topics().items():
        if not kind.__module__.startswith("actbook."):
            continue
        known = set(user_values._VALUES.get(kind, {})) | structure.get(name, set())
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        unknown = {
            each for each, its in fields.items() if each in free or its is Any or "Any" in str(its)
        } - known
        assert not unknown, (name, unknown)


def test_a_big_value_is_sealed_before_it_is_put_aside(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "s.db"))
    store.keys = keys = ring()
    big = NodeCompleted(1, (("out", SECRET * 20_000), ("out", {SECRET: [SECRET * 20_000]})))
    many = NodeCompleted(1, tuple(("out", SECRET + str(number)) for number in range(20_000)))
    put(store, big, many)
    assert [event.payload for event in store.read_stream("s")] == [big, many]
    found = [each.name for each in tmp_path.iterdir() if SECRET.encode() in each.read_bytes()]
    assert found == []
    keys.retire("ada")
    keys.destroy("ada")
    told = [event.payload for event in store.read_stream("s")]
    assert told == [user_values.without_values(each, FORGOTTEN) for each in (big, many)]
    store.close()


@pytest.fixture
def two() -> Iterator[tuple[MemoryStore, list[Row]]]:
    store = sealing(ring())
    put(store, NodeInput(1, "a", 1), NodeInput(2, "a", 2))
    put(store, NodeInput(1, "a", 3), stream="t")
    yield store, store.log_rows(0, None)
    store.close()


def test_a_sealed_value_opens_nowhere_else(two: tuple[MemoryStore, list[Row]]) -> None:
    store, (first, second, other) = two
    plain = [msgspec.msgpack.decode(row.state) for row in (first, second, other)]
    moved = msgspec.msgpack.encode([*plain[0][:7], *plain[1][7:]])
    for row in (
        first._replace(state=moved),
        first._replace(stream_id="t"),
        first._replace(at=8),
        first._replace(topic="link.latched"),
        other._replace(stream_id="s"),
    ):
        with pytest.raises(UndecodableError):
            decode(row, store.blob, store.keys)


def test_any_changed_byte_of_a_ciphertext_is_noticed(two: tuple[MemoryStore, list[Row]]) -> None:
    store, (row, *_) = two
    for place in range(len(row.state) - 30, len(row.state)):
        state = bytearray(row.state)
        state[place] ^= 1
        with pytest.raises(UndecodableError):
            decode(row._replace(state=bytes(state)), store.blob, store.keys)


def test_who_has_no_keys_is_told_and_never_handed_a_stand_in(two: tuple[MemoryStore, list[Row]]) -> None:
    store, _ = two
    store.keys = None
    for read in (partial(store.read_stream, "s"), store.read_log):
        with pytest.raises(PayloadKeyError, match="no payload keys were given"):
            read()


def test_what_has_no_value_is_not_sealed_and_needs_no_key() -> None:
    store = sealing(ring())
    put(store, NodeCompleted(1), NodeQueued(2, "n", "b", {}))
    assert [row.state[0] for row in store.log_rows(0, None)] == [0x96, 0x96]


def test_a_value_that_has_no_form_is_refused_as_without_keys() -> None:
    with pytest.raises(UnencodableError):
        sealing(ring()).write([Append("s", 0, [Draft(NodeInput(1, "a", object()), 7)], "ada")])


def test_each_user_has_a_key_of_his_own() -> None:
    keys = ring()
    store = sealing(keys)
    put(store, NodeInput(1, "a", 1), user="ada")
    put(store, NodeInput(1, "a", 2), stream="t", user="bob")
    keys.retire("ada")
    keys.destroy("ada")
    assert [event.payload for event in store.read_stream("s")] == [NodeInput(1, "a", FORGOTTEN)]
    assert [event.payload for event in store.read_stream("t")] == [NodeInput(1, "a", 2)]


def test_what_this_version_sealed_is_read_by_later_ones() -> None:
    """The layout is for ever: head, structure with a mark per value, big values, id of the key, nonce and ciphertext."""
    state = bytes.fromhex(
        "9901a3616461a4726f6f7401ab30302d74726163652d30319401a16ea16282a178c70002a179c7000290c410"
        "000102030405060708090a0b0c0d0e0fc42f978a858a2bf939d6d79536c8d076907ed3e98e3c6676a5945218"
        "ccb2b93b5ba88219776dd1cd5e6d1d46803a9c7f82"
    )

    class Recorded:
        def to_open(self, key_id: bytes) -> DataKey:
            assert key_id == bytes(range(16))
            return DataKey(key_id, AESGCM(bytes(range(32))))

    row = Row(1, "s", 1, "node.queued", bytes(16), 5, bytes(32), state)
    event = decode(row, dict[bytes, bytes]().__getitem__, Recorded())
    assert event.payload == NodeQueued(1, "n", "b", {"x": "hello", "y": [1, 2.5, None]})
    assert (event.user_id, event.correlation_id, event.cause) == ("ada", "root", 1)

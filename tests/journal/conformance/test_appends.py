"""What one append does: contiguous versions and positions, expected versions, atomic companions."""

from __future__ import annotations

from contextlib import closing

import pytest
from tests.journal.factories import StoreFactory
from tests.journal.samples import AT, Noted, append, failed, noted, texts, written

from actbook.events._envelope import Append, Draft
from actbook.journal import ConflictError, Store, UnencodableError


def test_versions_and_positions_count_from_one(store: Store) -> None:
    first, second = store.write([append("a", 0, "1", "2"), append("b", 0, "3")])
    third = store.write([append("a", 2, "4")])[0]
    assert (written(first).version, written(first).position) == (2, 2)
    assert (written(second).version, written(second).position) == (1, 3)
    assert (written(third).version, written(third).position) == (3, 4)
    assert [(e.stream_id, e.version, e.position) for e in store.read_log()] == [
        ("a", 1, 1),
        ("a", 2, 2),
        ("b", 1, 3),
        ("a", 3, 4),
    ]


def test_an_envelope_says_everything_about_its_event(store: Store) -> None:
    draft = Draft(Noted("x", {"k": [1, 2.5, None]}), AT, cause=b"c" * 16, event_id=b"i" * 16)
    store.write([Append("s", 0, [draft], "user", "root", "00-trace-01")])
    (envelope,) = store.read_stream("s")
    assert envelope.payload == Noted("x", {"k": [1, 2.5, None]})
    assert (envelope.at, envelope.cause, envelope.event_id) == (AT, b"c" * 16, b"i" * 16)
    assert (envelope.user_id, envelope.correlation_id, envelope.traceparent) == (
        "user",
        "root",
        "00-trace-01",
    )
    assert (envelope.topic, envelope.schema_version, len(envelope.hash)) == ("test.noted", 1, 32)


@pytest.mark.parametrize(("expected", "actual"), [(0, 2), (1, 2), (3, 2), (99, 2)])
def test_another_version_than_expected_is_a_conflict(store: Store, expected: int, actual: int) -> None:
    store.write([append("s", 0, "1", "2")])
    error = failed(store.write([append("s", expected, "x")])[0])
    assert isinstance(error, ConflictError)
    assert (error.stream_id, error.expected, error.actual) == ("s", expected, actual)
    assert texts(store.read_stream("s")) == ["1", "2"]


def test_a_new_stream_must_be_expected_at_version_zero(store: Store) -> None:
    error = failed(store.write([append("s", 5, "x")])[0])
    assert isinstance(error, ConflictError)
    assert error.actual == 0
    assert store.head("s") == 0


def test_without_an_expected_version_events_go_to_the_end(store: Store) -> None:
    outcomes = store.write(
        [append("inbox", None, "1"), append("inbox", None, "2", "3"), append("inbox", None, "4")]
    )
    assert [written(outcome).version for outcome in outcomes] == [1, 3, 4]
    assert written(store.write([append("inbox", None, "5")])[0]).version == 5
    assert texts(store.read_stream("inbox")) == ["1", "2", "3", "4", "5"]


def test_companions_are_written_with_their_append(store: Store) -> None:
    outcome = store.write(
        [append("parent", 0, "p1", "p2", also=(append("inbox", None, "i"), append("child", 0, "c")))]
    )[0]
    assert (written(outcome).version, written(outcome).position) == (2, 2)
    assert texts(store.read_log()) == ["p1", "p2", "i", "c"]
    assert written(outcome).also == tuple(store.read_log(after=2))


def test_many_companions_go_to_the_ends_of_streams_that_were_not_written_here(factory: StoreFactory) -> None:
    with closing(factory.open()) as earlier:
        for number in range(1, 9):
            earlier.write([append(f"inbox {number}", 0, *map(str, range(number)))])
        if factory.is_shared:
            with closing(factory.open()) as later:
                _tell_all(later)
        else:
            _tell_all(earlier)


def _tell_all(store: Store) -> None:
    also = tuple(append(f"inbox {number}", None, "cancel") for number in (8, 3, 100, 1, 5, 101))
    outcome = written(store.write([append("parent", 0, "p", also=also)])[0])
    assert [(e.stream_id, e.version) for e in outcome.also] == [
        ("inbox 8", 9), ("inbox 3", 4), ("inbox 100", 1), ("inbox 1", 2), ("inbox 5", 6), ("inbox 101", 1)
    ]  # fmt: skip
    assert [each.hash for each in outcome.also] == [each.hash for each in store.read_log(after=37)]


@pytest.mark.parametrize("guilty", ["main", "companion", "companion of a companion"])
def test_one_conflict_keeps_append_and_companions_out(store: Store, guilty: str) -> None:
    store.write([append(guilty, 0, "there")])
    inner = append("companion of a companion", 0, "x", lifecycle="open")
    outer = append("main", 0, "x", also=(append("companion", 0, "x", also=(inner,)),))
    error = failed(store.write([outer])[0])
    assert isinstance(error, ConflictError)
    assert error.stream_id == guilty
    assert texts(store.read_log()) == ["there"]
    assert store.unfinished() == []


def test_a_companion_may_go_on_with_the_same_stream(store: Store) -> None:
    outcome = store.write([append("s", 0, "1", also=(append("s", 1, "2"), append("s", None, "3")))])[0]
    assert written(outcome).version == 1
    assert texts(store.read_stream("s")) == ["1", "2", "3"]
    wrong = store.write([append("s", 3, "x", also=(append("s", 3, "y"),))])[0]
    assert isinstance(failed(wrong), ConflictError)
    assert store.head("s") == 3


def test_an_append_without_events_only_checks_and_marks(store: Store) -> None:
    store.write([append("s", 0, "1", lifecycle="open")])
    outcome = written(store.write([append("s", 1, lifecycle="close")])[0])
    assert (outcome.version, outcome.position) == (1, 1)
    assert store.unfinished() == []
    assert isinstance(failed(store.write([append("s", 0)])[0]), ConflictError)


def test_a_value_without_messagepack_form_is_named(store: Store) -> None:
    with pytest.raises(UnencodableError, match=r"test\.noted") as raised:
        store.write([append("s", 0, noted("x", object()))])
    assert raised.value.topic == "test.noted"
    assert store.last_position() == 0


@pytest.mark.parametrize("value", [1 << 64, "\ud800", lambda: None])
def test_other_values_that_cannot_be_encoded(store: Store, value: object) -> None:
    with pytest.raises(UnencodableError):
        store.write([append("s", 0, noted("x", value))])

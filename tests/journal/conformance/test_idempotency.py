"""An event id that was recorded once is never recorded again."""

from __future__ import annotations

import pytest
from tests.journal.factories import StoreFactory
from tests.journal.samples import append, failed, noted, texts, written

from actbook.events._envelope import Append
from actbook.journal import ConflictError, DuplicateEventError, Store

ID, ID2, ID3 = b"1" * 16, b"2" * 16, b"3" * 16


def both() -> Append:
    return append("s", 0, noted("1", event_id=ID), noted("2", event_id=ID2))


@pytest.mark.parametrize("expected", [0, 2, None])
def test_repeating_an_append_gets_the_first_answer(store: Store, expected: int | None) -> None:
    first = written(store.write([both()])[0])
    store.write([append("s", 2, "3"), append("other", 0, "4")])
    repeated = append("s", expected, noted("1", event_id=ID), noted("2", event_id=ID2))
    again = written(store.write([repeated])[0])
    assert (again.version, again.position, again.duplicate) == (first.version, first.position, True)
    assert not first.duplicate
    assert texts(store.read_log()) == ["1", "2", "3", "4"]


def test_repeating_within_one_batch(store: Store) -> None:
    outcomes = [written(o) for o in store.write([append("x", 0, "0"), both(), append("x", 1, "9"), both()])]
    assert (outcomes[3].version, outcomes[3].position, outcomes[3].duplicate) == (2, 3, True)
    assert texts(store.read_log()) == ["0", "1", "2", "9"]


def test_after_reopening(shared: StoreFactory) -> None:
    store = shared.open()
    store.write([both()])
    store.close()
    store = shared.open()
    assert written(store.write([both()])[0]).duplicate
    assert store.last_position() == 2
    store.close()


def test_an_id_anywhere_in_the_append_identifies_it(store: Store) -> None:
    partly = append("s", 0, "1", noted("2", event_id=ID), "3")
    first = written(store.write([partly])[0])
    again = written(store.write([partly])[0])
    assert (again.version, again.position, again.duplicate) == (first.version, first.position, True)


def test_ids_of_companions_count(store: Store) -> None:
    whole = append("s", 0, "1", also=(append("inbox", None, noted("i", event_id=ID)),))
    store.write([whole])
    again = written(store.write([whole])[0])
    assert (again.version, again.duplicate) == (1, True)
    assert texts(store.read_log()) == ["1", "i"]


def test_ids_in_a_batch_with_companions_on_one_stream(store: Store) -> None:
    main = append("s", 0, noted("1", event_id=ID), also=(append("s", 1, noted("2", event_id=ID2)),))
    outcomes = [written(o) for o in store.write([main, main])]
    assert [(o.version, o.position, o.duplicate) for o in outcomes] == [(1, 1, False), (1, 1, True)]
    assert [(e.version, e.event_id) for e in store.read_stream("s")] == [(1, ID), (2, ID2)]


def test_some_ids_known_and_others_not_is_refused(store: Store) -> None:
    store.write([both()])
    mixed = append("s", 2, noted("2", event_id=ID2), noted("3", event_id=ID3))
    error = failed(store.write([mixed])[0])
    assert isinstance(error, DuplicateEventError)
    assert error.event_ids == [ID2]
    assert store.head("s") == 2


def test_an_id_of_another_stream_is_refused(store: Store) -> None:
    store.write([both()])
    error = failed(store.write([append("t", 0, noted("1", event_id=ID))])[0])
    assert isinstance(error, DuplicateEventError)
    assert store.head("t") == 0


def test_the_same_id_twice_in_one_append_is_refused(store: Store) -> None:
    error = failed(store.write([append("t", 0, noted("1", event_id=ID), noted("2", event_id=ID))])[0])
    assert isinstance(error, DuplicateEventError)
    assert store.last_position() == 0


def test_a_new_id_on_an_outdated_version_is_a_conflict(store: Store) -> None:
    store.write([both()])
    error = failed(store.write([append("s", 0, noted("x", event_id=ID3))])[0])
    assert isinstance(error, ConflictError)

"""Many appends in one transaction: each has its own outcome."""

from __future__ import annotations

from tests.journal.samples import append, failed, noted, texts, written

from actbook.journal import ConflictError, PredecessorFailedError, Store


def test_a_conflict_fails_only_its_own_stream(store: Store) -> None:
    store.write([append("b", 0, "there")])
    outcomes = store.write(
        [append("a", 0, "a1"), append("b", 0, "x"), append("c", 0, "c1"), append("a", 1, "a2")]
    )
    assert [written(outcomes[i]).position for i in (0, 2, 3)] == [2, 3, 4]
    assert isinstance(failed(outcomes[1]), ConflictError)
    assert texts(store.read_log()) == ["there", "a1", "c1", "a2"]


def test_what_builds_on_a_failed_append_fails_though_it_would_fit(store: Store) -> None:
    store.write([append("s", 0, "1", "2", "3")])
    outcomes = store.write(
        [append("s", 1, "x", "y"), append("s", 3, "built on x and y"), append("s", None, "free")]
    )
    assert isinstance(failed(outcomes[0]), ConflictError)
    assert isinstance(failed(outcomes[1]), ConflictError)
    assert written(outcomes[2]).version == 4


def test_what_builds_on_an_unusable_append_says_so(store: Store) -> None:
    store.write([append("other", None, noted("x", event_id=b"1" * 16))])
    stolen = append("s", 0, noted("x", event_id=b"1" * 16))
    outcomes = store.write([stolen, append("s", 0, "2"), append("s", 0, "3")])
    errors = [failed(outcome) for outcome in outcomes[1:]]
    assert all(isinstance(error, PredecessorFailedError) for error in errors)
    assert all(isinstance(e, PredecessorFailedError) and e.reason is outcomes[0] for e in errors)
    assert store.head("s") == 0


def test_an_empty_batch_does_nothing(store: Store) -> None:
    assert store.write([]) == []
    assert store.last_position() == 0


def test_a_batch_larger_than_any_statement(store: Store) -> None:
    outcomes = store.write([append(f"s-{n % 7}", None, f"{n}", f"{n}'") for n in range(1700)])
    assert [written(outcome).position for outcome in outcomes] == list(range(2, 3402, 2))
    log = store.read_log(limit=None)
    assert [envelope.position for envelope in log] == list(range(1, 3401))
    assert texts(log)[:4] == ["0", "0'", "1", "1'"]


def test_each_power_of_two_and_its_neighbours_insert_in_order(store: Store) -> None:
    position = 0
    for count in (1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025):
        texts_in = [f"{count}/{n}" for n in range(count)]
        outcome = written(store.write([append("s", None, *texts_in)])[0])
        assert texts(store.read_log(after=position, limit=None)) == texts_in
        position += count
        assert outcome.position == position


def test_open_and_close_are_part_of_the_batch(store: Store) -> None:
    store.write([append("a", 0, "1", lifecycle="open"), append("b", 0, "1", lifecycle="open")])
    store.write(
        [
            append("c", 0, "1", lifecycle="open"),
            append("a", 1, "2", lifecycle="close"),
            append("d", 0, "1", lifecycle="open"),
            append("d", 1, "2", lifecycle="close"),
            append("b", 0, "conflict", lifecycle="close"),
        ]
    )
    assert store.unfinished() == ["b", "c"]


def test_unfinished_streams_keep_the_order_of_their_first_opening(store: Store) -> None:
    store.write([append(f"s-{n}", 0, "1", lifecycle="open") for n in (3, 1, 2)])
    store.write([append("s-3", 1, "again", lifecycle="open")])
    assert store.unfinished() == ["s-3", "s-1", "s-2"]
    store.write([append("s-3", 2, "done", lifecycle="close")])
    store.write([append("s-3", 3, "retried", lifecycle="open")])
    assert store.unfinished() == ["s-1", "s-2", "s-3"]

"""Streams that are unfinished and have nothing to do until another stream goes on; how urgent the others are."""

from __future__ import annotations

import msgspec
from tests.journal.samples import append

from actbook.events._envelope import Append
from actbook.journal import Store


def opened(
    stream_id: str, *, version: int = 0, asleep: tuple[str, int] | None = None, priority: int = 0
) -> Append:
    plain = append(stream_id, version, "x", lifecycle="open")
    return msgspec.structs.replace(plain, asleep=asleep, priority=priority)


def test_a_sleeping_stream_is_listed_when_the_other_one_goes_beyond_the_version(store: Store) -> None:
    store.write([opened("a"), opened("b", asleep=("bell", 1)), opened("c", asleep=("other", 0))])
    assert store.unfinished() == ["a"]
    store.write([append("bell", 0, "known when it fell asleep")])
    assert store.unfinished() == ["a"]
    store.write([append("bell", 1, "news")])
    assert store.unfinished() == ["a", "b"]


def test_a_message_that_came_before_it_fell_asleep_counts(store: Store) -> None:
    store.write([append("bell", 0, "1", "2")])
    store.write([opened("s", asleep=("bell", 1))])
    assert store.unfinished() == ["s"]


def test_opening_again_wakes_it_and_keeps_its_place(store: Store) -> None:
    store.write([opened("first", asleep=("bell", 0)), opened("second")])
    store.write([opened("first", version=1)])
    assert store.unfinished() == ["first", "second"]
    store.write([opened("first", version=2, asleep=("bell", 0))])
    assert store.unfinished() == ["second"]


def test_a_closed_stream_is_not_woken(store: Store) -> None:
    store.write([opened("s", asleep=("bell", 0))])
    store.write([append("s", 1, lifecycle="close")])
    store.write([append("bell", 0, "news")])
    assert store.unfinished() == []


def test_some_streams_can_be_asked_for(store: Store) -> None:
    store.write([opened("a"), opened("b", priority=2), opened("c", asleep=("bell", 0), priority=-1)])
    assert store.unfinished(["b", "c", "unknown"]) == ["b"]
    assert store.unfinished([]) == []
    assert store.priorities() == {"b": 2, "c": -1}
    assert store.priorities(["a", "b"]) == {"b": 2}


def test_many_streams_fall_asleep_in_one_batch(store: Store) -> None:
    store.write([opened(f"s-{n}", asleep=(f"bell-{n}", 0), priority=n % 2) for n in range(1500)])
    assert store.unfinished() == []
    store.write([append(f"bell-{n}", 0, "news") for n in (7, 1400)])
    assert sorted(store.unfinished()) == ["s-1400", "s-7"]
    assert sorted(store.unfinished([f"s-{n}" for n in range(1450)])) == ["s-1400", "s-7"]
    assert len(store.priorities([f"s-{n}" for n in range(1500)])) == 750


def closed(stream_id: str, version: int, unless: tuple[str, int]) -> Append:
    return msgspec.structs.replace(append(stream_id, version, "end", lifecycle="close"), asleep=unless)


def test_a_stream_is_not_closed_when_another_one_has_gone_beyond_the_version(store: Store) -> None:
    store.write([opened("a"), opened("b"), opened("c", asleep=("bell-c", 0)), append("bell-a", 0, "1", "2")])
    store.write([closed("a", 1, ("bell-a", 1)), closed("b", 1, ("bell-b", 0)), closed("c", 1, ("bell-c", 0))])
    assert store.unfinished() == ["a"]
    store.write([closed("a", 2, ("bell-a", 2))])
    assert store.unfinished() == []


def test_news_of_the_same_batch_keep_a_stream_from_being_closed(store: Store) -> None:
    store.write([opened("first"), opened("second")])
    store.write(
        [append("bell", None, "news"), closed("first", 1, ("bell", 0)), closed("second", 1, ("no", 0))]
    )
    assert store.unfinished() == ["first"]


def test_many_streams_are_closed_in_one_batch_but_those_with_news(store: Store) -> None:
    store.write([opened(f"s-{n}") for n in range(1500)])
    news = [append(f"bell-{n}", 0, "news") for n in (7, 1400)]
    store.write([*news, *(closed(f"s-{n}", 1, (f"bell-{n}", 0)) for n in range(1500))])
    assert store.unfinished() == ["s-7", "s-1400"]

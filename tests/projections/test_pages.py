"""A batch comes page by page, and nothing of that is seen in the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.projections.letters import LETTERS, Letters, letters
from tests.projections.recording import Tables, envelope

from actbook.events import Envelope, NodeQueued
from actbook.projections import Column, Projection, Rows, Table, _feed
from actbook.projections._feed import Feed
from actbook.projections._rows import RowCache
from actbook.projections._statements import Statements

TEXTS = st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from("abcABCx")), max_size=30)
SIZES = st.integers(1, 7)


class Kinds(Projection):
    """Counts events of whatever kind, without a handler for any."""

    table: ClassVar[Table] = Table(
        "kinds", "", (Column("topic", "TEXT", "", ""), Column("n", "INTEGER", "", 0)), ("topic",)
    )

    def reduce(self, events: Sequence[Envelope], rows: Rows) -> None:
        for event in events:
            if rows.peek(event.topic) is None:
                rows[event.topic] = {"topic": event.topic, "n": 0}
            rows[event.topic]["n"] += 1


class Pages:
    """A batch of so many events a page; counts how often it was gone through."""

    def __init__(self, events: list[Envelope], size: int) -> None:
        self._events = events
        self._size = size
        self.times = 0

    def __iter__(self) -> Iterator[list[Envelope]]:
        self.times += 1
        for start in range(0, len(self._events), self._size):
            yield self._events[start : start + self._size]


def log_of(told: list[tuple[str, str]]) -> list[Envelope]:
    versions: dict[str, int] = {}
    log = []
    for position, (stream, letter) in enumerate(told, 1):
        versions[stream] = versions.get(stream, 0) + 1
        [draft] = letters(stream, letter).drafts
        log.append(envelope(draft, stream, versions[stream], position))
    return log


def parked(tables: Tables) -> list[Any]:
    sql = "SELECT name, position, attempts FROM parked_events ORDER BY name, position"
    return tables.connection.execute(sql).fetchall()


@given(TEXTS, SIZES)
def test_pages_make_the_same_tables_as_one_list(told: list[tuple[str, str]], size: int) -> None:
    log = log_of(told)
    Letters.broken.add("x")
    try:
        with Tables([Letters, Kinds]) as whole, Tables([Letters, Kinds]) as paged:
            for tables, pages in ((whole, Pages(log, 1000)), (paged, Pages(log, size))):
                (group,) = tables.lanes.groups()
                tables.applying.apply_pages(group.lanes, pages, len(log) + 3)
                assert {lane.position for lane in group.lanes} == {len(log) + 3}
                assert pages.times == 1 + any(letter == "x" for _, letter in told)
            for name in ("letters", "kinds"):
                assert paged.rows(name) == whole.rows(name)
            assert parked(paged) == parked(whole)
    finally:
        Letters.broken.clear()


def test_a_store_that_fails_between_two_pages_leaves_the_tables_as_they_were() -> None:
    def pages() -> Iterator[list[Envelope]]:
        yield log_of([("one", "a")])
        raise OSError("the disk is gone")

    with Tables([Letters]) as tables:
        (group,) = tables.lanes.groups()
        with pytest.raises(OSError, match="the disk is gone"):
            tables.applying.apply_pages(group.lanes, pages(), 2)
        tables.lanes.load()
        assert set(tables.lanes.positions().values()) == {0}
        tables.apply(log_of([("one", "a")]))
        assert [row["count"] for row in tables.rows("letters")] == [1]


def test_what_a_projection_does_not_handle_is_kept_from_it_unless_it_reduces_in_its_own_way() -> None:
    assert Letters().ignores({NodeQueued})
    assert not Letters().ignores({NodeQueued, type(letters("s", "a").drafts[0].payload)})
    assert not Kinds().ignores({NodeQueued})


def test_a_batch_is_read_page_by_page_and_can_be_gone_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_feed, "PAGE", 4)
    monkeypatch.setattr(_feed, "BATCH", 5)
    read: list[tuple[int, int]] = []

    class Log:
        keys = None

        def read_log(
            self, after: int, limit: int, topics: Any = (), upto: int | None = None
        ) -> list[Envelope]:
            assert upto is not None
            read.append((after, upto))
            return log_of([("one", "a")] * 100)[after:upto]

    log: Any = Log()
    feed = Feed(log)
    feed.heard(100)
    batch = feed.next(7, 2)
    assert (batch.end, read) == (17, [])
    assert [len(page) for page in batch.pages] == [4, 4, 2]
    assert read == [(7, 11), (11, 15), (15, 17)]
    assert [event.position for event in batch.events] == list(range(8, 18))
    assert feed.next(7).end == 12


def test_a_fresh_row_takes_the_place_of_whatever_there_is() -> None:
    cache = RowCache(Statements(LETTERS, "letters"), lambda sql, values: [("a", 1, 5, "s")])
    rows = Rows(cache)
    assert rows["a"]["count"] == 5
    rows.delete("a")
    row = rows.fresh("a")
    assert row == LETTERS.blank()
    row["letter"] = "a"
    assert rows["a"] is row
    assert not rows.deleted
    assert LETTERS.blank()["letter"] == "", "the next one starts from defaults, too"
    [(_, values)] = rows.writes()
    assert list(values) == ["a", 0, 0, None]

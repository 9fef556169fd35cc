"""Whatever of the log is handed over, the reader gets every event once and in order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.projections.letters import letters
from tests.projections.recording import envelope

from actbook.events import Envelope
from actbook.projections import _feed
from actbook.projections._feed import Feed


class Log:
    """Stands for the store; counts what has to be read."""

    keys = None

    def __init__(self) -> None:
        self.events: list[Envelope] = []
        self.read = 0

    def extend(self, count: int) -> list[Envelope]:
        start = len(self.events)
        new = [envelope(d, "s", 1, start + at) for at, d in enumerate(letters("s", "a" * count).drafts, 1)]
        self.events += new
        return new

    def last_position(self) -> int:
        return len(self.events)

    def read_log(self, after: int, limit: int, topics: Any = (), upto: int | None = None) -> list[Envelope]:
        found = self.events[after:upto][:limit]
        self.read += len(found)
        return found


STEPS = st.lists(st.tuples(st.sampled_from(["own", "own", "other", "next", "next"]), st.integers(1, 12)))


@given(STEPS, st.integers(1, 10))
def test_every_event_comes_once_and_in_order(steps: list[tuple[str, int]], batch: int) -> None:
    log: Any = Log()
    feed = Feed(log)
    before, _feed.BATCH = _feed.BATCH, batch
    try:
        seen: list[int] = []

        def take() -> None:
            after = seen[-1] if seen else 0
            if after < feed.head:
                got = feed.next(after)
                assert len(got.events) <= batch * _feed.FILL
                assert got.end == got.events[-1].position
                seen.extend(event.position for event in got.events)

        for what, count in steps:
            if what == "next":
                take()
            else:
                new = log.extend(count)
                if what == "own":
                    feed.add(new)
                else:
                    feed.heard(new[-1].position)
        for _ in range(len(log.events) + 1):
            take()
    finally:
        _feed.BATCH = before
    assert seen == list(range(1, len(log.events) + 1))


def test_what_is_handed_over_is_not_read() -> None:
    log: Any = Log()
    feed = Feed(log)
    for _ in range(3):
        feed.add(log.extend(5))
    assert [event.position for event in feed.next(0).events] == list(range(1, 16))
    assert feed.taken == 15
    assert log.read == 0

"""Event ids are UUIDs of version 7 that rise."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from actbook.journal import EventIds, new_event_id


def test_it_is_a_uuid_of_version_seven_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(bytes=new_event_id())
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 50)), min_size=1, max_size=30))
def test_ids_rise_whatever_the_clock_does(steps: list[tuple[int, int]]) -> None:
    now = [1_760_000_000_000]
    ids = EventIds(lambda: now[0])
    made: list[bytes] = []
    for step, count in steps:
        now[0] += step
        made += ids.take(count)
    assert made == sorted(set(made))
    assert all(UUID(bytes=each).version == 7 for each in made)


def test_a_counter_that_runs_over_borrows_from_the_future() -> None:
    ids = EventIds(lambda: 1_760_000_000_000)
    made = [ids()]
    ids._counter = (1 << 62) - 1
    made += ids.take(2)
    assert made == sorted(set(made))
    assert UUID(bytes=made[-1]).int >> 80 == 1_760_000_000_001


def test_threads_never_get_the_same_id() -> None:
    ids = EventIds()
    with ThreadPoolExecutor(4) as pool:
        made = [each for taken in pool.map(lambda _: ids.take(500), range(20)) for each in taken]
    assert len(set(made)) == 10_000

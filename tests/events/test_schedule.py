"""What of a schedule is due, by its policy, and how its state follows from its events."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.events import (
    Due,
    Envelope,
    Event,
    Schedule,
    ScheduleAdded,
    ScheduleChanged,
    ScheduleFired,
    ScheduleMissed,
    SchedulePaused,
    ScheduleRefused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSkipped,
    ScheduleSpec,
    due,
    evolve_schedule,
    fold_schedule,
    schedule_of,
    schedule_stream,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_767_225_600 * SECOND
"""2026-01-01 00:00 UTC."""


def schedule(cron: str = "0 * * * *", **spec: Any) -> Schedule:
    return evolve_schedule(Schedule(), ScheduleAdded("s", "ada", "n", ScheduleSpec("g", cron, **spec)), START)


def hours(*numbers: int) -> tuple[int, ...]:
    return tuple(START + number * HOUR for number in numbers)


def lost(first: int, last: int, count: int) -> ScheduleMissed:
    return ScheduleMissed(START + first * HOUR, START + last * HOUR, count)


def test_nothing_is_due_before_its_time() -> None:
    assert due(schedule(), START + HOUR - 1) == Due((), None, START + HOUR)


def test_the_moment_it_was_added_at_does_not_count() -> None:
    assert due(schedule(), START) == Due((), None, START + HOUR)


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_a_moment_that_is_met_runs_whatever_the_policy(missed: str) -> None:
    for late in (0, 59 * SECOND):
        now = START + HOUR + late
        assert due(schedule(missed=missed), now) == Due(hours(1), None, START + 2 * HOUR)


@pytest.mark.parametrize(
    ("policy", "fires", "missed"),
    [
        ("skip", (), lost(1, 5, 5)),
        ("once", hours(5), lost(1, 4, 4)),
        ("all", hours(1, 2, 3, 4, 5), None),
    ],
)
def test_moments_nobody_was_there_for(policy: str, fires: tuple[int, ...], missed: ScheduleMissed) -> None:
    now = START + 5 * HOUR + 10 * MINUTE
    assert due(schedule(missed=policy), now) == Due(fires, missed, START + 6 * HOUR)


def test_skipping_what_was_missed_still_runs_what_is_met() -> None:
    found = due(schedule(missed="skip"), START + 5 * HOUR + 10 * SECOND)
    assert found == Due(hours(5), lost(1, 4, 4), START + 6 * HOUR)


def test_catching_up_is_bounded_to_the_newest() -> None:
    found = due(schedule(missed="all", catch_up=2), START + 5 * HOUR)
    assert found == Due(hours(4, 5), lost(1, 3, 3), START + 6 * HOUR)


def test_years_of_missed_minutes_are_not_counted_one_by_one() -> None:
    now = START + 2 * 365 * 24 * HOUR
    found = due(schedule("* * * * *"), now)
    assert found == Due((now,), ScheduleMissed(START + MINUTE, now - MINUTE, 1000), now + MINUTE)


@pytest.mark.parametrize("end", [SchedulePaused("ada"), ScheduleRemoved("ada")])
def test_a_paused_or_removed_one_is_never_due(end: Event) -> None:
    state = evolve_schedule(schedule(), end, START)
    assert due(state, START + 5 * HOUR) == Due()
    assert state.next_due() is None
    assert state.upcoming(START) == []


def test_what_was_due_while_it_was_paused_is_not_missed() -> None:
    state = evolve_schedule(schedule(), SchedulePaused("ada"), START)
    evolve_schedule(state, ScheduleResumed("ada"), START + 5 * HOUR + 1)
    assert due(state, START + 6 * HOUR) == Due(hours(6), None, START + 7 * HOUR)


def test_another_time_counts_from_the_change_on_and_other_inputs_change_no_time() -> None:
    state, later = schedule(), START + 3 * HOUR + MINUTE
    other = msgspec.structs.replace(state.spec, inputs={"x": 1})
    evolve_schedule(state, ScheduleChanged("ada", "n", other), later)
    assert state.next_due() == START + HOUR
    evolve_schedule(
        state, ScheduleChanged("ada", "new", msgspec.structs.replace(other, cron="30 * * * *")), later
    )
    assert (state.next_due(), state.name, state.spec.inputs) == (
        START + 3 * HOUR + 30 * MINUTE,
        "new",
        {"x": 1},
    )


def test_each_outcome_settles_its_moment_and_is_counted() -> None:
    state = schedule()
    for event in (
        lost(1, 3, 3),
        ScheduleFired(START + 4 * HOUR, "e4"),
        ScheduleSkipped(START + 5 * HOUR, "e4"),
        ScheduleRefused(START + 6 * HOUR, "gone"),
    ):
        evolve_schedule(state, event, START + 7 * HOUR)
    assert (state.missed, state.fired, state.skipped, state.refused) == (3, 1, 1, 1)
    assert (state.last_due, state.last_execution, state.last_error) == (START + 4 * HOUR, "e4", "gone")
    assert state.next_due() == START + 7 * HOUR
    assert state.version == 5


def test_a_late_record_of_an_earlier_moment_does_not_set_it_back() -> None:
    state = evolve_schedule(schedule(), ScheduleFired(START + 4 * HOUR, "e4"), START)
    evolve_schedule(state, ScheduleFired(START + 2 * HOUR, "e2"), START)
    assert state.settled == START + 4 * HOUR


def test_a_clock_that_was_set_back_runs_nothing_again() -> None:
    state = evolve_schedule(schedule(), ScheduleFired(START + 4 * HOUR, "e4"), START)
    assert due(state, START + 2 * HOUR) == Due((), None, START + 5 * HOUR)


def test_a_removed_one_stays_removed() -> None:
    state = evolve_schedule(schedule(), ScheduleRemoved("ada"), START)
    evolve_schedule(state, ScheduleResumed("ada"), START)
    evolve_schedule(state, SchedulePaused("ada"), START)
    assert state.status == "removed"


def test_a_snapshot_says_the_same() -> None:
    state = evolve_schedule(schedule(inputs={"x": [1]}), ScheduleFired(START + HOUR, "e"), START + HOUR)
    assert Schedule.decode(state.encode()) == state


def test_a_stream_belongs_to_its_schedule() -> None:
    assert schedule_of(schedule_stream("abc")) == "abc"
    assert schedule_of("schedules:all") is None


def test_the_next_moments_are_told() -> None:
    assert schedule().upcoming(START + 90 * MINUTE, 3) == list(hours(2, 3, 4))


specs: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    cron=st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *", "15,45 1-3 * * *", "@daily"]),
    timezone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]),
    missed=st.sampled_from(["skip", "once", "all"]),
    catch_up=st.integers(1, 4),
)
# Around the day on which New York repeats an hour.
jumps = st.lists(st.integers(1, 30 * 3600), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(specs, jumps)
def test_however_often_one_looks_each_moment_is_dealt_with_once(
    spec: dict[str, Any], jumps: list[int]
) -> None:
    begin = 1_793_491_200 * SECOND
    added = ScheduleAdded("s", "ada", "n", ScheduleSpec("g", **spec))
    state, now = evolve_schedule(Schedule(), added, begin), begin
    dealt: list[tuple[int, int]] = []
    for jump in jumps:
        now += jump * SECOND
        found = due(state, now)
        if found.missed is not None:
            dealt.append((found.missed.first, found.missed.last))
            evolve_schedule(state, found.missed, now)
        for moment in found.fires:
            dealt.append((moment, moment))
            evolve_schedule(state, ScheduleFired(moment, "e"), now)
        assert due(state, now) == Due((), None, found.next)
        assert found.next is not None
        assert found.next > now
    assert all(first <= last for first, last in dealt)
    assert all(before[1] < after[0] for before, after in pairwise(dealt))
    every = state.cron().count(begin, now, 100_000)
    assert every == state.missed + state.fired or state.missed >= 1000


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([SchedulePaused("a"), ScheduleResumed("a"), ScheduleFired(START + HOUR, "e")]))
)
def test_folding_from_a_snapshot_is_folding_from_the_start(events: list[Event]) -> None:
    log = [recorded(event, number) for number, event in enumerate([ADDED, *events], 1)]
    whole = fold_schedule(log)
    for cut in range(1, len(log) + 1):
        snapshot = Schedule.decode(fold_schedule(log[:cut]).encode())
        assert fold_schedule(log[cut:], snapshot) == whole


ADDED = ScheduleAdded("s", "ada", "n", ScheduleSpec("g", "@hourly"))


def recorded(event: Event, version: int) -> Envelope:
    return Envelope(event, START, None, b"", schedule_stream("s"), version, version, "ada", "", "", 1, b"")

"""Schedules in virtual time: what is submitted when, after pauses, restarts, crashes and faults."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import play, sqlite
from tests.engine.virtual import HOUR, MIDNIGHT, MINUTE, Place, Time, place

from actbook.engine import GraphNotFoundError, GraphValidationError
from actbook.events import (
    ScheduleFired,
    ScheduleMissed,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    schedule_stream,
)
from actbook.journal import Journal, StoreFullError

Story = Callable[[Place], Coroutine[Any, Any, None]]


def tell(story: Story, url: str = "memory:") -> None:
    async def told() -> None:
        async with place(url) as here:
            await story(here)

    play(told())


def test_it_runs_at_each_moment_and_records_it() -> None:
    async def story(here: Place) -> None:
        await here.add()
        await here.at(0.99)
        assert here.runs.submitted == []
        await here.at(3.5)
        assert here.runs.submitted == ["s@01:00", "s@02:00", "s@03:00"]
        assert await here.topics() == ["schedule.added", *["schedule.fired"] * 3]
        state = await here.state()
        assert (state.fired, state.last_execution, state.last_due) == (3, "s@03:00", MIDNIGHT + 3 * HOUR)

    tell(story)


def test_schedules_do_not_disturb_each_other() -> None:
    async def story(here: Place) -> None:
        await here.add("a", "0 * * * *")
        await here.add("b", "30 * * * *")
        await here.add("c", "0 2 * * *")
        await here.at(2.5)
        assert sorted(here.runs.submitted) == [
            "a@01:00",
            "a@02:00",
            "b@00:30",
            "b@01:30",
            "b@02:30",
            "c@02:00",
        ]

    tell(story)


def test_a_paused_one_waits_and_goes_on_without_catching_up() -> None:
    async def story(here: Place) -> None:
        await here.add()
        await here.at(1.5)
        await here.store.change("s", lambda _: [SchedulePaused("ada")])
        await here.clockwork.look("s")
        await here.at(4.5)
        await here.store.change("s", lambda _: [ScheduleResumed("ada")])
        await here.clockwork.look("s")
        await here.at(5.5)
        assert here.runs.submitted == ["s@01:00", "s@05:00"]
        assert (await here.state()).missed == 0

    tell(story)


def test_what_another_process_decided_just_before_counts() -> None:
    async def story(here: Place) -> None:
        await here.add()
        await here.at(1.5)
        await here.store.change("s", lambda _: [ScheduleRemoved("ada")])
        await here.at(3)
        assert here.runs.submitted == ["s@01:00"]
        assert await here.store.ids() == []

    tell(story)


def test_news_of_other_processes_sets_alarms() -> None:
    async def story(here: Place) -> None:
        other = await here.add("other", "@yearly")
        here.clockwork.heard(await here.journal.read_stream(schedule_stream(other.id)))
        await here.time.settle()
        await here.store.change("other", lambda _: [ScheduleRemoved("ada")])
        here.clockwork.heard(await here.journal.read_stream(schedule_stream(other.id)))
        await here.time.settle()
        assert len(here.clockwork._alarms) == 0

    tell(story)


@pytest.mark.parametrize(
    ("policy", "submitted", "missed"),
    [
        ("skip", ["s@01:00", "s@06:00"], 4),
        ("once", ["s@01:00", "s@05:00", "s@06:00"], 3),
        ("all", ["s@01:00", "s@02:00", "s@03:00", "s@04:00", "s@05:00", "s@06:00"], 0),
    ],
)
def test_a_new_owner_deals_with_what_was_missed(policy: str, submitted: list[str], missed: int) -> None:
    async def story(here: Place) -> None:
        await here.add(missed=policy)
        await here.at(1.5)
        here.clockwork.stop()
        await here.at(5.5)
        assert len(here.runs.submitted) == 1
        await here.restart()
        await here.at(6.1)
        assert here.runs.submitted == submitted
        assert (await here.state()).missed == missed

    tell(story)


def test_a_crash_between_submitting_and_recording_runs_it_once() -> None:
    async def story(here: Place) -> None:
        await here.add()
        await here.runs.submit(await here.state(), MIDNIGHT + HOUR)
        here.clockwork.stop()
        await here.at(1.01)
        await here.restart()
        await here.at(1.02)
        assert here.runs.submitted == ["s@01:00"]
        assert await here.topics() == ["schedule.added", "schedule.fired"]

    tell(story)


def test_without_overlap_a_moment_is_left_out_while_the_run_before_goes_on() -> None:
    async def story(here: Place) -> None:
        await here.add(overlap="skip")
        await here.at(2.5)
        assert here.runs.submitted == ["s@01:00"]
        here.runs.over.add("s@01:00")
        await here.at(3.5)
        assert here.runs.submitted == ["s@01:00", "s@03:00"]
        assert await here.topics() == [
            "schedule.added",
            "schedule.fired",
            "schedule.skipped",
            "schedule.fired",
        ]

    tell(story)


def test_catching_up_without_overlap_begins_one() -> None:
    async def story(here: Place) -> None:
        await here.add(overlap="skip", missed="all")
        here.clockwork.stop()
        await here.at(3.5)
        await here.restart()
        await here.at(3.6)
        assert here.runs.submitted == ["s@01:00"]
        assert (await here.state()).skipped == 2

    tell(story)


@pytest.mark.parametrize(
    "fault", [GraphNotFoundError("g"), GraphValidationError({"n": {"f": "is gone"}}), ValueError("no")]
)
def test_what_is_refused_is_recorded_and_the_next_moment_comes(fault: Exception) -> None:
    async def story(here: Place) -> None:
        await here.add()
        here.runs.fault = fault
        await here.at(1.5)
        state = await here.state()
        assert (state.refused, state.last_error) == (1, str(fault))
        here.runs.fault = None
        await here.at(2.5)
        assert here.runs.submitted == ["s@02:00"]
        assert (await here.state()).last_error == ""

    tell(story)


def test_a_store_that_fails_is_asked_again_and_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    async def story(here: Place) -> None:
        await here.add()
        here.runs.fault = StoreFullError("x", "disk full")
        await here.time.until(MIDNIGHT + HOUR + 20 * MINUTE)
        assert await here.topics() == ["schedule.added"]
        here.runs.fault = None
        await here.time.until(MIDNIGHT + HOUR + 30 * MINUTE)
        assert here.runs.submitted == ["s@01:00"]
        assert await here.topics() == ["schedule.added", "schedule.fired"]

    with caplog.at_level(logging.CRITICAL, "actbook.schedules"):
        tell(story)


def test_a_time_zone_this_machine_does_not_know_stops_only_that_schedule(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(here: Place) -> None:
        await here.add("a", timezone="Mars/Olympus")
        await here.add("b")
        await here.restart()
        await here.at(1.5)
        assert here.runs.submitted == ["b@01:00"]

    with caplog.at_level(logging.CRITICAL, "actbook.schedules"):
        tell(story)


def test_each_moment_counts_once_however_often_it_is_looked_at() -> None:
    async def story(here: Place) -> None:
        await here.add()
        here.time.now = MIDNIGHT + HOUR
        for _ in range(5):
            here.clockwork._ring("s")
        await here.time.settle()
        assert await here.topics() == ["schedule.added", "schedule.fired"]

    tell(story)


def test_a_stopped_clockwork_runs_nothing() -> None:
    async def story(here: Place) -> None:
        await here.add()
        here.clockwork._ring("s")
        here.clockwork.stop()
        await here.clockwork.look("s")
        await here.at(2)
        assert here.runs.submitted == []

    tell(story)


def test_a_long_past_is_not_read_again(tmp_path: Path) -> None:
    async def test() -> None:
        url = sqlite(tmp_path)
        async with place(url) as here:
            await here.add(cron="* * * * *")
            await here.at(5)
            state = await here.state()
            assert state.fired == 300
        journal = await Journal.open(url)
        snapshot = await journal.latest_snapshot(schedule_stream("s"))
        assert snapshot is not None
        assert snapshot.version == 300
        again = Place(journal, Time())
        assert await again.state() == state
        await journal.close()

    play(test())


def test_the_list_holds_what_was_added_and_not_removed() -> None:
    async def story(here: Place) -> None:
        for name in ("a", "b", "c"):
            await here.add(name)
        await here.store.change("b", lambda _: [ScheduleRemoved("ada")])
        assert await here.store.ids() == ["a", "c"]
        assert await here.store.ids("ada") == ["a", "c"]
        assert await here.store.ids("eve") == []
        assert await here.store.load("nobody") is None

    tell(story)


def test_two_changes_at_once_are_both_made() -> None:
    async def story(here: Place) -> None:
        await here.add()
        first = True

        def decide(_: object) -> list[SchedulePaused]:
            nonlocal first
            if first:
                first = False
                here.time.background(here.store.record(state, ScheduleFired(MIDNIGHT, "x")))
            return [SchedulePaused("ada")]

        state = await here.state()
        await here.store.record(state, ScheduleMissed(MIDNIGHT, MIDNIGHT, 1))
        changed = await here.store.change("s", decide)
        await here.time.settle()
        assert changed.status == "paused"
        assert (await here.state()).version == 4

    tell(story)

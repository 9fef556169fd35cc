"""Cron expressions: when they come due, also where clocks are changed, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.events import Cron, CronError, TimezoneError

MINUTE = 60_000_000
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney")

minutes = st.sampled_from(["*", "*/15", "0", "30", "15,45", "0-40/20"])
hours = st.sampled_from(["*", "2", "1", "1,2,3", "*/6", "0-5"])
days = st.sampled_from(["* * *", "1 * *", "* * SUN", "* * MON-FRI", "L * *", "* 3,10,11 *"])
crons = st.builds("{} {} {}".format, minutes, hours, days)
moments = st.integers(1_735_689_600, 1_830_297_600).map(lambda seconds: seconds * 1_000_000)


def at(text: str) -> int:
    """Microseconds of a moment; UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000


def local(moment: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(moment / 1e6, ZoneInfo(zone)):%m-%d %H:%M%z}"


def dues(expression: str, zone: str, since: str, count: int) -> list[str]:
    return [local(each, zone) for each in islice(Cron(expression, zone).after(at(since)), count)]


def test_it_is_due_on_the_clock_of_its_time_zone() -> None:
    assert dues("30 9 * * MON-FRI", "Europe/Berlin", "2026-01-02T12:00", 2) == [
        "01-05 09:30+0100",
        "01-06 09:30+0100",
    ]
    assert Cron("30 9 * * *", "Asia/Kolkata").next(at("2026-01-01T00:00")) == at("2026-01-01T04:00")


def test_a_moment_is_later_than_the_one_it_is_asked_after() -> None:
    cron = Cron("0 * * * *")
    assert cron.next(at("2026-01-01T10:00")) == at("2026-01-01T11:00")
    assert cron.next(at("2026-01-01T10:00") - 1) == at("2026-01-01T10:00")


def test_what_falls_into_the_gap_of_spring_comes_right_after_it() -> None:
    assert dues("30 2 * * *", "America/New_York", "2026-03-07T12:00", 3) == [
        "03-08 03:00-0400",
        "03-09 02:30-0400",
        "03-10 02:30-0400",
    ]


def test_a_fixed_time_comes_once_when_an_hour_is_repeated_in_autumn() -> None:
    assert dues("30 1 * * *", "America/New_York", "2026-10-31T12:00", 2) == [
        "11-01 01:30-0400",
        "11-02 01:30-0500",
    ]


def test_it_does_not_come_again_when_asked_in_the_repeated_hour() -> None:
    # 01:15 for the second time: the first 01:30 was 45 minutes ago.
    asked = "2026-11-01T01:15-05:00"
    assert dues("30 1 * * *", "America/New_York", asked, 1) == ["11-02 01:30-0500"]


def test_a_star_counts_real_time_through_both_changes() -> None:
    for since in ("2026-03-08T05:00", "2026-11-01T04:00"):
        found = list(islice(Cron("*/30 * * * *", "America/New_York").after(at(since)), 8))
        assert {later - earlier for earlier, later in pairwise(found)} == {30 * MINUTE}


@pytest.mark.parametrize(
    ("named", "since", "wanted"),
    [
        ("@hourly", "2026-01-01T10:20", "2026-01-01T11:00"),
        ("@daily", "2026-01-01T10:20", "2026-01-02T00:00"),
        ("@Midnight", "2026-01-01T10:20", "2026-01-02T00:00"),
        ("@weekly", "2026-01-01T10:20", "2026-01-04T00:00"),
        ("@monthly", "2026-01-01T10:20", "2026-02-01T00:00"),
        ("@yearly", "2026-01-01T10:20", "2027-01-01T00:00"),
        (" @annually ", "2026-01-01T10:20", "2027-01-01T00:00"),
    ],
)
def test_names_stand_for_the_usual_expressions(named: str, since: str, wanted: str) -> None:
    assert Cron(named).next(at(since)) == at(wanted)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "it has 0 fields"),
        ("* * * *", "it has 4 fields"),
        ("* * * * * *", "it has 6 fields"),
        ("60 * * * *", "the minute is wrong"),
        ("* 24 * * *", "the hour is wrong"),
        ("* * 32 * *", "the day of month is wrong"),
        ("* * * 13 *", "the month is wrong"),
        ("* * * * 8", "the day of week is wrong"),
        ("*/0 * * * *", "the minute is wrong"),
        ("0 0 31 2 *", "the day of month is wrong"),
        ("@reboot", "it has 1 fields"),
        ("0 0 * * " + "1," * 200 + "1", "it is longer than 256 characters"),
    ],
)
def test_what_can_not_be_used_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(CronError, match="Write five fields") as raised:
        Cron(expression)
    assert raised.value.reason == reason
    assert raised.value.expression == expression


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(CronError, match=r"never comes|is wrong"):
        Cron("0 0 30 2 *")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "America", "a\0b"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(TimezoneError) as raised:
        Cron("@daily", zone)
    assert raised.value.timezone == zone


def test_a_mistyped_time_zone_gets_a_proposal() -> None:
    with pytest.raises(TimezoneError, match="Did you mean Europe/Berlin"):
        Cron("@daily", "Europe/Berln")


def test_it_tells_itself_in_words() -> None:
    assert Cron("30 9 * * MON-FRI").explain() == "At 09:30 on Monday through Friday"


@settings(max_examples=50, deadline=None)
@given(crons, st.sampled_from(ZONES), moments)
def test_moments_are_whole_minutes_and_rise(expression: str, zone: str, since: int) -> None:
    found = list(islice(Cron(expression, zone).after(since), 20))
    assert found
    assert all(earlier < later for earlier, later in zip([since, *found], found, strict=False))
    assert all(each % MINUTE == 0 for each in found)


@settings(max_examples=50, deadline=None)
@given(crons, st.sampled_from(ZONES), moments)
def test_asking_after_each_moment_finds_the_same_ones(expression: str, zone: str, since: int) -> None:
    cron = Cron(expression, zone)
    found = list(islice(cron.after(since), 10))
    asked, last = [], since
    for _ in found:
        following = cron.next(last)
        assert following is not None
        asked.append(last := following)
    assert asked == found


@settings(max_examples=50, deadline=None)
@given(crons, st.sampled_from(ZONES), moments, st.integers(0, 5 * 86400), st.integers(1, 5))
def test_the_newest_are_those_that_counting_from_the_start_ends_with(
    expression: str, zone: str, since: int, seconds: int, most: int
) -> None:
    cron, upto = Cron(expression, zone), since + seconds * 1_000_000
    every = list(takewhile(lambda each: each <= upto, cron.after(since)))
    assert cron.between(since, upto, most) == every[-most:]
    assert cron.count(since, upto, 100) == min(len(every), 100)

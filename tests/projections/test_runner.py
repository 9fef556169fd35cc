"""A runner keeps tables up with the journal, exactly once, and can be told what to do."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from tests.events.harness import GraphOutputBlock, Run, SourceBlock, plan_of
from tests.projections.letters import Letters
from tests.projections.recording import append_all
from tests.projections.running import counts, eventually, running, table, write

from actbook.journal import Journal
from actbook.projections import BUILT_IN, LagError, Runner, RunnerClosedError, UnknownProjectionError, _feed


def a_run() -> Run:
    run = Run(plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value"))
    numbers = [("out", number) for number in range(30)]
    run.drive({"s": lambda _: numbers, "o": lambda data: [("output", data["value"])]})
    return run


def test_what_was_written_is_visible_after_waiting_for_it(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            for text in ("abc", "aab", "bA"):
                await runner.wait(await write(journal, text))
            assert counts(journal) == {"b": 3, "c": 1}

    asyncio.run(main())


def test_a_new_runner_catches_up_on_all_there_is(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_feed, "BATCH", 7)

    async def main() -> None:
        journal = await Journal.open(url)
        run = a_run()
        last = append_all(journal.store, "run", run.history)
        runner = Runner(journal)
        await runner.start()
        await runner.wait(last)
        (execution,) = table(journal, "executions")
        assert execution["node_exec_count"] == len(table(journal, "node_executions")) == 31
        assert execution["status"] == run.state.status
        await runner.close()
        await journal.close()

    asyncio.run(main())


def test_a_runner_goes_on_where_the_one_before_stopped(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "aaa"))
        async with running(file_url, active=False) as (journal, runner):
            await write(journal, "ab")
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "b"))
            assert counts(journal) == {"a": 4, "b": 2}

    asyncio.run(main())


def test_closing_applies_what_is_committed(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, _):
            await asyncio.gather(*(write(journal, "ab" * 50, f"s{n}") for n in range(20)))
        async with running(file_url, active=False) as (journal, _):
            assert counts(journal) == {"a": 1000, "b": 1000}

    asyncio.run(main())


def test_two_runners_on_one_file_apply_each_event_once(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (one, first), running(file_url) as (two, second):
            last = 0
            for _ in range(30):
                position, other = await asyncio.gather(write(one, "abc"), write(two, "abd"))
                await asyncio.gather(one.heard(), two.heard())
                last = max(position, other)
            await asyncio.gather(first.wait(last), second.wait(last))
            assert counts(one) == {"a": 60, "b": 60, "c": 30, "d": 30}

    asyncio.run(main())


def test_a_runner_that_is_not_active_sees_what_the_active_one_does(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, _), running(file_url, active=False) as (_, watcher):
            await watcher.wait(await write(journal, "abc"))
            with pytest.raises(LagError, match="position 3 and did not reach 4"):
                await watcher.wait(4, timeout=0.02)
            await watcher.activate()
            await watcher.wait(await write(journal, "d"))

    asyncio.run(main())


def test_waiting_too_long_tells_where_the_views_are(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            last = await write(journal, "abc")
            with pytest.raises(LagError) as caught:
                await runner.wait(last + 1, timeout=0.01)
            assert (caught.value.position, caught.value.applied) == (4, 3)
            assert isinstance(caught.value, TimeoutError)
            with pytest.raises(UnknownProjectionError, match="letters"):
                await runner.wait(last, name="words")

    asyncio.run(main())


def test_many_wait_for_different_positions(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            waiting = [asyncio.create_task(runner.wait(position)) for position in range(1, 51)]
            for _ in range(10):
                await write(journal, "abcde")
            await asyncio.gather(*waiting)

    asyncio.run(main())


def test_pause_holds_one_projection_and_resume_lets_it_catch_up(url: str) -> None:
    async def main() -> None:
        async with running(url, (Letters, *BUILT_IN)) as (journal, runner):
            await runner.wait(await write(journal, "a"))
            await runner.pause("letters")
            await runner.wait(await write(journal, "bb"))
            assert counts(journal) == {"a": 1}
            states = {status.name: status for status in await runner.status()}
            assert states["letters"].state == "paused"
            assert states["letters"].lag.events == 2
            assert states["executions"].state == "running"
            assert states["executions"].lag.events == 0
            with pytest.raises(LagError):
                await runner.wait(3, timeout=0.01, name="letters")
            await runner.resume("letters")
            await runner.wait(3, name="letters")
            assert counts(journal) == {"a": 1, "b": 2}

    asyncio.run(main())


def test_a_pause_outlives_the_process(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.pause("letters")
        async with running(file_url) as (journal, runner):
            await write(journal, "abc")
            (status,) = await runner.status()
            assert status.state == "paused"
        async with running(file_url) as (journal, runner), running(file_url, active=False) as (_, other):
            await other.resume("letters")
            await runner.wait(await write(journal, "a"), name="letters")
            assert counts(journal) == {"a": 2, "b": 1, "c": 1}

    asyncio.run(main())


def test_a_rebuild_gives_the_same_rows(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_feed, "BATCH", 11)

    async def main() -> None:
        async with running(url, BUILT_IN) as (journal, runner):
            for number in range(5):
                await runner.wait(append_all(journal.store, f"run {number}", a_run().history) and 0)
            await journal.heard()
            await runner.wait(await journal.last_position())
            for name in ("executions", "node_executions", "graphs"):
                before = table(journal, name)
                await runner.rebuild(name)
                assert table(journal, name) == before

    asyncio.run(main())


def test_readers_have_the_old_rows_until_the_new_ones_are_complete(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_feed, "BATCH", 3)

    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "abc" * 100))
            seen: list[dict[str, int]] = []
            rebuilding = asyncio.create_task(runner.rebuild("letters"))
            while not rebuilding.done():
                seen.append(counts(journal))
                await asyncio.sleep(0)
            await rebuilding
            assert all(each == {"a": 100, "b": 100, "c": 100} for each in seen)
            await runner.wait(await write(journal, "a"))
            assert counts(journal)["a"] == 101

    asyncio.run(main())


def test_events_that_come_during_a_rebuild_are_in_both_tables(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_feed, "BATCH", 5)

    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "ab" * 100))
            rebuilding = asyncio.create_task(runner.rebuild("letters"))
            for _ in range(50):
                await runner.wait(await write(journal, "b"))
            await rebuilding
            assert counts(journal) == {"a": 100, "b": 150}

    asyncio.run(main())


def test_a_rebuild_of_an_empty_log_ends(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            await runner.rebuild("letters", timeout=5)
            await runner.wait(await write(journal, "a"))
            assert counts(journal) == {"a": 1}

    asyncio.run(main())


def test_rewinding_fills_the_table_again(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            last = await write(journal, "abcab")
            await runner.wait(last)
            before = table(journal)
            await runner.rewind("letters")
            await runner.wait(last)
            assert table(journal) == before

    asyncio.run(main())


def test_another_version_of_a_projection_fills_a_new_table(file_url: str) -> None:
    class Doubled(Letters):
        version = 2

        def reduce(self, events: object, rows: object) -> None:
            super().reduce(events, rows)  # type: ignore[arg-type]
            super().reduce(events, rows)  # type: ignore[arg-type]

    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "ab"))
        async with running(file_url, (Doubled,)) as (journal, runner):
            await runner.wait(2)
            assert counts(journal) == {"a": 2, "b": 2}

    asyncio.run(main())


def test_the_lag_is_told_in_events_and_seconds(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            await runner.wait(await write(journal, "a"))
            assert (await runner.lag()).events == 0
            await runner.pause("letters")
            await write(journal, "bc")
            (status,) = await runner.status()
            assert status.lag.events == 2
            assert status.lag.seconds == pytest.approx(time.time() - 1.0, abs=60)

    asyncio.run(main())


def test_an_unknown_name_is_refused_with_the_known_ones(url: str) -> None:
    async def main() -> None:
        async with running(url) as (_, runner):
            for act in (runner.pause, runner.resume, runner.rewind, runner.rebuild):
                with pytest.raises(UnknownProjectionError, match="use one of letters"):
                    await act("words")

    asyncio.run(main())


def test_a_closed_runner_says_so(url: str) -> None:
    async def main() -> None:
        async with running(url) as (_, runner):
            await runner.close()
            with pytest.raises(RunnerClosedError):
                await runner.status()
            with pytest.raises(RunnerClosedError):
                await runner.wait(5)
            await runner.close()

    asyncio.run(main())


def test_a_database_that_fails_is_tried_again_and_reported(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "a"))
            other = journal.store.open_views_writer()
            other.execute("ALTER TABLE letters RENAME TO hidden")
            await write(journal, "b")
            await eventually(lambda: bool(runner._worker.failure))
            (status,) = await runner.status()
            assert status.state == "failing"
            assert "no such table: letters" in status.failure
            other.execute("ALTER TABLE hidden RENAME TO letters")
            await runner.wait(2, timeout=10)
            other.close()
            (status,) = await runner.status()
            assert (status.state, status.failure) == ("running", "")
            assert counts(journal) == {"a": 1, "b": 1}

    asyncio.run(main())


def test_an_idle_runner_uses_no_time(url: str) -> None:
    async def main() -> None:
        async with running(url) as (journal, runner):
            await runner.wait(await write(journal, "abc"))
            begin = await runner._call(time.thread_time)
            await asyncio.sleep(0.3)
            assert await runner._call(time.thread_time) - begin < 0.005
            (thread,) = [each for each in threading.enumerate() if each.name == "actbook-projections"]
            assert thread.daemon

    asyncio.run(main())


def test_own_commits_are_not_read_from_the_log(file_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "a"))
            monkeypatch.setattr(journal.store, "read_log", None)
            await asyncio.gather(*(write(journal, "abc" * 10, f"s{n}") for n in range(20)))
            await runner.wait(601)

    asyncio.run(main())


def test_tables_that_somebody_dropped_are_filled_again(file_url: str) -> None:
    async def main() -> None:
        async with running(file_url) as (journal, runner):
            await runner.wait(await write(journal, "abca"))
            before = table(journal)
        with closing(sqlite3.connect(file_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("DROP TABLE letters")
        async with running(file_url) as (journal, runner):
            await runner.wait(await journal.last_position())
            assert table(journal) == before
            await runner.rebuild("letters")
            assert table(journal) == before
        with closing(sqlite3.connect(file_url.removeprefix("sqlite:///"))) as connection:
            for name in ("letters", "projections", "parked_events"):
                connection.execute(f"DROP TABLE {name}")
        async with running(file_url) as (journal, runner):
            await runner.wait(await journal.last_position())
            assert table(journal) == before

    asyncio.run(main())

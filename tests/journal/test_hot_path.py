"""What the journal promises about its cost, apart from seconds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.journal.samples import append, child_environment

from actbook.journal import Journal, SQLiteStore
from actbook.journal._writer import MAX_REQUESTS

_IMPORTS = """
import sys
import actbook.journal
heavy = {"eventsourcing", "psycopg", "concurrent.futures.process", "multiprocessing"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_hot_path_does_not_import_eventsourcing() -> None:
    subprocess.run([sys.executable, "-c", _IMPORTS], check=True, timeout=30, env=child_environment())


def test_idle_journals_have_at_most_the_threads_they_used(tmp_path: Path) -> None:
    async def run() -> None:
        journal = await Journal.open(f"sqlite:///{tmp_path}/x.db")

        def own() -> list[str]:
            return sorted(t.name for t in threading.enumerate() if t.name.startswith("actbook-journal"))

        assert own() == []
        journal.submit(append("s", 0, "1"), lambda outcome: None, lead=True)
        assert own() == []
        await journal.append(append("s", 1, "2"))
        for _ in range(5):
            await journal.head("s")
        assert own() == ["actbook-journal-reader-1", "actbook-journal-writer"]
        await asyncio.gather(*(journal.head("s") for _ in range(9)))
        assert len(own()) == 3
        await journal.close()

    asyncio.run(run())


def _submit_many(turns: int, each: int, pause: float = 0.0) -> list[int]:
    """How many requests were in each batch, when so many turns of the loop submit so many each."""
    sizes: list[int] = []

    async def run() -> None:
        journal = await Journal.open("memory:")
        journal.on_commit(sizes.append)
        for turn in range(turns):
            for number in range(each):
                journal.submit(append(f"{turn}.{number}", 0, "x"), lambda outcome: None)
            await asyncio.sleep(0)
            time.sleep(pause)  # noqa: ASYNC251
        await journal.close()

    asyncio.run(run())
    return [last - before for before, last in zip([0, *sizes], sizes, strict=False)]


def test_what_is_submitted_in_one_turn_of_the_loop_is_one_batch() -> None:
    assert _submit_many(turns=1, each=50) == [50]


def test_a_wave_over_several_turns_is_one_batch_too() -> None:
    assert _submit_many(turns=6, each=10) == [60]


def test_a_batch_ends_at_its_bound_and_the_rest_is_the_next_one() -> None:
    assert _submit_many(turns=1, each=MAX_REQUESTS + 10) == [MAX_REQUESTS, 10]


def test_few_requests_wait_for_no_others() -> None:
    assert len(_submit_many(turns=4, each=1, pause=0.01)) == 4


def test_a_wave_that_goes_on_is_written_meanwhile() -> None:
    assert len(_submit_many(turns=8, each=10, pause=0.006)) > 2


def test_what_was_submitted_is_answered_though_more_follows() -> None:
    async def run() -> None:
        journal = await Journal.open("memory:")
        answers: list[int] = []

        def submit(number: int) -> None:
            def done(outcome: object) -> None:
                answers.append(number)
                if number < 1000:
                    submit(number + 10)

            journal.submit(append(f"s{number}", 0, "x"), done)

        await journal.answered()
        for number in range(10):
            submit(number)
        await journal.answered()
        assert set(range(10)) <= set(answers)
        assert len(answers) < 500
        await journal.settled()
        await journal.answered()
        await journal.close()

    asyncio.run(run())


def test_the_heads_of_many_streams_are_one_visit(tmp_path: Path) -> None:
    with closing(SQLiteStore(f"{tmp_path}/x.db")) as store:
        store.write([append(f"inbox {number}", 0, "there") for number in range(50)])
    with closing(SQLiteStore(f"{tmp_path}/x.db")) as store:
        store.write([append("warm", 0, "x")])
        statements: list[str] = []
        with store.transaction() as connection:
            connection.set_trace_callback(statements.append)
        also = tuple(append(f"inbox {number}", None, "cancel") for number in range(60))
        store.write([append("parent", 0, "p", also=also)])
        with store.transaction() as connection:
            connection.set_trace_callback(None)
    assert sum("SELECT" in each and "INSERT" not in each for each in statements) <= 2, statements


def test_a_slow_read_does_not_hold_the_loop_or_the_next_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        journal = await Journal.open(f"sqlite:///{tmp_path}/x.db")
        entered, release = threading.Event(), threading.Event()

        def slow() -> int:
            entered.set()
            assert release.wait(10)
            return 7

        monkeypatch.setattr(journal.store, "last_position", slow)
        waiting = asyncio.ensure_future(journal.last_position())
        assert await asyncio.to_thread(entered.wait, 10)
        assert await journal.head("s") == 0
        release.set()
        assert await waiting == 7
        await journal.close()

    asyncio.run(run())


def test_a_batch_is_one_step_into_sqlite(tmp_path: Path) -> None:
    """Every step gives the interpreter lock away; a busy loop then keeps the writer waiting for it."""
    store = SQLiteStore(str(tmp_path / "x.db"))
    statements: list[str] = []
    connection = store._writing._connection
    assert connection is not None
    connection.set_trace_callback(statements.append)
    store.write([append(f"s-{n}", 0, "x") for n in range(700)])
    assert len(statements) == 1
    statements.clear()
    store.write([append(f"s-{n}", 1, "x", lifecycle="open") for n in range(700)])
    assert [s.split()[0] for s in statements] == ["BEGIN", "INSERT", "INSERT", "COMMIT"]
    store.close()


def test_a_busy_loop_does_not_starve_the_writer(tmp_path: Path) -> None:
    async def run() -> float:
        journal = await Journal.open(f"sqlite:///{tmp_path}/x.db")
        answers = [asyncio.ensure_future(journal.append(append(f"s-{n}", 0, "x"))) for n in range(1000)]
        start = time.perf_counter()
        while not all(answer.done() for answer in answers):
            until = time.perf_counter() + 0.0002
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(0)
        seconds = time.perf_counter() - start
        await journal.close()
        return seconds

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        assert asyncio.run(run()) < 5
    finally:
        sys.setswitchinterval(before)

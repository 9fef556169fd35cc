"""Figures of the journal, one JSON object per line: `python benchmarks/journal.py [--folder DIR] [--scale
1.0]`.

Compare ratios, not digits: the bare limits are measured in the same run, in turns with what they are
compared to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from actbook.events._envelope import Append, Appended, Draft
from actbook.events._topics import Event, topic
from actbook.journal import Journal, SQLiteStore
from actbook.journal._chain import Row
from actbook.journal._codec import decode
from actbook.journal._known import EMPTY
from actbook.journal._plan import COLUMNS, Plan
from actbook.journal._prepared import prepare
from actbook.journal._sqlite_schema import SCHEMA


@topic("benchmark.output")
class Output(Event, frozen=True):
    """About the size of a usual node event."""

    node_exec_id: str
    node_id: str
    outputs: list[tuple[str, object]]
    stats: dict[str, float]


USER, EXECUTION = "6d9a0c3e-user", "0192f0c1-7c1e-7f3a-9d7e-execution"


def output(number: int) -> Draft:
    payload = Output(
        f"0192f0c1-7c1e-7f3a-9d7e-{number:012}",
        "node-a",
        [("result", {"value": number, "text": "x" * 80})],
        {"wall": 0.01},
    )
    return Draft(payload, 1_760_000_000_000_000 + number, number)


def step(stream: str, version: int, events: int = 1) -> Append:
    return Append(stream, version, [output(version + n) for n in range(events)], USER, EXECUTION)


def report(name: str, **figures: float | str) -> None:
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}
    print(json.dumps({"benchmark": name, **rounded}), flush=True)


def timed(work: Callable[[int], object], count: int) -> float:
    """Seconds per call."""
    start = time.perf_counter()
    for number in range(count):
        work(number)
    return (time.perf_counter() - start) / count


class _Nothing:
    """A store without events."""

    def head(self, stream_id: str, expected: int | None) -> tuple[int, bytes]:
        return EMPTY

    def actual_head(self, stream_id: str) -> tuple[int, bytes]:
        return EMPTY

    def recorded(self, event_ids: object) -> dict[bytes, object]:
        return {}


def rows_of(count: int) -> list[Row]:
    plan = Plan(_Nothing()).add([prepare(step("execution-1", 0, count))])  # type: ignore[arg-type]
    plan.settle(1)
    flat = plan.rows
    return [Row(n + 1, *flat[n * COLUMNS : (n + 1) * COLUMNS]) for n in range(count)]


def codec(count: int) -> None:
    appends = [Append(f"e-{n}", 0, [output(n)], USER, EXECUTION) for n in range(count)]
    best_encode = min(_plan_seconds(appends) for _ in range(5)) / count
    rows = rows_of(count)
    best_decode = min(timed(lambda n: decode(rows[n], bytes), count) for _ in range(5))
    report(
        "codec",
        encode_hash_row_us=best_encode * 1e6,
        decode_envelope_us=best_decode * 1e6,
        state_bytes=statistics.mean(len(row.state) for row in rows),
    )


def _plan_seconds(appends: list[Append]) -> float:
    start = time.perf_counter()
    Plan(_Nothing()).add([prepare(append) for append in appends])  # type: ignore[arg-type]
    return time.perf_counter() - start


@contextmanager
def bare_database(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(SCHEMA)
    yield connection
    connection.close()


async def lone_writer(folder: Path, rounds: int, count: int) -> None:
    """One commit after the other: bare, as leader, and through the writer's thread."""
    rows = iter(rows_of(rounds * count))
    insert = "INSERT INTO events(stream_id,version,topic,event_id,at,hash,state) VALUES(?,?,?,?,?,?,?)"
    bare: list[float] = []
    led: list[float] = []
    hopped: list[float] = []
    with bare_database(folder / "bare.db") as connection:
        journal = await Journal.open(f"sqlite:///{folder}/lone.db")
        for turn in range(rounds):
            bare.append(timed(lambda n: connection.execute(insert, next(rows)[1:]), count))
            steps = [step("led", number) for number in range(turn * count, (turn + 1) * count)]
            led.append(timed(partial(_lead_one, journal, steps), count))
            steps = [step("hopped", number) for number in range(turn * count, (turn + 1) * count)]
            hopped.append(await _hop(journal, steps))
        await journal.close()
    report(
        "lone writer",
        bare_per_s=1 / statistics.median(bare),
        leader_per_s=1 / statistics.median(led),
        thread_per_s=1 / statistics.median(hopped),
        leader_time_ratio=statistics.median(a / b for a, b in zip(led, bare, strict=True)),
    )


def bare_batches(folder: Path, count: int) -> float:
    """Seconds per event when nothing is done but inserting ready rows in transactions of 1,000."""
    rows = [row[1:] for row in rows_of(count)]
    insert = "INSERT INTO events(stream_id,version,topic,event_id,at,hash,state) VALUES(?,?,?,?,?,?,?)"
    with bare_database(folder / "batches.db") as connection:
        start = time.perf_counter()
        for first in range(0, count, 1000):
            connection.execute("BEGIN")
            connection.executemany(insert, rows[first : first + 1000])
            connection.execute("COMMIT")
        return (time.perf_counter() - start) / count


def _lead_one(journal: Journal, appends: list[Append], number: int) -> None:
    answers: list[Appended | Exception] = []
    journal.submit(appends[number], answers.append, lead=True)
    assert isinstance(answers[0], Appended), answers


async def _hop(journal: Journal, appends: list[Append]) -> float:
    start = time.perf_counter()
    for append in appends:
        await journal.append(append)
    return (time.perf_counter() - start) / len(appends)


class Streams:
    """So many writers that each submit their next append when the last one is durable."""

    def __init__(self, journal: Journal, streams: int, appends: int, events: int) -> None:
        self.journal = journal
        self.events = events
        self.left = appends
        self.running = streams
        self.finished = asyncio.get_running_loop().create_future()
        self.waits: list[float] = []

    async def run(self) -> float:
        start = time.perf_counter()
        for number in range(self.running):
            self.submit(f"stream-{number}", 0)
        await self.finished
        return time.perf_counter() - start

    def submit(self, stream: str, version: int) -> None:
        submitted = time.perf_counter()

        def done(outcome: Appended | Exception) -> None:
            assert isinstance(outcome, Appended), outcome
            self.waits.append(time.perf_counter() - submitted)
            self.left -= 1
            if self.left >= self.running:
                self.submit(stream, outcome.version)
            elif self.left == 0:
                self.finished.set_result(None)

        self.journal.submit(step(stream, version, self.events), done)


async def _company(stop: list[bool], pause: float) -> int:
    """Other work on the loop: short turns without end."""
    turns = 0
    while not stop:
        until = time.perf_counter() + pause
        while time.perf_counter() < until:
            pass
        turns += 1
        await asyncio.sleep(0)
    return turns


async def group(folder: Path, url: str, streams: int, appends: int, events: int, busy: bool) -> None:
    journal = await Journal.open(url.format(folder=folder, name=f"group-{streams}-{events}-{busy}"))
    stop: list[bool] = []
    company = asyncio.create_task(_company(stop, 0.0001)) if busy else None
    writers = Streams(journal, streams, appends, events)
    seconds = await writers.run()
    stop.append(True)
    if company is not None:
        await company
    waits = sorted(writers.waits)
    report(
        "group commit",
        store=url.partition(":")[0],
        streams=streams,
        events_per_append=events,
        loop_busy=str(busy),
        appends_per_s=appends / seconds,
        events_per_s=appends * events / seconds,
        p50_ms=waits[len(waits) // 2] * 1e3,
        p99_ms=waits[len(waits) * 99 // 100] * 1e3,
    )
    await journal.close()


async def read(folder: Path, count: int) -> None:
    store = SQLiteStore(f"{folder}/read.db")
    for start in range(0, count, 1000):
        store.write([step(f"s-{n % 50}", n // 50) for n in range(start, start + 1000)])
    store.close()
    for busy in (False, True):
        journal = await Journal.open(f"sqlite:///{folder}/read.db")
        stop: list[bool] = []
        company = asyncio.create_task(_company(stop, 0.0001)) if busy else None
        start_time, after = time.perf_counter(), 0
        while page := await journal.read_log(after, 1000):
            after = page[-1].position
        seconds = time.perf_counter() - start_time
        stop.append(True)
        if company is not None:
            await company
        report("read log", loop_busy=str(busy), events_per_s=count / seconds)
        await journal.close()


async def run(folder: Path, scale: float) -> None:
    codec(5000)
    await lone_writer(folder, rounds=15, count=max(20, int(100 * scale)))
    report("bare batches of 1000", events_per_s=1 / bare_batches(folder, int(scale * 30_000)))
    for url in ("sqlite:///{folder}/{name}.db", "memory:"):
        for streams, events, busy in (
            (64, 1, False),
            (1000, 1, False),
            (1000, 4, False),
            (1000, 1, True),
            (1000, 4, True),
        ):
            await group(folder, url, streams, int(scale * 30_000), events, busy)
    await read(folder, int(scale * 30_000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, help="where the files go; the disk is part of what is measured"
    )
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--switch-interval", type=float, default=0.0005, help="as the engine sets it")
    options = parser.parse_args()
    sys.setswitchinterval(options.switch_interval)
    report("setting", switch_interval_s=str(options.switch_interval), sqlite=sqlite3.sqlite_version)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        asyncio.run(run(Path(folder), options.scale))


if __name__ == "__main__":
    main()

"""How fast views follow the journal, and what they cost it. Prints one JSON line per figure.

python benchmarks/projections.py [--events 200000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actbook.events import (
    Append,
    Draft,
    Envelope,
    Event,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionQueued,
    ExecutionStarted,
    NodeCompleted,
    NodeQueued,
    NodeStarted,
    NodeStats,
)
from actbook.journal import Journal
from actbook.projections import BUILT_IN, Projection, Queries, Rows, Runner
from actbook.projections._rows import RowCache
from actbook.projections._statements import Statements

NODES = 100


def say(figure: str, value: float, unit: str, **about: Any) -> None:
    print(json.dumps({"figure": figure, "value": round(value, 3), "unit": unit, **about}), flush=True)


def execution(number: int) -> Iterator[list[Event]]:
    """The appends of one run of a chain of nodes, as an engine makes them."""
    run = f"{number:08d}-0000-4000-8000-000000000000"
    yield [
        ExecutionCreated(run, "user", "10000000-0000-4000-8000-000000000000", 1, {"text": "some input"}),
        NodeQueued(1, "node-1", "20000000-0000-4000-8000-000000000000", {"value": 1}),
        ExecutionQueued(),
    ]
    yield [ExecutionClaimed("worker", 1), ExecutionStarted(), NodeStarted(1, 1, 1)]
    stats = NodeStats(0.25, 0.001, 120, 80)
    for node in range(1, NODES):
        yield [
            NodeCompleted(node, (("result", node),), stats),
            NodeQueued(node + 1, f"node-{node + 1}", "20000000-0000-4000-8000-000000000000", {"value": node}),
            NodeStarted(node + 1, 1, 1),
        ]
    yield [NodeCompleted(NODES, (("output", NODES),), stats, "result"), ExecutionCompleted()]


def appends(count: int) -> Iterator[Append]:
    """Appends of about `count` events, a hundred executions at a time taking turns."""
    events, number = 0, 0
    while events < count:
        number += 100
        runs = {f"{n:08d}-0000-4000-8000-000000000000": execution(n) for n in range(number - 100, number)}
        versions = dict.fromkeys(runs, 0)
        for step in zip(*runs.values(), strict=True):
            for stream_id, payloads in zip(runs, step, strict=True):
                at = time.time_ns() // 1000
                yield Append(
                    stream_id, versions[stream_id], [Draft(payload, at) for payload in payloads], "user"
                )
                versions[stream_id] += len(payloads)
                events += len(payloads)


async def fill(journal: Journal, count: int) -> int:
    """Writes the events in full batches; the last position."""
    last: asyncio.Future[Any] | None = None
    for number, append in enumerate(appends(count)):
        last = asyncio.ensure_future(journal.append(append))
        if number % 500 == 499:
            await last
    assert last is not None
    return int((await last).position)


async def measure_catch_up(folder: Path, count: int) -> None:
    journal = await Journal.open(f"sqlite:///{folder}/catch-up.db")
    last = await fill(journal, count)
    begin = time.perf_counter()
    runner = Runner(journal)
    await runner.start()
    await runner.wait(last, timeout=600)
    say("catch-up", last / (time.perf_counter() - begin), "events/s", events=last)
    for name in ("executions", "node_executions"):
        begin = time.perf_counter()
        await runner.rebuild(name)
        say(f"rebuild of {name}", last / (time.perf_counter() - begin), "events/s", events=last)
    await runner.close()
    await journal.close()


async def measure_visible(folder: Path, *, pause: float, count: int) -> None:
    """From the answer to an append to its row in a query, one after the other."""
    journal = await Journal.open(f"sqlite:///{folder}/visible-{pause}.db")
    runner = Runner(journal)
    await runner.start()
    queries = Queries(journal.store)
    await queries.counts()
    waits: list[float] = []
    seen: list[float] = []
    for number, append in enumerate(appends(count * 3)):
        if number == count:
            break
        answer = await journal.append(append)
        begin = time.perf_counter()
        await runner.wait(answer.position)
        waits.append(time.perf_counter() - begin)
        row = await queries.execution(append.stream_id)
        assert row is not None
        seen.append(time.perf_counter() - begin)
        await asyncio.sleep(pause)
    for name, values in (("commit to committed rows", waits), ("commit to row in a query", seen)):
        p50, p99 = (statistics.quantiles(values, n=100)[at] * 1000 for at in (49, 98))
        say(f"{name}, p50", p50, "ms", pause=pause)
        say(f"{name}, p99", p99, "ms", pause=pause)
    await queries.close()
    await runner.close()
    await journal.close()


class LagMeter:
    """Looks every few milliseconds how old the oldest commit is that the views lack."""

    def __init__(self, journal: Journal) -> None:
        self._commits: deque[tuple[int, float]] = deque()
        self._views = journal.store.open_views_reader()
        self._stop = journal.on_commit(self._committed)
        self.lags: list[float] = []

    def _committed(self, position: int) -> None:
        self._commits.append((position, time.perf_counter()))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            (applied,) = self._views.execute("SELECT min(position) FROM projections").fetchone()
            while self._commits and self._commits[0][0] <= applied:
                self._commits.popleft()
            self.lags.append(time.perf_counter() - self._commits[0][1] if self._commits else 0.0)

    def close(self) -> None:
        self._stop()
        self._views.close()


def views_cpu() -> float:
    """CPU seconds that the views' thread used so far."""
    (thread,) = [each for each in threading.enumerate() if each.name == "actbook-projections"]
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


async def measure_load(folder: Path, count: int, *, with_views: bool) -> None:
    """Appends as fast as they go, with the views following and without."""
    journal = await Journal.open(f"sqlite:///{folder}/load-{with_views}.db")
    if not with_views:
        begin = time.perf_counter()
        last = await fill(journal, count)
        say("load without views", last / (time.perf_counter() - begin), "events/s", events=last)
        await journal.close()
        return
    runner = Runner(journal)
    await runner.start()
    meter = LagMeter(journal)
    metering = asyncio.create_task(meter.run())
    used, begin = views_cpu(), time.perf_counter()
    last = await fill(journal, count)
    elapsed = time.perf_counter() - begin
    metering.cancel()
    say("load with views", last / elapsed, "events/s", events=last)
    await runner.wait(last, timeout=600)
    say("views ready after the load", time.perf_counter() - begin - elapsed, "s")
    say("CPU of the views' thread", (views_cpu() - used) / last * 1e6, "µs/event")
    p50, p99 = (statistics.quantiles(meter.lags, n=100)[at] * 1000 for at in (49, 98))
    say("lag under load, p50", p50, "ms")
    say("lag under load, p99", p99, "ms")
    meter.close()
    await runner.close()
    await journal.close()


def _empty_caches(projection: type[Projection]) -> RowCache:
    cache, *beside = (
        RowCache(Statements(table, table.name), lambda sql, values: []) for table in projection.tables()
    )
    cache.beside = beside
    return cache


def measure_reducing(count: int) -> None:
    """What holds the interpreter in the live path: reducing a batch and laying out its statements, on one thread."""
    log = [
        Envelope(draft.payload, draft.at, None, b"", append.stream_id, 0, 0, "user", "", "", 1, b"")
        for append in appends(count)
        for draft in append.drafts
    ]
    for size in (64, 256, 1024):
        lanes = [(projection(), _empty_caches(projection)) for projection in BUILT_IN]
        begin, written = time.thread_time(), 0
        for start in range(0, len(log), size):
            for projection, cache in lanes:
                rows = Rows(cache)
                projection.reduce(log[start : start + size], rows)
                written += len(rows) + sum(map(len, rows.beside.values()))
                rows.writes()
                cache.keep(rows)
        spent = (time.thread_time() - begin) / len(log)
        say("reducing", spent * 1e6, "µs/event", batch=size, rows_per_event=round(written / len(log), 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        asyncio.run(measure_catch_up(folder, chosen.events))
        asyncio.run(measure_visible(folder, pause=0.0, count=500))
        asyncio.run(measure_visible(folder, pause=0.01, count=200))
        asyncio.run(measure_load(folder, chosen.events, with_views=False))
        asyncio.run(measure_load(folder, chosen.events, with_views=True))
    measure_reducing(chosen.events // 4)


if __name__ == "__main__":
    main()

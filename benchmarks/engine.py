"""The engine on an SQLite file with `synchronous=FULL`: steps, fan-out, many runs, cancel, cold start.

Every figure that depends on the disk stands beside a bare one of the same run on the same disk.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from actbook.engine import Engine, tune_process
from actbook.events import GraphExecution
from benchmarks.workloads import (
    EffectBlock,
    PureBlock,
    SlowBlock,
    chain,
    fan_out,
    registry,
    with_sub_graphs,
)

USER = "bench"
ROUNDS = 5
"""A disk is never twice the same: of so many rounds the middle one counts."""


def emit(name: str, value: float, unit: str, **more: float) -> None:
    """One JSON line."""
    rounded = {key: round(each, 4) for key, each in more.items()}
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **rounded}), flush=True)


def bare_commits(folder: Path, count: int, payload: int = 150) -> float:
    """Seconds per single-row commit of the sqlite3 module with WAL and FULL."""
    with sqlite3.connect(folder / "bare.db", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB)")
        data = bytes(payload)
        begun = time.perf_counter()
        for _ in range(count):
            connection.execute("INSERT INTO t (data) VALUES (?)", (data,))
        seconds = (time.perf_counter() - begun) / count
    connection.close()
    return seconds


async def _run(engine: Engine, graph_id: str) -> GraphExecution:
    execution = await engine.add_graph_execution(graph_id, USER)
    return await engine.wait(execution.id)


async def sequential(folder: Path, steps: int = 1000) -> None:
    """A chain of steps, effectful and pure, against bare commits taken before and after each of some runs.

    The first run, which prepares the graph, is not counted. What is told is the median of the ratios, and its steps/s.
    """
    async with Engine.open(f"sqlite:///{folder}/sequential.db", registry=registry()) as engine:
        for block, name in ((EffectBlock, "sequential effectful"), (PureBlock, "sequential pure")):
            graph = await engine.save_graph(chain(steps, block), USER)
            await _run(engine, graph.id)
            ratios: list[tuple[float, float]] = []
            before = bare_commits(Path(tempfile.mkdtemp(dir=folder)), steps)
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                done = await _run(engine, graph.id)
                seconds = (time.perf_counter() - begun) / steps
                after = bare_commits(Path(tempfile.mkdtemp(dir=folder)), steps)
                assert done.stats.node_exec_count == steps
                ratios.append((2 * seconds / (before + after), seconds))
                before = after
            ratio, seconds = sorted(ratios)[ROUNDS // 2]
            emit(name, 1 / seconds, "steps/s", time_against_bare_commit=ratio)


async def fanning(folder: Path, width: int = 10_000) -> None:
    """1 → 10,000 → 1: every item passes an effectful node and ends in a sink."""
    async with Engine.open(f"sqlite:///{folder}/fan.db", registry=registry()) as engine:
        graph = await engine.save_graph(fan_out(width, EffectBlock), USER)
        begun = time.perf_counter()
        done = await _run(engine, graph.id)
        seconds = time.perf_counter() - begun
        emit("fan-out 1 -> 10000 -> 1", done.stats.node_exec_count / seconds, "nodes/s", seconds=seconds)


async def many_runs(folder: Path, runs: int = 1000, steps: int = 10) -> None:
    """1,000 runs of ten effectful steps, all submitted at once."""
    async with Engine.open(f"sqlite:///{folder}/runs.db", registry=registry()) as engine:
        graph = await engine.save_graph(chain(steps, EffectBlock), USER)
        begun = time.perf_counter()
        await asyncio.gather(*(_run(engine, graph.id) for _ in range(runs)))
        seconds = time.perf_counter() - begun
        emit("1000 runs x 10 steps", runs * steps / seconds, "nodes/s", seconds=seconds)


async def cancelling(folder: Path, width: int) -> None:
    """From the request until every body has stopped and that is recorded."""
    async with Engine.open(f"sqlite:///{folder}/cancel{width}.db", registry=registry()) as engine:
        graph = await engine.save_graph(fan_out(width, SlowBlock), USER)
        execution = await engine.add_graph_execution(graph.id, USER)
        started = 0
        async for event in engine.journal.subscribe(0, ("node.started",)):
            started += event.stream_id == execution.id
            if started == width + 1:
                break
        begun = time.perf_counter()
        await engine.stop_graph_execution(USER, execution.id, 60)
        emit(f"cancel {width} running nodes", (time.perf_counter() - begun) * 1000, "ms")


async def cancelling_sub_graphs(folder: Path, width: int = 50, runs: int = 9) -> None:
    """The same for so many sub-graphs of one execution, each with a running node; the middle one of some runs."""
    async with Engine.open(f"sqlite:///{folder}/sub_graphs.db", registry=registry()) as engine:
        child, parent = with_sub_graphs(width, SlowBlock)
        await engine.save_graph(child, USER)
        graph = await engine.save_graph(parent, USER)
        took: list[float] = []
        for _ in range(runs):
            after = await engine.journal.last_position()
            execution = await engine.add_graph_execution(graph.id, USER)
            started = 0
            async for event in engine.journal.subscribe(after, ("node.started",)):
                started += event.stream_id != execution.id
                if started == width:
                    break
            begun = time.perf_counter()
            await engine.stop_graph_execution(USER, execution.id, 60)
            took.append((time.perf_counter() - begun) * 1000)
        emit(f"cancel {width} running sub-graphs", sorted(took)[runs // 2], "ms")


def cold_start(repeat: int = 5) -> None:
    """A new process: import, open, run three nodes, close; the fastest of some, against the bare interpreter."""
    program = (
        "from actbook.engine import Engine\n"
        "from benchmarks.workloads import PureBlock, chain\n"
        "from actbook.blocks import default_registry\n"
        "default_registry().register(PureBlock)\n"
        "import tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    done = Engine.run_sync(chain(3, PureBlock), url=f'sqlite:///{folder}/cold.db')\n"
        "assert done.stats.node_exec_count == 3\n"
        "print(next(int(line.split()[1]) / 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    seconds, megabytes = _fastest(program, repeat)
    bare, _ = _fastest("print(0)", repeat)
    emit("cold start of a 3-node run", seconds, "s", bare_interpreter=bare, peak_mb=megabytes)


def _fastest(program: str, repeat: int) -> tuple[float, float]:
    best, output = float("inf"), "0"
    for _ in range(repeat):
        begun = time.perf_counter()
        output = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout
        best = min(best, time.perf_counter() - begun)
    return best, float(output)


def main() -> None:
    """All of them, in a temporary folder, in a process tuned as the command line's are."""
    tune_process()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measures: list[Callable[[Path], object]] = [
            lambda path: asyncio.run(sequential(path)),
            lambda path: asyncio.run(fanning(path)),
            lambda path: asyncio.run(many_runs(path)),
            lambda path: asyncio.run(cancelling(path, 50)),
            lambda path: asyncio.run(cancelling_sub_graphs(path)),
            lambda path: asyncio.run(cancelling(path, 10_000)),
        ]
        for measure in measures:
            measure(folder)
        cold_start()


if __name__ == "__main__":
    main()

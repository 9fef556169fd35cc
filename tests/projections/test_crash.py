"""A process that is killed while it catches up or rebuilds leaves tables that the next one completes exactly."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.events.harness import GraphOutputBlock, Run, SourceBlock, plan_of
from tests.projections.letters import Letters, letters
from tests.projections.recording import Tables, append_all
from tests.projections.running import eventually, running, table

from actbook.journal import SQLiteStore
from actbook.projections import BUILT_IN

KILLS = int(os.environ.get("ACTBOOK_TEST_KILLS", "25"))
ROOT = Path(__file__).parents[2]


def test_killed_at_any_moment_the_rows_come_out_the_same(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    store = SQLiteStore(str(path))
    chance = random.Random(7)
    with _breeder(f"sqlite:///{path}") as breeder:
        for number in range(KILLS):
            _write_more(store, number)
            _live_and_die(breeder, chance.uniform(0.0, 0.2))
    names = (*(table.name for projection in BUILT_IN for table in projection.tables()), "letters")
    with Tables((*BUILT_IN, Letters)) as expected:
        expected.apply(store.read_log(0, None))
        store.close()
        assert asyncio.run(_completed(f"sqlite:///{path}", names)) == {
            name: expected.rows(name) for name in names
        }


def _write_more(store: SQLiteStore, number: int) -> None:
    run = Run(plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value"))
    run.drive({"s": lambda _: [("out", n) for n in range(20)], "o": lambda data: [("output", data["value"])]})
    append_all(store, f"run {number}", run.history)
    store.write([letters("text", "some words and some more wordsA" * 5)])


@contextmanager
def _breeder(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.projections.dying", url]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, env={**os.environ, **_paths()}, text=True
    ) as process:
        yield process


def _live_and_die(breeder: subprocess.Popen[str], seconds: float) -> None:
    assert breeder.stdin is not None
    assert breeder.stdout is not None
    breeder.stdin.write("\n")
    breeder.stdin.flush()
    child = int(breeder.stdout.readline())
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert breeder.stdout.readline() == "gone\n"


def _paths() -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("actors", "events", "projections", "."))
    }


async def _completed(url: str, names: tuple[str, ...]) -> dict[str, list[dict[str, object]]]:
    async with running(url, (*BUILT_IN, Letters)) as (journal, runner):
        await runner.wait(await journal.last_position())
        await eventually(lambda: not runner._worker.rebuilding)
        return {name: table(journal, name) for name in names}

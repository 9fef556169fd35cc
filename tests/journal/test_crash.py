"""A process that is killed while it writes loses nothing that it was told is written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.journal.samples import child_environment

from actbook.journal import SQLiteStore, verify_chain

_WRITER = """
import asyncio, os, sys
from actbook.journal import Journal
from tests.journal.samples import append, noted

async def write(journal, stream):
    version = await journal.head(stream)
    while True:
        big = noted("x", {"big": "y" * 70_000}) if version % 50 == 49 else noted("x")
        inbox = append("inbox", None, stream)
        answer = await journal.append(append(stream, version, big, "z", also=(inbox,), lifecycle="open"))
        version = answer.version
        os.write(1, f"{stream} {version}\\n".encode())

async def main():
    journal = await Journal.open(sys.argv[1])
    await asyncio.gather(*(write(journal, f"s-{n}") for n in range(8)))

asyncio.run(main())
"""


def killed_run(url: str, seconds: float) -> dict[str, int]:
    """The last version of each stream that the writer was told is written."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, env=child_environment()
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(seconds)
    os.kill(writer.pid, signal.SIGKILL)
    lines = (first + writer.stdout.read()).decode().splitlines()
    writer.stdout.close()
    writer.wait()
    acknowledged: dict[str, int] = {}
    for line in lines:
        stream_id, version = line.split()
        acknowledged[stream_id] = int(version)
    return acknowledged


@pytest.mark.timeout(60)
def test_kill_in_a_loop(tmp_path: Path) -> None:
    path = str(tmp_path / "killed.db")
    chance = random.Random(7)
    until = time.monotonic() + 8
    rounds = 0
    while time.monotonic() < until and rounds < 12:
        acknowledged = killed_run(f"sqlite:///{path}", chance.uniform(0.0, 0.3))
        assert acknowledged
        store = SQLiteStore(path)
        for stream_id, version in acknowledged.items():
            assert store.head(stream_id) >= version
            assert store.head(stream_id) % 2 == 0, "half an append"
        rows = [row for stream_id in store.stream_ids() for row in store.read_rows(stream_id)]
        assert verify_chain(rows) == []
        assert store.head("inbox") * 2 == sum(store.head(s) for s in store.stream_ids() if s != "inbox")
        assert len(store.read_log(limit=None)) == len(rows)
        assert set(acknowledged) <= set(store.unfinished())
        store.close()
        rounds += 1
    assert rounds >= 3

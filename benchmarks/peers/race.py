"""Starts competitors' processes and adds up what they did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.peers.window import Work

PYTHON = "ACTBOOK_BENCH_PEERS"
"""Names the interpreter that has the other engines, if they are not installed beside actbook."""

PEERS = {"dbos": "dbos", "langgraph": "langgraph.checkpoint.sqlite.aio"}


def race(competitor: str, work: Work, processes: int = 1, seconds: float = 4.0) -> float:
    """Steps per second of so many processes on one store. Raises `RuntimeError` when one of them failed."""
    with ExitStack() as stack:
        # One after the other up to here: several that make the tables at once is not what is measured.
        started = [stack.enter_context(_started(competitor, work)) for _ in range(processes)]
        for process in started:
            _tell(process, f"{seconds}\n")
        told = [_line(process).split() for process in started]
        for process in started:
            _tell(process, "end\n")
    return sum(int(steps) for steps, _ in told) / max(float(took) for _, took in told)


def absent(peer: str) -> str | None:
    """Why the peer can't compete."""
    found = subprocess.run([_python(peer), "-c", f"import {PEERS[peer]}"], capture_output=True, check=False)
    if found.returncode == 0:
        return None
    return f"{peer} is not installed: install the group `peers`, or name an interpreter that has it with {PYTHON}"


def _started(competitor: str, work: Work) -> subprocess.Popen[str]:
    arguments: Sequence[str] = (work.url, work.shape, str(work.size), str(work.in_flight))
    process = subprocess.Popen(
        [_python(competitor), "-m", f"benchmarks.peers.{competitor}_runs", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while _line(process) != "ready":
        continue
    return process


def _python(competitor: str) -> str:
    return sys.executable if competitor not in PEERS else os.environ.get(PYTHON, sys.executable)


def _tell(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a competitor failed: {process.stderr.read()[-2000:]}")
    return line.strip()

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.actors.bodies.blocks import PATIENCE, Echo, Toil, begin, block_of, misbehave, with_bodies

from actbook.actors._bodies import Bodies, Capacity


def children() -> set[int]:
    """Processes below this one, servers of other tests among them."""
    return {child.pid for child in psutil.Process().children()}


def gone(*pids: int) -> bool:
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return not psutil.wait_procs(alive, timeout=PATIENCE)[1]


def test_it_runs_in_a_process_that_is_used_again_and_ends_with_close() -> None:
    pids: list[int] = []

    async def test(bodies: Bodies) -> None:
        for _ in range(3):
            sink, _ = begin(bodies, Toil())
            assert (await sink.end()).kind == "completed"
            pids.extend(sink.values)
        assert len(set(pids)) == 1
        assert pids[0] != os.getpid()

    with_bodies(test, Capacity(cpu=1))
    assert not psutil.pid_exists(pids[0])


def test_input_context_and_the_state_of_the_block_arrive() -> None:
    async def test(bodies: Bodies) -> None:
        value = {"big": "x" * 3_000_000, "list": [1, None, 2.5]}
        sink, _ = begin(bodies, Echo(suffix="!"), value)
        outcome = await sink.end()
        assert sink.values == [value, "ada!"]
        assert outcome.input_bytes > 3_000_000
        assert outcome.output_bytes > 3_000_000

    with_bodies(test)


def test_processor_time_is_measured() -> None:
    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, Toil(), "compute")
        assert (await sink.end()).cpu > 0.01

    with_bodies(test)


@pytest.mark.parametrize("how", ["for ever", "holding the interpreter", "waiting"])
def test_cancel_kills_the_process_and_another_takes_its_place(how: str) -> None:
    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, Toil(), how)
        pid = await sink.first()
        assert not body.done
        body.cancel(PATIENCE)
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped) == ("cancelled", True)
        assert not psutil.pid_exists(pid)
        assert bodies.slots["cpu"] == 1
        other, _ = begin(bodies, Toil())
        assert (await other.end()).kind == "completed"
        assert other.values != [pid]

    with_bodies(test, Capacity(cpu=1))


def test_cancel_ends_what_the_body_started_as_well() -> None:
    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, Toil(), "with a child")
        await sink.first()
        while len(sink.values) < 2:
            sink.heard.clear()
            await sink.heard.wait()
        body.cancel(PATIENCE)
        await sink.end()
        assert gone(sink.values[1])

    with_bodies(test)


def test_over_its_time_limit_it_fails_and_its_process_is_killed() -> None:
    async def test(bodies: Bodies) -> None:
        warm, _ = begin(bodies, Toil())
        await warm.end()
        sink, _ = begin(bodies, Toil(), "for ever", timeout=0.3)
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped) == ("failed", True)
        assert outcome.error == "Node execution exceeded 0.3s wall-clock cap"
        assert not psutil.pid_exists(warm.values[0])

    with_bodies(test, Capacity(cpu=1))


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("leave", "ended with exit code 3"),
        ("be killed", "was killed by SIGKILL"),
        ("close everything", "was killed by SIGKILL"),
    ],
)
def test_a_process_that_dies_by_itself_fails_its_node(
    how: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, Toil(), how)
        outcome = await sink.end()
        assert (outcome.kind, outcome.expected) == ("failed", False)
        assert outcome.error == f"The worker process that ran Toil {text}"
        assert isinstance(sink.values[0], int)
        other, _ = begin(bodies, Toil())
        assert (await other.end()).kind == "completed"

    with_bodies(test, Capacity(cpu=1))


def test_a_process_holds_no_files_of_the_engine() -> None:
    async def test(bodies: Bodies) -> None:
        with tempfile.TemporaryFile() as file:
            os.set_inheritable(file.fileno(), True)
            ours = os.fstat(file.fileno())
            sink, _ = begin(bodies, Toil(), "descriptors")
            await sink.end()
            assert len(sink.values[1]) >= 5
            assert [ours.st_dev, ours.st_ino] not in sink.values[1]

    with_bodies(test)


def test_warm_processes_are_there_before_the_first_body_and_replaced() -> None:
    others = children()

    async def test(bodies: Bodies) -> None:
        warm = children() - others
        assert len(warm) == 2
        sink, body = begin(bodies, Toil(), "waiting")
        pid = await sink.first()
        assert pid in warm
        body.cancel(PATIENCE)
        await sink.end()
        after = children() - others
        assert len(after) == 2
        assert pid not in after

    with_bodies(test, Capacity(cpu=2, warm_workers=2))


def test_a_block_that_cannot_be_sent_fails_with_the_remedy(caplog: pytest.LogCaptureFixture) -> None:
    def local(self: Any, input: Any, context: Any) -> Iterator[Any]:
        yield from misbehave("well")

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(local, "cpu"))
        outcome = await sink.end()
        assert outcome.kind == "failed"
        assert outcome.error.startswith("Local cannot be sent to a worker process: ")
        assert "Define its class at the top level of an importable module" in outcome.error
        assert bodies.slots["cpu"] == bodies.capacity.cpu

    with_bodies(test)


SCRIPT = """
import sys; sys.path[:] = {path!r}
from tests.actors.bodies.blocks import Toil, begin, with_bodies

class Mine(Toil):
    id = "7a3f5c6e-0030-4e0e-8f6b-2f8c0b7f4a01"

async def test(bodies):
    sink, _ = begin(bodies, Mine())
    outcome = await sink.end()
    print(outcome.kind, outcome.error)

{start}
"""
GUARDED = 'if __name__ == "__main__":\n    with_bodies(test)'


def run_script(folder: Path, start: str) -> str:
    script = folder / "script.py"
    script.write_text(SCRIPT.format(path=sys.path, start=start))
    ended = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout


def test_a_block_of_the_main_script_works(tmp_path: Path) -> None:
    assert run_script(tmp_path, GUARDED) == "completed \n"


def test_a_main_script_without_a_guard_fails_with_the_remedy(tmp_path: Path) -> None:
    told = run_script(tmp_path, "with_bodies(test)")
    assert told.startswith("failed The block cannot be loaded in a worker process")
    assert 'put the start of the script under `if __name__ == "__main__":`' in told


PARENT = """
import sys; sys.path[:] = {path!r}
import asyncio
from actbook.actors._bodies import Capacity
from tests.actors.bodies.blocks import Toil, begin, with_bodies

async def test(bodies):
    for how in ("for ever", "holding the interpreter", "waiting", "with a child"):
        sink, _ = begin(bodies, Toil(), how)
        await sink.first()
        while how == "with a child" and len(sink.values) < 2:
            sink.heard.clear()
            await sink.heard.wait()
        print(*sink.values, flush=True)
    await asyncio.Event().wait()

with_bodies(test, Capacity(cpu=5, warm_workers=5))
"""


def test_a_killed_parent_leaves_no_process_behind() -> None:
    program = PARENT.format(path=sys.path)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for _ in range(4) for pid in parent.stdout.readline().split()]
        pids += [child.pid for child in psutil.Process(parent.pid).children()]
        assert len(set(pids)) == 6
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(PATIENCE)
    assert gone(*pids)


def test_a_process_that_cannot_start_fails_its_node_and_is_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(shutil.which("false")))
    others = children()

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, Toil())
        assert (await sink.end()).error == "The worker process that ran Toil ended with exit code 1"
        assert children() <= others
        monkeypatch.setattr(sys, "executable", "/absent")
        sink, _ = begin(bodies, Toil())
        assert (await sink.end()).error_type == "FileNotFoundError"
        assert bodies.slots["cpu"] == 1

    with_bodies(test, Capacity(cpu=1, warm_workers=1))

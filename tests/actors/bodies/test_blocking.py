from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.actors.bodies.blocks import PATIENCE, AnyInput, Pair, begin, block_of, with_bodies

from actbook.actors._bodies import Bodies, Body, Capacity, stop_requested, wait_for_stop
from actbook.graphs import Block, ExecutionContext


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("actbook-blocking")}


def watch_threads(bodies: Bodies, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when the thread of an abandoned body has come back."""
    back, thread_back = asyncio.Event(), bodies.thread_back

    def watched(body: Body) -> None:
        thread_back(body)
        back.set()

    monkeypatch.setattr(bodies, "thread_back", watched)
    return back


def at_once(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
    yield "out", threading.current_thread().name


AT_ONCE = block_of(at_once, "blocking")


class Stuck:
    """A body that looks at nothing until the test lets it go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.left = threading.Event()

    def block(self) -> Block:
        def stuck(block: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
            yield "out", "before"
            self.gate.wait()
            yield "out", "too late"
            self.left.set()

        return block_of(stuck, "blocking")


def test_it_runs_in_a_thread_that_is_used_again_and_ends_with_close() -> None:
    async def test(bodies: Bodies) -> None:
        names = []
        for _ in range(3):
            sink, _ = begin(bodies, AT_ONCE)
            await sink.end()
            names += sink.values
        assert names == ["actbook-blocking-1"] * 3
        assert threads() == {"actbook-blocking-1"}

    with_bodies(test)
    assert threads() == set()


def test_values_arrive_while_it_runs_and_in_order() -> None:
    stuck = Stuck()

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, stuck.block())
        assert await sink.first() == "before"
        assert not body.done
        stuck.gate.set()
        assert (await sink.end()).kind == "completed"
        assert sink.values == ["before", "too late"]

    with_bodies(test)


def test_what_came_in_one_turn_of_the_loop_is_told_at_once() -> None:
    halfway = threading.Event()

    def three(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        yield "out", 1
        yield "out", 2
        halfway.set()
        yield "out", 3

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(three, "blocking"))
        halfway.wait(PATIENCE)
        await sink.end()
        told = [*sink.batches, sink.last]
        assert told[0][:2] == [("out", 1), ("out", 2)]
        assert sink.values == [1, 2, 3]

    with_bodies(test)


def test_a_thread_far_ahead_of_the_loop_waits() -> None:
    most: list[int] = []

    async def test(bodies: Bodies) -> None:
        def flood(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
            for number in range(20_000):
                most.append(len(bodies.returns._entries))
                yield "out", number

        sink, _ = begin(bodies, block_of(flood, "blocking"))
        assert (await sink.end()).kind == "completed"
        assert sink.values == list(range(20_000))
        assert max(most) <= 4_097

    with_bodies(test)


@pytest.mark.parametrize("looks", ["stop_requested", "wait_for_stop", "yield"])
def test_cancel_ends_code_that_looks(looks: str) -> None:
    def patient(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        assert not stop_requested()
        assert not wait_for_stop(0)
        yield "out", "before"
        if looks == "stop_requested":
            while not stop_requested():
                threading.Event().wait(0.001)
        elif looks == "wait_for_stop":
            assert wait_for_stop()
        while looks == "yield":
            yield "out", "again"

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(patient, "blocking"))
        await sink.first()
        body.cancel(60)
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped) == ("cancelled", True)
        assert sink.last == []

    with_bodies(test)


def test_outside_a_blocking_body_nothing_asks_to_stop() -> None:
    assert not stop_requested()
    assert not wait_for_stop(0)
    with pytest.raises(RuntimeError, match="only in the body"):
        wait_for_stop()


def test_an_async_generator_gets_a_loop_of_its_own_and_is_cancelled_at_an_await() -> None:
    async def waits(self: Any, input: AnyInput, context: ExecutionContext) -> AsyncIterator[Pair]:
        await asyncio.sleep(0)
        yield "out", threading.current_thread().name
        await asyncio.Event().wait()

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(waits, "blocking"))
        assert await sink.first() == "actbook-blocking-1"
        body.cancel(60)
        assert (await sink.end()).kind == "cancelled"

    with_bodies(test)


def test_code_that_does_not_look_is_abandoned_replaced_and_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, stuck.block())
        await sink.first()
        assert bodies.slots["blocking"] == 0
        body.cancel(0.01)
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped) == ("abandoned", False)
        assert bodies.slots["blocking"] == 1

        other, _ = begin(bodies, AT_ONCE)
        await other.end()
        assert other.values == ["actbook-blocking-2"]

        back = watch_threads(bodies, monkeypatch)
        stuck.gate.set()
        await back.wait()
        assert not stuck.left.is_set()
        again, _ = begin(bodies, AT_ONCE)
        await again.end()
        assert sink.values == ["before"]
        assert bodies.slots["blocking"] == 1

    with_bodies(test, Capacity(blocking=1))
    assert threads() == set()


def test_beyond_the_bound_an_abandoned_body_keeps_its_slot_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck = Stuck()

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, stuck.block())
        await sink.first()
        body.cancel(0)
        assert (await sink.end()).kind == "abandoned"
        assert bodies.slots["blocking"] == 0
        back = watch_threads(bodies, monkeypatch)
        stuck.gate.set()
        await back.wait()
        assert bodies.slots["blocking"] == 1
        other, _ = begin(bodies, AT_ONCE)
        await other.end()
        assert other.values == ["actbook-blocking-1"]

    with_bodies(test, Capacity(blocking=1, abandoned=0))


def test_over_its_time_limit_it_fails_though_its_thread_goes_on() -> None:
    stuck = Stuck()

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, stuck.block(), timeout=0.05)
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped) == ("failed", False)
        assert outcome.error == "Node execution exceeded 0.05s wall-clock cap"
        assert sink.values == ["before"]
        stuck.gate.set()

    with_bodies(test, timeout_grace=0.01)


def test_an_interrupt_raised_in_a_thread_stays_there(caplog: pytest.LogCaptureFixture) -> None:
    def interrupted(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        yield "out", 1
        raise KeyboardInterrupt

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(interrupted, "blocking"))
        assert (await sink.end()).error == "KeyboardInterrupt"

    with_bodies(test)


ABANDON = """
import asyncio, threading
from tests.actors.bodies.blocks import begin, block_of, with_bodies

def stuck(self, input, context):
    yield "out", 1
    threading.Event().wait()

async def test(bodies):
    sink, body = begin(bodies, block_of(stuck, "blocking"))
    await sink.first()
    body.cancel(0)
    print((await sink.end()).kind)

with_bodies(test)
"""


def test_an_abandoned_thread_does_not_hold_up_the_interpreter() -> None:
    program = f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(ABANDON)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "abandoned\n"
    assert ended.stderr == ""

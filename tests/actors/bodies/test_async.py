from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from tests.actors.bodies.blocks import CONTEXT, AnyInput, Pair, Sink, begin, block_of, with_bodies

from actbook.actors._bodies import Bodies, Outcome
from actbook.graphs import ExecutionContext

Yields = AsyncIterator[Pair]


def test_a_body_that_never_waits_ends_inside_start() -> None:
    async def at_once(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        yield "out", 1
        yield "out", 2

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(at_once))
        assert body.done
        assert sink.last == [("out", 1), ("out", 2)]
        assert sink.batches == []

    with_bodies(test)


def test_values_before_a_wait_are_told_when_it_waits_and_the_rest_comes_with_the_end() -> None:
    gate = asyncio.Event()

    async def two_parts(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        yield "out", 1
        yield "out", 2
        await gate.wait()
        yield "out", 3

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(two_parts))
        assert sink.batches == [[("out", 1), ("out", 2)]]
        gate.set()
        assert (await sink.end()).kind == "completed"
        assert len(sink.batches) == 1
        assert sink.last == [("out", 3)]

    with_bodies(test)


@pytest.mark.parametrize("inside_a_task", [True, False])
def test_tools_that_need_a_current_task_work_from_the_first_step(inside_a_task: bool) -> None:
    async def wary(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        first = asyncio.current_task()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            child = group.create_task(asyncio.sleep(0, "slept"))
        assert asyncio.current_task() is first
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            yield "out", child.result()

    async def test(bodies: Bodies) -> None:
        sink = Sink()
        outer = asyncio.current_task()

        def start() -> None:
            bodies.start(block_of(wary), {}, CONTEXT, sink)

        if inside_a_task:
            start()
        else:
            bodies.loop.call_soon(start)
        assert asyncio.current_task() is outer
        assert (await sink.end()).kind == "completed"
        assert sink.values == ["slept"]

    with_bodies(test)


def test_a_failing_task_group_fails_the_body_only() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("inner")

    async def grouped(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.Event().wait()
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(grouped))
        assert (await sink.end()).error_type == "ExceptionGroup"

    with_bodies(test)


PLACE: ContextVar[str] = ContextVar("place", default="nowhere")


def test_a_body_runs_in_a_copy_of_the_context_of_its_start() -> None:
    told: list[str] = []

    async def move(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        yield "out", PLACE.get()
        PLACE.set("inside")
        await asyncio.sleep(0)
        yield "out", PLACE.get()

    class Curious(Sink):
        def finished(self, items: list[Pair], outcome: Outcome) -> None:
            told.append(PLACE.get())
            super().finished(items, outcome)

    async def test(bodies: Bodies) -> None:
        PLACE.set("outside")
        sink = Curious()
        bodies.start(block_of(move), {}, CONTEXT, sink)
        await sink.end()
        assert sink.values == ["outside", "inside"]
        assert PLACE.get() == "outside"
        assert told == ["nowhere"]

    with_bodies(test)


def test_cancel_lets_it_clean_up_and_ignores_what_it_yields_then() -> None:
    cleaned: list[str] = []

    async def tidy(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        try:
            yield "out", "before"
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cleaned.append("yes")
            yield "out", "too late"
            cleaned.append("never")

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(tidy))
        body.cancel(60)
        assert not sink.outcomes
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped, outcome.error) == ("cancelled", True, "")
        assert sink.values == ["before"]
        assert cleaned == ["yes"]
        body.cancel(60)
        assert len(sink.outcomes) == 1

    with_bodies(test)


def test_a_body_that_waits_for_an_event_of_its_own_loop_ends_inside_cancel() -> None:
    left: list[str] = []

    async def waiting(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        try:
            await asyncio.Event().wait()
        finally:
            left.append("yes")
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(waiting))
        body.cancel(60)
        assert left == ["yes"]
        assert body.done
        assert [outcome.kind for outcome in sink.outcomes] == ["cancelled"]
        await asyncio.sleep(0)
        assert len(sink.outcomes) == 1

    with_bodies(test)


def test_a_time_limit_inside_the_body_is_still_its_own_affair() -> None:
    """`asyncio.timeout` cancels its task and counts on that being heard later."""

    async def limited(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            yield "out", "late"
        async with asyncio.timeout(60):
            await asyncio.Event().wait()

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(limited))
        while not sink.values:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert sink.values == ["late"]
        body.cancel(60)
        assert (await sink.end()).kind == "cancelled"

    with_bodies(test)


def test_an_event_that_came_first_is_not_lost_by_a_cancel_behind_it() -> None:
    heard: list[str] = []
    gate = asyncio.Event()

    async def waiting(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        await gate.wait()
        heard.append("gate")
        await asyncio.sleep(0)
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(waiting))
        gate.set()
        body.cancel(60)
        assert not body.done
        assert (await sink.end()).kind == "cancelled"
        assert heard == []

    with_bodies(test)


def test_cancel_reaches_what_the_body_waits_for() -> None:
    ended: list[str] = []

    async def helper() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("helper")

    async def delegating(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        await asyncio.create_task(helper())
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(delegating))
        await asyncio.sleep(0)
        body.cancel(60)
        assert (await sink.end()).kind == "cancelled"
        assert ended == ["helper"]

    with_bodies(test)


def test_cancel_between_two_turns_arrives_at_the_next() -> None:
    async def spin(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        while input.value is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(spin))
        body.cancel(60)
        assert (await sink.end()).kind == "cancelled"

    with_bodies(test)


def test_a_body_that_swallows_one_cancel_gets_another() -> None:
    swallowed: list[int] = []

    async def stubborn(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append(1)
        await asyncio.Event().wait()
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(stubborn))
        body.cancel(0.05)
        assert (await sink.end()).kind == "cancelled"
        assert swallowed == [1]

    with_bodies(test)


def test_a_body_that_swallows_every_cancel_is_abandoned_and_never_runs_again() -> None:
    steps: list[str] = []
    gate = asyncio.Event()

    async def undying(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        yield "out", "before"
        while True:
            try:
                await gate.wait()
                steps.append("went on")
            except GeneratorExit:
                raise  # the interpreter's own last word: without it the test would never exit
            except BaseException as error:
                steps.append(type(error).__name__)

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(undying))
        body.cancel(60)
        body.cancel(0.02)
        outcome = await sink.end()
        assert (outcome.kind, outcome.stopped) == ("abandoned", True)
        assert bodies.slots["async"] == bodies.capacity.async_
        seen = list(steps)
        assert seen[-1] == "BodyEnded"
        gate.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert steps == seen

    with_bodies(test)


@pytest.mark.parametrize("plain", [True, False])
def test_a_body_that_yields_without_end_leaves_the_loop_its_turns(plain: bool) -> None:
    async def endless(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        while True:
            yield "out", 1

    def endless_plain(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        while True:
            yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(endless_plain if plain else endless))
        assert await sink.first() == 1
        body.cancel(60)
        assert (await sink.end()).kind == "cancelled"

    with_bodies(test)


@pytest.mark.parametrize(("limit", "text"), [(0.01, "0.01"), (1e-3, "0.001")])
def test_a_body_over_its_time_limit_fails_and_keeps_what_it_told(limit: float, text: str) -> None:
    async def slow(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        yield "out", "before"
        try:
            await asyncio.Event().wait()
        finally:
            yield "out", "too late"

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(slow), timeout=limit)
        outcome = await sink.end()
        assert (outcome.kind, outcome.expected) == ("failed", True)
        assert outcome.error == f"Node execution exceeded {text}s wall-clock cap"
        assert sink.values == ["before"]

    with_bodies(test)


def test_a_body_that_ends_in_time_leaves_no_timer() -> None:
    async def quick(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        await asyncio.sleep(0)
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(quick), timeout=3_600)
        assert (await sink.end()).kind == "completed"
        assert body._timer is not None
        assert body._timer.cancelled()

    with_bodies(test)


@pytest.mark.parametrize("execution", ["async", "inline"])
def test_an_interrupt_is_recorded_and_goes_on_to_the_host(
    execution: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sinks: list[Sink] = []

    def interrupted(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        yield "out", 1
        raise KeyboardInterrupt

    async def test(bodies: Bodies) -> None:
        sinks.append(begin(bodies, block_of(interrupted, execution))[0])
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        with_bodies(test)
    assert sinks[0].outcome.kind == "failed"
    assert sinks[0].outcome.error == "KeyboardInterrupt"


def test_waiting_for_something_foreign_fails_the_body(caplog: pytest.LogCaptureFixture) -> None:
    class Foreign:
        def __await__(self) -> Generator[str, None, None]:
            yield "not a future"

    async def lost(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        await Foreign()
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(lost))
        assert (await sink.end()).error == "cannot wait for str objects: await something of asyncio"

    with_bodies(test)


def test_a_sink_that_raises_is_reported_and_harms_nobody() -> None:
    class Broken(Sink):
        def finished(self, items: list[Pair], outcome: Outcome) -> None:
            super().finished(items, outcome)
            raise LookupError("sink")

    async def at_once(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        reports: list[dict[str, Any]] = []
        bodies.loop.set_exception_handler(lambda _, report: reports.append(report))
        body = bodies.start(block_of(at_once), {}, CONTEXT, Broken())
        assert body.done
        assert bodies.running == 0
        assert isinstance(reports[0]["exception"], LookupError)

    with_bodies(test)


def test_ten_thousand_waiting_bodies_stop_together() -> None:
    async def wait(self: Any, input: AnyInput, context: ExecutionContext) -> Yields:
        await asyncio.sleep(3_600)
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        block = block_of(wait)
        started = [begin(bodies, block) for _ in range(10_000)]
        since = time.perf_counter()
        for _, body in started:
            body.cancel(5)
        for sink, _ in started:
            assert (await sink.end()).kind == "cancelled"
        assert time.perf_counter() - since < 5
        assert bodies.running == 0

    with_bodies(test)

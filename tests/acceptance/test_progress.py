"""Progress of the executions of one node."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.engine.kit import play

from actbook.actors import NodeExecutionProgress


def pending() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def done(result: Any = None) -> asyncio.Future[Any]:
    future = pending()
    future.set_result(result)
    return future


def drained(progress: NodeExecutionProgress[Any]) -> list[Any]:
    found = []
    while (output := progress.pop_output()) is not None:
        found.append(output)
    return found


def test_nothing_to_do_is_done() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[Any] = NodeExecutionProgress()
        assert await progress.is_done()
        assert progress.pop_output() is None
        assert progress.stop() == []
        await progress.wait_for_done(0)

    play(test())


def test_only_the_oldest_execution_is_served_until_it_is_done_and_drained() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[str] = NodeExecutionProgress()
        first = pending()
        progress.add_task("1", first)
        progress.add_task("2", done())
        progress.add_output("2", "b1")
        progress.add_output("1", "a1")
        assert drained(progress) == ["a1"]
        progress.add_output("1", "a2")
        first.set_result(None)
        assert drained(progress) == ["a2", "b1"]
        assert await progress.is_done()

    play(test())


def test_outputs_keep_their_order_within_an_execution() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        progress.add_task("1", pending())
        for number in range(1, 6):
            progress.add_output("1", number)
        assert drained(progress) == [1, 2, 3, 4, 5]
        assert not await progress.is_done()

    play(test())


def test_outputs_left_are_not_done() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        progress.add_task("1", done())
        progress.add_output("1", 7)
        assert not await progress.is_done()
        assert not await progress.is_done(0.01)
        assert progress.pop_output() == 7
        assert await progress.is_done()

    play(test())


def test_is_done_waits_without_holding_the_loop() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        task = pending()
        progress.add_task("1", task)
        waiting = asyncio.ensure_future(progress.is_done(30))
        await asyncio.sleep(0)
        assert not waiting.done()
        task.set_result(None)
        assert await waiting
        assert not await _undone(progress).is_done(0.001)

    def _undone(progress: NodeExecutionProgress[int]) -> NodeExecutionProgress[int]:
        progress.add_task("2", pending())
        return progress

    play(test())


def test_an_output_ends_the_waiting() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        progress.add_task("1", pending())
        waiting = asyncio.ensure_future(progress.is_done(30))
        await asyncio.sleep(0)
        progress.add_output("1", 5)
        assert not await waiting
        assert progress.pop_output() == 5

    play(test())


def test_a_failed_execution_is_done() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        failed = pending()
        failed.set_exception(RuntimeError("boom"))
        progress.add_task("1", failed)
        assert await progress.is_done(1)
        assert isinstance(failed.exception(), RuntimeError)

    play(test())


def test_stop_cancels_what_is_not_done_and_names_it() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        first, second = pending(), pending()
        progress.add_task("1", first)
        progress.add_task("2", done())
        progress.add_task("3", second)
        progress.add_output("1", 1)
        assert progress.stop() == ["1", "3"]
        assert first.cancelled()
        assert second.cancelled()
        await progress.wait_for_done(1)
        assert drained(progress) == [1]
        assert progress.stop() == []

    play(test())


def test_waiting_for_what_will_not_stop_times_out() -> None:
    async def stubborn(release: asyncio.Event) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        release = asyncio.Event()
        tasks = [asyncio.ensure_future(stubborn(release)) for _ in range(2)]
        progress.add_task("1", tasks[0])
        progress.add_task("2", done())
        progress.add_task("3", tasks[1])
        await asyncio.sleep(0)
        progress.stop()
        with pytest.raises(TimeoutError) as late:
            await progress.wait_for_done(0.01)
        assert str(late.value) == "Timeout waiting for cancellation of tasks: ['1', '3']"
        release.set()
        await progress.wait_for_done(5)

    play(test())


def test_an_output_that_comes_late_is_kept() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[str] = NodeExecutionProgress()
        progress.add_task("1", done())
        assert await progress.is_done()
        progress.add_output("1", "late")
        assert not await progress.is_done()
        assert progress.pop_output() == "late"
        assert await progress.is_done()

    play(test())


def test_a_hundred_thousand_finished_executions() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        ended = done()
        for number in range(100_000):
            progress.add_task(str(number), ended)
            if number % 10 == 0:
                progress.add_output(str(number), number)
        assert not await progress.is_done()
        assert drained(progress) == list(range(0, 100_000, 10))
        assert await progress.is_done()
        assert len(progress) == 0

    play(test())


def test_a_hundred_thousand_without_outputs_are_over_at_once() -> None:
    async def test() -> None:
        progress: NodeExecutionProgress[int] = NodeExecutionProgress()
        ended = done()
        for number in range(100_000):
            progress.add_task(str(number), ended)
        assert await progress.is_done()

    play(test())

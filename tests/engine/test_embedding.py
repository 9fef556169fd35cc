"""Inside somebody else's process: several engines side by side, and nothing of the host's is touched."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, Gate, World, begin, effect, finish, play, pure, sqlite

from actbook.blocks import Registry
from actbook.engine import Engine
from actbook.events import ExecutionStatus
from actbook.graphs import Graph

COMPLETED = ExecutionStatus.COMPLETED


def line(world: World, block: str = "Echo") -> Graph:
    return world.graph(f"x:Input e:{block} y:Output", "x.result > e.value", "e.out > y.value")


def own_world(answer: str) -> World:
    """Its block of the id that all these worlds share answers in its own way."""

    async def run(input: Any, context: Any) -> Any:
        yield "out", f"{answer} {input.value}"

    return World(Echo=effect(run, id="6f0a7c1e-50ab-4d4e-8d11-7e30f5a1b001"))


def urls(tmp_path: Path, postgres_url: str) -> list[str]:
    return [sqlite(tmp_path, "one.db"), sqlite(tmp_path, "two.db"), "memory:", "memory:", postgres_url]


def test_engines_on_one_loop_have_nothing_in_common(tmp_path: Path, postgres_url: str) -> None:
    async def test() -> None:
        worlds = [own_world(str(number)) for number in range(5)]
        places = zip(worlds, urls(tmp_path, postgres_url), strict=True)
        opened = [world.open(url) for world, url in places]
        engines: list[Engine] = [await each.__aenter__() for each in opened]
        try:
            for number, (engine, world) in enumerate(zip(engines, worlds, strict=True)):
                done = await finish(engine, line(world), inputs={"x": 1})
                assert done.outputs == {"y": [f"{number} 1"]}
                await engine.catch_up()
                assert [row.id for row in await engine.queries.executions()] == [done.id]
            # One after the other closes, and the rest goes on.
            for number in range(5):
                await opened[number].__aexit__(None, None, None)
                assert engines[number].closed
                for other in range(number + 1, 5):
                    done = await finish(engines[other], line(worlds[other]), inputs={"x": number})
                    assert done.outputs == {"y": [f"{other} {number}"]}
        finally:
            for each, engine in zip(opened, engines, strict=True):
                if not engine.closed:
                    await each.__aexit__(None, None, None)

    play(test())


def test_engines_on_loops_of_their_own_threads(tmp_path: Path) -> None:
    def run(number: int) -> list[Any]:
        async def test() -> list[Any]:
            world = own_world(str(number))
            async with world.open(sqlite(tmp_path, f"{number}.db")) as engine:
                runs = [await finish(engine, line(world), inputs={"x": each}) for each in range(20)]
                return [run.outputs["y"][0] for run in runs]

        answer: list[Any] = asyncio.run(test())
        return answer

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(run, range(3)))
    assert answers == [[f"{number} {each}" for each in range(20)] for number in range(3)]


def test_the_host_s_process_stays_as_it_is(tmp_path: Path) -> None:
    def facts() -> dict[str, Any]:
        loggers = [logging.getLogger(), logging.getLogger("actbook"), logging.getLogger("asyncio")]
        return {
            "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
            "wakeup": _wakeup(),
            "logging": [(each.level, list(each.handlers), each.propagate, each.disabled) for each in loggers],
            "environment": dict(os.environ),
            "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
            "warnings": list(warnings.filters),
            "switch": sys.getswitchinterval(),
            "path": list(sys.path),
            "folder": Path.cwd(),
        }

    async def test() -> None:
        before = facts()
        loop = asyncio.get_running_loop()
        handler, factory = loop.get_exception_handler(), loop.get_task_factory()
        world = World(Echo=effect(), Pure=pure(), Blocking=effect(_blocking, execution="blocking"))
        async with world.open(sqlite(tmp_path)) as engine:
            for block in ("Echo", "Pure", "Blocking"):
                assert (await finish(engine, line(world, block), inputs={"x": 1})).status is COMPLETED
            during = facts()
        assert before == during == facts()
        assert (loop.get_exception_handler(), loop.get_task_factory()) == (handler, factory)

    play(test())


def _blocking(input: Any, context: Any) -> Any:
    yield "out", input.value


def _wakeup() -> int:
    number = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(number)
    return number


def test_nothing_is_left_of_a_closed_engine(tmp_path: Path) -> None:
    async def test() -> None:
        tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
        for _ in range(3):
            world = own_world("once")
            async with world.open(sqlite(tmp_path)) as engine:
                await finish(engine, line(world), inputs={"x": 1})
        assert asyncio.all_tasks() == tasks
        left = {each.name for each in set(threading.enumerate()) - threads}
        # The loop's own pool of threads stays for whoever comes next.
        assert all(name.startswith("asyncio_") for name in left), left

    play(test())


def test_two_engines_share_one_file_in_one_process(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open(sqlite(tmp_path)) as owner, world.open(sqlite(tmp_path)) as other:
            assert owner.is_owner
            assert not other.is_owner
            run = await begin(other, line(world, "Hold"), inputs={"x": 1})
            await gate.reached()
            stopped = await other.stop_graph_execution(USER, run.id, PATIENCE)
            assert stopped.status is ExecutionStatus.TERMINATED

    play(test())


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_host_that_fails_or_is_cancelled_leaves_what_ran_to_the_next(
    tmp_path: Path, cancelled: bool
) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        began: list[str] = []

        async def host() -> None:
            async with world.open(sqlite(tmp_path)) as engine:
                began.append((await begin(engine, line(world, "Hold"), inputs={"x": 1})).id)
                await gate.reached()
                if not cancelled:
                    raise LookupError
                await asyncio.Event().wait()

        task = asyncio.ensure_future(host())
        await gate.reached()
        if cancelled:
            task.cancel()
        with pytest.raises(asyncio.CancelledError if cancelled else LookupError):
            await task
        gate.open()
        async with world.open(sqlite(tmp_path)) as engine:
            assert (await engine.wait(began[0], PATIENCE)).status is COMPLETED

    play(test())


def test_registries_of_engines_are_their_own() -> None:
    async def test() -> None:
        one, two = own_world("one"), own_world("two")
        assert isinstance(one.registry, Registry)
        async with one.open() as first, two.open() as second:
            assert first.registry is one.registry
            assert second.registry is two.registry

    play(test())

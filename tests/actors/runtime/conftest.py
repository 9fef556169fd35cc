from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.actors.runtime.probes import Manual

from actbook.actors._runtime import ActorSystem, LoopDispatcher, PoolDispatcher


@pytest.fixture
def manual() -> Iterator[Manual]:
    made = Manual()
    yield made
    made.end()


@pytest.fixture
def threaded(pool: PoolDispatcher) -> Iterator[ActorSystem]:
    """A system on a loop in a thread of its own; it ends before the pool, if it has actors there."""
    system = ActorSystem()
    yield system
    assert system.shutdown(5).get(timeout=10) == []


@pytest.fixture
def pool() -> Iterator[PoolDispatcher]:
    made = PoolDispatcher(2)
    yield made
    made.close()


@pytest.fixture
def on_loop() -> Callable[[Callable[[ActorSystem], Any]], Any]:
    """Runs an async test function with a system on its loop."""

    def run(test: Callable[[ActorSystem], Any]) -> Any:
        async def main() -> Any:
            system = ActorSystem(LoopDispatcher(asyncio.get_running_loop()))
            try:
                return await test(system)
            finally:
                await system.shutdown(5)

        return asyncio.run(main())

    return run

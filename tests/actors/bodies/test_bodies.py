from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.actors.bodies.blocks import CONTEXT, AnyInput, Pair, Sink, begin, block_of, with_bodies

from actbook.actors._bodies import Bodies, Capacity, NoSlotError, Outcome
from actbook.graphs import ExecutionContext


async def wait(self: Any, input: AnyInput, context: ExecutionContext) -> AsyncIterator[Pair]:
    yield "out", 1
    await asyncio.Event().wait()


async def quick(self: Any, input: AnyInput, context: ExecutionContext) -> AsyncIterator[Pair]:
    yield "out", 1


WAIT, QUICK = block_of(wait), block_of(quick)


def test_slots_bound_what_runs() -> None:
    async def test(bodies: Bodies) -> None:
        assert bodies.slots["async"] == 1
        sink, body = begin(bodies, WAIT)
        assert bodies.slots["async"] == 0
        with pytest.raises(NoSlotError) as refused:
            begin(bodies, QUICK)
        assert refused.value.mode == "async"
        body.cancel(60)
        await sink.end()
        assert bodies.slots["async"] == 1

    with_bodies(test, Capacity(async_=1))


def test_a_slot_is_free_again_when_the_sink_hears_of_the_end() -> None:
    async def test(bodies: Bodies) -> None:
        class Next(Sink):
            def finished(self, items: list[Pair], outcome: Outcome) -> None:
                super().finished(items, outcome)
                if len(chain) < 5:
                    chain.append(Next())
                    bodies.start(QUICK, {}, CONTEXT, chain[-1])

        chain = [Next()]
        bodies.start(QUICK, {}, CONTEXT, chain[0])
        assert [sink.outcome.kind for sink in chain] == ["completed"] * 5

    with_bodies(test, Capacity(async_=1))


def test_close_stops_everything_and_nothing_starts_after_it() -> None:
    async def test(bodies: Bodies) -> None:
        sinks = [begin(bodies, WAIT)[0] for _ in range(5)]
        await bodies.close(5)
        await bodies.close(5)
        assert {sink.outcome.kind for sink in sinks} == {"cancelled"}
        with pytest.raises(RuntimeError, match="closed"):
            begin(bodies, QUICK)

    with_bodies(test)

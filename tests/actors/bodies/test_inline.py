from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.actors.bodies.blocks import AnyInput, Pair, begin, block_of, with_bodies

from actbook.actors._bodies import Bodies
from actbook.graphs import ExecutionContext


def test_an_inline_body_must_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[bool] = []

    async def waits(self: Any, input: AnyInput, context: ExecutionContext) -> AsyncIterator[Pair]:
        yield "out", "before"
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)
        yield "out", "after"

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(waits, "inline"))
        assert body.done
        assert sink.values == ["before"]
        assert sink.outcome.kind == "failed"
        assert sink.outcome.error.startswith('Waits is declared `execution = "inline"` but waited')
        assert closed == [True]

    with_bodies(test)


def test_its_time_limit_is_kept_between_two_values() -> None:
    def endless(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        while True:
            yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(endless, "inline"), timeout=0.02)
        assert sink.outcome.error == "Node execution exceeded 0.02s wall-clock cap"
        assert sink.values[:1] == [1]

    with_bodies(test)


def test_cancelling_one_that_has_ended_changes_nothing() -> None:
    def at_once(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        yield "out", 1

    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block_of(at_once, "inline"))
        body.cancel(0)
        assert sink.outcome.kind == "completed"

    with_bodies(test)

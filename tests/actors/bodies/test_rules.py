"""What holds for a body wherever it runs."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
from tests.actors.bodies.blocks import (
    CLOSED,
    CONTEXT,
    EVERYWHERE,
    FAULTS,
    AnyInput,
    Sink,
    begin,
    block_of,
    with_bodies,
)

from actbook.actors._bodies import Bodies
from actbook.graphs import Block, BlockType, ExecutionContext, UnknownBlock

everywhere = pytest.mark.parametrize("block", EVERYWHERE, ids=lambda block: type(block).__name__)


@everywhere
def test_a_body_that_ends_is_completed_and_measured(block: Block) -> None:
    async def test(bodies: Bodies) -> None:
        sink, body = begin(bodies, block, "well")
        outcome = await sink.end()
        assert sink.values == ["before"]
        assert (outcome.kind, outcome.error, outcome.stopped) == ("completed", "", True)
        assert outcome.wall >= 0
        assert outcome.cpu > 0
        assert (outcome.input_bytes, outcome.output_bytes) == (12, 7)
        assert body.done
        assert bodies.running == 0

    with_bodies(test)


@everywhere
@pytest.mark.parametrize("case", sorted(FAULTS))
def test_an_exception_is_that_nodes_failure(
    block: Block, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block, case)
        outcome = await sink.end()
        raised = FAULTS[case]
        expected = isinstance(raised, ValueError)
        assert outcome.kind == "failed"
        assert outcome.error == (str(raised) or type(raised).__name__)
        assert outcome.error_type == type(raised).__name__
        assert outcome.expected is expected
        assert ("Traceback" in outcome.traceback) is not expected
        assert sink.values == ["before"]
        assert len(caplog.records) == (0 if expected else 1)

    with_bodies(test)


REFUSED = {
    "error pin": "told",
    "empty error": "{name} failed without a message",
    "unknown pin": "`elsewhere` is not a pin of this block, use one of: error, number, out",
    "wrong type": "Expected `int`, got `str` - at `number`",
    "unrecordable": "output `out` holds a value that cannot be recorded: "
    "objects of type object have no plain form",
    "not a pair": "`run` must yield (pin, value) pairs, not an item of type str",
}


@everywhere
def test_a_refused_yield_ends_the_body_there_and_closes_its_generator(block: Block) -> None:
    async def test(bodies: Bodies) -> None:
        for case, text in REFUSED.items():
            CLOSED.clear()
            sink, _ = begin(bodies, block, case)
            outcome = await sink.end()
            assert (outcome.kind, outcome.expected) == ("failed", True)
            assert outcome.error == text.format(name=block.name)
            assert sink.values == ["before"]
            assert block.execution == "cpu" or [case] == CLOSED

    with_bodies(test)


def boom(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Any]:
    yield from ()
    raise RuntimeError("x" * 5_000)


def test_an_unexpected_failure_is_logged_with_its_traceback_and_cut(caplog: pytest.LogCaptureFixture) -> None:
    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(boom, "inline"))
        assert len(sink.outcome.error) == 5_000

    with_bodies(test)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("actbook.block", logging.ERROR)
    head, trace = record.getMessage().split("\n", 1)
    assert re.fullmatch(r"\[Block\|uid:ada\|\S+\|block:Boom] Block Boom failed: x+…", head)
    assert len(head) == 1_000
    assert trace.startswith("Traceback (most recent call last)")
    assert "raise RuntimeError" in trace


async def no_yield(self: Any, input: AnyInput, context: ExecutionContext) -> None:
    return


def no_generator(self: Any, input: AnyInput, context: ExecutionContext) -> list[Any]:
    return [("out", 1)]


@pytest.mark.parametrize("run", [no_yield, no_generator])
def test_run_must_be_a_generator(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, block_of(run))
        assert (await sink.end()).expected is False
        assert sink.outcome.error.endswith("must be a generator: write at least one `yield` in it")

    with_bodies(test)


class Strict(msgspec.Struct):
    count: int


class Counting(Block):
    id = "7a3f5c6e-0020-4e0e-8f6b-2f8c0b7f4a01"
    Input = Strict
    Output = Strict

    async def run(self, input: Strict, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        yield "count", input.count


def test_input_that_does_not_fit_is_an_expected_failure() -> None:
    async def test(bodies: Bodies) -> None:
        sink = Sink()
        bodies.start(Counting(), {"count": "three"}, CONTEXT, sink)
        assert (sink.outcome.kind, sink.outcome.expected) == ("failed", True)
        assert "Expected `int`, got `str`" in sink.outcome.error

    with_bodies(test)


class Free(Counting):
    id = "7a3f5c6e-0021-4e0e-8f6b-2f8c0b7f4a01"
    block_type = BlockType.OUTPUT

    async def run(self, input: Strict, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        yield "anything", {"goes"}


def test_only_standard_blocks_have_their_outputs_checked() -> None:
    async def test(bodies: Bodies) -> None:
        sink = Sink()
        bodies.start(Free(), {"count": 1}, CONTEXT, sink)
        assert sink.outcome.kind == "completed"
        assert sink.values == [["goes"]]

    with_bodies(test)


def test_an_unknown_block_fails() -> None:
    async def test(bodies: Bodies) -> None:
        sink, _ = begin(bodies, UnknownBlock("gone"))
        assert sink.outcome.error == "Block gone no longer exists"

    with_bodies(test)


def meddle(self: Any, input: AnyInput, context: ExecutionContext) -> Iterator[Any]:
    input.value.append("mine")
    context.user_id = "eve"
    yield "out", input.value
    input.value.append("later")


@pytest.mark.parametrize("execution", ["inline", "async", "blocking"])
def test_a_body_shares_nothing_changeable_with_the_engine(execution: Any) -> None:
    async def test(bodies: Bodies) -> None:
        given = ["yours"]
        sink, _ = begin(bodies, block_of(meddle, execution), given)
        await sink.end()
        assert given == ["yours"]
        assert CONTEXT.user_id == "ada"
        assert sink.values == [["yours", "mine"]]

    with_bodies(test)

"""The tools for people who test their blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from actbook.blocks.standard.numbers import CalculatorBlock
from actbook.blocks.testing import (
    BlockInputError,
    OutputPinError,
    assert_outputs,
    error_of,
    outputs_of,
    run_block,
    run_block_async,
)
from actbook.graphs import Block, ExecutionContext


class EchoBlock(Block):
    """Yields what it is told to."""

    id = "0a2b1f43-3f4a-4a1f-9a55-0d2c6a3a4a11"

    class Input(msgspec.Struct):
        pairs: list[Any]
        count: int = 0

    class Output(msgspec.Struct):
        number: int
        text: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        for pin, value in input.pairs:
            if pin == "raise":
                raise {"ValueError": ValueError, "KeyError": KeyError}[value](context.user_id)
            yield pin, value


class SlowEchoBlock(EchoBlock):
    id = "0a2b1f43-3f4a-4a1f-9a55-0d2c6a3a4a12"

    async def run(  # type: ignore[override]
        self,
        input: EchoBlock.Input,
        context: ExecutionContext,
    ) -> AsyncIterator[tuple[str, Any]]:
        await asyncio.sleep(0)
        yield "number", input.count


def test_a_block_is_a_class_an_instance_or_an_id() -> None:
    data = {"operation": "Add", "a": 1, "b": 2}
    for block in (CalculatorBlock, CalculatorBlock(), CalculatorBlock.id):
        assert run_block(block, data) == [("result", 3.0)]


def test_input_is_completed_and_converted() -> None:
    assert run_block(SlowEchoBlock, {"pairs": [], "count": "7"}) == [("number", 7)]
    assert asyncio.run(run_block_async(SlowEchoBlock, {"pairs_$_0": 1})) == [("number", 0)]


def test_incomplete_input_is_refused() -> None:
    with pytest.raises(BlockInputError, match=r"missing input \{'pairs'\}"):
        run_block(EchoBlock, {})


def test_outputs_before_a_failure_stay_and_what_follows_does_not_run() -> None:
    pairs = [["number", 1], ["error", "bad"], ["number", 2]]
    assert run_block(EchoBlock, {"pairs": pairs}) == [("number", 1), ("error", "bad")]
    pairs = [["number", 1], ["raise", "ValueError"]]
    context = ExecutionContext(user_id="ada")
    assert run_block(EchoBlock, {"pairs": pairs}, context) == [("number", 1), ("error", "ada")]
    assert error_of(EchoBlock, {"pairs": pairs}, context) == "ada"


def test_an_empty_error_text_is_the_name_of_the_exception() -> None:
    assert error_of(EchoBlock, {"pairs": [["raise", "ValueError"]]}) == "ValueError"


def test_an_unexpected_exception_comes_through() -> None:
    with pytest.raises(KeyError):
        run_block(EchoBlock, {"pairs": [["raise", "KeyError"]]})


def test_outputs_are_checked() -> None:
    assert "number" in error_of(EchoBlock, {"pairs": [["number", "x"]]})
    with pytest.raises(
        OutputPinError, match=r"declare it in Output, or use one of error, number, text\."
    ) as caught:
        run_block(EchoBlock, {"pairs": [["other", 1]]})
    assert caught.value.pin == "other"


def test_outputs_are_grouped_by_pin() -> None:
    pairs = [["number", 1], ["text", "a"], ["number", 2]]
    assert outputs_of(EchoBlock, {"pairs": pairs}) == {"number": [1, 2], "text": ["a"]}


def test_assertions_tell_what_was_yielded() -> None:
    data = {"operation": "Add", "a": 1, "b": 2}
    assert_outputs(CalculatorBlock, data, ("result", 3.0))
    with pytest.raises(AssertionError, match=r"yielded \[\('result', 3.0\)\], expected \[\('result', 3\)\]"):
        assert_outputs(CalculatorBlock, data, ("result", 3))
    with pytest.raises(AssertionError, match="did not fail"):
        error_of(CalculatorBlock, data)

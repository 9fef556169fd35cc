"""Run one block as the engine would, without an engine. For tests of blocks.

Input is completed with defaults, merged from dynamic pins, converted and validated; outputs are checked; a
failure comes out on the pin `error`, as it does in a graph.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from actbook.graphs import (
    ActbookError,
    Block,
    BlockType,
    ExecutionContext,
    Node,
    PinSchema,
    validate_exec,
)

from ._registry import default_registry

Outputs = list[tuple[str, Any]]


class BlockInputError(ActbookError, ValueError):
    """The block would not run in a graph: its input is incomplete or does not fit. The message says what is
    wrong.
    """


class OutputPinError(ActbookError, ValueError):
    """The block yielded on a pin that it does not declare. `pin` is its name."""

    def __init__(self, block: Block, pin: str) -> None:
        allowed = ", ".join(sorted(block.output_schema.names))
        super().__init__(f"{block.name} yielded on `{pin}`: declare it in Output, or use one of {allowed}.")
        self.pin = pin


def run_block(
    block: Block | type[Block] | str,
    data: Mapping[str, Any],
    context: ExecutionContext | None = None,
) -> Outputs:
    """All `(pin, value)` pairs in yield order; blocks until the block ends, so not for use in a running
    event loop.

    `block` is an instance, a class, or an id of the default registry. A `ValueError` or an output of the
    wrong type ends the run with an `("error", text)` pair; any other exception comes through. Raises
    `BlockInputError`.
    """
    return asyncio.run(run_block_async(block, data, context))


async def run_block_async(
    block: Block | type[Block] | str,
    data: Mapping[str, Any],
    context: ExecutionContext | None = None,
) -> Outputs:
    """`run_block` for a running event loop."""
    instance = _instance(block)
    prepared = _validated(instance, data)
    outputs: Outputs = []
    try:
        async for pin, value in _pairs(instance, prepared, context or ExecutionContext(node_id="node")):
            _check(instance, pin, value)
            outputs.append((pin, value))
            if pin == "error" and _has_error_pin(instance):
                break
    except OutputPinError:
        raise
    except ValueError as error:
        outputs.append(("error", str(error) or type(error).__name__))
    return outputs


def outputs_of(
    block: Block | type[Block] | str,
    data: Mapping[str, Any],
    context: ExecutionContext | None = None,
) -> dict[str, list[Any]]:
    """`run_block`, as a graph sees it: each pin with its values in order."""
    grouped: dict[str, list[Any]] = {}
    for pin, value in run_block(block, data, context):
        grouped.setdefault(pin, []).append(value)
    return grouped


def error_of(
    block: Block | type[Block] | str,
    data: Mapping[str, Any],
    context: ExecutionContext | None = None,
) -> str:
    """The text on `error`. Raises AssertionError when the block does not fail."""
    outputs = run_block(block, data, context)
    if not outputs or outputs[-1][0] != "error":
        raise AssertionError(f"{_instance(block).name} did not fail but yielded {outputs!r}")
    return str(outputs[-1][1])


def assert_outputs(
    block: Block | type[Block] | str,
    data: Mapping[str, Any],
    *expected: tuple[str, Any],
) -> None:
    """Asserts exactly these pairs, in this order, with values of the same types: 1 is neither True nor 1.0
    here.
    """
    found = run_block(block, data)
    if found != list(expected) or repr(found) != repr(list(expected)):
        raise AssertionError(f"{_instance(block).name} yielded {found!r}, expected {list(expected)!r}")


def _instance(block: Block | type[Block] | str) -> Block:
    if isinstance(block, str):
        return default_registry().get(block)
    return block() if isinstance(block, type) else block


def _validated(block: Block, data: Mapping[str, Any]) -> Any:
    node = Node(id="node", block_id=block.id, input_default={})
    accepted, text = validate_exec(node, data, block=block, linked=())
    if accepted is None:
        raise BlockInputError(text)
    if block.block_type is BlockType.AGENT:
        return accepted
    return block.input_schema.build(accepted)


async def _pairs(block: Block, prepared: Any, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
    produced = block.run(prepared, context)
    if isinstance(produced, AsyncIterator):
        async for pair in produced:
            yield pair
    else:
        for pair in produced:
            yield pair


def _has_error_pin(block: Block) -> bool:
    return "error" in block.output_schema.fields


def _check(block: Block, pin: str, value: Any) -> None:
    schema: PinSchema = block.output_schema
    if block.block_type is BlockType.AGENT:
        return
    if pin not in schema.fields and not pin.startswith("tools_^_"):
        raise OutputPinError(block, pin)
    if block.block_type is BlockType.STANDARD and (fault := schema.check(pin, value)) is not None:
        raise ValueError(f"Output of {block.name} does not fit: {fault}")

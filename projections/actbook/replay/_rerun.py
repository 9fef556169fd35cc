"""The re-execution check: blocks without effects run again on what they got, and must yield what they yielded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from actbook.events import ExecutionStatus, GraphExecution, NodeExecution
from actbook.graphs import Block, BlockType

if TYPE_CHECKING:
    from actbook.blocks import Registry
    from actbook.journal._sealing import Withheld

Verdict = Literal["matched", "different", "skipped"]


class Rerun(NamedTuple):
    """`recorded` and `yielded` are `(pin, value)` pairs; `why` tells why it was skipped, or how the block failed."""

    number: int
    node_id: str
    verdict: Verdict
    why: str = ""
    recorded: tuple[tuple[str, Any], ...] = ()
    yielded: tuple[tuple[str, Any], ...] = ()


async def rerun(state: GraphExecution, registry: Registry, withheld: Withheld = "") -> AsyncIterator[Rerun]:
    """Each node execution of a retained state, by number. No block with effects is run, and nothing is recorded.

    A block runs on the calling loop with the recorded inputs and context. `withheld`: that of the history; with it nothing runs.
    """
    for _, node in sorted(state.node_executions.items()):
        block = None if state.simulation is not None else registry.lookup(node.block_id)
        why = f"its values are {withheld}" if withheld else _obstacle(state, node, block)
        if why or block is None:
            yield Rerun(node.number, node.node_id, "skipped", why)
        else:
            yield await _again(state, node, block)


def _obstacle(state: GraphExecution, node: NodeExecution, block: Block | None) -> str:
    if state.simulation is not None:
        return "the run was simulated"
    if block is None:
        return "its block is not installed"
    if block.effects or block.block_type is BlockType.AGENT:
        return "its block has effects"
    if node.skipped or node.status not in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED):
        return "it did not run to an end"
    if node.review is not None:
        return "a person decided"
    return "a later attempt yields only what is missing" if node.retry_of else ""


async def _again(state: GraphExecution, node: NodeExecution, block: Block) -> Rerun:
    from actbook.blocks.testing import run_block_async

    recorded = tuple(node.outputs)
    try:
        yielded = tuple(await run_block_async(block, _recordable(node.data), state.context(node)))
        same = _canonical(recorded) == _canonical(yielded)
    except Exception as error:
        # What it yielded before it failed is lost here, so its failure is compared.
        why = f"{type(error).__name__}: {error}"
        failed_so = node.status is ExecutionStatus.FAILED and str(error) in node.error
        return Rerun(node.number, node.node_id, "matched" if failed_so else "different", why, recorded)
    return Rerun(node.number, node.node_id, "matched" if same else "different", "", recorded, yielded)


def _recordable(value: Any) -> Any:
    """A copy as a reader of the record gets it."""
    return msgspec.msgpack.decode(_canonical(value))


def _canonical(value: Any) -> bytes:
    """Equal for equal values only: 1, 1.0 and True differ, two nan do not, the order of keys does not count."""
    return msgspec.msgpack.encode(msgspec.to_builtins(value, str_keys=True), order="sorted")

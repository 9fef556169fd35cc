"""Graphs within graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.graphs import AGENT_BLOCK_ID, Block, BlockType, ExecutionContext


class AgentExecutorBlock(Block):
    """A node of it has the pins of the schemas in its own input. The engine runs the child graph as a run
    of its own.
    """

    id = AGENT_BLOCK_ID
    description = "Runs another graph and gives its outputs."
    block_type = BlockType.AGENT

    class Input(msgspec.Struct, kw_only=True):
        user_id: str
        graph_id: str
        graph_version: int
        inputs: dict[str, Any]
        input_schema: dict[str, Any]
        output_schema: dict[str, Any]
        agent_name: str | None = None
        nodes_input_masks: dict[str, Any] | None = None

    class Output(msgspec.Struct):
        pass

    def run(self, input: Any, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield from ()
        raise ValueError(
            "AgentExecutorBlock cannot run by itself: sub-graphs are run by the engine, use Engine.execute"
        )

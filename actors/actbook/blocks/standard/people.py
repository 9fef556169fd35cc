"""Asking people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.graphs import Block, BlockType, ExecutionContext

AUTO_APPROVED = "Auto-approved (safe mode disabled)"


class HumanInTheLoopBlock(Block):
    """With safe mode on, the engine asks for a review instead of running this; run, it approves by itself."""

    id = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d"
    description = "Waits until a person approves, edits or rejects the data."
    block_type = BlockType.HUMAN_IN_THE_LOOP

    class Input(msgspec.Struct, kw_only=True):
        data: Any
        name: str
        editable: bool = True

    class Output(msgspec.Struct):
        approved_data: Any
        rejected_data: Any
        review_message: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "approved_data", input.data
        yield "review_message", AUTO_APPROVED

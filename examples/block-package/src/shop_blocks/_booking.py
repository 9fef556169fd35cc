"""The ledger of a shop, a text file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from actbook.graphs import Block, ExecutionContext


class BookOrderBlock(Block):
    """Writes a line per order. A second attempt finds the line of the first by its idempotency key."""

    id = "b8f6e1c9-8a34-4f43-9f0d-5c4b3b1f9d27"
    description = "Books an order in a ledger file, once."
    execution = "blocking"

    class Input(msgspec.Struct, kw_only=True):
        order: str
        total: float
        ledger: str

    class Output(msgspec.Struct):
        line: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        ledger = Path(input.ledger)
        line = f"{context.idempotency_key} {input.order} {input.total:.2f}"
        booked = ledger.read_text("utf-8").splitlines() if ledger.exists() else []
        if line not in booked:
            with ledger.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        yield "line", line

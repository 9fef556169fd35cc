"""Taxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.blocks import PureBlock
from actbook.graphs import ExecutionContext


class AddTaxBlock(PureBlock):
    """Adds a tax in percent to every price."""

    id = "6d0f0a3e-52ab-4c39-a6c5-0d7b4f6f7a11"
    description = "Adds a tax in percent to every price."

    class Input(msgspec.Struct, kw_only=True):
        prices: list[float]
        percent: float = 20

    class Output(msgspec.Struct):
        price: float
        total: float

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        if input.percent < 0:
            raise ValueError(f"percent must not be negative, it is {input.percent:g}")
        prices = [round(price * (1 + input.percent / 100), 2) for price in input.prices]
        for price in prices:
            yield "price", price
        yield "total", round(sum(prices), 2)

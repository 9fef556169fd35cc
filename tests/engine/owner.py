"""A process that owns a store, or works at it: `python owner.py STORE LEASE`. Prints what happens.

Held bodies stay until it is killed, hung ones keep the whole process from doing anything else.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.engine import Engine
from actbook.graphs import Block


class HeldIn(msgspec.Struct):
    value: Any = None


class HeldOut(msgspec.Struct):
    out: Any = None
    error: str = ""


class HeldBlock(Block):
    """Yields its value, then waits until it is stopped, or its process is."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6a101"
    Input = HeldIn
    Output = HeldOut

    async def run(self, input: HeldIn, context: Any) -> AsyncIterator[tuple[str, Any]]:
        yield "out", input.value
        print("held", context.graph_exec_id, flush=True)
        await asyncio.Event().wait()


class HungBlock(HeldBlock):
    """Its first attempt stops the event loop until a file of the name it is given is there."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6a102"

    async def run(self, input: HeldIn, context: Any) -> AsyncIterator[tuple[str, Any]]:
        if context.attempt == 1:
            print("hung", context.graph_exec_id, flush=True)
            while not Path(input.value).exists():
                time.sleep(0.01)  # noqa: ASYNC251 - that is what it is for
        yield "out", context.attempt


class FlakyBlock(HeldBlock):
    """Fails at the first attempt."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6a103"

    async def run(self, input: HeldIn, context: Any) -> AsyncIterator[tuple[str, Any]]:
        if context.attempt == 1:
            raise ValueError("not yet")
        yield "out", input.value


async def main(url: str, lease: str) -> None:
    blocks = Registry(parent=default_registry())
    for kind in (HeldBlock, HungBlock, FlakyBlock):
        blocks.register(kind)
    async with Engine.open(url, registry=blocks, lease=float(lease)) as engine:
        print("owner" if engine.is_owner else "guest", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))

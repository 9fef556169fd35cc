"""A process that owns a store and holds every body until it is killed: `python owner.py STORE LEASE`. Prints what happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
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


async def main(url: str, lease: str) -> None:
    blocks = Registry(parent=default_registry())
    blocks.register(HeldBlock)
    async with Engine.open(url, registry=blocks, lease=float(lease)) as engine:
        print("owner" if engine.is_owner else "guest", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))

"""What a user's agents remember between runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._ports import storage_for_run

Scope = Literal["within_agent", "across_agents"]


class PersistInformationBlock(Block):
    id = "1d055e55-a2b9-4547-8311-907d05b0304d"
    description = "Remembers a value under a key, for this agent or for all agents of the user."

    class Input(msgspec.Struct, kw_only=True):
        key: str
        value: Any
        scope: Scope = "within_agent"

    class Output(msgspec.Struct):
        value: Any

    async def run(self, input: Input, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        key = storage_key(input.scope, context.graph_id, input.key)
        yield "value", await storage_for_run.get().set(context.user_id, key, input.value)


class RetrieveInformationBlock(Block):
    id = "d8710fc9-6e29-481e-a7d5-165eb16f8471"
    description = "Gives the value remembered under a key, or a default."
    static_output = True

    class Input(msgspec.Struct, kw_only=True):
        key: str
        scope: Scope = "within_agent"
        default_value: Any = None

    class Output(msgspec.Struct):
        value: Any

    async def run(self, input: Input, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        key = storage_key(input.scope, context.graph_id, input.key)
        stored = await storage_for_run.get().get(context.user_id, key)
        yield "value", input.default_value if stored is None else stored


def storage_key(scope: Scope, graph_id: str, key: str) -> str:
    return f"global#{key}" if scope == "across_agents" else f"agent#{graph_id}#{key}"

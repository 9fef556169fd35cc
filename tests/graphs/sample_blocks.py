"""Small blocks in the shapes that graphs use, for these tests only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from enum import Enum
from typing import Annotated, Any

import msgspec

from actbook.graphs import (
    AGENT_BLOCK_ID,
    Block,
    BlockType,
    CredentialsMetaInput,
    ExecutionContext,
    credentials_meta,
)

Yields = Iterator[tuple[str, Any]]


class Hue(Enum):
    RED = "red"
    BLUE = "blue"


class GivenBlock(Block):
    id = "10000000-0000-4000-8000-000000000001"
    block_type = BlockType.INPUT
    static_output = True
    execution = "inline"
    effects = False

    class Input(msgspec.Struct):
        name: str
        value: Any = None
        title: str | None = None
        description: str | None = None
        advanced: bool = False

    class Output(msgspec.Struct):
        result: Any = None

    def run(self, input: Input, context: ExecutionContext) -> Yields:
        if input.value is not None:
            yield "result", input.value


class ChoiceBlock(GivenBlock):
    id = "10000000-0000-4000-8000-000000000002"

    class Input(GivenBlock.Input):
        value: Annotated[str, msgspec.Meta(extra_json_schema={"format": "short-text"})] | None = None
        options: list[Any] = []


class SwitchBlock(GivenBlock):
    id = "10000000-0000-4000-8000-000000000003"

    class Input(GivenBlock.Input):
        value: bool = False


class ShownBlock(Block):
    id = "10000000-0000-4000-8000-000000000004"
    block_type = BlockType.OUTPUT
    static_output = True

    class Input(msgspec.Struct):
        name: str
        value: Any = None
        title: str | None = None
        advanced: bool = False

    class Output(msgspec.Struct):
        output: Any = None
        name: Any = None


class Base(msgspec.Struct):
    count: int = 0


class SumBlock(Block):
    id = "10000000-0000-4000-8000-000000000005"

    class Input(Base):
        a: float = msgspec.field(default=0.0)
        items: list[int] = []
        hue: Hue | None = None
        needed: float | None = None

    class Output(msgspec.Struct):
        result: float
        error: str = ""

    async def run(self, input: Input, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        yield "result", input.a + input.count


class AddBlock(Block):
    id = "10000000-0000-4000-8000-000000000006"
    execution = "inline"
    effects = False

    class Input(msgspec.Struct):
        a: float
        b: float
        values: dict[str, Any] = {}

    class Output(msgspec.Struct):
        result: Any
        tools: Any = None


class SecretBlock(Block):
    id = "10000000-0000-4000-8000-000000000007"

    class Input(msgspec.Struct):
        credentials: Annotated[CredentialsMetaInput, credentials_meta("github", types=("api_key", "oauth2"))]
        query: str
        sheet: str | None = None
        row: Annotated[
            str | None, msgspec.Meta(extra_json_schema={"depends_on": ["credentials", "sheet"]})
        ] = None

    class Output(msgspec.Struct):
        status: str


class OldBlock(Block):
    id = "10000000-0000-4000-8000-000000000008"
    disabled = True

    class Input(msgspec.Struct):
        pass

    class Output(msgspec.Struct):
        pass


class ChildBlock(Block):
    id = AGENT_BLOCK_ID
    block_type = BlockType.AGENT

    class Input(msgspec.Struct):
        graph_id: str
        graph_version: int
        inputs: dict[str, Any] = {}

    class Output(msgspec.Struct):
        pass


_ALL = (
    GivenBlock,
    ChoiceBlock,
    SwitchBlock,
    ShownBlock,
    SumBlock,
    AddBlock,
    SecretBlock,
    OldBlock,
    ChildBlock,
)
_REGISTERED: dict[str, Block] = {block.id: block() for block in _ALL}


def lookup(block_id: str) -> Block | None:
    return _REGISTERED.get(block_id)

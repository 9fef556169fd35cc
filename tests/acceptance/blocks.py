"""Blocks of the kinds that the rules tell apart, registered with nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.graphs import Block, BlockType, CredentialsMetaInput, Graph, Link, Node, credentials_meta

INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
Yields = Iterator[tuple[str, Any]]


def _id(number: int) -> str:
    return f"ac000000-0000-4000-8000-{number:012d}"


class Out(msgspec.Struct):
    out: Any = None
    error: str = ""


class Base(msgspec.Struct, kw_only=True):
    inherited: int = 0


class TypedBlock(Block):
    """A pin of every simple type; `text` is required."""

    id = _id(1)
    Output = Out
    execution = "inline"
    effects = False

    class Input(Base, kw_only=True):
        text: str
        number: int = 0
        share: float = 0.5
        flag: bool = False
        items: list[int] = []
        mapping: dict[str, Any] = {}
        mode: Literal["a", "b"] = "a"

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", input.text


class LinkedBlock(Block):
    """Two pins, one with a default."""

    id = _id(2)
    Output = Out
    execution = "inline"
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        needed: Any
        given: int = 7

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", input.needed


class NoteBlock(Block):
    id = _id(3)
    Output = Out
    block_type = BlockType.NOTE

    class Input(msgspec.Struct):
        text: str = ""


class HookBlock(Block):
    id = _id(4)
    Output = Out
    block_type = BlockType.WEBHOOK
    execution = "inline"

    class Input(msgspec.Struct):
        payload: dict[str, Any] = {}

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", input.payload


class OldBlock(Block):
    id = _id(5)
    Output = Out
    disabled = True

    class Input(msgspec.Struct):
        value: Any = None


class DependentBlock(Block):
    id = _id(6)
    Output = Out

    class Input(msgspec.Struct, kw_only=True):
        a: str | None = None
        b: str | None = None
        both: Annotated[str, msgspec.Meta(extra_json_schema={"depends_on": ["a", "b"]})] | None = None


class KeyBlock(Block):
    """Needs a credential of one provider."""

    id = _id(7)
    Output = Out
    execution = "inline"

    class Input(msgspec.Struct, kw_only=True):
        credentials: Annotated[
            CredentialsMetaInput,
            credentials_meta("airtable", types=("oauth2", "api_key"), scopes=("read",)),
        ]
        value: Any = None

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", len(context.credentials["credentials"].api_key.reveal())


class WriterBlock(Block):
    """The same provider and types with another scope."""

    id = _id(8)
    Output = Out
    execution = "inline"

    class Input(msgspec.Struct, kw_only=True):
        credentials: Annotated[
            CredentialsMetaInput,
            credentials_meta("airtable", types=("api_key", "oauth2"), scopes=("write",)),
        ]

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", True


class ChosenBlock(Block):
    """The provider follows from another pin."""

    id = _id(9)
    Output = Out
    execution = "inline"

    class Input(msgspec.Struct, kw_only=True):
        model: str = "gpt"
        credentials: Annotated[
            CredentialsMetaInput,
            credentials_meta(
                "openai",
                "anthropic",
                types=("api_key",),
                discriminator="model",
                discriminator_mapping={"gpt": "openai", "claude": "anthropic"},
            ),
        ]

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", True


class StaticBlock(Block):
    id = _id(10)
    Output = Out
    static_output = True
    execution = "inline"
    effects = False

    class Input(msgspec.Struct):
        value: Any = None

    def run(self, input: Input, context: Any) -> Yields:
        yield "out", input.value


class ToolsOut(msgspec.Struct):
    tools: Any = None
    out: Any = None
    error: str = ""


class ToolsBlock(Block):
    id = _id(11)
    Output = ToolsOut
    execution = "inline"

    class Input(msgspec.Struct):
        value: Any = None


OWN = (
    TypedBlock,
    LinkedBlock,
    NoteBlock,
    HookBlock,
    OldBlock,
    DependentBlock,
    KeyBlock,
    WriterBlock,
    ChosenBlock,
    StaticBlock,
    ToolsBlock,
)


def registry() -> Registry:
    """The standard blocks and those of this module."""
    own = Registry(parent=default_registry())
    for block in OWN:
        own.register(block)
    return own


REGISTRY = registry()


def node(id_: str, block: type[Block] | str, metadata: dict[str, Any] | None = None, /, **data: Any) -> Node:
    """A node with constants. `block`: a class, or an id."""
    block_id = block if isinstance(block, str) else block.id
    return Node(id=id_, block_id=block_id, input_default=data, metadata=metadata or {})


def graph(*nodes: Node, links: str = "", called: str = "g", sub_graphs: list[Graph] | None = None) -> Graph:
    """`links`: `source.pin>sink.pin`, separated by blanks."""
    return Graph(
        id=called,
        nodes=list(nodes),
        links=[_link(text) for text in links.split()],
        sub_graphs=sub_graphs or [],
    )


def _link(text: str) -> Link:
    source, sink = text.split(">")
    source_id, source_name = source.split(".")
    sink_id, sink_name = sink.split(".")
    return Link(source_id=source_id, source_name=source_name, sink_id=sink_id, sink_name=sink_name)

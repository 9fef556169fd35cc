"""INPUT blocks: where a run's inputs enter a graph."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec

from actbook.graphs import BlockType, Execution, ExecutionContext

from .._ports import files_for_run
from .._pure import PureBlock

ShortText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "short-text"})]
LongText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "long-text"})]
DateText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]
TimeText = Annotated[
    str,
    msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", extra_json_schema={"format": "time"}),
]
FileReference = Annotated[str, msgspec.Meta(extra_json_schema={"format": "file"})]


class _Named(msgspec.Struct, kw_only=True):
    name: str
    title: str | None = None
    description: str | None = None
    advanced: bool = False


class _InputBlock(PureBlock):
    block_type: BlockType = BlockType.INPUT
    static_output: bool = True

    def run(self, input: Any, context: ExecutionContext) -> Any:
        return self._forward(input.value)

    @staticmethod
    def _forward(value: Any) -> Iterator[tuple[str, Any]]:
        if value is not None:
            yield "result", value


class AgentInputBlock(_InputBlock):
    id = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
    description = "A graph input of any type."

    class Input(_Named, kw_only=True):
        value: Any = None

    class Output(msgspec.Struct):
        result: Any


class AgentShortTextInputBlock(_InputBlock):
    id = "7fcd3bcb-8e1b-4e69-903d-32d3d4a92158"
    description = "A graph input of one line of text."

    class Input(_Named, kw_only=True):
        value: ShortText | None = None

    class Output(msgspec.Struct):
        result: ShortText


class AgentLongTextInputBlock(_InputBlock):
    id = "90a56ffb-7024-4b2b-ab50-e26c5e5ab8ba"
    description = "A graph input of text that may have many lines."

    class Input(_Named, kw_only=True):
        value: LongText | None = None

    class Output(msgspec.Struct):
        result: LongText


class AgentNumberInputBlock(_InputBlock):
    id = "96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98"
    description = "A graph input that is a whole number."

    class Input(_Named, kw_only=True):
        value: int | None = None

    class Output(msgspec.Struct):
        result: int


class AgentDateInputBlock(_InputBlock):
    """The value must be a day that exists; it travels as `YYYY-MM-DD` text, like every JSON value."""

    id = "7e198b09-4994-47db-8b4d-952d98241817"
    description = "A graph input that is a date."

    class Input(_Named, kw_only=True):
        value: datetime.date | None = None

    class Output(msgspec.Struct):
        result: DateText

    def run(self, input: Any, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        return self._forward(None if input.value is None else input.value.isoformat())


class AgentTimeInputBlock(_InputBlock):
    id = "2a1c757e-86cf-4c7e-aacf-060dc382e434"
    description = "A graph input that is a time of day, HH:MM or HH:MM:SS."

    class Input(_Named, kw_only=True):
        value: TimeText | None = None

    class Output(msgspec.Struct):
        result: TimeText


class AgentDropdownInputBlock(_InputBlock):
    """Whether the value is one of the options is the graph's input schema's business, not checked here."""

    id = "655d6fdf-a334-421c-b733-520549c07cd1"
    description = "A graph input chosen from a list of texts."

    class Input(_Named, kw_only=True):
        value: str | None = None
        options: list[Any] = []

    class Output(msgspec.Struct):
        result: str


class AgentToggleInputBlock(_InputBlock):
    id = "cbf36ab5-df4a-43b6-8a7f-f7ed8652116e"
    description = "A graph input that is on or off; off when it is not given."

    class Input(_Named, kw_only=True):
        value: bool = False

    class Output(msgspec.Struct):
        result: bool


class AgentTableInputBlock(_InputBlock):
    id = "5603b273-f41e-4020-af7d-fbc9c6a8d928"
    description = "A graph input that is a table: a list of rows, each a dictionary by column."

    class Input(_Named, kw_only=True):
        value: list[dict[str, Any]] | None = None
        column_headers: list[str] = msgspec.field(
            default_factory=lambda: ["Column 1", "Column 2", "Column 3"]
        )

    class Output(msgspec.Struct):
        result: list[dict[str, Any]]

    def run(self, input: Any, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        return self._forward([] if input.value is None else input.value)


class AgentFileInputBlock(_InputBlock):
    """Hands the file to the run's file store and yields what that gives back: a reference, or a `data:` URI
    when asked.
    """

    id = "95ead23f-8283-4654-aef3-10c053b74a31"
    description = "A graph input that is a file."
    execution: Execution = "async"
    effects = True

    class Input(_Named, kw_only=True):
        value: FileReference | None = None
        base_64: bool = False

    class Output(msgspec.Struct):
        result: FileReference

    async def run(self, input: Any, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        if input.value:
            files = files_for_run.get()
            yield "result", await files.store(context, input.value, as_data_uri=input.base_64)

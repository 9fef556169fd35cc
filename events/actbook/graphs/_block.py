"""The block contract: what a reusable step of a graph declares and how it runs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal, get_args

import msgspec

from ._context import ExecutionContext
from ._errors import ActbookError
from ._limit import BlockLimit
from ._retry import RetryPolicy
from ._schema import PinSchema, SchemaError

AGENT_BLOCK_ID = "e189baac-8c20-45a1-94a7-55177ea42565"

Execution = Literal["async", "blocking", "cpu", "inline"]


class BlockType(StrEnum):
    STANDARD = "STANDARD"
    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    NOTE = "NOTE"
    WEBHOOK = "WEBHOOK"
    WEBHOOK_MANUAL = "WEBHOOK_MANUAL"
    AGENT = "AGENT"
    AI = "AI"
    HUMAN_IN_THE_LOOP = "HUMAN_IN_THE_LOOP"


class CostType(StrEnum):
    RUN = "RUN"
    BYTE = "BYTE"
    SECOND = "SECOND"


class BlockCost(msgspec.Struct, frozen=True):
    """Credits for one run, for each second or for each byte, when the input matches `cost_filter`."""

    cost_amount: int | float
    cost_filter: Mapping[str, Any] = {}
    cost_type: CostType = CostType.RUN


class BlockDefinitionError(ActbookError, TypeError):
    """A block class is declared wrongly. `block` is the class name, `reason` what to change."""

    def __init__(self, block: str, reason: str) -> None:
        super().__init__(f"Block {block} is declared wrongly: {reason}")
        self.block = block
        self.reason = reason


_WITHOUT_ERROR_PIN = frozenset({BlockType.INPUT, BlockType.OUTPUT, BlockType.AGENT})


class _LazySchema:
    """Builds a block class's pins at the first look, since forward references may resolve late, and puts them in its place."""

    def __init__(self, side: Literal["Input", "Output"]) -> None:
        self.side = side
        self.name = f"{side.lower()}_schema"

    def __get__(self, instance: Block | None, owner: type[Block]) -> PinSchema:
        with_error = self.side == "Output" and owner.block_type not in _WITHOUT_ERROR_PIN
        found = PinSchema.of(getattr(owner, self.side), with_error=with_error)
        setattr(owner, self.name, found)
        return found


class Block:
    """A reusable step. Subclass it, give it an `id`, `Input` and `Output` structs, and write `run`.

    `run` yields `(pin, value)` from an async or a plain generator; a yield on `error` fails the node there,
    and so does a raised exception (`ValueError`: an expected failure). `execution` says where it runs;
    `effects = False` that running it twice is harmless, so that it may run ahead of the commit. Every output
    schema has an `error` text pin: it is added when `Output` does not declare it. Intermediate base classes
    leave `id` out.
    """

    id: str
    name: str
    description: str = ""
    Input: ClassVar[type[msgspec.Struct]]
    Output: ClassVar[type[msgspec.Struct]]
    block_type: BlockType = BlockType.STANDARD
    static_output: bool = False
    disabled: bool = False
    is_sensitive_action: bool = False
    execution_timeout_seconds: float | None = None
    retry: ClassVar[RetryPolicy | None] = None
    limit: ClassVar[BlockLimit | None] = None
    costs: tuple[BlockCost, ...] = ()
    execution: Execution = "async"
    effects: bool = True
    feedback_links: frozenset[str] = frozenset()

    input_schema = _LazySchema("Input")
    output_schema = _LazySchema("Output")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.input_schema, cls.output_schema = _LazySchema("Input"), _LazySchema("Output")
        if "name" not in vars(cls):
            cls.name = cls.__name__
        if getattr(cls, "id", None) is not None:
            _check_declaration(cls)

    def run(
        self,
        input: Any,
        context: ExecutionContext,
    ) -> AsyncIterator[tuple[str, Any]] | Iterator[tuple[str, Any]]:
        """Yield `(pin, value)`. `input` is an `Input` struct (AGENT: a dict); never change what it holds."""
        raise BlockDefinitionError(type(self).__name__, "write a `run` generator that yields (pin, value).")

    def __repr__(self) -> str:
        return f"<{self.name} {self.id}>"


BlockLookup = Callable[[str], Block | None]


class UnknownBlock(Block):
    """Stands in for a block id that nothing is registered under: disabled, and running it fails."""

    name = "UnknownBlock"
    disabled = True
    effects = False

    class Input(msgspec.Struct):
        """Takes anything: unknown keys are ignored."""

    class Output(msgspec.Struct):
        error: str = ""

    def __init__(self, block_id: str) -> None:
        self.id = block_id

    def run(self, input: Any, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield from ()
        raise ValueError(f"Block {self.id} no longer exists")


def _check_declaration(cls: type[Block]) -> None:
    try:
        uuid.UUID(cls.id)
    except (ValueError, TypeError, AttributeError):
        raise BlockDefinitionError(
            cls.__name__, f"`id` must be a constant UUID text, not {cls.id!r}."
        ) from None
    for side in ("Input", "Output"):
        struct = getattr(cls, side, None)
        if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
            raise BlockDefinitionError(cls.__name__, f"`{side}` must be a msgspec.Struct class.")
    if cls.execution not in get_args(Execution):
        raise BlockDefinitionError(
            cls.__name__, f"`execution` must be one of {', '.join(get_args(Execution))}."
        )
    if not isinstance(cls.retry, RetryPolicy | None):
        raise BlockDefinitionError(cls.__name__, f"`retry` must be a RetryPolicy or None, not {cls.retry!r}.")
    if not isinstance(cls.limit, BlockLimit | None):
        raise BlockDefinitionError(cls.__name__, f"`limit` must be a BlockLimit or None, not {cls.limit!r}.")
    try:
        pins, outputs = cls.input_schema, cls.output_schema
    except SchemaError as error:
        raise BlockDefinitionError(cls.__name__, str(error)) from error
    except NameError:
        return  # a type defined further down in its module: read again at the first use
    _check_pins(cls, pins, outputs)


def _check_pins(cls: type[Block], pins: PinSchema, outputs: PinSchema) -> None:
    try:
        pins.check_credentials_names()
    except SchemaError as error:
        raise BlockDefinitionError(cls.__name__, str(error)) from error
    error_pin = outputs.fields.get("error")
    if error_pin is not None and cls.block_type not in _WITHOUT_ERROR_PIN and error_pin.type is not str:
        raise BlockDefinitionError(cls.__name__, 'the output pin `error` must be declared `error: str = ""`.')

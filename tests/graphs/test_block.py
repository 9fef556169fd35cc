from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest
from tests.graphs.sample_blocks import AddBlock, ChildBlock, GivenBlock, SecretBlock, SumBlock

from actbook.graphs import (
    ActbookError,
    Block,
    BlockCost,
    BlockDefinitionError,
    BlockType,
    CostType,
    CredentialsMetaInput,
    ExecutionContext,
    UnknownBlock,
    credentials_meta,
)

ID = "20000000-0000-4000-8000-000000000001"


class Nothing(msgspec.Struct):
    pass


class Failed(msgspec.Struct):
    error: int = 0


class Named(msgspec.Struct):
    credentials: str


class Typed(msgspec.Struct):
    key: CredentialsMetaInput


class Right(msgspec.Struct):
    my_credentials: CredentialsMetaInput | None = None


class Optionally(msgspec.Struct):
    credentials: Annotated[CredentialsMetaInput, credentials_meta("x")] | None = None


def define(**declared: Any) -> type[Block]:
    return type("MadeBlock", (Block,), {"id": ID, "Input": Nothing, "Output": Nothing, **declared})


def test_types_are_their_names() -> None:
    assert [(each.name, each.value) for each in BlockType if each.name != each.value] == []
    assert set(BlockType) == {
        *("STANDARD", "INPUT", "OUTPUT", "NOTE", "WEBHOOK", "WEBHOOK_MANUAL", "AGENT", "AI"),
        "HUMAN_IN_THE_LOOP",
    }
    assert BlockCost(5) == BlockCost(cost_amount=5, cost_filter={}, cost_type=CostType.RUN)


def test_the_declared_defaults() -> None:
    block = define()()
    assert (block.name, block.description, block.block_type) == ("MadeBlock", "", BlockType.STANDARD)
    assert (block.static_output, block.disabled, block.is_sensitive_action) == (False, False, False)
    assert (block.execution_timeout_seconds, block.costs) == (None, ())
    assert (block.execution, block.effects) == ("async", True)
    assert define(name="Other").name == "Other"


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"id": "not-a-uuid"}, "UUID"),
        ({"id": 5}, "UUID"),
        ({"Input": dict}, "`Input` must be a msgspec.Struct"),
        ({"Output": None}, "`Output` must be a msgspec.Struct"),
        ({"execution": "gpu"}, "`execution` must be one of async, blocking, cpu, inline"),
        ({"Output": Failed}, "`error` must be declared"),
        ({"Input": Named}, "type it CredentialsMetaInput"),
        ({"Input": Typed}, "name it `credentials` or `\\*_credentials`"),
    ],
)
def test_a_wrong_declaration_names_class_and_remedy(declared: dict[str, Any], reason: str) -> None:
    with pytest.raises(BlockDefinitionError, match=f"MadeBlock.*{reason}") as caught:
        define(**declared)
    assert caught.value.block == "MadeBlock"
    assert isinstance(caught.value, ActbookError)


def test_an_intermediate_base_needs_no_id() -> None:
    class Base(Block):
        block_type = BlockType.AI

    made: type[Block] = type("MadeBlock", (Base,), {"id": ID, "Input": Right, "Output": Nothing})
    assert made.input_schema.credentials.keys() == {"my_credentials"}
    assert Base.name == "Base"


def test_every_output_has_an_error_pin_but_for_the_ends_and_agents() -> None:
    assert AddBlock.output_schema.names == ("result", "tools", "error")
    assert SumBlock.output_schema.names == ("result", "error")
    assert "error" not in GivenBlock.output_schema.names
    assert "error" not in ChildBlock.output_schema.names
    assert AddBlock.output_schema.check("error", "text") is None
    assert AddBlock.output_schema.check("error", 5) is not None


def test_schemas_are_built_once_per_class() -> None:
    assert AddBlock().input_schema is AddBlock.input_schema
    assert SumBlock.input_schema is not AddBlock.input_schema


def test_a_type_defined_later_is_resolved_at_the_first_use() -> None:
    struct = msgspec.defstruct("Later", [("later", "DefinedLater")], module=__name__)
    made = define(Input=struct)
    globals()["DefinedLater"] = int
    try:
        assert made.input_schema.fields["later"].type is int
    finally:
        del globals()["DefinedLater"]


def test_credentials_say_what_they_accept() -> None:
    field = SecretBlock.input_schema.credentials["credentials"]
    assert (field.providers, field.types, field.required) == (("github",), ("api_key", "oauth2"), True)


def test_a_block_runs_as_an_async_generator() -> None:
    async def collect(values: AsyncIterator[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return [value async for value in values]

    block = SumBlock()
    run_input = block.input_schema.build({"a": 1.5, "count": 2})
    assert asyncio.run(collect(block.run(run_input, ExecutionContext()))) == [("result", 3.5)]


def test_an_unknown_block_is_disabled_and_fails() -> None:
    block = UnknownBlock("gone")
    assert (block.id, block.disabled) == ("gone", True)
    run_input = block.input_schema.build({"anything": 1})
    with pytest.raises(ValueError, match=r"^Block gone no longer exists$"):
        list(block.run(run_input, ExecutionContext()))


def test_a_block_without_run_says_so() -> None:
    with pytest.raises(BlockDefinitionError, match="write a `run` generator"):
        define()().run(Nothing(), ExecutionContext())


def test_annotated_credentials_inside_an_optional() -> None:
    field = define(Input=Optionally).input_schema.credentials["credentials"]
    assert (field.providers, field.required) == (("x",), False)

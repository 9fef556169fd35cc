"""INPUT blocks."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from actbook.blocks import InlineFiles, UnreadableFileError, files_for_run
from actbook.blocks.standard import inputs
from actbook.blocks.testing import BlockInputError, assert_outputs, error_of, run_block, run_block_async
from actbook.graphs import Block, ExecutionContext


@pytest.mark.parametrize(
    ("block", "value", "result"),
    [
        (inputs.AgentInputBlock, {"any": [1]}, {"any": [1]}),
        (inputs.AgentInputBlock, 0, 0),
        (inputs.AgentInputBlock, False, False),
        (inputs.AgentInputBlock, "", ""),
        (inputs.AgentShortTextInputBlock, "a", "a"),
        (inputs.AgentShortTextInputBlock, 5, "5"),
        (inputs.AgentLongTextInputBlock, "a\nb", "a\nb"),
        (inputs.AgentNumberInputBlock, "12", 12),
        (inputs.AgentDateInputBlock, "2026-02-28", "2026-02-28"),
        (inputs.AgentDateInputBlock, datetime.date(2026, 2, 28), "2026-02-28"),
        (inputs.AgentTimeInputBlock, "09:30", "09:30"),
        (inputs.AgentTimeInputBlock, "23:59:59", "23:59:59"),
        (inputs.AgentDropdownInputBlock, "not an option", "not an option"),
        (inputs.AgentToggleInputBlock, "true", True),
        (inputs.AgentTableInputBlock, [{"Column 1": 1}], [{"Column 1": 1}]),
    ],
)
def test_the_value_is_the_result(block: type[Block], value: Any, result: Any) -> None:
    assert_outputs(block, {"name": "x", "value": value}, ("result", result))


@pytest.mark.parametrize(
    "block",
    [
        inputs.AgentInputBlock,
        inputs.AgentShortTextInputBlock,
        inputs.AgentLongTextInputBlock,
        inputs.AgentNumberInputBlock,
        inputs.AgentDateInputBlock,
        inputs.AgentTimeInputBlock,
        inputs.AgentDropdownInputBlock,
        inputs.AgentFileInputBlock,
    ],
)
def test_no_value_no_output(block: type[Block]) -> None:
    assert run_block(block, {"name": "x"}) == []
    assert run_block(block, {"name": "x", "value": None}) == []


def test_a_toggle_is_off_and_a_table_empty_without_a_value() -> None:
    assert_outputs(inputs.AgentToggleInputBlock, {"name": "x"}, ("result", False))
    assert_outputs(inputs.AgentTableInputBlock, {"name": "x"}, ("result", []))


@pytest.mark.parametrize(
    ("block", "value"),
    [
        (inputs.AgentDateInputBlock, "2026-02-30"),
        (inputs.AgentDateInputBlock, "28.2.2026"),
        (inputs.AgentTimeInputBlock, "24:00"),
        (inputs.AgentTimeInputBlock, "9:30"),
    ],
)
def test_what_is_no_date_or_time_is_refused(block: type[Block], value: str) -> None:
    with pytest.raises(BlockInputError, match="mismatch"):
        run_block(block, {"name": "x", "value": value})


def test_unknown_keys_of_exported_nodes_are_ignored() -> None:
    data = {"name": "x", "value": "a", "secret": False, "placeholder_values": ["a"]}
    assert_outputs(inputs.AgentDropdownInputBlock, data, ("result", "a"))


@pytest.mark.parametrize(
    ("block", "form"),
    [
        (inputs.AgentShortTextInputBlock, "short-text"),
        (inputs.AgentLongTextInputBlock, "long-text"),
        (inputs.AgentDateInputBlock, "date"),
        (inputs.AgentTimeInputBlock, "time"),
        (inputs.AgentFileInputBlock, "file"),
    ],
)
def test_the_schema_tells_the_format(block: type[Block], form: str) -> None:
    assert f"'format': '{form}'" in str(block.input_schema.fields["value"].json_schema)


def test_a_table_has_three_columns_by_default() -> None:
    defaults = inputs.AgentTableInputBlock.input_schema.defaults()
    assert defaults["column_headers"] == ["Column 1", "Column 2", "Column 3"]


class _Files(InlineFiles):
    async def store(self, context: ExecutionContext, reference: str, *, as_data_uri: bool) -> str:
        return f"{context.user_id}/{reference}/{as_data_uri}"


def test_a_file_goes_through_the_runs_file_store() -> None:
    async def run() -> list[tuple[str, Any]]:
        files_for_run.set(_Files())
        data = {"name": "f", "value": "report.pdf", "base_64": True}
        return await run_block_async(inputs.AgentFileInputBlock, data, ExecutionContext(user_id="u"))

    assert asyncio.run(run()) == [("result", "u/report.pdf/True")]


def test_without_a_file_store_a_reference_stays_what_it_is() -> None:
    assert_outputs(inputs.AgentFileInputBlock, {"name": "f", "value": "data:,hi"}, ("result", "data:,hi"))
    assert_outputs(inputs.AgentFileInputBlock, {"name": "f", "value": "a/b"}, ("result", "a/b"))
    assert run_block(inputs.AgentFileInputBlock, {"name": "f", "value": ""}) == []
    text = error_of(inputs.AgentFileInputBlock, {"name": "f", "value": "a/b", "base_64": True})
    assert "only data: URIs can be read" in text


@pytest.mark.parametrize(
    ("uri", "content"),
    [
        ("data:,a%20b", b"a b"),
        ("data:text/plain;charset=utf-8;base64,aGk=", b"hi"),
        ("data:text/plain,x,y", b"x,y"),
    ],
)
def test_data_uris_are_read(uri: str, content: bytes) -> None:
    assert asyncio.run(InlineFiles().read(ExecutionContext(), uri)) == content


@pytest.mark.parametrize(
    "uri", ["file:///etc/hosts", "https://example.com/", "data:nothing", "data:;base64,***"]
)
def test_nothing_else_is_read(uri: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        asyncio.run(InlineFiles().read(ExecutionContext(), uri))
    assert caught.value.reference == uri

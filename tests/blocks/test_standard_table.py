"""Ids, names, pins, types and flags of the standard blocks: what exported graphs rely on."""

from __future__ import annotations

import pytest

from actbook.blocks import default_registry
from actbook.blocks.standard import STANDARD_BLOCKS, standard_id
from actbook.graphs import BlockType

# name: (id, required inputs, optional inputs, outputs)
EXPECTED: dict[str, tuple[str, str, str, str]] = {
    "AgentInputBlock": (
        "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentShortTextInputBlock": (
        "7fcd3bcb-8e1b-4e69-903d-32d3d4a92158",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentLongTextInputBlock": (
        "90a56ffb-7024-4b2b-ab50-e26c5e5ab8ba",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentNumberInputBlock": (
        "96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentDateInputBlock": (
        "7e198b09-4994-47db-8b4d-952d98241817",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentTimeInputBlock": (
        "2a1c757e-86cf-4c7e-aacf-060dc382e434",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentDropdownInputBlock": (
        "655d6fdf-a334-421c-b733-520549c07cd1",
        "name",
        "value title description advanced options",
        "result",
    ),
    "AgentToggleInputBlock": (
        "cbf36ab5-df4a-43b6-8a7f-f7ed8652116e",
        "name",
        "value title description advanced",
        "result",
    ),
    "AgentTableInputBlock": (
        "5603b273-f41e-4020-af7d-fbc9c6a8d928",
        "name",
        "value title description advanced column_headers",
        "result",
    ),
    "AgentFileInputBlock": (
        "95ead23f-8283-4654-aef3-10c053b74a31",
        "name",
        "value title description advanced base_64",
        "result",
    ),
    "AgentOutputBlock": (
        "363ae599-353e-4804-937e-b2ee3cef3da4",
        "name",
        "value title description format escape_html advanced",
        "output name",
    ),
    "FindInDictionaryBlock": (
        "0e50422c-6dee-4145-83d6-3a5a392f65de",
        "input key",
        "",
        "output missing error",
    ),
    "NoteBlock": ("cc10ff7b-7753-4ff2-9af6-9399b1a7eddc", "text", "", "output error"),
    "StoreValueBlock": ("1ff065e9-88e8-4358-9d82-8dc91f622ba9", "input", "data", "output error"),
    "UniversalTypeConverterBlock": ("95d1b990-ce13-4d88-9737-ba5c2070c97b", "value type", "", "value error"),
    "FillTextTemplateBlock": (
        "db7d8f02-2f44-4c55-ab7a-eae0941f0c30",
        "values format",
        "escape_html",
        "output error",
    ),
    "ConditionBlock": (
        "715696a0-e1da-45c8-b209-c2fa9c3b0be6",
        "value1 operator value2",
        "yes_value no_value",
        "result yes_output no_output error",
    ),
    "ExtractTextInformationBlock": (
        "3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0",
        "text pattern",
        "group case_sensitive dot_all find_all",
        "positive negative matched_results matched_count error",
    ),
    "CountItemsBlock": ("3c9c2f42-b0c3-435f-ba35-05f7a25c772a", "collection", "", "count error"),
    "AddToListBlock": (
        "aeb08fc1-2fc1-4141-bc8e-f758f183a822",
        "",
        "list entry entries position",
        "updated_list error",
    ),
    "XMLParserBlock": ("286380af-9529-4b55-8be0-1d7c854abdb5", "input_xml", "strict", "parsed_xml error"),
    "AgentExecutorBlock": (
        "e189baac-8c20-45a1-94a7-55177ea42565",
        "user_id graph_id graph_version inputs input_schema output_schema",
        "agent_name nodes_input_masks",
        "",
    ),
    "MatchTextPatternBlock": (
        "3060088f-6ed9-4928-9ba7-9c92823a7ccd",
        "text match data",
        "case_sensitive dot_all",
        "positive negative error",
    ),
    "CombineTextsBlock": ("e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85", "input", "delimiter", "output error"),
    "TextSplitBlock": ("d5ea33c8-a575-477a-b42f-2fe3be5055ec", "text delimiter", "strip", "texts error"),
    "TextReplaceBlock": ("7e7c87ab-3469-4bcc-9abe-67705091b713", "text old new", "", "output error"),
    "WordCharacterCountBlock": (
        "ab2a782d-22cf-4587-8a70-55b59b3f9f90",
        "text",
        "",
        "word_count character_count error",
    ),
    "CalculatorBlock": (
        "b1ab9b19-67a6-406d-abf5-2dba76d00c79",
        "operation a b",
        "round_result",
        "result error",
    ),
    "IfInputMatchesBlock": (
        "6dbbc4b3-ca6c-42b6-b508-da52d23e13f2",
        "input value",
        "yes_value no_value",
        "result yes_output no_output error",
    ),
    "StepThroughItemsBlock": (
        "f66a3543-28d3-4ab5-8945-9b336371e2ce",
        "",
        "items items_object items_str",
        "item key error",
    ),
    "CreateListBlock": (
        "a912d5c7-6e00-4542-b2a9-8034136930e4",
        "values",
        "max_size max_tokens",
        "list error",
    ),
    "RemoveFromListBlock": (
        "d93c5a93-ac7e-41c1-ae5c-ef67e6e9b826",
        "list",
        "value index return_item",
        "updated_list removed_item error",
    ),
    "GetListItemBlock": ("262ca24c-1025-43cf-a578-534e23234e97", "list index", "", "item error"),
    "ReplaceListItemBlock": (
        "fbf62922-bea1-4a3d-8bac-23587f810b38",
        "list index value",
        "",
        "updated_list old_item error",
    ),
    "FindInListBlock": (
        "5e2c6d0a-1e37-489f-b1d0-8e1812b23333",
        "list value",
        "",
        "index found not_found_value error",
    ),
    "ListIsEmptyBlock": ("896ed73b-27d0-41be-813c-c1c1dc856c03", "list", "", "is_empty error"),
    "ReverseListOrderBlock": (
        "422cb708-3109-4277-bfe3-bc2ae5812777",
        "input_list",
        "",
        "reversed_list error",
    ),
    "ConcatenateListsBlock": (
        "3cf9298b-5817-4141-9d80-7c2cc5199c8e",
        "lists",
        "deduplicate remove_none",
        "concatenated_list length error",
    ),
    "FlattenListBlock": (
        "cc45bb0f-d035-4756-96a7-fe3e36254b4d",
        "nested_list",
        "max_depth",
        "flattened_list length original_depth error",
    ),
    "InterleaveListsBlock": (
        "9f616084-1d9f-4f8e-bc00-5b9d2a75cd75",
        "lists",
        "",
        "interleaved_list length error",
    ),
    "ZipListsBlock": (
        "0d0e684f-5cb9-4c4b-b8d1-47a0860e0c07",
        "lists",
        "pad_to_longest fill_value",
        "zipped_list length error",
    ),
    "ListDifferenceBlock": (
        "05309873-9d61-447e-96b5-b804e2511829",
        "list_a list_b",
        "symmetric",
        "difference length error",
    ),
    "ListIntersectionBlock": (
        "b6eb08b6-dbe3-411b-b9b4-2508cb311a1f",
        "list_a list_b",
        "",
        "intersection length error",
    ),
    "CreateDictionaryBlock": ("b924ddf4-de4f-4b56-9a85-358930dcbc91", "values", "", "dictionary error"),
    "AddToDictionaryBlock": (
        "31d1064e-7446-4693-a7d4-65e5ca1180d1",
        "",
        "dictionary key value entries",
        "updated_dictionary error",
    ),
    "RemoveFromDictionaryBlock": (
        "46afe2ea-c613-43f8-95ff-6692c3ef6876",
        "dictionary key",
        "return_value",
        "updated_dictionary removed_value error",
    ),
    "ReplaceDictionaryValueBlock": (
        "27e31876-18b6-44f3-ab97-f6226d8b3889",
        "dictionary key value",
        "",
        "updated_dictionary old_value error",
    ),
    "DictionaryIsEmptyBlock": ("a3cf3f64-6bb9-4cc6-9900-608a0b3359b0", "dictionary", "", "is_empty error"),
    "JSONEncoderBlock": ("9a9d20c5-5b4d-4e94-8022-83b6cb72648a", "data", "", "json_str error"),
    "JSONDecoderBlock": ("2b935639-65bc-48fd-9f88-823cd706fcd9", "json_str", "", "data error"),
    "ReadSpreadsheetBlock": (
        "acf7625e-d2cb-4941-bfeb-2819fc6fc015",
        "",
        (
            "contents file_input delimiter quotechar escapechar has_header skip_rows strip skip_columns"
            " produce_singular_result"
        ),
        "row rows error",
    ),
    "GetCurrentDateBlock": (
        "b29c1b50-5d0e-4d9f-8f9d-1b0e6fcbf0b1",
        "trigger",
        "offset format_type",
        "date error",
    ),
    "GetCurrentTimeBlock": ("a892b8d9-3e4e-4e9c-9c1e-75f8efcf1bfa", "trigger", "format_type", "time error"),
    "GetCurrentDateAndTimeBlock": (
        "716a67b3-6760-42e7-86dc-18645c6e00fc",
        "trigger",
        "format_type",
        "date_time error",
    ),
    "CountdownTimerBlock": (
        "d67a9c52-5e4e-11e2-bcfd-0800200c9a71",
        "",
        "input_message seconds minutes hours days repeat",
        "output_message error",
    ),
    "PersistInformationBlock": ("1d055e55-a2b9-4547-8311-907d05b0304d", "key value", "scope", "value error"),
    "RetrieveInformationBlock": (
        "d8710fc9-6e29-481e-a7d5-165eb16f8471",
        "key",
        "scope default_value",
        "value error",
    ),
    "HumanInTheLoopBlock": (
        "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d",
        "data name",
        "editable",
        "approved_data rejected_data review_message error",
    ),
}

TYPES = {
    "AgentOutputBlock": BlockType.OUTPUT,
    "NoteBlock": BlockType.NOTE,
    "AgentExecutorBlock": BlockType.AGENT,
    "HumanInTheLoopBlock": BlockType.HUMAN_IN_THE_LOOP,
}
EFFECTS = {
    "AgentFileInputBlock",
    "AgentExecutorBlock",
    "GetCurrentDateBlock",
    "GetCurrentTimeBlock",
    "GetCurrentDateAndTimeBlock",
    "CountdownTimerBlock",
    "PersistInformationBlock",
    "RetrieveInformationBlock",
    "HumanInTheLoopBlock",
}


def test_the_table_is_complete() -> None:
    assert {path.rpartition(":")[2] for path in STANDARD_BLOCKS.values()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_id_and_pins(name: str) -> None:
    block_id, required, optional, outputs = EXPECTED[name]
    found = default_registry().get(block_id)
    assert found.name == name
    assert standard_id(name) == block_id
    assert found.input_schema.required == set(required.split())
    assert set(found.input_schema.names) == {*required.split(), *optional.split()}
    assert set(found.output_schema.names) == set(outputs.split())
    assert found.description


@pytest.mark.parametrize("name", EXPECTED)
def test_type_and_flags(name: str) -> None:
    found = default_registry().get(EXPECTED[name][0])
    is_input = name.startswith("Agent") and name.endswith("InputBlock")
    assert found.block_type is TYPES.get(name, BlockType.INPUT if is_input else BlockType.STANDARD)
    static = is_input or name in ("AgentOutputBlock", "StoreValueBlock", "RetrieveInformationBlock")
    assert found.static_output is static
    assert found.effects is (name in EFFECTS)
    assert found.execution in ("async", "inline")
    assert found.execution == "async" or not found.effects
    assert not found.disabled
    assert not found.is_sensitive_action
    assert found.execution_timeout_seconds == (604_860 if name == "CountdownTimerBlock" else None)


def test_an_unknown_standard_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        standard_id("NothingBlock")

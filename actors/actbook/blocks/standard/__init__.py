"""The standard blocks, by id. Importing this package imports none of them."""

from __future__ import annotations

__all__ = ["STANDARD_BLOCKS", "standard_id"]

_BY_MODULE: dict[str, dict[str, str]] = {
    "inputs": {
        "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b": "AgentInputBlock",
        "7fcd3bcb-8e1b-4e69-903d-32d3d4a92158": "AgentShortTextInputBlock",
        "90a56ffb-7024-4b2b-ab50-e26c5e5ab8ba": "AgentLongTextInputBlock",
        "96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98": "AgentNumberInputBlock",
        "7e198b09-4994-47db-8b4d-952d98241817": "AgentDateInputBlock",
        "2a1c757e-86cf-4c7e-aacf-060dc382e434": "AgentTimeInputBlock",
        "655d6fdf-a334-421c-b733-520549c07cd1": "AgentDropdownInputBlock",
        "cbf36ab5-df4a-43b6-8a7f-f7ed8652116e": "AgentToggleInputBlock",
        "5603b273-f41e-4020-af7d-fbc9c6a8d928": "AgentTableInputBlock",
        "95ead23f-8283-4654-aef3-10c053b74a31": "AgentFileInputBlock",
    },
    "outputs": {"363ae599-353e-4804-937e-b2ee3cef3da4": "AgentOutputBlock"},
    "values": {
        "1ff065e9-88e8-4358-9d82-8dc91f622ba9": "StoreValueBlock",
        "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc": "NoteBlock",
        "95d1b990-ce13-4d88-9737-ba5c2070c97b": "UniversalTypeConverterBlock",
    },
    "numbers": {"b1ab9b19-67a6-406d-abf5-2dba76d00c79": "CalculatorBlock"},
    "logic": {
        "715696a0-e1da-45c8-b209-c2fa9c3b0be6": "ConditionBlock",
        "6dbbc4b3-ca6c-42b6-b508-da52d23e13f2": "IfInputMatchesBlock",
        "f66a3543-28d3-4ab5-8945-9b336371e2ce": "StepThroughItemsBlock",
    },
    "templates": {"db7d8f02-2f44-4c55-ab7a-eae0941f0c30": "FillTextTemplateBlock"},
    "text": {
        "e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85": "CombineTextsBlock",
        "d5ea33c8-a575-477a-b42f-2fe3be5055ec": "TextSplitBlock",
        "7e7c87ab-3469-4bcc-9abe-67705091b713": "TextReplaceBlock",
        "ab2a782d-22cf-4587-8a70-55b59b3f9f90": "WordCharacterCountBlock",
    },
    "patterns": {
        "3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0": "ExtractTextInformationBlock",
        "3060088f-6ed9-4928-9ba7-9c92823a7ccd": "MatchTextPatternBlock",
    },
    "lists": {
        "aeb08fc1-2fc1-4141-bc8e-f758f183a822": "AddToListBlock",
        "3c9c2f42-b0c3-435f-ba35-05f7a25c772a": "CountItemsBlock",
        "a912d5c7-6e00-4542-b2a9-8034136930e4": "CreateListBlock",
        "d93c5a93-ac7e-41c1-ae5c-ef67e6e9b826": "RemoveFromListBlock",
        "262ca24c-1025-43cf-a578-534e23234e97": "GetListItemBlock",
        "fbf62922-bea1-4a3d-8bac-23587f810b38": "ReplaceListItemBlock",
        "5e2c6d0a-1e37-489f-b1d0-8e1812b23333": "FindInListBlock",
        "896ed73b-27d0-41be-813c-c1c1dc856c03": "ListIsEmptyBlock",
        "422cb708-3109-4277-bfe3-bc2ae5812777": "ReverseListOrderBlock",
    },
    "list_algebra": {
        "3cf9298b-5817-4141-9d80-7c2cc5199c8e": "ConcatenateListsBlock",
        "cc45bb0f-d035-4756-96a7-fe3e36254b4d": "FlattenListBlock",
        "9f616084-1d9f-4f8e-bc00-5b9d2a75cd75": "InterleaveListsBlock",
        "0d0e684f-5cb9-4c4b-b8d1-47a0860e0c07": "ZipListsBlock",
        "05309873-9d61-447e-96b5-b804e2511829": "ListDifferenceBlock",
        "b6eb08b6-dbe3-411b-b9b4-2508cb311a1f": "ListIntersectionBlock",
    },
    "dictionaries": {
        "0e50422c-6dee-4145-83d6-3a5a392f65de": "FindInDictionaryBlock",
        "b924ddf4-de4f-4b56-9a85-358930dcbc91": "CreateDictionaryBlock",
        "31d1064e-7446-4693-a7d4-65e5ca1180d1": "AddToDictionaryBlock",
        "46afe2ea-c613-43f8-95ff-6692c3ef6876": "RemoveFromDictionaryBlock",
        "27e31876-18b6-44f3-ab97-f6226d8b3889": "ReplaceDictionaryValueBlock",
        "a3cf3f64-6bb9-4cc6-9900-608a0b3359b0": "DictionaryIsEmptyBlock",
    },
    "json_texts": {
        "9a9d20c5-5b4d-4e94-8022-83b6cb72648a": "JSONEncoderBlock",
        "2b935639-65bc-48fd-9f88-823cd706fcd9": "JSONDecoderBlock",
    },
    "xml_texts": {"286380af-9529-4b55-8be0-1d7c854abdb5": "XMLParserBlock"},
    "spreadsheets": {"acf7625e-d2cb-4941-bfeb-2819fc6fc015": "ReadSpreadsheetBlock"},
    "clocks": {
        "b29c1b50-5d0e-4d9f-8f9d-1b0e6fcbf0b1": "GetCurrentDateBlock",
        "a892b8d9-3e4e-4e9c-9c1e-75f8efcf1bfa": "GetCurrentTimeBlock",
        "716a67b3-6760-42e7-86dc-18645c6e00fc": "GetCurrentDateAndTimeBlock",
    },
    "timers": {"d67a9c52-5e4e-11e2-bcfd-0800200c9a71": "CountdownTimerBlock"},
    "memory": {
        "1d055e55-a2b9-4547-8311-907d05b0304d": "PersistInformationBlock",
        "d8710fc9-6e29-481e-a7d5-165eb16f8471": "RetrieveInformationBlock",
    },
    "people": {"8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d": "HumanInTheLoopBlock"},
    "agents": {"e189baac-8c20-45a1-94a7-55177ea42565": "AgentExecutorBlock"},
}

STANDARD_BLOCKS: dict[str, str] = {
    block_id: f"{__name__}.{module}:{name}"
    for module, blocks in _BY_MODULE.items()
    for block_id, name in blocks.items()
}
"""Block id → `module:class`."""


def standard_id(name: str) -> str:
    """The id of a standard block by class name. Raises KeyError."""
    for blocks in _BY_MODULE.values():
        for block_id, each in blocks.items():
            if each == name:
                return block_id
    raise KeyError(name)

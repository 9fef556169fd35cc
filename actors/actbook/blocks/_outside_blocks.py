"""Blocks that reach the outside, as far as graphs use them: names and pins by id, for their simulated
stand-ins.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["text", "number", "url", "list", "dict", "spare", "never"]
"""What a pin yields when nothing downstream asks for more. "spare": text, but only when no other pin is
linked.
"""


class OutsideBlock(msgspec.Struct, frozen=True):
    """`outputs` are in yield order. `each`: pins that yield once per item of another pin or of nothing
    visible ("").
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    outputs: dict[str, Kind]
    each: dict[str, str] = {}


def _block(name: str, inputs: str, outputs: str, **each: str) -> OutsideBlock:
    """`inputs`: required ones end with `*`. `outputs`: `pin:kind`, text when no kind is given."""
    pins = inputs.split()
    kinds = [output.partition(":") for output in outputs.split()]
    return OutsideBlock(
        name=f"{name}Block",
        required=tuple(pin[:-1] for pin in pins if pin.endswith("*")),
        optional=tuple(pin for pin in pins if not pin.endswith("*")),
        outputs={pin: kind or "text" for pin, _, kind in kinds},  # type: ignore[misc]
        each=each,
    )


OUTSIDE_BLOCKS: dict[str, OutsideBlock] = {
    "1f292d4a-41a4-4977-9684-7c8d560b9f91": _block("AITextGenerator", "prompt* prompt_values", "response"),
    "87840993-2053-44b7-8da4-187ad4ee518c": _block("SearchTheWeb", "query*", "results"),
    "6ab085e2-20b3-4055-bc3e-08036e01eca6": _block("IdeogramModel", "prompt*", "result:url"),
    "0b02b072-abe7-11ef-8372-fb5d162dd712": _block(
        "ExecuteCode", "code", "stdout_logs response:spare stderr_logs:never"
    ),
    "f3a8f7e1-4b1d-4e5f-9f2a-7c3d5a2e6b4c": _block("TranscribeYoutubeVideo", "youtube_url*", "transcript"),
    "ed55ac19-356e-4243-a6cb-bc599e9b716f": _block(
        "AIStructuredResponseGenerator", "prompt* expected_format* prompt_values", "response:dict"
    ),
    "3b191d9f-356f-482d-8238-ba04b6d18381": _block(
        "Orchestrator",
        "prompt* conversation_history last_tool_output prompt_values",
        "finished tools:never conversations:never",
    ),
    "436c3984-57fd-4b85-8e9a-459b356883bd": _block("ExtractWebsiteContent", "url*", "content"),
    "df06086a-d5ac-4abb-9996-2ad0acb2eff7": _block(
        "ReadDiscordMessages", "", "message_content channel_name username"
    ),
    "d0822ab5-9f8a-44a3-8971-531dd0178b6b": _block(
        "SendDiscordMessage", "message_content* channel_name*", "status"
    ),
    "6c27abc2-e51d-499e-a85f-5a0041ba94f0": _block("GmailSend", "to* subject* body*", "result:dict"),
    "25310c70-b89b-43ba-b25c-4dfa7e2a481c": _block("GmailRead", "query", "emails:list"),
    "8f2e4d6a-1b3c-4a5e-9d7f-2c8e6a4b3f1d": _block(
        "DataForSeoRelatedKeywords", "keyword*", "related_keywords:list total_count:number"
    ),
    "f47ac10b-58cc-4372-a567-0e02b2c3d479": _block(
        "GoogleMapsSearch", "query* radius max_results", "place:dict", place=""
    ),
    "9c0b0450-d199-458b-a731-072189dd6593": _block(
        "AIListGenerator",
        "focus source_data",
        "generated_list:list list_item",
        list_item="generated_list",
    ),
    "80bc3ed1-e9a4-449e-8163-a8fc86f74f6a": _block(
        "GoogleCalendarReadEvents", "start_time", "events:list event:dict", event="events"
    ),
    "ed1ae7a0-b770-4089-b520-1f0005fad19a": _block("AIImageGenerator", "prompt*", "image_url:url"),
    "ee4fe08c-18f9-442f-a985-235379b932e1": _block(
        "WordPressCreatePost", "site* title* content* featured_image", "post_url:url"
    ),
    "6595ae1f-b924-42cb-9a41-551a0611c4b4": _block(
        "SendWebRequest", "url*", "response:dict client_error:never server_error:never"
    ),
    "73c3e7c4-2b3f-4e9f-9e3e-8f7a5c3e2d45": _block(
        "DataForSeoKeywordSuggestions", "keyword*", "suggestions:list total_count:number"
    ),
    "361697fb-0c4f-4feb-aed3-8320c88c771b": _block("AIShortformVideoCreator", "script*", "video_url:url"),
    "a0a69be1-4528-491c-a85a-a4ab6873e3f0": _block("AITextSummarizer", "text* focus", "summary"),
    "f884b2fb-04f4-4265-9658-14f433926ac9": _block("GmailAddLabel", "message_id* label_name*", ""),
    "42527e98-47b6-44ce-ac0e-86b4883721d3": _block(
        "AirtableCreateRecords", "base_id* table_id_or_name* records*", "records:list details:dict"
    ),
    "f59b88a8-54ce-4676-a508-fd614b4e8dce": _block(
        "AirtableCreateBase", "workspace_id* name*", "base_id table:dict"
    ),
    "12bf5a24-9b90-4f40-9090-4e86e6995e60": _block("GmailReply", "threadId* parentMessageId* to body*", ""),
    "64d2301c-b3f5-4174-8ac0-111ca1e1a7c0": _block("GmailForward", "messageId* to* forwardMessage", ""),
    "bdbbaba0-03b7-4971-970e-699e2de6015e": _block("FirecrawlCrawl", "url*", "markdown"),
    "d1774756-4d9e-40e6-bab1-47ec0ccd81b2": _block("FirecrawlExtract", "urls* prompt", "data:dict"),
    "f0f43e2b-c943-48a0-a7f1-40136ca4d3b9": _block("FirecrawlMapWebsite", "url*", "links:list"),
    "90f8c45e-e983-4644-aa0b-b4ebe2f531bc": _block("ReplicateFluxAdvancedModel", "prompt*", "result:url"),
    "32a87eab-381e-4dd4-bdb8-4c47151be35a": _block("AIConversation", "messages*", "response"),
    "3f7b2dcb-4a78-4e3f-b0f1-88132e1b89df": _block(
        "PublishToMedium", "title* content* content_format* tags* publish_status*", ""
    ),
}

FEEDBACK_LINKS: dict[str, frozenset[str]] = {
    "3b191d9f-356f-482d-8238-ba04b6d18381": frozenset({"conversation_history", "last_tool_output"}),
}
"""Pins fed by what the block itself sets going: a run to which none of them has come does not wait for
them.
"""

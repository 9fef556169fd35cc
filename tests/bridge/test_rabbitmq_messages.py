"""What a message says, without a broker."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.bridge.rabbitmq import (
    SIZE_LIMIT,
    Message,
    MessageRefusedError,
    RefusalReason,
    read_cancellation,
    read_submission,
)

ENTRY = {"user_id": "ada", "graph_exec_id": "e1", "graph_id": "g", "graph_version": 3}
CANCEL = {"graph_exec_id": "e1", "actor": "ada", "reason": "enough", "at": 5}


def message(document: Any, message_id: str = "m1", **fields: Any) -> Message:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Message(body, message_id, **fields)


def structured(data: Any, **fields: Any) -> Message:
    event = {"specversion": "1.0", "id": "ce1", "source": "/test", "type": "any.thing", "data": data}
    return message(event | fields, "", content_type="application/cloudevents+json; charset=utf-8")


def refusal(message: Message) -> MessageRefusedError:
    with pytest.raises(MessageRefusedError) as caught:
        read_submission(message)
    return caught.value


def test_a_bare_run_message() -> None:
    found = read_submission(message(ENTRY | {"inputs": {"x": 1}, "newer": [1]}))
    assert (found.entry.user_id, found.entry.graph_exec_id, found.entry.graph_version) == ("ada", "e1", 3)
    assert found.entry.inputs == {"x": 1}
    assert found.key == "m1"


def test_a_structured_cloudevent() -> None:
    found = read_submission(structured(ENTRY))
    assert (found.entry.graph_id, found.key) == ("g", "ce1")


def test_a_structured_cloudevent_with_its_data_as_base64_or_as_text() -> None:
    encoded = base64.b64encode(json.dumps(ENTRY).encode()).decode()
    assert read_submission(structured(None, data_base64=encoded)).entry.graph_id == "g"
    assert read_submission(structured(json.dumps(ENTRY))).entry.graph_id == "g"


@pytest.mark.parametrize("prefix", ["cloudEvents:", "cloudEvents_", "ce-", "ce_"])
def test_a_binary_cloudevent(prefix: str) -> None:
    headers = {f"{prefix}specversion": "1.0", f"{prefix}id": b"ce2", f"{prefix}type": "t"}
    found = read_cancellation(message(CANCEL, "", headers=headers, content_type="application/json"))
    assert (found.event.graph_exec_id, found.event.actor, found.key) == ("e1", "ada", "ce2")


def test_the_id_of_the_message_goes_before_that_of_the_cloudevent() -> None:
    found = read_submission(structured(ENTRY)._replace(message_id="m7"))
    assert found.key == "m7"


def test_an_oversized_message_is_not_even_decoded() -> None:
    assert refusal(message(b"[" * (SIZE_LIMIT + 1))).reason == RefusalReason.OVERSIZED
    exact = b" " * (SIZE_LIMIT - len(json.dumps(ENTRY))) + json.dumps(ENTRY).encode()
    assert read_submission(message(exact)).entry.graph_id == "g"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"user_id": "\xff"}',
        b'{"user_id": 1, "graph_exec_id": "e", "graph_id": "g", "graph_version": 1}',
        b'{"graph_exec_id": "e", "graph_id": "g", "graph_version": 1}',
        b'{"user_id": "u", "graph_exec_id": "e", "graph_id": "g", "graph_version": 1.5}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        json.dumps({"user_id": "u", "graph_exec_id": ""}).encode(),
        json.dumps(ENTRY | {"inputs": json.loads("[" * 200 + "]" * 200)}).encode(),
        b'{"user_id":"u","graph_id":"g","inputs":{"x":' + b"[" * 200 + b"]" * 200 + b"}}",
    ],
)
def test_what_is_no_run_message_is_malformed(body: bytes) -> None:
    assert refusal(message(body)).reason == RefusalReason.MALFORMED


def test_a_message_that_nothing_identifies_is_malformed() -> None:
    assert refusal(message(ENTRY | {"graph_exec_id": ""}, "")).reason == RefusalReason.MALFORMED


def test_other_formats_are_foreign() -> None:
    assert refusal(message(ENTRY, content_type="application/x-protobuf")).reason == RefusalReason.FOREIGN
    assert refusal(message(ENTRY, content_encoding="gzip")).reason == RefusalReason.FOREIGN
    batch = message([ENTRY], content_type="application/cloudevents-batch+json")
    assert refusal(batch).reason == RefusalReason.FOREIGN
    assert refusal(structured(ENTRY, specversion="0.3")).reason == RefusalReason.FOREIGN


@settings(max_examples=300)
@given(
    body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
    message_id=st.text(max_size=20),
    content_type=st.sampled_from(["", "application/json", "application/cloudevents+json", "x"])
    | st.text(max_size=20),
    headers=st.dictionaries(
        st.sampled_from(["cloudEvents:specversion", "cloudEvents:id", "ce-id", "x"]),
        st.none()
        | st.integers()
        | st.binary(max_size=5)
        | st.text(max_size=5)
        | st.lists(st.none(), max_size=2),
    ),
)
def test_rubbish_is_refused_and_nothing_else_happens(
    body: bytes, message_id: str, content_type: str, headers: dict[str, Any]
) -> None:
    given_message = Message(body, message_id, content_type, "", headers)
    for read in (read_submission, read_cancellation):
        with pytest.raises(MessageRefusedError):
            read(given_message)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@settings(max_examples=200)
@given(
    document=st.dictionaries(st.sampled_from([*ENTRY, "inputs", "data", "nodes_input_masks"]), json_values)
)
def test_any_json_is_read_or_refused(document: dict[str, Any]) -> None:
    with contextlib.suppress(MessageRefusedError):
        assert read_submission(message(document)).entry.user_id == document["user_id"]

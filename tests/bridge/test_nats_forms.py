"""Subjects, URLs and messages: what is pure about NATS."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.journal import FOLDER, read

from actbook.bridge import BusUrlError
from actbook.bridge._nats_message import event_in, headers_and_body, size_of
from actbook.bridge._nats_subject import filter_of
from actbook.bridge.nats import bus_config, subject_of, text_of, token_of
from actbook.events import Append, Draft, Envelope, WarningRecorded
from actbook.journal import MemoryStore
from actbook.replay.export import Selection, export_cloudevents

AT = 1_760_000_000_000_000


@given(st.text(max_size=80))
def test_a_token_is_one_for_nats_and_leads_back_to_its_text(text: str) -> None:
    token = token_of(text)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token)
    assert text_of(token) == text or (
        text_of(token) is None and len(text.encode("utf-8", "surrogatepass")) > 21
    )


@given(st.text(max_size=80), st.text(max_size=80))
def test_different_texts_have_different_tokens(one: str, other: str) -> None:
    assert (token_of(one) == token_of(other)) is (one == other)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_what_is_no_token_of_ours_is_told(token: str) -> None:
    try:
        text = text_of(token)
    except ValueError:
        return
    assert text is None or token_of(text) == token or "_" in token


def test_the_subject_has_the_parts_of_the_topic_as_tokens() -> None:
    assert (
        subject_of("acme", "inbox:7.b", "cancel.requested")
        == "actbook.events.acme.inbox_3A7_2Eb.cancel.requested"
    )
    assert filter_of("acme", "node.*") == "actbook.events.acme.*.node.*"
    assert filter_of("acme", stream_id="a>b") == "actbook.events.acme.a_3Eb.>"
    assert filter_of("acme") == "actbook.events.acme.*.>"


def test_a_bus_url_sets_what_it_names_and_leaves_the_rest() -> None:
    config = bus_config("nats://u:s3cret@one:4222,two:4223?tenant=acme&max_age=3600&in_flight=8")
    assert config.servers == ("nats://u:s3cret@one:4222", "nats://two:4223")
    assert (config.tenant, config.stream_name, config.max_age, config.in_flight) == (
        "acme",
        "actbook-acme",
        3600,
        8,
    )
    assert config.duplicate_window >= 1800
    assert "s3cret" not in repr(config) + config.shown


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "nats://",
        "nats://u:s3cret@h?tenant=a.b",
        "nats://h?duplicate_window=120",
        "nats://h?colour=red",
        "nats://h?in_flight=no",
    ],
)
def test_a_bus_url_that_cannot_be_used_says_why_without_its_password(url: str) -> None:
    with pytest.raises(BusUrlError) as caught:
        bus_config(url)
    assert "s3cret" not in str(caught.value)


def _recorded(*payloads: Any, stream: str = "run-1") -> tuple[MemoryStore, list[Envelope]]:
    store = MemoryStore()
    store.write(
        [Append(stream, 0, [Draft(each, AT, 1) for each in payloads], "ada", "root-1", "00-aa-bb-01")]
    )
    return store, store.read_log()


def test_a_message_is_the_cloudevent_of_the_export() -> None:
    store, [event] = _recorded(WarningRecorded("half full", 3), stream="run/ü")
    exported = json.loads(next(export_cloudevents(store, Selection())))
    headers, body = headers_and_body(event)
    del exported["actbookstate"]
    assert json.loads(body) == exported
    assert headers == {"Nats-Msg-Id": str(event.id), "content-type": "application/cloudevents+json"}
    store.close()


def test_a_message_comes_back_with_its_typed_payload() -> None:
    payload = WarningRecorded("x" * 100_000, 3)
    store, [event] = _recorded(payload)
    found = event_in(*headers_and_body(event), 2)
    assert found.payload == payload
    assert (found.id, found.topic, found.stream_id, found.version) == (str(event.id), event.topic, "run-1", 1)
    assert (found.user_id, found.correlation_id, found.traceparent) == ("ada", "root-1", "00-aa-bb-01")
    assert found.deliveries == 2
    store.close()


def test_every_golden_event_comes_back_over_the_bus() -> None:
    """Each topic, with the example that is kept of it."""
    for event in read(FOLDER / "0.1.0.jsonl").events():
        found = event_in(*headers_and_body(event))
        assert found.payload == event.payload, event.topic


def test_binary_mode_is_read_with_its_percent_encoding() -> None:
    store, [event] = _recorded(WarningRecorded("x"), stream="run ü%")
    _, body = headers_and_body(event)
    told = json.loads(body)
    data = told.pop("data")
    headers = {f"ce-{name}": quote(str(value)) for name, value in told.items()} | {
        "Content-Type": "application/json"
    }
    found = event_in(headers, msgspec.json.encode(data))
    assert (found.stream_id, found.payload) == ("run ü%", WarningRecorded("x"))
    store.close()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"type":1}', b"\xff", b"[" * 100_000, b'{"type":"a"}']
)
def test_what_is_no_event_raises_one_error(body: bytes) -> None:
    for kind in ("application/cloudevents+json", "application/json", ""):
        with pytest.raises(ValueError):
            event_in({"content-type": kind}, body)


def test_an_unknown_topic_keeps_its_data() -> None:
    store, [event] = _recorded(WarningRecorded("x"))
    headers, body = headers_and_body(event)
    told = json.loads(body) | {"type": "actbook.of.tomorrow"}
    found = event_in(headers, msgspec.json.encode(told))
    assert (found.payload, found.data["text"]) == (None, "x")
    store.close()


def test_the_size_counts_the_headers() -> None:
    assert size_of({"a": "b"}, b"123") == len(b"NATS/1.0\r\na: b\r\n\r\n123")

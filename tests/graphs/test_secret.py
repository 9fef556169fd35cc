"""A secret shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.graphs import (
    ApiKeyCredentials,
    Credentials,
    ExecutionContext,
    HostScopedCredentials,
    OAuth2Credentials,
    Secret,
    UserPasswordCredentials,
)
from actbook.graphs._stored_credentials import (
    credentials_by_pin_from,
    credentials_from,
    credentials_of,
    credentials_of_run,
    revealed,
)

CANARY = "canary-5f3a"
ALL: list[Credentials] = [
    ApiKeyCredentials(id="a", provider="p", api_key=Secret(CANARY)),
    OAuth2Credentials(
        id="o", provider="p", access_token=Secret(CANARY), refresh_token=Secret(CANARY), scopes=("x",)
    ),
    UserPasswordCredentials(id="u", provider="p", username=Secret(CANARY), password=Secret(CANARY)),
    HostScopedCredentials(id="h", provider="p", host="h.example", headers={"X": Secret(CANARY)}),
]
kinds = pytest.mark.parametrize("credentials", ALL, ids=lambda each: each.type)


@kinds
def test_it_is_in_no_text_about_credentials(credentials: Credentials) -> None:
    shown = f"{credentials!r} {credentials} {credentials.meta} {[credentials]} {Secret(CANARY):>40}"
    assert CANARY not in shown
    assert "**********" in shown


@kinds
@pytest.mark.parametrize(
    "encode", [msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins, json.dumps, pickle.dumps]
)
def test_no_ordinary_encoder_takes_it(credentials: Credentials, encode: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError) as refused:
        encode(credentials)
    assert CANARY not in str(refused.value)
    with pytest.raises(TypeError):
        encode(next(credentials.secrets()))


@kinds
def test_what_a_store_seals_reads_back_the_same(credentials: Credentials) -> None:
    data = revealed(credentials)
    assert CANARY.encode() in data
    assert credentials_from(data) == credentials
    assert credentials_by_pin_from(revealed({"pin": credentials})) == {"pin": credentials}


@kinds
def test_metadata_is_everything_but_the_secrets(credentials: Credentials) -> None:
    meta = credentials.meta
    assert (meta.id, meta.provider, meta.type) == (credentials.id, credentials.provider, credentials.type)
    assert CANARY not in repr(meta)


def test_all_secrets_are_found_and_empty_ones_are_none() -> None:
    assert [len(list(each.secrets())) for each in ALL] == [1, 2, 2, 1]
    assert (
        list(
            UserPasswordCredentials(id="u", provider="p", username=Secret(""), password=Secret("")).secrets()
        )
        == []
    )


@given(st.text(), st.text())
def test_secrets_are_equal_when_their_texts_are(first: str, second: str) -> None:
    assert (Secret(first) == Secret(second)) is (first == second)
    assert Secret(first) != first
    assert hash(Secret(first)) == hash(Secret(first))


def test_copies_are_the_same_object() -> None:
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize("wrong", [5, None, b"x", "\ud800"])
def test_only_text_is_a_secret(wrong: Any) -> None:
    with pytest.raises(ValueError, match="must be a text"):
        Secret(wrong)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": CANARY}, "`type` is not a kind of credentials"),
        ({"type": "api_key", "id": "x", "provider": "p"}, "missing required field `api_key`"),
        ({"type": "api_key", "id": "x", "provider": "p", "api_key": [CANARY]}, "must be a text"),
        ({"type": "api_key", "id": [CANARY], "provider": "p", "api_key": CANARY}, "Expected `str`"),
    ],
)
def test_a_document_that_is_none_is_told_without_its_values(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        credentials_of(document)
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("host", "url", "fits"),
    [
        ("api.example.com", "https://api.example.com/x?y", True),
        ("api.example.com", "https://API.example.com:8443/", True),
        ("api.example.com:8443", "https://api.example.com:8443/", True),
        ("api.example.com:8443", "https://api.example.com/", False),
        ("api.example.com", "https://api.example.com.evil.org/", False),
        ("api.example.com", "https://evil.org/?api.example.com", False),
        ("api.example.com", "https://api.example.com@evil.org/", False),
        ("*.example.com", "https://api.example.com/", True),
        ("*.example.com", "https://notexample.com/", False),
        ("example.com", "https://api.example.com/", False),
    ],
)
def test_headers_are_for_one_host(host: str, url: str, fits: bool) -> None:
    assert HostScopedCredentials(id="h", provider="http", host=host).matches(url) is fits


def test_a_context_shows_credentials_only_where_a_body_runs_and_never_encodes_them() -> None:
    context = ExecutionContext(user_id="ada")
    assert context.credentials == {}
    token = credentials_of_run.set({"credentials": ALL[0]})
    try:
        assert context.credentials["credentials"] is ALL[0]
        assert b"credentials" not in msgspec.json.encode(context)
        assert "credentials" not in repr(context)
    finally:
        credentials_of_run.reset(token)

"""Credentials in environment variables."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.credentials.kit import api_key

from actbook.engine.credentials import (
    CredentialsStoreError,
    EnvironmentCredentials,
    FirstOf,
    MemoryCredentials,
)

GITHUB = '{"type": "api_key", "provider": "github", "api_key": "s3cret"}'


def get(variables: dict[str, str], name: str, user: str = "ada") -> object:
    return asyncio.run(EnvironmentCredentials(variables).get(user, name))


def test_the_id_is_the_name_in_lower_case_or_what_the_object_says() -> None:
    assert get({"ACTBOOK_CREDENTIALS_MY_GH": GITHUB}, "my_gh") == api_key("s3cret", "my_gh")
    named = GITHUB.replace("{", '{"id": "Mine", ', 1)
    assert get({"ACTBOOK_CREDENTIALS_MY_GH": named}, "Mine") == api_key("s3cret", "Mine")
    assert get({"ACTBOOK_CREDENTIALS_MY_GH": named}, "my_gh") is None


def test_they_serve_every_user_unless_they_name_one() -> None:
    assert get({"ACTBOOK_CREDENTIALS_GH": GITHUB}, "gh", "eve") is not None
    owned = GITHUB.replace("{", '{"user_id": "ada", ', 1)
    assert get({"ACTBOOK_CREDENTIALS_GH": owned}, "gh", "ada") is not None
    assert get({"ACTBOOK_CREDENTIALS_GH": owned}, "gh", "eve") is None


def test_the_variables_of_the_encrypted_store_are_no_credentials() -> None:
    variables = {"ACTBOOK_CREDENTIALS_KEY": "x", "ACTBOOK_CREDENTIALS_KEY_FILE": "y", "ACTBOOK_STORE": "z"}
    assert asyncio.run(EnvironmentCredentials(variables).list("ada")) == []


@pytest.mark.parametrize(
    "text", ["s3cret", '["s3cret"]', '{"type": "s3cret"}', '{"type": "api_key", "api_key": 5}']
)
def test_a_variable_that_cannot_be_read_is_named_without_its_text(text: str) -> None:
    with pytest.raises(CredentialsStoreError, match="ACTBOOK_CREDENTIALS_GH") as refused:
        get({"ACTBOOK_CREDENTIALS_GH": text}, "gh")
    assert "s3cret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_the_process_environment_is_read_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    store = EnvironmentCredentials()
    monkeypatch.delenv("ACTBOOK_CREDENTIALS_GH", raising=False)
    assert asyncio.run(store.get("ada", "gh")) is None
    monkeypatch.setenv("ACTBOOK_CREDENTIALS_GH", GITHUB)
    assert asyncio.run(store.get("ada", "gh")) == api_key("s3cret")


def test_of_several_stores_the_first_that_has_them_counts() -> None:
    first = MemoryCredentials([("ada", api_key("first"))])
    second = MemoryCredentials([("ada", api_key("second")), ("ada", api_key("only", "x"))])
    store = FirstOf(first, second)
    assert asyncio.run(store.get("ada", "gh")) == api_key("first")
    assert asyncio.run(store.get("ada", "x")) == api_key("only", "x")
    assert [each.id for each in asyncio.run(store.list("ada"))] == ["gh", "x"]
    asyncio.run(store.put("ada", api_key("new", "y")))
    assert asyncio.run(first.get("ada", "y")) is not None

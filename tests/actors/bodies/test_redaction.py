"""What is told of a failed body holds none of its secrets."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.actors._bodies._outcome import Fault
from actbook.actors._bodies._redaction import MASK, SHORTEST, redacted
from actbook.graphs import ApiKeyCredentials, Secret, UserPasswordCredentials

ENCODINGS: list[Callable[[str], str]] = [
    str,
    repr,
    ascii,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: repr(text.encode()),
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: b64encode(text.encode()).decode(),
    lambda text: urlsafe_b64encode(text.encode()).decode(),
]

_ESCAPING = ENCODINGS[1:6]


def key(text: str) -> dict[str, ApiKeyCredentials]:
    return {"credentials": ApiKeyCredentials(id="a", provider="p", api_key=Secret(text))}


def without(text: str, secret: str) -> str:
    return redacted(Fault(text, "RuntimeError", traceback=text), key(secret)).error


@pytest.mark.parametrize("encode", ENCODINGS)
@given(secret=st.text(min_size=SHORTEST, max_size=40))
def test_a_secret_is_taken_out_in_its_usual_encodings(encode: Callable[[str], str], secret: str) -> None:
    for times in range(3):
        text = secret
        for _ in range(times + 1):
            text = encode(text)
        if secret.isprintable() and "*" not in secret:
            left = without(f"no {text}!", secret)
            assert MASK in left
            assert text.strip("b'\"\\=") not in left or len(text.strip("b'\"\\=")) < SHORTEST
        if encode not in (str, *_ESCAPING):
            return


@given(text=st.text(max_size=60), secret=st.text(min_size=SHORTEST, max_size=8))
def test_it_is_in_neither_the_error_nor_the_traceback(text: str, secret: str) -> None:
    fault = redacted(Fault(text + secret, "E", False, secret + text), key(secret))
    if secret not in MASK:
        assert secret not in fault.error.replace(MASK, "\0")
        assert secret not in fault.traceback.replace(MASK, "\0")
    assert (fault.error_type, fault.expected) == ("E", False)


def test_text_without_a_secret_stays_as_it_is() -> None:
    assert without("no route to host", "s3cret") == "no route to host"


def test_short_secrets_stay() -> None:
    assert without("a cat", "a") == "a cat"


def test_the_lines_of_a_long_secret_are_taken_out_one_by_one() -> None:
    secret = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----"
    assert "MIIEvQIBADANBgkq" not in without("bad line MIIEvQIBADANBgkq", secret)


def test_what_basic_authentication_makes_of_a_name_and_a_password_is_taken_out() -> None:
    pair = {
        "credentials": UserPasswordCredentials(
            id="u", provider="p", username=Secret("ada"), password=Secret("pw")
        )
    }
    header = b64encode(b"ada:pw").decode()
    assert header not in redacted(Fault(f"401 for Basic {header}"), pair).error

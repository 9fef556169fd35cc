from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from tests.graphs.sample_blocks import AddBlock, Hue, SumBlock

from actbook.graphs import MISSING, CredentialsMetaInput, PinSchema, credentials_meta


class Narrow(CredentialsMetaInput):
    provider: Literal["github", "gitlab"]  # pyright: ignore[reportIncompatibleVariableOverride]
    type: Literal["oauth2"]  # pyright: ignore[reportIncompatibleVariableOverride]


class Shape(msgspec.Struct):
    text: Annotated[
        str,
        msgspec.Meta(title="Text", description="What to say", extra_json_schema={"format": "long-text"}),
    ]
    limit: Annotated[int, msgspec.Meta(ge=1)] = 5
    tags: list[str] = []
    hint: Annotated[str, msgspec.Meta(extra_json_schema={"secret": True, "advanced": True})] | None = None
    renamed: int = msgspec.field(name="re-named", default=1)


class Hard(msgspec.Struct):
    """Unions that msgspec refuses to convert."""

    either: list[str] | set[str]
    count: int = 0


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    a: int = 0


class Signs(msgspec.Struct):
    credentials: Narrow
    other_credentials: Annotated[
        CredentialsMetaInput | None,
        credentials_meta(
            "openai",
            "llama",
            types=("api_key",),
            scopes=("read",),
            discriminator="model",
            discriminator_mapping={"m1": "openai"},
        ),
    ] = None
    model: str = "m1"


AGENT_SCHEMA = {
    "type": "object",
    "required": ["Search Query!", "unlisted"],
    "properties": {
        "Search Query!": {
            "anyOf": [{"type": "string", "format": "short-text"}, {"type": "null"}],
            "title": "Q",
        },
        "Max": {"type": "integer"},
        "Rate": {"type": "number"},
        "Kind": {"enum": ["a", "b"]},
        "Rows": {"type": "array", "items": {"type": "object"}},
        "Flag": {"type": ["boolean", "null"]},
        "Free": {},
    },
}


def test_pins_of_a_struct() -> None:
    schema = PinSchema.of(Shape)
    assert schema.names == ("text", "limit", "tags", "hint", "re-named")
    assert schema.required == {"text"}
    text, hint = schema.fields["text"], schema.fields["hint"]
    assert (text.title, text.description, text.default, text.type) == ("Text", "What to say", MISSING, str)
    assert (hint.secret, hint.advanced, hint.required, hint.default) == (True, True, False, None)


def test_inherited_fields_are_pins() -> None:
    assert SumBlock.input_schema.names == ("count", "a", "items", "hue", "needed")


def test_defaults_are_fresh_each_time() -> None:
    schema = PinSchema.of(Shape)
    first = schema.defaults()
    first["tags"].append("changed")
    assert schema.defaults() == {"limit": 5, "tags": [], "hint": None, "re-named": 1}


def test_missing_links_count_keys_not_values() -> None:
    schema = AddBlock.input_schema
    assert schema.missing_links({"a": None}, ["a", "values_#_k"]) == {"values_#_k"}
    assert schema.missing_input({"b": None}) == {"a"}


def test_mismatch() -> None:
    schema = PinSchema.of(Shape)
    assert schema.mismatch({"text": "x", "limit": None, "unknown": 1}) is None
    assert "Expected `str`" in (schema.mismatch({"text": 5}) or "")
    assert ">= 1" in (schema.mismatch({"text": "x", "limit": 0}) or "")
    assert "required field `text`" in (schema.mismatch({"text": None}) or "")


def test_build_drops_none_and_unknown_keys() -> None:
    built = PinSchema.of(Shape).build({"text": "x", "limit": None, "unknown": 1, "re-named": 7})
    assert built == Shape(text="x", renamed=7)
    assert PinSchema.of(Strict).build({"a": 1, "unknown": 2}) == Strict(a=1)
    with pytest.raises(ValueError, match="required field"):
        PinSchema.of(Shape).build({})


def test_types_beyond_msgspec_are_handled_pin_by_pin() -> None:
    schema = PinSchema.of(Hard)
    assert schema.build({"either": ["a"], "count": 2, "unknown": 1}) == Hard(either=["a"], count=2)
    assert "`int`" in (schema.mismatch({"either": ["a"], "count": "x"}) or "")
    assert "required field `either`" in (schema.mismatch({"either": None}) or "")
    with pytest.raises(ValueError, match="either"):
        schema.build({})


def test_checking_outputs() -> None:
    schema = SumBlock.output_schema
    assert schema.check("result", 5) is None
    assert "Expected `float`" in (schema.check("result", "5") or "")
    assert "Expected `float`" in (schema.check("result", True) or "")
    assert "error, result" in (schema.check("other", 5) or "")
    assert schema.check("tools_^_n_~_p", object()) is None
    assert PinSchema.of(Shape).check("tags", ("a",)) is None
    assert PinSchema.of(Shape).check("text", Hue.RED) is None


def test_pins_of_an_agent_node() -> None:
    schema = PinSchema.from_json_schema(AGENT_SCHEMA, {"Max": 3})
    assert schema.names == (*AGENT_SCHEMA["properties"], "unlisted")
    assert schema.required == {"Search Query!", "unlisted"}
    assert schema.defaults() == {"Max": 3}
    assert schema.build({"Max": 1, "Free": None, "unknown": 2}) == {"Max": 1}


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        ({}, True),
        ({"Search Query!": 5}, False),
        ({"Max": 5}, True),
        ({"Max": True}, False),
        ({"Max": "5"}, False),
        ({"Max": None}, True),
        ({"Rate": 5}, True),
        ({"Kind": "c"}, False),
        ({"Rows": [{}]}, True),
        ({"Rows": [1]}, False),
        ({"Flag": True}, True),
        ({"Free": object()}, True),
        ({"unknown": object()}, True),
        ({"unlisted": None}, False),
    ],
)
def test_mismatch_of_an_agent_node(data: dict[str, Any], fits: bool) -> None:
    schema = PinSchema.from_json_schema(AGENT_SCHEMA)
    complete = {"Search Query!": "q", "unlisted": 1, **data}
    assert (schema.mismatch(complete) is None) is fits


@pytest.mark.parametrize(
    "broken", [None, [], "x", {"properties": []}, {"properties": {"a": 5}, "required": 7}]
)
def test_a_broken_json_schema_accepts_what_it_does_not_forbid(broken: Any) -> None:
    assert PinSchema.from_json_schema(broken).mismatch({"a": object()}) is None


def test_credentials_fields() -> None:
    fields = PinSchema.of(Signs).credentials
    assert list(fields) == ["credentials", "other_credentials"]
    assert (fields["credentials"].providers, fields["credentials"].types) == (
        ("github", "gitlab"),
        ("oauth2",),
    )
    other = fields["other_credentials"]
    assert (other.providers, other.types, other.scopes) == (("openai", "llama"), ("api_key",), ("read",))
    assert (other.discriminator, other.discriminator_mapping) == ("model", {"m1": "openai"})
    assert not other.required


def test_json_schema() -> None:
    schema = PinSchema.of(Shape).json_schema()
    assert schema["required"] == ["text"]
    assert schema["properties"]["text"] == {
        "type": "string",
        "title": "Text",
        "description": "What to say",
        "format": "long-text",
    }
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}, "default": []}
    assert PinSchema.of(Signs).json_schema()["properties"]["credentials"]["type"] == "object"

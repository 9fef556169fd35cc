"""JSON-schema types as Python annotations: an AGENT node declares its pins in JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Union

_SIMPLE: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "null": None,
    "array": list[Any],
    "object": dict[str, Any],
}


def type_of_schema(schema: Any) -> Any:
    """The annotation that accepts what the schema's types accept; `Any` where it names none we know."""
    if not isinstance(schema, Mapping):
        return Any
    members = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(members, list):
        return _union([type_of_schema(member) for member in members])
    if isinstance(choices := schema.get("enum"), list):
        return _literal(choices)
    kind = schema.get("type")
    if isinstance(kind, list):
        return _union([type_of_schema({**schema, "type": each}) for each in kind])
    if kind == "array":
        return list[type_of_schema(schema.get("items"))]  # type: ignore[misc]
    return _SIMPLE.get(kind, Any) if isinstance(kind, str) else Any


def _literal(choices: list[Any]) -> Any:
    if not choices or not all(choice is None or type(choice) in (str, int) for choice in choices):
        return Any
    return Literal[tuple(choices)]


def _union(members: list[Any]) -> Any:
    if not members or Any in members:
        return Any
    return Union[tuple(members)]  # noqa: UP007

"""What the published schemas of the process-mining standards ask of a document, written down again.

`OCEL` says what the JSON Schema of OCEL 2.0 (ocel20-schema-json.json) says, and `XES` what the XML Schema of IEEE 1849-2016 says.
Their files come without a licence, so they are not kept here.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}


def _records(required: str, **fields: Any) -> dict[str, Any]:
    record = {"type": "object", "properties": fields, "required": required.split()}
    return {"type": "array", "items": record}


_TYPES = _records("name attributes", name=_TEXT, attributes=_records("name type", name=_TEXT, type=_TEXT))
_RELATIONS = _records("objectId qualifier", objectId=_TEXT, qualifier=_TEXT)

OCEL: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["eventTypes", "objectTypes", "events", "objects"],
    "properties": {
        "eventTypes": _TYPES,
        "objectTypes": _TYPES,
        "events": _records(
            "id type time",
            id=_TEXT,
            type=_TEXT,
            time=_TIME,
            attributes=_records("name value", name=_TEXT, value=_TEXT),
            relationships=_RELATIONS,
        ),
        "objects": _records(
            "id type",
            id=_TEXT,
            type=_TEXT,
            relationships=_RELATIONS,
            attributes=_records("name value time", name=_TEXT, value=_TEXT, time=_TIME),
        ),
    },
}
"""A JSON Schema."""

_VALUES = {
    "string": "string",
    "date": "dateTime",
    "int": "long",
    "float": "double",
    "boolean": "boolean",
    "id": "string",
}


def _attribute(name: str, kind: str) -> str:
    return f'<attribute name="{name}"><data type="{kind}"/></attribute>'


def _optional(pattern: str) -> str:
    return f"<optional>{pattern}</optional>"


def _any_number(name: str, *content: str) -> str:
    return f'<zeroOrMore><element name="{name}">{"".join(content)}</element></zeroOrMore>'


_ATTRIBUTES = '<ref name="attributes"/>'
_EVENTS = _any_number("event", _ATTRIBUTES)
_LOG = (
    _attribute("xes.version", "decimal"),
    _optional(_attribute("xes.features", "token")),
    _any_number(
        "extension", _attribute("name", "NCName"), _attribute("prefix", "NCName"), _attribute("uri", "anyURI")
    ),
    _any_number("global", _optional(_attribute("scope", "NCName")), _ATTRIBUTES),
    _any_number(
        "classifier",
        _attribute("name", "NCName"),
        _optional(_attribute("scope", "NCName")),
        _attribute("keys", "token"),
    ),
    _ATTRIBUTES,
    _any_number("trace", _ATTRIBUTES, _EVENTS),
    _EVENTS,
)
_KEY = _attribute("key", "Name")
_KINDS = [
    f'<element name="{name}">{_KEY}{_attribute("value", kind)}{_ATTRIBUTES}</element>'
    for name, kind in _VALUES.items()
]
_LIST = (
    f'<element name="list">{_KEY}{_ATTRIBUTES}<element name="values">{_KEY}{_ATTRIBUTES}</element></element>'
)

XES = (
    '<grammar xmlns="http://relaxng.org/ns/structure/1.0"'
    ' datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">'
    f'<start><element name="log">{"".join(_LOG)}</element></start>'
    f'<define name="attributes"><zeroOrMore><choice>{"".join(_KINDS)}{_LIST}</choice></zeroOrMore></define>'
    "</grammar>"
)
"""A RELAX NG schema."""

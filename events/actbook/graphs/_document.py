"""Reading a graph document: sizes, shapes and types, each fault with its place and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ._errors import ActbookError

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


class GraphFormatError(ActbookError, ValueError):
    """A graph document cannot be used. `place` is the path inside it, such as `nodes[2].block_id`."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"Graph document, at {place or 'the top level'}: {reason}")
        self.place = place
        self.reason = reason


def decode_document(document: str | bytes) -> Any:
    """The JSON value. Raises GraphFormatError; never anything else."""
    try:
        data = document.encode() if isinstance(document, str) else bytes(document)
        if len(data) > MAX_DOCUMENT_BYTES:
            limit = f"{len(data)} bytes > {MAX_DOCUMENT_BYTES} bytes"
            raise GraphFormatError("", f"too large ({limit}). Move big constants out of the graph.")
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeError as error:
        raise GraphFormatError("", f"not UTF-8 text ({error}). Save the file as UTF-8.") from error
    except RecursionError as error:
        raise GraphFormatError("", "nested too deeply. Flatten its constants.") from error
    except msgspec.DecodeError as error:
        raise GraphFormatError("", f"not JSON ({error}). Export the graph again.") from error


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


class Reader:
    """Takes the known fields out of one object of the document; what is left over is kept as it is.

    `absent` remembers the known fields that were missing or null: writing gives back the same document.
    """

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, Mapping):
            raise GraphFormatError(place, f"expected an object, found {kind_of(value)}.")
        self.place = place
        self.rest = dict(value)
        self.absent: dict[str, bool] = {}

    def at(self, field: str) -> str:
        return f"{self.place}.{field}" if self.place else field

    def required_text(self, field: str) -> str:
        value = self.rest.pop(field, None)
        if not isinstance(value, str) or not value:
            found = "it is missing" if value is None else f"found {kind_of(value)}"
            raise GraphFormatError(self.at(field), f"a text that is not empty is needed here, {found}.")
        return value

    def take(self, field: str, kind: type, default: Any) -> Any:
        """The field, or the default when it is missing or null; `absent` keeps which of the two it was."""
        if field not in self.rest:
            self.absent[field] = False
            return default
        value = self.rest.pop(field)
        if value is None:
            if default is not None:
                self.absent[field] = True
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise GraphFormatError(self.at(field), f"expected {_KINDS[kind]}, found {kind_of(value)}.")
        return value


def kind_of(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)

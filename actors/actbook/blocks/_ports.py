"""What blocks need from outside: a key-value store, a file store, a clock.

The engine sets these context variables in the task (or thread) that runs a body. Unset, blocks still run
alone: values live in this process's memory, files stay `data:` URIs, and the clock is the system's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from actbook.graphs import ActbookError, ExecutionContext


class KeyValueStore(Protocol):
    """Values per user. Last write wins; both methods may wait for a database."""

    async def get(self, user_id: str, key: str) -> Any:
        """The stored value, or None."""
        ...

    async def set(self, user_id: str, key: str, value: Any) -> Any:
        """Stores a JSON value and returns it as stored."""
        ...


class FileStore(Protocol):
    """Files that run inputs refer to."""

    async def store(self, context: ExecutionContext, reference: str, *, as_data_uri: bool) -> str:
        """Makes the file available to the run; a reference or its `data:` URI. Raises ValueError."""
        ...

    async def read(self, context: ExecutionContext, reference: str) -> bytes:
        """The content behind a reference. Raises ValueError when it cannot be read."""
        ...


class MemoryStore:
    """Keeps values for the life of the process, as copies that no caller can change."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], bytes] = {}

    async def get(self, user_id: str, key: str) -> Any:
        stored = self._values.get((user_id, key))
        return None if stored is None else msgspec.msgpack.decode(stored)

    async def set(self, user_id: str, key: str, value: Any) -> Any:
        stored = self._values[user_id, key] = msgspec.msgpack.encode(value)
        return msgspec.msgpack.decode(stored)


class UnreadableFileError(ActbookError, ValueError):
    """A file reference cannot be read here. `reference` is cut to 200 characters."""

    def __init__(self, reference: str) -> None:
        shown = reference if len(reference) <= 200 else reference[:200] + "…"
        super().__init__(
            f"Cannot read the file {shown!r}: without a file store only data: URIs can be read; "
            "pass the content as `data:text/csv;base64,…`, or set one with files_for_run."
        )
        self.reference = shown


class InlineFiles:
    """No storage at all: a reference stays what it is, and a `data:` URI is its own content."""

    async def store(self, context: ExecutionContext, reference: str, *, as_data_uri: bool) -> str:
        if as_data_uri and not reference.startswith("data:"):
            raise UnreadableFileError(reference)
        return reference

    async def read(self, context: ExecutionContext, reference: str) -> bytes:
        return data_uri_content(reference)


_DATA_URI = re.compile(r"data:(?P<type>[^,;]*)(?P<parameters>(?:;[^,;]*)*),(?P<data>.*)", re.DOTALL)


def data_uri_content(uri: str) -> bytes:
    """The bytes of a `data:` URI, base64 or percent-encoded. Raises `UnreadableFileError` for anything
    else.
    """
    import base64
    from urllib.parse import unquote_to_bytes

    found = _DATA_URI.fullmatch(uri)
    if found is None:
        raise UnreadableFileError(uri)
    raw = unquote_to_bytes(found["data"])
    if ";base64" not in found["parameters"]:
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except ValueError:
        raise UnreadableFileError(uri) from None


def system_clock() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


_process_store = MemoryStore()
_inline_files = InlineFiles()

storage_for_run: ContextVar[KeyValueStore] = ContextVar("actbook_storage", default=_process_store)
files_for_run: ContextVar[FileStore] = ContextVar("actbook_files", default=_inline_files)
occurrence_for_run: ContextVar[int | None] = ContextVar("actbook_occurrence", default=None)
clock_for_run: ContextVar[Callable[[], datetime]] = ContextVar("actbook_clock", default=system_clock)

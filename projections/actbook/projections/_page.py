"""A page of rows, and where the next one begins."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

import msgspec

from actbook.projections._errors import CursorError

R_co = TypeVar("R_co", covariant=True)


class Page(Sequence[R_co], Generic[R_co]):
    """Rows in order. `next`: the cursor to ask for the following ones with, or None when there are none."""

    __slots__ = ("_rows", "next")

    def __init__(self, rows: Sequence[R_co], next: str | None = None) -> None:  # noqa: A002
        self._rows = tuple(rows)
        self.next = next

    @overload
    def __getitem__(self, index: int) -> R_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[R_co, ...]: ...
    def __getitem__(self, index: int | slice) -> R_co | tuple[R_co, ...]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"Page({list(self._rows)!r}, next={self.next!r})"


def write_cursor(query: str, values: Sequence[Any]) -> str:
    """Text for the place behind the row with these sort values, in answers to this kind of query."""
    return base64.urlsafe_b64encode(msgspec.json.encode([query, *values])).decode().rstrip("=")


def read_cursor(query: str, cursor: str, count: int, *, text: bool = False) -> list[Any]:
    """The sort values in a cursor, numbers but for the first one of `text`.

    Raises `CursorError` unless it belongs to this kind of query.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        kind, *values = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[int | float | str])
    except (ValueError, RecursionError):
        raise CursorError(cursor) from None
    texts = [isinstance(value, str) for value in values]
    fits = texts == [text, *[False] * (count - 1)] and all(map(_is_storable, values))
    if kind != query or not fits:
        raise CursorError(cursor)
    return values


def _is_storable(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63

"""What crosses the boundary of a body: plain values that can be recorded and read back the same."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from actbook.graphs import ActbookError

_INT_LOW, _INT_HIGH = -(2**63), 2**64 - 1
_ATOM_SIZE = 9
_ATOMS = frozenset({str, int, float, bool, type(None)})
_KEPT = (bytes, bytearray, datetime.datetime, datetime.date, datetime.time, uuid.UUID, decimal.Decimal)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class UnrecordableError(ActbookError, ValueError):
    """A value cannot be recorded. Yield JSON-like values: text, numbers of 64 bits, lists, dicts, structs."""


def plain(value: Any) -> tuple[Any, int]:
    """A JSON-like deep copy, equal to what a reader of the record will get, and its size in bytes.

    Sets and tuples become lists, enums their values, structs and dataclasses dicts, times ISO text, bytes
    base64 text, keys text. Raises UnrecordableError.
    """
    kind = type(value)
    if kind is str and value.isascii():
        return value, len(value) + 1
    if kind is int and _INT_LOW <= value <= _INT_HIGH:
        return value, _ATOM_SIZE
    if kind is float or kind is bool or value is None:
        return value, _ATOM_SIZE
    try:
        encoded = _encode(msgspec.to_builtins(value, str_keys=True, enc_hook=_simpler))
        return _decode(encoded), len(encoded)
    except Exception as error:
        raise UnrecordableError(str(error) or type(error).__name__) from error


def own_copy(data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of recorded input that shares nothing changeable with the original."""
    return {name: value if type(value) in _ATOMS else _copied(value) for name, value in data.items()}


def size_of(data: Any) -> int:
    """Bytes of plain data when recorded; 0 when it is not plain."""
    try:
        return len(_encode(data))
    except Exception:
        return 0


def _copied(value: Any) -> Any:
    return msgspec.to_builtins(value, builtin_types=_KEPT)


def _simpler(value: Any) -> Any:
    """The plain type behind a subclass or a container that msgspec does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | AbstractSet):
        return list(value)
    raise TypeError(f"objects of type {type(value).__name__} have no plain form")

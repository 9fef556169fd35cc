"""JSON text as blocks write it: compact, UTF-8 as it is, no integer that a 64-bit reader would lose."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_LONG_NUMBER = re.compile(rb"\d{19}")
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1


def json_text(value: Any) -> str:
    """Compact JSON; NaN and infinities become `null`. Raises ValueError for what JSON, or 64 bits, cannot
    hold.
    """
    try:
        encoded = msgspec.json.encode(value)
        if _LONG_NUMBER.search(encoded) and _has_long_integer(value):
            raise ValueError("Integer exceeds 64-bit range")
    except TypeError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("Value is nested too deeply") from None
    return encoded.decode()


def from_json_text(text: str | bytes) -> Any:
    """The value of a JSON text; NaN and infinities are refused. Raises ValueError."""
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def _has_long_integer(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_long_integer, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_long_integer, value))
    return isinstance(value, int) and not _LOWEST <= value <= _HIGHEST

"""Conversion to numbers, truth values and text. A loss is told by calling `lose`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

Lose = Callable[[], None]

_MEASURED = (list, dict, tuple, set, frozenset)
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


def to_int(value: Any, lose: Lose) -> int:
    """Raises OverflowError for infinities and beyond 64 bits, which nothing could record."""
    return recordable(_to_int(value, lose))


def recordable(whole: int) -> int:
    """Raises OverflowError for a number beyond 64 bits."""
    if not _LOWEST <= whole <= _HIGHEST:
        raise OverflowError("a whole number of more than 64 bits")
    return whole


def _to_int(value: Any, lose: Lose) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    elif isinstance(value, int):
        return int(value)
    number = _number(value, lose)
    if math.isnan(number):
        lose()
        return 0
    whole = int(number)
    if whole != number:
        lose()
    return whole


def to_float(value: Any, lose: Lose) -> float:
    """Raises OverflowError for whole numbers beyond every float."""
    number = _number(value, lose)
    if _exact_whole(value) not in (None, number):
        lose()
    return number


def to_bool(value: Any, lose: Lose) -> bool:
    if isinstance(value, str):
        folded = value.lower()
        if folded not in _TRUE and folded not in _FALSE:
            lose()
        return folded in _TRUE
    truth = bool(value)
    if isinstance(value, _MEASURED) or value != truth:
        lose()
    return truth


def to_text(value: Any, lose: Lose) -> str:
    """JSON text. Raises TypeError or ValueError for what JSON cannot hold."""
    if isinstance(value, Enum) or not isinstance(value, (int, float, list, dict, tuple, type(None))):
        value = msgspec.to_builtins(value)
        if isinstance(value, str):
            return value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=msgspec.to_builtins)
    except ValueError:
        lose()
        return json.dumps(_finite(value), ensure_ascii=False, default=msgspec.to_builtins)


def _number(value: Any, lose: Lose) -> float:
    if isinstance(value, _MEASURED):
        lose()
        return float(len(value))
    if isinstance(value, Enum):
        value = value.value
    try:
        return float(value)
    except (ValueError, TypeError):
        lose()
        return 0.0


def _exact_whole(value: Any) -> int | None:
    if not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinities: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value

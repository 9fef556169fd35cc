"""From the `data` of a CloudEvent back to a typed payload."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from actbook.events import Event, UnknownTopicError, event_type

_Restore = Callable[[Any], Any]


def payload_of(topic: str, schema: str, data: Any) -> Event | None:
    """None when this version does not know the topic, knows it by another schema, or can't read the data."""
    try:
        kind = event_type(topic)
        if schema.rpartition(":")[2] != str(kind.SCHEMA_VERSION):
            return None
        return msgspec.convert(_restore(kind)(data), kind, strict=False, str_keys=True)
    except (UnknownTopicError, msgspec.MsgspecError, RecursionError):
        return None


@lru_cache(maxsize=1024)
def _restore(kind: type[Event]) -> _Restore:
    return _restorer(inspect.type_info(kind))


def _restorer(info: inspect.Type) -> _Restore:
    """Events are arrays where they are stored, and objects with names outside."""
    if isinstance(info, inspect.StructType):
        return _of_struct(info)
    if isinstance(info, inspect.UnionType):
        return _of_union(info)
    if isinstance(info, inspect.DictType):
        value_of = _restorer(info.value_type)
        return lambda data: {k: value_of(v) for k, v in data.items()} if isinstance(data, dict) else data
    if isinstance(info, inspect.ListType | inspect.SetType | inspect.VarTupleType | inspect.FrozenSetType):
        item_of = _restorer(info.item_type)
        return lambda data: [item_of(item) for item in data] if isinstance(data, list) else data
    if isinstance(info, inspect.TupleType):
        each = [_restorer(item) for item in info.item_types]
        return lambda data: (
            [of(item) for of, item in zip(each, data, strict=False)] if isinstance(data, list) else data
        )
    return _as_it_is


def _of_struct(info: inspect.StructType) -> _Restore:
    fields = [(field.encode_name, _restorer(field.type)) for field in info.fields]

    def restore(data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if not info.array_like:
            return {name: of(data[name]) for name, of in fields if name in data}
        # An older version may have written fewer fields; those that came later have defaults.
        return [of(data[name]) for name, of in fields if name in data]

    return restore


def _of_union(info: inspect.UnionType) -> _Restore:
    structs = [each for each in info.types if isinstance(each, inspect.StructType)]
    others = [_restorer(each) for each in info.types if not isinstance(each, inspect.StructType)]
    by_names = [(frozenset(field.encode_name for field in each.fields), _restorer(each)) for each in structs]

    def restore(data: Any) -> Any:
        if isinstance(data, dict):
            for names, of in by_names:
                if names.issuperset(data):
                    return of(data)
        for of in others:
            data = of(data)
        return data

    return restore


def _as_it_is(data: Any) -> Any:
    return data

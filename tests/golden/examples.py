"""One filled-in example of every event type, made from the types of its fields."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from actbook.events import Event, registered_topics


def topics() -> dict[str, type[Event]]:
    """The project's own event types; tests and plug-ins may have registered others."""
    return {
        name: kind for name, kind in registered_topics().items() if kind.__module__.startswith("actbook.")
    }


def example(kind: type[Event]) -> Event:
    """No field has its default, where its type allows another value."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return kind(**{field.name: _value(field.type, field.name) for field in info.fields})


def _value(kind: inspect.Type, name: str) -> Any:
    match kind:
        case inspect.StrType() | inspect.AnyType():
            return f"a {name}"
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 7
        case inspect.FloatType():
            return 2.5
        case inspect.BytesType():
            return name.encode()
        case inspect.LiteralType():
            return kind.values[-1]
        case inspect.EnumType():
            return list(kind.cls)[-1]
        case inspect.UnionType():
            return _value(next(each for each in kind.types if not isinstance(each, inspect.NoneType)), name)
        case inspect.ListType() | inspect.VarTupleType():
            made = [_value(kind.item_type, name), _value(kind.item_type, name)]
            return tuple(made) if isinstance(kind, inspect.VarTupleType) else made
        case inspect.TupleType():
            return tuple(_value(item, name) for item in kind.item_types)
        case inspect.DictType():
            return {_value(kind.key_type, name): _value(kind.value_type, name)}
        case inspect.StructType():
            return kind.cls(**{field.name: _value(field.type, field.name) for field in kind.fields})
    raise TypeError(f"No example of {kind} is known: add one here.")


def same(recorded: Any, read: Any) -> bool:
    """Is what a version recorded in what is read now? Fields that were added since may be there too."""
    if isinstance(recorded, dict) and isinstance(read, dict):
        return all(name in read and same(value, read[name]) for name, value in recorded.items())
    return bool(msgspec.json.encode(recorded) == msgspec.json.encode(read))

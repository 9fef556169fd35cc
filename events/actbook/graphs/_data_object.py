"""Attributes of data objects: what `_@_` reads and builds."""

from __future__ import annotations

import inspect
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Final

import msgspec


class DataObject(dict[str, Any]):
    """A value with attributes that is stored as a JSON object. `value.name` reads the key `name`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"No attribute {name!r}, it has: {', '.join(map(str, self))}") from None


NO_VALUE: Final = type("NoValue", (), {"__repr__": lambda self: "NO_VALUE", "__slots__": ()})()
"""Nothing to deliver, which differs from a None that was given."""

_PLAIN = (str, bytes, int, float, complex, list, tuple, set, frozenset, type, ModuleType, FunctionType)


def attribute_of(value: Any, name: str) -> Any:
    """A public data attribute, or NO_VALUE. Runs no code of the object: no methods, no properties."""
    if name.startswith("_"):
        return NO_VALUE
    if isinstance(value, DataObject):
        return value.get(name, NO_VALUE)
    found = _stored(value, name)
    return NO_VALUE if callable(found) else found


def fields_of(value: Any) -> dict[str, Any] | None:
    """All public data attributes of an object, or None when it is no data object."""
    if isinstance(value, DataObject):
        return dict(value)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    stored = _instance_dict(value)
    if stored is None:
        return None
    return {name: item for name, item in stored.items() if not name.startswith("_") and not callable(item)}


def _stored(value: Any, name: str) -> Any:
    if isinstance(value, msgspec.Struct):
        return getattr(value, name) if name in value.__struct_fields__ else NO_VALUE
    if isinstance(value, tuple) and name in getattr(type(value), "_fields", ()):
        return tuple.__getitem__(value, type(value)._fields.index(name))  # type: ignore[attr-defined]
    if isinstance(value, _PLAIN) or type(value) is dict or value is None:
        return NO_VALUE
    stored = _instance_dict(value) or {}
    if name in stored:
        return stored[name]
    return _declared(value, name)


def _instance_dict(value: Any) -> dict[str, Any] | None:
    if isinstance(value, _PLAIN) or type(value) is dict:
        return None
    try:
        stored = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return stored if isinstance(stored, dict) else None


def _declared(value: Any, name: str) -> Any:
    """A slot, or a constant of the class."""
    found = inspect.getattr_static(type(value), name, NO_VALUE)
    if isinstance(found, MemberDescriptorType):
        try:
            return found.__get__(value, type(value))
        except AttributeError:
            return NO_VALUE
    if isinstance(found, GetSetDescriptorType) or hasattr(type(found), "__get__"):
        return NO_VALUE
    return found

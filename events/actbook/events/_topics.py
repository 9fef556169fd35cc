"""Every event type has a registered topic and schema version, never a Python path."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

import msgspec

from actbook.graphs._errors import ActbookError


class UnknownTopicError(ActbookError):
    """The journal holds an event that this version does not know: upgrade actbook, or read with what wrote it."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"Unknown event topic {topic!r}: a newer version wrote it; upgrade actbook to read this store."
        )
        self.topic = topic


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all event payloads: frozen, array-like MessagePack in the store, an object in JSON outside."""

    TOPIC: ClassVar[str] = ""
    SCHEMA_VERSION: ClassVar[int] = 1


E_ = TypeVar("E_", bound=Event)

_TYPES: dict[str, type[Event]] = {}


def topic(name: str, *, schema_version: int = 1) -> Callable[[type[E_]], type[E_]]:
    """Class decorator: registers an event payload type under its stable topic."""

    def register(cls: type[E_]) -> type[E_]:
        if name in _TYPES:
            raise ValueError(f"topic {name!r} is registered twice")
        cls.TOPIC = name
        cls.SCHEMA_VERSION = schema_version
        _TYPES[name] = cls
        return cls

    return register


def event_type(name: str) -> type[Event]:
    """The payload type registered for a topic; raises `UnknownTopicError`."""
    try:
        return _TYPES[name]
    except KeyError:
        raise UnknownTopicError(name) from None


def registered_topics() -> dict[str, type[Event]]:
    """All registered topics with their payload types (a copy)."""
    return dict(_TYPES)

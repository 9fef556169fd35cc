"""Upcasters: how payloads that an older schema version wrote become payloads of the current one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from actbook.events._topics import registered_topics
from actbook.journal._errors import UpcastError

Fields = list[Any]
"""A payload as plain data: its fields in order, as MessagePack holds them."""

Upcaster = Callable[[Fields], Fields]

U_ = TypeVar("U_", bound=Upcaster)

_UPCASTERS: dict[tuple[str, int], Upcaster] = {}


def upcaster(topic: str, from_version: int) -> Callable[[U_], U_]:
    """Function decorator: lifts payload fields of `topic` from schema version `from_version` to the next
    one.
    """

    def register(lift: U_) -> U_:
        if (topic, from_version) in _UPCASTERS:
            raise ValueError(f"topic {topic!r} has two upcasters from version {from_version}")
        _UPCASTERS[topic, from_version] = lift
        return lift

    return register


def upcast(topic: str, fields: Fields, recorded: int, current: int) -> Fields:
    """Applies the chain from the recorded to the current schema version."""
    if recorded > current:
        raise UpcastError(
            [f"{topic} was recorded with schema version {recorded}, newer than {current}: upgrade actbook"]
        )
    for version in range(recorded, current):
        lift = _UPCASTERS.get((topic, version))
        if lift is None:
            raise UpcastError([f"{topic} has no upcaster from version {version}"])
        fields = lift(fields)
    return fields


def check_upcasters() -> None:
    """Raises `UpcastError` unless every registered topic can be lifted from each of its earlier versions."""
    versions = {name: cls.SCHEMA_VERSION for name, cls in registered_topics().items()}
    needed = {(name, version) for name, current in versions.items() for version in range(1, current)}
    present = set(_UPCASTERS)
    problems = [
        f"{name} has no upcaster from version {version}" for name, version in sorted(needed - present)
    ]
    problems += [f"{name} has a stray upcaster from version {v}" for name, v in sorted(present - needed)]
    if problems:
        raise UpcastError(problems)

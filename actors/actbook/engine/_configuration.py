"""Settings from environment variables: `ACTBOOK_` and the name of the setting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from actbook.actors import Capacity, SupervisionPolicy, Timing
from actbook.engine._errors import ConfigurationError
from actbook.engine._settings import EngineSettings

DEFAULT_STORE = "sqlite:///actbook.db"
STORE = "ACTBOOK_STORE"
_PLAIN = ("candidate", "take_over", "lease", "synchronous", "max_active", "snapshot_every", "drain")
_BRIDGES = ("broker", "bus")
_GROUPS = {"capacity": Capacity, "timing": Timing, "supervision": SupervisionPolicy}
_NOT_TEXT = ("fatal",)
_MOST = 1e15
_KINDS = {bool: "1 or 0", int: "a whole number", float: "a number"}


class Variable(NamedTuple):
    """What a variable sets: a field of `EngineSettings`, or one of a struct that is such a field."""

    field: str
    part: str
    type: Any


def variables() -> dict[str, Variable]:
    """By name, all that set a field. What is no text, such as a registry, has none."""
    types = get_type_hints(EngineSettings)
    found = {f"ACTBOOK_{name.upper()}": Variable(name, "", types[name]) for name in (*_PLAIN, *_BRIDGES)}
    for group, struct in _GROUPS.items():
        for part, kind in get_type_hints(struct).items():
            if part not in _NOT_TEXT:
                name = f"ACTBOOK_{group}_{part.rstrip('_')}".upper()
                found[name] = Variable(group, part, kind)
    return found


def settings_from_environment(
    environment: Mapping[str, str] | None = None, *, bridges: bool = True, **given: Any
) -> dict[str, Any]:
    """The fields of `EngineSettings` that variables set, and those `given`, which go first; for `Engine.open`.

    A variable that is empty counts as unset. Without `bridges` those that name a broker or a bus are left out. Raises
    `ConfigurationError`.
    """
    environment = os.environ if environment is None else environment
    settings: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for name, (field, part, kind) in variables().items():
        text = environment.get(name, "").strip()
        if not text or field in given or (field in _BRIDGES and not bridges):
            continue
        value = _read(name, text, kind)
        if part:
            parts.setdefault(field, {})[part] = value
        else:
            settings[field] = value
    for field, values in parts.items():
        settings[field] = _GROUPS[field](**values)
    return settings | given


def store_from_environment() -> str:
    """The URL of the store."""
    return os.environ.get(STORE, "") or DEFAULT_STORE


def _read(name: str, text: str, kind: Any) -> Any:
    try:
        value = msgspec.convert(text.lower() if kind is bool else text, kind, strict=False)
    except msgspec.ValidationError:
        raise ConfigurationError(name, text, f"it has to be {_wanted(kind)}") from None
    if kind in (int, float) and not 0 <= value < _MOST:
        raise ConfigurationError(name, text, f"it has to be {_wanted(kind)} from 0 on")
    return value


def _wanted(kind: Any) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    return f"one of {', '.join(get_args(kind))}"

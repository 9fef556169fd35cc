"""The reference page of the event types."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from actbook.events import (
    Envelope,
    Event,
    Limits,
    NodeStats,
    Parent,
    ScheduleSpec,
    Settings,
    registered_topics,
)

_HEAD = """# Events

Everything that happens is one of these events. Topics and field orders are stable: the store refers to them, never to Python names.
A field of a later schema version is added at the end. This page is written by `make docs` from the code.

## Envelope

{envelope}

{fields}"""

_SHARED: tuple[type[msgspec.Struct], ...] = (Parent, Settings, Limits, NodeStats, ScheduleSpec)


def events_page() -> str:
    """The page as Markdown."""
    envelope = _HEAD.format(envelope=_doc(Envelope), fields=_table(Envelope))
    # A plug-in, or a test, may have registered topics of its own.
    topics = [
        (name, kind)
        for name, kind in sorted(registered_topics().items())
        if kind.__module__.startswith("actbook.")
    ]
    contents = "## Topics\n\n" + "\n".join(
        f"- [`{name}`](#{_anchor(name)}) {_first(kind)}" for name, kind in topics
    )
    shared = [f"## {kind.__name__}\n\n{_doc(kind)}\n\n{_table(kind)}" for kind in _SHARED]
    return "\n".join([envelope, contents + "\n", *(_section(*each) for each in topics), *shared])


def _section(name: str, kind: type[Event]) -> str:
    version = f"Schema version {kind.SCHEMA_VERSION}. `{kind.__name__}` in `actbook.events`."
    fields = _table(kind) if kind.__struct_fields__ else "No fields.\n"
    return f"## {name}\n\n{_doc(kind)} {version}\n\n{fields}"


def _table(kind: type[msgspec.Struct]) -> str:
    rows = [
        f"| `{field.name}` | `{_type(field.type)}` | {_default(field)} |"
        for field in msgspec.structs.fields(kind)
    ]
    return "| field | type | default |\n|---|---|---|\n" + "\n".join(rows).replace("|  |", "| |") + "\n"


def _type(hint: Any) -> str:
    text = inspect.formatannotation(hint).replace("typing.", "")
    for module in (
        "actbook.events._execution_events.",
        "actbook.events._schedule_events.",
        "actbook.events._node_events.",
        "actbook.events._topics.",
    ):
        text = text.replace(module, "")
    return text.replace("|", "\\|")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        default = field.default
        return f"`{type(default).__name__}()`" if isinstance(default, msgspec.Struct) else f"`{default!r}`"
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{field.default_factory()!r}`"
    return ""


def _doc(kind: type) -> str:
    return inspect.getdoc(kind) or ""


def _first(kind: type) -> str:
    text = " ".join(_doc(kind).split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".") + "."


def _anchor(name: str) -> str:
    return name.replace(".", "")

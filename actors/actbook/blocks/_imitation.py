"""Made-up values: of the shape that is needed, the same for the same seed, and visibly made up."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from ._json_text import json_text
from ._needs import TEXT, Need

ITEMS = 2
"""Items in a made-up list."""


def seed_of(node_id: str, data: Any) -> str:
    """Six characters that change with the node and with what it was given."""
    try:
        given = msgspec.json.encode(data, order="deterministic")
    except (TypeError, ValueError, RecursionError):
        given = repr(data).encode(errors="replace")
    return hashlib.blake2s(node_id.encode() + b"\0" + given, digest_size=3).hexdigest()


def imitation(need: Need, label: str, seed: str) -> Any:
    """A value for the need. `label` says what it stands for."""
    if need.kind == "number":
        return 3
    if need.kind == "flag":
        return True
    if need.kind == "list":
        return [imitation(need.item or TEXT, f"{label} {number}", seed) for number in range(1, ITEMS + 1)]
    if need.kind == "dict":
        return _dictionary(need, label, seed)
    if need.kind == "xml":
        return xml_of(need, label, seed)
    if need.kind == "json":
        return json_text(imitation(need.item or TEXT, label, seed))
    return f"Simulated {label} [{seed}]"


def url(label: str, seed: str) -> str:
    """An address under a name that never resolves."""
    return f"https://simulated.invalid/{'-'.join(label.lower().split())}/{seed}"


def _dictionary(need: Need, label: str, seed: str) -> dict[str, Any]:
    parts = need.parts or {"simulated": TEXT}
    return {name: imitation(part, f"{label}/{name}", seed) for name, part in parts.items()}


def xml_of(need: Need, label: str, seed: str) -> str:
    """One element per part; a part that is a list has two elements inside, named as its items are looked
    up.
    """
    parts = need.parts or {"result": TEXT}
    return "".join(
        f"<{_tag(name)}>{_content(part, f'{label}/{name}', seed)}</{_tag(name)}>"
        for name, part in parts.items()
    )


def _content(need: Need, label: str, seed: str) -> str:
    if need.kind in ("dict", "xml") and need.parts:
        return xml_of(need, label, seed)
    if need.kind == "list":
        item = need.item or TEXT
        element = item if item.kind == "dict" and item.parts else Need("dict", {"item": item})
        return "".join(xml_of(element, f"{label} {number}", seed) for number in range(1, ITEMS + 1))
    return str(imitation(need, label, seed)).replace("<", "(").replace(">", ")")


def _tag(name: str) -> str:
    return name.replace("<", "").replace(">", "").replace("/", "") or "item"

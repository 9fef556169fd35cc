"""The page: one file, that asks nothing of anybody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from actbook.events import Envelope, ExecutionCreated
from actbook.graphs import Graph
from actbook.replay._export._names import plain_labels
from actbook.replay._export._svg import drawing
from actbook.replay._report._content import content

if TYPE_CHECKING:
    from actbook.replay._history import History

_HERE = Path(__file__).parent
_MANY = 250
"""Nodes of a picture that is too small to be read before somebody zooms in; its texts are not laid out until then."""


def report(history: History, graph: Graph | None = None, *, labels: Mapping[str, str] | None = None) -> str:
    """A page about an execution, complete in itself. `labels`: names by node id. Takes a second for 10,000 events.

    It makes no request, runs no code but its own, and shows what was recorded as text only.
    """
    events, faults = history.events, history.verify()
    shown = graph if graph is not None else _unknown_graph(events)
    named = labels or plain_labels(shown)
    data = content(events, shown, named, faults)
    style, script = (_HERE / "page.css").read_text("utf-8"), (_HERE / "page.js").read_text("utf-8")
    title = escape(shown.name or shown.id)
    status = escape(data["statuses"])
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in data["facts"]
    )
    parts = {
        "policy": f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none';"
        f" script-src {_hash(script)}; style-src {_hash(style)}",
        "title": title,
        "style": style,
        "status": status,
        "facts": facts,
        "badge": _badge(data["checked"]),
        "distance": " far" if len(shown.nodes) > _MANY else "",
        "drawing": drawing(shown, {}, named),
        "data": _embedded(data),
        "script": script,
    }
    page = (_HERE / "page.html").read_text("utf-8")
    pieces = page.split("{{")
    return pieces[0] + "".join(
        parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:])
    )


def _badge(checked: dict[str, Any]) -> str:
    if checked["faults"]:
        return f'<span class="badge bad">✗ {len(checked["faults"])} found by verification</span>'
    return f'<span class="badge good">✓ {checked["events"]} events verified</span>'


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _embedded(data: dict[str, Any]) -> str:
    """JSON that can stand in a page: nothing in it ends the element, or a line of a script."""
    text = msgspec.json.encode(data).decode()
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _unknown_graph(events: Sequence[Envelope]) -> Graph:
    first = events[0].payload if events else None
    graph_id = first.graph_id if isinstance(first, ExecutionCreated) else "unknown"
    return Graph(id=graph_id, name=f"{graph_id} (its graph is not in the store)", nodes=[], links=[])

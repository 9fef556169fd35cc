"""Golden journals: what a version recorded, one JSON line per event, and what that version made of it.

`python -m tests.golden` writes the one of this version. That of a released version is never written again: later
versions must read it as it is.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actbook.events import Envelope, GraphExecution, fold
from actbook.journal import Row, Store
from actbook.journal._codec import decode

FOLDER = Path(__file__).parent
_LONGEST = 2000
"""Characters of a value that stand in the line; of a longer one stands its SHA-256."""


class Golden(NamedTuple):
    """A journal as it was recorded. `payloads`: by position; `executions`: by id."""

    rows: list[Row]
    payloads: dict[int, dict[str, Any]]
    blobs: dict[bytes, bytes]
    executions: dict[str, dict[str, Any]]

    def events(self) -> Iterator[Envelope]:
        """Read by the code as it is now."""
        for row in self.rows:
            yield decode(row, self.blobs.__getitem__)

    def histories(self) -> dict[str, list[Envelope]]:
        """The events of each execution."""
        found: dict[str, list[Envelope]] = {}
        for event in self.events():
            if event.stream_id in self.executions:
                found.setdefault(event.stream_id, []).append(event)
        return found


def shown(payload: Any) -> dict[str, Any]:
    """The fields of a payload, as a reader of the line sees them."""
    return {name: _short(getattr(payload, name)) for name in payload.__struct_fields__}


def summary(state: GraphExecution) -> dict[str, Any]:
    """What an execution came to."""
    nodes = {
        str(number): [
            node.node_id,
            str(node.status),
            node.attempt,
            _short(node.data),
            _short(node.pins),
            node.error,
        ]
        for number, node in sorted(state.node_executions.items())
    }
    fields = (
        "status",
        "graph_id",
        "user_id",
        "inputs",
        "outputs",
        "error",
        "reason",
        "actor",
        "attempt",
        "version",
    )
    return {name: _short(getattr(state, name)) for name in fields} | {
        "stats": _short(state.stats),
        "node_executions": nodes,
    }


def read(path: Path) -> Golden:
    """A golden journal."""
    golden = Golden([], {}, {}, {})
    for line in map(json.loads, path.read_text("utf-8").splitlines()):
        if "blob" in line:
            golden.blobs[bytes.fromhex(line["blob"])] = zlib.decompress(base64.b64decode(line["zlib"]))
        elif "execution" in line:
            golden.executions[line["execution"]] = line["summary"]
        else:
            golden.rows.append(_row(line))
            golden.payloads[line["position"]] = line["payload"]
    return golden


def write(path: Path, store: Store, digests: Iterable[bytes]) -> None:
    """Writes the whole log of a store."""
    histories: dict[str, list[Envelope]] = {}
    lines: list[dict[str, Any]] = []
    for row in store.log_rows(0, None):
        event = decode(row, store.blob)
        lines.append(_line(row, event))
        if ":" not in row.stream_id:
            histories.setdefault(row.stream_id, []).append(event)
    for digest in digests:
        packed = base64.b64encode(zlib.compress(store.blob(digest), 9)).decode()
        lines.append({"blob": digest.hex(), "zlib": packed})
    for execution_id, events in histories.items():
        lines.append({"execution": execution_id, "summary": summary(fold(events, retain=True))})
    text = "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    path.write_text(text + "\n", "utf-8")


def _line(row: Row, event: Envelope) -> dict[str, Any]:
    return {
        "position": row.position,
        "stream_id": row.stream_id,
        "version": row.version,
        "topic": row.topic,
        "event_id": row.event_id.hex(),
        "at": row.at,
        "hash": row.hash.hex(),
        "state": base64.b64encode(row.state).decode(),
        "payload": shown(event.payload),
    }


def _row(line: dict[str, Any]) -> Row:
    return Row(
        line["position"],
        line["stream_id"],
        line["version"],
        line["topic"],
        bytes.fromhex(line["event_id"]),
        line["at"],
        bytes.fromhex(line["hash"]),
        base64.b64decode(line["state"]),
    )


def _short(value: Any) -> Any:
    plain = json.loads(msgspec.json.encode(value))
    text = json.dumps(plain, sort_keys=True)
    return plain if len(text) <= _LONGEST else {"sha256": sha256(text.encode()).hexdigest()}

"""What each event changed in the state: along a whole history in one pass, looking only at what the event touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from actbook.events import Envelope, GraphExecution, LinkLatched, NodeExecution
from actbook.graphs import ActbookError
from actbook.replay._difference import ABSENT, difference
from actbook.replay._export._cloudevents import as_json
from actbook.replay._export._moves import Move, Moves
from actbook.replay._report._clipping import clip

_OF_RUN = (
    "status",
    "worker",
    "epoch",
    "attempt",
    "actor",
    "reason",
    "error",
    "inbox_version",
    "stopping",
    "stats",
)
_GROWING = ("outputs", "held")
_NOTHING: tuple[Any, ...] = (None, "", 0, 0.0, False, [], {})


class Step(NamedTuple):
    """An event, the statuses it set, and what changed: path, before, after."""

    event: Envelope
    moves: list[Move]
    changes: list[tuple[str, Any, Any]]


class Steps:
    """Iterate once; `state` is then the last one. It ends early where an event does not fit: `broken` is its version."""

    def __init__(self, events: Iterable[Envelope]) -> None:
        self._events = events
        self._moves = Moves()
        self._run: dict[str, Any] = {}
        self._nodes: dict[int, dict[str, Any]] = {}
        self._lengths: dict[tuple[int, str], int] = {}
        self.broken = 0

    @property
    def state(self) -> GraphExecution:
        return self._moves.state

    def __iter__(self) -> Iterator[Step]:
        for event in self._events:
            waiting = self._waiting(event)
            try:
                moves = self._moves.apply(event)
            except (ActbookError, LookupError):
                self.broken = event.version
                return
            yield Step(event, moves, list(self._changes({*self._moves.touched, *waiting})))

    def _waiting(self, event: Envelope) -> tuple[int, ...]:
        if isinstance(event.payload, LinkLatched):
            return tuple(self.state.waiting.get(event.payload.node_id, ()))
        return ()

    def _changes(self, touched: set[int]) -> Iterator[tuple[str, Any, Any]]:
        run = {name: as_json(getattr(self.state, name)) for name in _OF_RUN}
        yield from _told("", self._run, run)
        self._run = run
        for name, values in self.state.outputs.items():
            yield from self._grown(0, f"outputs.{name}", values)
        for number in sorted(touched):
            node = self.state.node_executions.get(number)
            if node is not None:
                yield from self._of_node(number, node)

    def _of_node(self, number: int, node: NodeExecution) -> Iterator[tuple[str, Any, Any]]:
        fields = {
            name: as_json(getattr(node, name))
            for name in node.__struct_fields__
            if name not in (*_GROWING, "number")
        }
        yield from _told(f"node {number}.", self._nodes.get(number, {}), fields)
        self._nodes[number] = fields
        yield from self._grown(number, f"node {number}.outputs", node.outputs)

    def _grown(self, number: int, name: str, values: list[Any]) -> Iterator[tuple[str, Any, Any]]:
        """Lists that only grow are compared by length."""
        before = self._lengths.get((number, name), 0)
        for index in range(before, len(values)):
            yield f"{name}[{index}]", ABSENT, clip(values[index])
        self._lengths[number, name] = len(values)


def _told(prefix: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for path, old, new in difference(before, after):
        if (old == ABSENT and new in _NOTHING) or (new == ABSENT and old in _NOTHING):
            continue
        yield prefix + _text(path), clip(old), clip(new)


def _text(path: tuple[str | int, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")

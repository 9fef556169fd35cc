"""What changed in the state between two points of one history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from actbook.events import Envelope, GraphExecution, fold
from actbook.replay._collector import collector_paused
from actbook.replay._difference import Change, difference

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class _Look(NamedTuple):
    """A state as it was at a moment: each node execution in bytes, which cost little to compare, and the rest as plain data."""

    nodes: dict[int, bytes]
    rest: dict[str, Any]

    def beside(self, other: _Look) -> dict[str, Any]:
        """All of it as plain data, but for the node executions that are the same in the other one."""
        nodes = {
            number: _decode(data) for number, data in self.nodes.items() if other.nodes.get(number) != data
        }
        return {**self.rest, "node_executions": nodes}


def point_difference(before: Sequence[Envelope], after: Sequence[Envelope]) -> list[Change]:
    """Changes from the state that follows from some events to the one that follows from others, by path.

    Folds once when one of them are the first of the other.
    """
    with collector_paused():
        turned = len(before) > len(after)
        few, many = (after, before) if turned else (before, after)
        state = fold(few, retain=True)
        first = _look(state)
        on = many[: len(few)] == few
        state = fold(many[len(few) :], state) if on else fold(many, retain=True)
        last = _look(state)
        old, new = (last, first) if turned else (first, last)
        return difference(msgspec.to_builtins(old.beside(new)), msgspec.to_builtins(new.beside(old)))


def _look(state: GraphExecution) -> _Look:
    nodes = state.node_executions
    state.node_executions = {}
    try:
        rest: dict[str, Any] = _decode(state.encode())
    finally:
        state.node_executions = nodes
    return _Look({number: _encode(node) for number, node in nodes.items()}, rest)

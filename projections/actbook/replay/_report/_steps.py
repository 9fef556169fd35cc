"""What each event changed in the state: along a whole history in one pass, looking only at what the event touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from itertools import compress
from operator import attrgetter, is_, is_not
from typing import Any

from actbook.events import Envelope, GraphExecution, LinkLatched, NodeExecution
from actbook.graphs import ActbookError
from actbook.replay._difference import ABSENT, difference
from actbook.replay._export._cloudevents import as_json
from actbook.replay._export._moves import Move, Moves
from actbook.replay._report._clipping import clip, is_plain

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
    "stats.node_exec_count",
    "stats.node_error_count",
    "stats.node_wall",
    "stats.node_cpu",
    "stats.cost",
)
_OF_NODE = tuple(
    name for name in NodeExecution.__struct_fields__ if name not in ("number", "outputs", "held")
)
_run_of: Callable[[GraphExecution], _Values] = attrgetter(*_OF_RUN)
_node_of: Callable[[NodeExecution], _Values] = attrgetter(*_OF_NODE)
_CHANGED_IN_PLACE = tuple(
    index
    for index, name in enumerate(_OF_NODE)
    if name in ("inputs", "data", "review", "yielded", "repeats", "counters")
)
_NOTHING: tuple[Any, ...] = (None, "", 0, 0.0, False, [], {})
_Values = tuple[Any, ...]
_Told = tuple[str, Any, Any]
_Part = tuple[str, Sequence[str], _Values, _Values]
"""Prefix and names of fields, and their values before and after; none before: they are new."""

_Grown = tuple[str, list[Any], int, int]
"""A list that only grows: its path, itself, and the indexes of what is new in it."""


class Step:
    """An event and the statuses it set."""

    __slots__ = ("_grown", "_parts", "event", "moves")

    def __init__(self, event: Envelope, moves: list[Move], parts: list[_Part], grown: list[_Grown]) -> None:
        self.event = event
        self.moves = moves
        self._parts = parts
        self._grown = grown

    @property
    def changes(self) -> list[_Told]:
        """What changed: path, before, after. Worked out when asked for."""
        found: list[_Told] = []
        for prefix, names, before, after in self._parts:
            if before:
                _tell(found, prefix, names, before, after)
            else:
                _tell_new(found, prefix, names, after)
        for path, values, first, end in self._grown:
            new = enumerate(values[first:end], first)
            found += [(f"{path}[{index}]", ABSENT, clip(value)) for index, value in new]
        return found


class Steps:
    """Iterate once; `state` is then the last one. It ends early where an event does not fit: `broken` is its version."""

    def __init__(self, events: Iterable[Envelope]) -> None:
        self._events = events
        self._moves = Moves()
        self._run: _Values = ()
        self._nodes: dict[int, _Values] = {}
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
            yield self._step(event, moves, waiting)

    def _waiting(self, event: Envelope) -> tuple[int, ...]:
        if isinstance(event.payload, LinkLatched):
            return tuple(self.state.waiting.get(event.payload.node_id, ()))
        return ()

    def _step(self, event: Envelope, moves: list[Move], waiting: tuple[int, ...]) -> Step:
        state, touched = self.state, self._moves.touched
        parts: list[_Part] = []
        grown: list[_Grown] = []
        run = _run_of(state)
        if run != self._run:
            parts.append(("", _OF_RUN, self._run, run))
            self._run = run
        for name, values in state.outputs.items():
            self._grow(grown, (0, name), f"outputs.{name}", values)
        for number in sorted({*touched, *waiting}) if waiting or len(touched) > 1 else touched:
            node = state.node_executions.get(number)
            if node is not None:
                before = self._nodes.get(number, ())
                self._nodes[number] = after = _kept(_node_of(node), before)
                parts.append((f"node {number}.", _OF_NODE, before, after))
                if node.outputs:
                    self._grow(grown, (number, ""), f"node {number}.outputs", node.outputs)
        return Step(event, moves, parts, grown)

    def _grow(self, grown: list[_Grown], key: tuple[int, str], path: str, values: list[Any]) -> None:
        """Lists that only grow are compared by length."""
        before, now = self._lengths.get(key, 0), len(values)
        if now != before:
            grown.append((path, values, before, now))
            self._lengths[key] = now


def _kept(values: _Values, before: _Values) -> _Values:
    """With copies of what the fold changes in place. It changes no value inside of these, it puts others there."""
    kept = list(values)
    for index in _CHANGED_IN_PLACE:
        value = values[index]
        if value:
            kept[index] = before[index] if before and _same(before[index], value) else copy(value)
    return tuple(kept)


def _tell_new(found: list[_Told], prefix: str, names: Sequence[str], values: _Values) -> None:
    for name, value in compress(zip(names, values, strict=True), values):
        found.append((prefix + name, ABSENT, clip(value)))


def _tell(found: list[_Told], prefix: str, names: Sequence[str], before: _Values, after: _Values) -> None:
    others = compress(zip(names, before, after, strict=True), map(is_not, before, after))
    for name, old, new in others:
        if _same(old, new):
            continue
        if is_plain(old) and is_plain(new):
            found.append((prefix + name, old, new))
        else:
            found += _difference(prefix + name, old, new)


def _same(old: Any, new: Any) -> bool:
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        # Only their values are compared, and not by looking into them: those that stayed are the same ones.
        return len(old) == len(new) and all(map(is_, old.values(), new.values())) and old.keys() == new.keys()
    return bool(old == new)


def _difference(path: str, old: Any, new: Any) -> Iterator[_Told]:
    if isinstance(old, dict) and isinstance(new, dict):
        stayed = {key for key in old.keys() & new.keys() if old[key] is new[key]}
        old = {key: value for key, value in old.items() if key not in stayed}
        new = {key: value for key, value in new.items() if key not in stayed}
    for inside, before, after in difference(as_json(old), as_json(new)):
        if not ((before == ABSENT and after in _NOTHING) or (after == ABSENT and before in _NOTHING)):
            yield path + _text(inside), clip(before), clip(after)


def _text(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)

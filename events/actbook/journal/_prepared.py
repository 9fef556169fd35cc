"""An append whose events are encoded: what travels from the caller to the writer."""

from __future__ import annotations

import msgspec

from actbook.events._envelope import Append
from actbook.journal._codec import encode_all


class Prepared(msgspec.Struct, gc=False):
    """An append with its encoded events.

    `size` and `count` are bytes and number of its events, `event_ids` those that the caller gave, all with
    those of `also`; `parts` the append itself and everything in its `also` (empty when there is nothing in
    it).
    """

    append: Append
    states: list[bytes]
    count: int
    size: int
    event_ids: list[bytes]
    parts: tuple[Prepared, ...] = ()


def prepare(append: Append) -> Prepared:
    """Encodes an append's events; raises `UnencodableError`."""
    states = encode_all(append)
    event_ids = [draft.event_id for draft in append.drafts if draft.event_id]
    own = Prepared(append, states, len(states), sum(map(len, states)), event_ids)
    return _with_companions(own) if append.also else own


def _with_companions(own: Prepared) -> Prepared:
    parts = [own]
    for companion in map(prepare, own.append.also):
        parts += companion.parts or (companion,)
    event_ids = [event_id for part in parts for event_id in part.event_ids]
    count, size = sum(part.count for part in parts), sum(part.size for part in parts)
    return Prepared(own.append, own.states, count, size, event_ids, tuple(parts))

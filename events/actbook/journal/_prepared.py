"""An append whose events are encoded: what travels from the caller to the writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actbook.events._envelope import Append
from actbook.journal._codec import encode_all

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys


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


def prepare(append: Append, keys: PayloadKeys | None = None) -> Prepared:
    """Encodes an append's events, and seals the values in them when there are `keys`.

    Raises `UnencodableError` or `PayloadKeyError`.
    """
    states = encode_all(append) if keys is None else _seal_all(append, keys)
    event_ids = [draft.event_id for draft in append.drafts if draft.event_id]
    own = Prepared(append, states, len(states), sum(map(len, states)), event_ids)
    return _with_companions(own, keys) if append.also else own


def _seal_all(append: Append, keys: PayloadKeys) -> list[bytes]:
    from actbook.journal._sealing import seal_all

    return seal_all(append, keys)


def _with_companions(own: Prepared, keys: PayloadKeys | None) -> Prepared:
    parts = [own]
    for each in own.append.also:
        companion = prepare(each, keys)
        parts += companion.parts or (companion,)
    event_ids = [event_id for part in parts for event_id in part.event_ids]
    count, size = sum(part.count for part in parts), sum(part.size for part in parts)
    return Prepared(own.append, own.states, count, size, event_ids, tuple(parts))

"""An append whose events are encoded: what travels from the caller to the writer."""

from __future__ import annotations

import msgspec

from actbook.events._envelope import Append
from actbook.journal._codec import encode_all


class Prepared(msgspec.Struct, gc=False):
    """An append with its encoded events.

    `size` is their bytes, `event_ids` those that the caller gave, `parts` the append itself and everything in
    its `also` (empty when there is nothing in it).
    """

    append: Append
    states: list[bytes]
    size: int
    event_ids: list[bytes]
    parts: tuple[Prepared, ...] = ()

    @property
    def count(self) -> int:
        """Number of events, those of `also` included."""
        return sum(len(part.states) for part in self.parts) if self.parts else len(self.states)


def prepare(append: Append) -> Prepared:
    """Encodes an append's events; raises `UnencodableError`."""
    states = encode_all(append)
    event_ids = [draft.event_id for draft in append.drafts if draft.event_id]
    own = Prepared(append, states, sum(map(len, states)), event_ids)
    if not append.also:
        return own
    parts = (own, *(part for a in map(prepare, append.also) for part in (a.parts or (a,))))
    ids = [event_id for part in parts for event_id in part.event_ids]
    return Prepared(append, states, sum(part.size for part in parts), ids, parts)

"""What views see of sealed events: their structure. So no table holds a value that a user may want to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from actbook.events import Envelope, NodeReviewRequested
from actbook.journal import Store
from actbook.projections._view_rows import ReviewRow


def structure_of(store: Store, events: list[Envelope]) -> list[Envelope]:
    """Events that this process committed, as whoever reads them without a key finds them in the log."""
    if store.keys is None:
        return events
    from actbook.events._user_values import may_hold_values, without_values
    from actbook.journal._sealing import SEALED

    return [
        replace(event, payload=without_values(event.payload, SEALED))
        if may_hold_values(event.payload)
        else event
        for event in events
    ]


def opened_reviews(store: Store, reviews: Sequence[ReviewRow]) -> list[ReviewRow]:
    """With what is to be judged, which nobody can do by structure alone. Blocks. Raises `PayloadKeyError`."""
    return [_opened(store, review) for review in reviews]


def _opened(store: Store, review: ReviewRow) -> ReviewRow:
    for event in store.read_log(review.requested - 1, 1, upto=review.requested):
        if isinstance(event.payload, NodeReviewRequested):
            return replace(review, data=event.payload.data)
    return review

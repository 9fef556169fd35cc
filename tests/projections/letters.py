"""A projection as somebody else would write it: counts letters, and can be made to fail."""

from __future__ import annotations

from typing import ClassVar

from actbook.events import Append, Draft, Envelope, Event, topic
from actbook.projections import Column, Projection, Rows, Table, handles


@topic("letter.seen")
class LetterSeen(Event, frozen=True):
    letter: str
    times: int = 1


@topic("letter.lost")
class LetterLost(Event, frozen=True):
    letter: str


LETTERS = Table(
    "letters",
    "How often each letter was seen.",
    (
        Column("letter", "TEXT", "the letter", ""),
        Column("first", "INTEGER", "position of the first one", 0, fixed=True),
        Column("count", "INTEGER", "how often", 0),
        Column("last", "TEXT", "stream it was last seen in"),
        Column("label", "TEXT", "letter and count", generated="letter || count"),
    ),
    key=("letter",),
)


class Letters(Projection):
    table: ClassVar[Table] = LETTERS
    broken: ClassVar[set[str]] = set()
    """Letters that it cannot process."""

    @handles(LetterSeen)
    def seen(self, event: Envelope, payload: LetterSeen, rows: Rows) -> None:
        row = rows.peek(payload.letter)
        if row is None:
            rows[payload.letter] = {**LETTERS.blank(), "letter": payload.letter, "first": event.position}
        row = rows[payload.letter]
        row["count"] += payload.times
        row["last"] = event.stream_id
        if payload.letter in self.broken:
            raise ValueError(f"cannot read {payload.letter}")

    @handles(LetterLost)
    def lost(self, event: Envelope, payload: LetterLost, rows: Rows) -> None:
        rows.delete(payload.letter)


def letters(stream_id: str, text: str) -> Append:
    """One event per letter; a capital one is lost."""
    events = [LetterLost(c.lower()) if c.isupper() else LetterSeen(c) for c in text]
    return Append(stream_id, None, [Draft(event, 1_000_000 + at) for at, event in enumerate(events)])

"""Event types and shorthands that the journal's tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, Literal

from actbook.events._envelope import Append, Appended, Draft
from actbook.events._topics import Event, topic
from actbook.journal._plan import Outcome

AT = 1_760_000_000_000_000


@topic("test.noted")
class Noted(Event, frozen=True):
    text: str
    data: Any = None


@topic("test.counted")
class Counted(Event, frozen=True):
    number: int


def noted(text: str, data: Any = None, event_id: bytes = b"") -> Draft:
    return Draft(Noted(text, data), AT, None, event_id)


def counted(number: int) -> Draft:
    return Draft(Counted(number), AT + number)


def append(
    stream_id: str,
    expected: int | None,
    *drafts: Draft | str,
    lifecycle: Literal["open", "close"] | None = None,
    also: tuple[Append, ...] = (),
    claim: bool = False,
) -> Append:
    made = [noted(draft) if isinstance(draft, str) else draft for draft in drafts]
    return Append(stream_id, expected, made, "user", "root", "00-trace-01", lifecycle, also, claim=claim)


def written(outcome: Outcome) -> Appended:
    assert isinstance(outcome, Appended), outcome
    return outcome


def failed(outcome: Outcome) -> Exception:
    assert isinstance(outcome, Exception), outcome
    return outcome


def texts(envelopes: Iterable[Any]) -> list[str]:
    return [envelope.payload.text for envelope in envelopes]


def child_environment() -> dict[str, str]:
    """For a Python process that imports what this one can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

"""What this process wrote itself is no news to it."""

from __future__ import annotations

from actbook.engine._watch import OwnPositions
from actbook.events import Envelope, ExecutionQueued


def batch(first: int, last: int) -> list[Envelope]:
    return [
        Envelope(ExecutionQueued(), 0, None, b"", "s", position, position, "", "", "", 1, b"")
        for position in range(first, last + 1)
    ]


def test_positions_are_known_as_own_until_they_are_forgotten() -> None:
    own = OwnPositions()
    own.add(batch(1, 3))
    own.add(batch(4, 6))
    own.add(batch(9, 9))
    assert [position for position in range(1, 11) if position in own] == [1, 2, 3, 4, 5, 6, 9]
    own.forget(8)
    assert [position for position in range(1, 11) if position in own] == [9]

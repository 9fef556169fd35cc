"""What this process wrote itself is no news to it."""

from __future__ import annotations

from actbook.engine._watch import OwnPositions


def test_positions_are_known_as_own_until_they_are_forgotten() -> None:
    own = OwnPositions()
    own.add(1, 3)
    own.add(4, 6)
    own.add(9, 9)
    assert [position for position in range(1, 11) if position in own] == [1, 2, 3, 4, 5, 6, 9]
    own.forget(8)
    assert [position for position in range(1, 11) if position in own] == [9]

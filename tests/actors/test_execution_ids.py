"""Ids of sub-graphs."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from actbook.actors import child_execution_id

PARENT = "7d0e3c52-4b9b-4c35-9d0b-6a8f3b1f2c77"


@given(st.text(max_size=50), st.integers(1, 10**6), st.integers(1, 100))
def test_the_id_of_a_child_follows_from_its_attempt(parent: str, number: int, attempt: int) -> None:
    made = child_execution_id(parent, number, attempt)
    assert made == child_execution_id(parent, number, attempt)
    assert str(UUID(made)) == made
    others = {
        child_execution_id(parent, number + 1, attempt),
        child_execution_id(parent, number, attempt + 1),
    }
    assert made not in others


def test_siblings_stand_together_and_apart_from_their_parent() -> None:
    children = {child_execution_id(PARENT, number, 1) for number in range(1, 1001)}
    assert len(children) == 1000
    (shared,) = {child[:13] for child in children}
    assert shared[:8] != PARENT[:8]
    cousins = {child_execution_id(child, 1, 1)[:13] for child in children}
    assert len(cousins) == 1000

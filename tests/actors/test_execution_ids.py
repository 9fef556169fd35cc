"""Ids of executions and of their sub-graphs."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from actbook.actors import child_execution_id, new_execution_id


def test_new_ids_rise_and_are_uuids_of_version_7() -> None:
    ids = [new_execution_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert {UUID(each).version for each in ids} == {7}


@given(st.text(max_size=50), st.integers(1, 10**6), st.integers(1, 100))
def test_a_child_of_any_parent_has_an_id_that_follows_from_its_attempt(
    parent: str, number: int, attempt: int
) -> None:
    made = child_execution_id(parent, number, attempt)
    assert made == child_execution_id(parent, number, attempt)
    assert str(UUID(made)) == made
    others = {
        child_execution_id(parent, number + 1, attempt),
        child_execution_id(parent, number, attempt + 1),
    }
    assert made not in others


def test_a_family_stands_together() -> None:
    parent = new_execution_id()
    children = {child_execution_id(parent, number, 1) for number in range(1, 1001)}
    assert len(children) == 1000
    assert {child[:13] for child in children} == {parent[:13]}
    grandchild = child_execution_id(next(iter(children)), 1, 1)
    assert grandchild[:13] == parent[:13]

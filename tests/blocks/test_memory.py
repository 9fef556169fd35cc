"""PersistInformation and RetrieveInformation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actbook.blocks import MemoryStore, storage_for_run
from actbook.blocks.standard.memory import PersistInformationBlock, RetrieveInformationBlock
from actbook.blocks.testing import BlockInputError, assert_outputs, run_block
from actbook.graphs import ExecutionContext


class _Store(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.keys: list[tuple[str, str]] = []

    async def set(self, user_id: str, key: str, value: Any) -> Any:
        self.keys.append((user_id, key))
        return await super().set(user_id, key, value)


@pytest.fixture
def store() -> Iterator[_Store]:
    store = _Store()
    token = storage_for_run.set(store)
    yield store
    storage_for_run.reset(token)


ADA = ExecutionContext(user_id="ada", graph_id="g")
ADA_ELSEWHERE = ExecutionContext(user_id="ada", graph_id="h")
BOB = ExecutionContext(user_id="bob", graph_id="g")


def _kept(context: ExecutionContext, scope: str) -> Any:
    return run_block(RetrieveInformationBlock, {"key": "k", "scope": scope}, context)[0][1]


def test_a_value_is_kept_per_user_and_scope(store: _Store) -> None:
    data = {"key": "k", "value": {"a": [1]}}
    assert run_block(PersistInformationBlock, data, ADA) == [("value", {"a": [1]})]
    run_block(PersistInformationBlock, {"key": "k", "value": 2, "scope": "across_agents"}, ADA)
    assert store.keys == [("ada", "agent#g#k"), ("ada", "global#k")]
    assert _kept(ADA, "within_agent") == {"a": [1]}
    assert _kept(ADA_ELSEWHERE, "within_agent") is None
    assert _kept(ADA_ELSEWHERE, "across_agents") == 2
    assert _kept(BOB, "within_agent") is None
    assert _kept(BOB, "across_agents") is None


def test_the_last_write_wins(store: _Store) -> None:
    for value in (1, 2):
        run_block(PersistInformationBlock, {"key": "k", "value": value}, ADA)
    assert _kept(ADA, "within_agent") == 2


def test_what_is_not_there_is_the_default(store: _Store) -> None:
    assert_outputs(RetrieveInformationBlock, {"key": "k"}, ("value", None))
    assert_outputs(RetrieveInformationBlock, {"key": "k", "default_value": 0}, ("value", 0))


def test_a_kept_value_is_a_copy(store: _Store) -> None:
    value = {"a": [1]}
    [(_, stored)] = run_block(PersistInformationBlock, {"key": "k", "value": value}, ADA)
    stored["a"].append(2)
    _kept(ADA, "within_agent")["a"].append(3)
    assert _kept(ADA, "within_agent") == {"a": [1]}


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(BlockInputError, match="scope"):
        run_block(RetrieveInformationBlock, {"key": "k", "scope": "everywhere"})


def test_without_a_store_values_live_in_this_process() -> None:
    run_block(PersistInformationBlock, {"key": "k", "value": 1}, ExecutionContext(user_id="unique"))
    assert _kept(ExecutionContext(user_id="unique"), "within_agent") == 1
